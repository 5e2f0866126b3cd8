// SPDX-License-Identifier: Apache-2.0
#include "tests/system/auditctl.h"

#include <fcntl.h>
#include <libaudit.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "auditd/kernel.h"
#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"

namespace auditshift::testing {
namespace {

namespace fs = std::filesystem;
using auditd::PathKind;

constexpr const char* kProgram = "/sbin/auditctl";
constexpr int kPatienceMs = 20'000;

/// The files that the program needs to start, by what the dynamic linker says.
std::vector<std::string> needed_files(std::string& reason) {
  base::SystemProcessRunner runner;
  base::Command command;
  command.argv = {"ldd", kProgram};
  const auto done = runner.run(command);
  if (!done.ok() || !done->success()) {
    reason = "auditctl is not installed, or ldd does not understand it";
    return {};
  }
  std::vector<std::string> files{kProgram};
  for (const std::string_view line : base::split(done->output, '\n')) {
    const std::size_t begin = line.find('/');
    if (begin == std::string_view::npos) continue;
    files.emplace_back(line.substr(begin, line.find(' ', begin) - begin));
  }
  return files;
}

void copy_into(const fs::path& root, const std::string& file) {
  const fs::path target = root / fs::path(file).relative_path();
  fs::create_directories(target.parent_path());
  fs::copy_file(file, target, fs::copy_options::overwrite_existing);
}

std::vector<std::pair<std::string, std::uint32_t>> read_accounts(const char* file) {
  std::vector<std::pair<std::string, std::uint32_t>> accounts;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    const std::vector<std::string_view> parts = base::split(line, ':');
    if (parts.size() < 3) continue;
    if (const auto id = base::parse_decimal(parts[2])) {
      accounts.emplace_back(std::string(parts[0]), static_cast<std::uint32_t>(*id));
    }
  }
  return accounts;
}

/// In the child: becomes auditctl inside the root, under the shim, in a process group of its own.
[[noreturn]] void become_auditctl(const fs::path& root, const std::vector<std::string>& arguments, int out,
                                  int err) {
  setpgid(0, 0);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  if (chroot(root.c_str()) != 0 || chdir("/") != 0) _exit(126);
  // Without the shim nothing runs.
  if (access("/shim.so", R_OK) != 0) _exit(126);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  char preload[] = "LD_PRELOAD=/shim.so";
  char locale[] = "LC_ALL=C";
  char* environment[] = {preload, locale, nullptr};
  execve(kProgram, argv.data(), environment);
  _exit(127);
}

void drain(int out, int err, Ended& ended, pid_t child) {
  std::array<pollfd, 2> waiting{pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
  std::array<std::string*, 2> texts{&ended.output, &ended.errors};
  int open = 2;
  while (open > 0) {
    if (poll(waiting.data(), waiting.size(), kPatienceMs) <= 0) {
      ::kill(child, SIGKILL);
      return;
    }
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].fd < 0 || waiting[i].revents == 0) continue;
      char buffer[16384];
      const ssize_t length = ::read(waiting[i].fd, buffer, sizeof buffer);
      if (length > 0) {
        texts[i]->append(buffer, static_cast<std::size_t>(length));
      } else {
        waiting[i].fd = -1;
        --open;
      }
    }
  }
}

/// Sends the rule back to the kernel for removal.
bool remove_by_netlink(int fd, const auditd::Rule& rule) {
  const std::vector<unsigned char> bytes = auditd::to_kernel(rule);
  std::vector<std::uint64_t> aligned((bytes.size() + 7) / 8);
  std::memcpy(aligned.data(), bytes.data(), bytes.size());
  auto* data = reinterpret_cast<audit_rule_data*>(aligned.data());
  return audit_delete_rule_data(fd, data, static_cast<int>(data->flags), static_cast<int>(data->action)) > 0;
}

}  // namespace

std::unique_ptr<Auditctl> Auditctl::make(std::string& reason) {
  std::unique_ptr<Auditctl> auditctl(new Auditctl);
  if (!auditctl->build(reason)) return nullptr;
  return auditctl;
}

bool Auditctl::build(std::string& reason) {
  if (geteuid() != 0) {
    reason = "root is needed to load audit rules";
    return false;
  }
  const std::vector<std::string> files = needed_files(reason);
  if (files.empty()) return false;
  std::string pattern = fs::temp_directory_path() / "auditshift-auditctl-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) {
    reason = "no scratch directory can be made";
    return false;
  }
  root_ = pattern;
  for (const std::string& file : files) copy_into(root_, file);
  fs::copy_file(AUDITSHIFT_SHIM, root_ / "shim.so");
  users_ = read_accounts("/etc/passwd");
  groups_ = read_accounts("/etc/group");
  fs::create_directories(root_ / "etc");
  fs::create_directories(root_ / "tmp");
  write_accounts();
  return true;
}

Auditctl::~Auditctl() {
  std::error_code ignored;
  if (!root_.empty()) fs::remove_all(root_, ignored);
}

void Auditctl::write_accounts() const {
  std::ofstream passwd(root_ / "etc/passwd");
  for (const auto& [name, id] : users_) passwd << name << ":x:" << id << ":" << id << "::/:/bin/false\n";
  std::ofstream group(root_ / "etc/group");
  for (const auto& [name, id] : groups_) group << name << ":x:" << id << ":\n";
}

void Auditctl::add_user(const std::string& name, std::uint32_t uid) {
  users_.emplace_back(name, uid);
  write_accounts();
}

Ended Auditctl::run(const std::vector<std::string>& arguments) const {
  int out[2];
  int err[2];
  Ended ended;
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) return ended;
  std::vector<std::string> argv{"auditctl"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const pid_t child = fork();
  if (child == 0) become_auditctl(root_, argv, out[1], err[1]);
  base::Fd out_read(out[0]);
  base::Fd err_read(err[0]);
  ::close(out[1]);
  ::close(err[1]);
  if (child < 0) return ended;
  drain(out_read.get(), err_read.get(), ended, child);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  return ended;
}

Ended Auditctl::load(std::string_view text) const {
  std::ofstream(root_ / "rules", std::ios::binary | std::ios::trunc) << text;
  return run({"-R", "/rules"});
}

std::vector<std::string> Auditctl::list() const {
  const Ended ended = run({"-l"});
  std::vector<std::string> lines;
  for (const std::string_view line : base::split(ended.output, '\n')) {
    if (!line.empty() && line != "No rules") lines.emplace_back(line);
  }
  return lines;
}

void Auditctl::remove(const std::vector<auditd::Rule>& rules) const {
  const base::Fd fd(audit_open());
  for (const auditd::Rule& rule : rules) {
    if (remove_by_netlink(fd.get(), rule)) continue;
    // The kernel looks up exe paths in the root directory of whoever asks.
    (void)run({"-D"});
    return;
  }
}

bool Auditctl::clear() const {
  auditd::LiveKernelAudit kernel({});
  remove(kernel.rules().rules);
  const auditd::LiveRules left = kernel.rules();
  return left.known && left.rules.empty();
}

void Auditctl::make_parents(const auditd::Rule& rule) const {
  for (const auditd::Field& field : rule.fields) {
    if (field.id != AUDIT_WATCH && field.id != AUDIT_DIR && field.id != AUDIT_EXE) continue;
    const fs::path path = root_ / fs::path(field.text).relative_path();
    std::error_code ignored;
    fs::create_directories(field.id == AUDIT_DIR ? path : path.parent_path(), ignored);
  }
}

std::optional<std::uint32_t> Auditctl::uid_of(std::string_view user) const {
  const auto found =
      std::find_if(users_.begin(), users_.end(), [&](const auto& entry) { return entry.first == user; });
  return found == users_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint32_t> Auditctl::gid_of(std::string_view group) const {
  const auto found =
      std::find_if(groups_.begin(), groups_.end(), [&](const auto& entry) { return entry.first == group; });
  return found == groups_.end() ? std::nullopt : std::optional(found->second);
}

PathKind Auditctl::kind_of(std::string_view path) const {
  const fs::path inside = root_ / fs::path(path).relative_path();
  struct stat info {};
  if (stat(inside.c_str(), &info) == 0) return S_ISDIR(info.st_mode) ? PathKind::directory : PathKind::other;
  return stat(inside.parent_path().c_str(), &info) == 0 ? PathKind::missing : PathKind::missing_parent;
}

}  // namespace auditshift::testing
