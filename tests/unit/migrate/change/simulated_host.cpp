// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/migrate/change/simulated_host.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "auditd/layout.h"
#include "auditd/normalize.h"
#include "base/clock.h"
#include "base/process.h"
#include "migrate/change/journal.h"
#include "migrate/change/transaction_record.h"
#include "tests/unit/migrate/change/simulated_worlds.h"

namespace auditshift::tests {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporary = ".auditshift-";

class NoProcesses final : public base::ProcessRunner {
 public:
  base::Result<base::Completed> run(const base::Command& command) override {
    return base::Error(base::Errc::not_found, command.argv.at(0) + ": not simulated");
  }
};

void check(bool worked, const std::string& what) {
  if (!worked) throw std::runtime_error("simulated host: " + what + ": " + std::strerror(errno));
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

SimulatedFile look(const std::string& path) {
  struct stat st {};
  check(::lstat(path.c_str(), &st) == 0, path);
  SimulatedFile file;
  if (S_ISLNK(st.st_mode)) {
    file.kind = 'l';
    file.attributes = {.mode = 0777, .uid = st.st_uid, .gid = st.st_gid, .extended = {}};
    file.content = fs::read_symlink(path);
    return file;
  }
  const base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  check(fd.valid(), path);
  auto attributes = base::read_attributes(fd.get(), path);
  check(attributes.ok(), path);
  file.attributes = *std::move(attributes);
  if (S_ISDIR(st.st_mode))
    file.kind = 'd';
  else
    file.content = read(path);
  return file;
}

/// ".f.auditshift-0123456789abcdef" → ".f.auditshift-": equal states shall look equal.
std::string without_random(std::string path) {
  const std::size_t at = path.rfind(kTemporary);
  if (at != std::string::npos && path.size() == at + kTemporary.size() + 16)
    path.resize(at + kTemporary.size());
  return path;
}

}  // namespace

SimulatedHost::SimulatedHost() : SimulatedHost(Options{}) {}

SimulatedHost::SimulatedHost(Options options) : options_(options) {
  // A tmpfs: nothing waits for a disk.
  const fs::path parent = fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
  directory_ = (parent / "auditshift-host-XXXXXX").string();
  check(::mkdtemp(directory_.data()) != nullptr, directory_);
  root_ = directory_ + "/root";
  fs::create_directory(root_);
  fs::create_directory(directory_ + "/graveyard");
  disk_ = std::make_shared<FaultDisk>(*points_, directory_ + "/graveyard");
  auto files = base::Sysroot::open(root_, base::Sysroot::Resolver::automatic, disk_);
  check(files.ok(), root_);
  host_ = {.files = std::make_shared<base::Sysroot>(*std::move(files)),
           .audit = make_simulated_audit(world_, points_, parse_),
           .processes = std::make_shared<NoProcesses>(),
           .clock = std::make_shared<base::FixedClock>(*base::parse_utc("2026-11-21T08:00:00Z")),
           .services = make_simulated_services(world_, points_),
           .packages = make_simulated_packages(world_, points_),
           .boot = make_simulated_boot(world_),
           .agent = make_simulated_agent(world_, points_)};
}

SimulatedHost::~SimulatedHost() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void SimulatedHost::file(const std::string& path, std::string_view content, mode_t mode) {
  fs::create_directories(fs::path(real(path)).parent_path());
  std::ofstream(real(path), std::ios::binary) << content;
  check(::chmod(real(path).c_str(), mode) == 0, path);
}

void SimulatedHost::link(const std::string& path, const std::string& target) {
  fs::create_directories(fs::path(real(path)).parent_path());
  fs::create_symlink(target, real(path));
}

void SimulatedHost::boot() {
  ++world_->boot;
  world_->immutable = false;
  world_->rules.clear();
  auditd::Layout layout = auditd::read_layout(*host_.files, parse_);
  if (options_.augenrules && layout.rules_d_exists) {
    if (!layout.compiled || layout.compiled->content != layout.would_compile)
      file("/etc/audit/audit.rules", layout.would_compile);
    layout = auditd::read_layout(*host_.files, parse_);
  }
  layout.loader = auditd::Loader::plain;
  layout.other_rules.reset();
  const auditd::BootLoad load = layout.boot_load();
  std::vector<auditd::Rule> rules;
  for (const auditd::Line* line : load.rules) rules.push_back(*line->rule);
  world_->rules = auditd::kernel_order(rules);
  world_->immutable = load.lock != nullptr;
  world_->rate_limit = load.rate_limit;
}

void SimulatedHost::power_cut(FaultDisk::Survives survives) {
  disk_->lose(survives);
  points_->arm({});
  boot();
}

SimulatedTree SimulatedHost::tree() const {
  SimulatedTree tree;
  for (const auto& entry : fs::recursive_directory_iterator(root_)) {
    const std::string path = entry.path().string();
    tree[without_random(path.substr(root_.size()))] = look(path);
  }
  return tree;
}

void SimulatedHost::restore(const Snapshot& snapshot) {
  disk_->settle();
  points_->arm({});
  for (const auto& entry : fs::directory_iterator(root_)) fs::remove_all(entry.path());
  for (const auto& [name, file] : snapshot.tree) {
    std::string path = real(name);
    if (name.ends_with(kTemporary)) path += "0123456789abcdef";
    if (file.kind == 'l') {
      fs::create_symlink(file.content, path);
      if (::geteuid() == 0)
        check(::lchown(path.c_str(), file.attributes.uid, file.attributes.gid) == 0, path);
      continue;
    }
    if (file.kind == 'd') check(::mkdir(path.c_str(), 0700) == 0, path);
    if (file.kind == 'f') std::ofstream(path, std::ios::binary) << file.content;
    const base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    check(fd.valid(), path);
    const auto dressed = base::write_attributes(*base::kernel_disk(), fd.get(), file.attributes, path);
    check(dressed.ok(), path);
  }
  *world_ = snapshot.world;
}

namespace {

std::string line_of(const std::string& path, const SimulatedFile& file) {
  std::string line = std::string(1, file.kind) + " " + path + " " + std::to_string(file.attributes.mode) +
                     " " + std::to_string(file.attributes.uid) + ":" + std::to_string(file.attributes.gid);
  for (const auto& [name, value] : file.attributes.extended) line += " " + name + "=" + value;
  return line + " [" + file.content + "]\n";
}

std::string world_lines(const SimulatedWorld& world) {
  std::string text = "agent " + world.subsystem + "\n";
  for (const auditd::Rule& rule : world.rules)
    text += "rule " + auditd::normalize(rule, auditd::AuditVersion{}, "x86_64") + "\n";
  if (world.rate_limit != 0) text += "rate limit " + std::to_string(world.rate_limit) + "\n";
  for (const auto& [name, unit] : world.services)
    text += "unit " + name + (unit.active ? " active" : " inactive") +
            (unit.enabled == migrate::Enabled::yes ? " enabled" : " not enabled") + "\n";
  for (const auto& [name, version] : world.packages) text += "package " + name + " " + version + "\n";
  for (const auto& [name, pinned] : world.pinned)
    if (pinned) text += "pinned " + name + "\n";
  return text;
}

}  // namespace

std::string picture(const SimulatedTree& tree, const SimulatedWorld& world) {
  std::string text;
  const std::string state = SimulatedHost::kState;
  for (const auto& [path, file] : tree) {
    // The directories above the state directory come with it.
    if (path.starts_with(state) || state.starts_with(path + "/")) continue;
    text += line_of(path, file);
  }
  return text + world_lines(world);
}

namespace {

/// What a journal says, however it came to say so: the words of its messages and its notes decide nothing.
std::string meaning_of(const std::string& text) {
  const auto journal = migrate::change::parse_journal(text, "journal");
  if (!journal) return text;
  const auto transaction = migrate::change::replay(journal->records, "id", "journal");
  if (!transaction) return text;
  std::string meaning = std::string(to_string(transaction->state)) + " since " + transaction->begin_boot;
  meaning += transaction->rolling_back ? " back" : "";
  meaning += transaction->automatic ? " automatic" : "";
  meaning += " " + transaction->awaited_boot + " " + std::to_string(transaction->attempts);
  for (const auto& step : transaction->steps) {
    meaning += step.begun ? "\nbegun " + step.captured.dump() : "\n-";
    if (step.done) meaning += " done in " + step.done_in_boot;
    if (step.undone) meaning += " undone in " + step.undone_in_boot;
  }
  return meaning + (journal->torn != 0 ? "\ntorn\n" : "\n");
}

}  // namespace

namespace {

/// Which boots are the same matters, not their numbers: they are counted anew in the order of the text.
std::string with_own_boots(const std::string& text) {
  constexpr std::string_view kBoot = "boot-";
  std::map<std::string, std::size_t> numbers;
  std::string renamed;
  std::size_t done = 0;
  for (std::size_t at = text.find(kBoot); at != std::string::npos; at = text.find(kBoot, done)) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789", at + kBoot.size()), text.size());
    const std::size_t number = numbers.emplace(text.substr(at, end - at), numbers.size()).first->second;
    renamed += text.substr(done, at - done) + "boot#" + std::to_string(number);
    done = end;
  }
  return renamed + text.substr(done);
}

}  // namespace

std::string whole_state(const SimulatedTree& tree, const SimulatedWorld& world) {
  std::string text = "now boot-" + std::to_string(world.boot) + (world.immutable ? " locked\n" : "\n");
  const std::string state = SimulatedHost::kState;
  for (const auto& [path, file] : tree) {
    if (path == state + "/lock" || path.starts_with(state + "/state.json") ||
        path.starts_with(state + "/.state.json"))
      continue;
    text += path.ends_with(".journal") ? path + meaning_of(file.content) : line_of(path, file);
  }
  return with_own_boots(text + world_lines(world));
}

}  // namespace auditshift::tests
