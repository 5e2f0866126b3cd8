// SPDX-License-Identifier: Apache-2.0
// assess only reads: the host's files, its audit system and its BPF objects are the same before and after,
// and no system call of a run could have changed them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libaudit.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <thread>

#include "base/text.h"
#include "tests/system/kernel_lock.h"
#include "tests/system/tool.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using tests::TemporaryTree;

std::string xattrs_of(const std::string& path) {
  std::vector<char> names(65536);
  const ssize_t size = ::llistxattr(path.c_str(), names.data(), names.size());
  std::string text;
  for (ssize_t at = 0; at < size;) {
    const std::string name = names.data() + at;
    char value[4096];
    const ssize_t length = ::lgetxattr(path.c_str(), name.c_str(), value, sizeof value);
    text += name + "=" + std::string(value, length > 0 ? static_cast<std::size_t>(length) : 0) + ";";
    at += static_cast<ssize_t>(name.size()) + 1;
  }
  return text;
}

std::string content_of(const std::string& path, const struct stat& st) {
  if (S_ISLNK(st.st_mode)) return fs::read_symlink(path).native();
  if (!S_ISREG(st.st_mode)) return {};
  std::ifstream in(path, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(in), {}};
  return std::to_string(std::hash<std::string>{}(content)) + "/" + std::to_string(content.size());
}

/// What can be told of each file below some directories; access times, which reading may touch, left out.
std::map<std::string, std::string> snapshot(const std::vector<std::string>& roots) {
  std::map<std::string, std::string> all;
  const auto add = [&](const std::string& path) {
    struct stat st {};
    if (::lstat(path.c_str(), &st) != 0) return;
    std::ostringstream text;
    text << std::oct << st.st_mode << std::dec << " " << st.st_uid << ":" << st.st_gid << " " << st.st_ino
         << " " << st.st_nlink << " m" << st.st_mtim.tv_sec << "." << st.st_mtim.tv_nsec << " c"
         << st.st_ctim.tv_sec << "." << st.st_ctim.tv_nsec << " " << xattrs_of(path) << " "
         << content_of(path, st);
    all[path] = text.str();
  };
  for (const std::string& root : roots) {
    add(root);
    std::error_code ec;
    for (fs::recursive_directory_iterator at(root, fs::directory_options::skip_permission_denied, ec), end;
         !ec && at != end; at.increment(ec))
      add(at->path().native());
  }
  return all;
}

std::vector<std::string> differences(const std::map<std::string, std::string>& before,
                                     const std::map<std::string, std::string>& after) {
  std::vector<std::string> found;
  for (const auto& [path, text] : before)
    if (const auto at = after.find(path); at == after.end() || at->second != text)
      found.push_back(path + ": " + text + " -> " + (at == after.end() ? "gone" : at->second));
  for (const auto& [path, text] : after)
    if (!before.contains(path)) found.push_back(path + " is new");
  return found;
}

/// Ids of the loaded BPF objects of one kind. Programs go away a moment after their last descriptor.
std::set<std::uint32_t> bpf_ids(bpf_cmd command) {
  std::set<std::uint32_t> ids;
  bpf_attr attr{};
  while (::syscall(SYS_bpf, command, &attr, sizeof attr) == 0) {
    ids.insert(attr.next_id);
    attr.start_id = attr.next_id;
  }
  return ids;
}

std::set<std::uint32_t> bpf_ids() {
  std::set<std::uint32_t> all;
  std::uint32_t kind = 0;
  for (const bpf_cmd command : {BPF_PROG_GET_NEXT_ID, BPF_MAP_GET_NEXT_ID, BPF_LINK_GET_NEXT_ID}) {
    for (const std::uint32_t id : bpf_ids(command)) all.insert(kind | id);
    kind += 1U << 30;
  }
  return all;
}

/// The answers of the real auditctl; the count of lost records and the queue's length move by themselves.
std::string audit_state() {
  std::string text = run_program({"auditctl", "-l"}).out;
  const std::string status = run_program({"auditctl", "-s"}).out;
  for (const std::string_view line : base::split(status, '\n'))
    if (!line.starts_with("lost") && !line.starts_with("backlog ")) text += std::string(line) + "\n";
  return text;
}

std::string why_not_here() {
  if (::geteuid() != 0) return "looking at audit and BPF needs root";
  for (const char* program : {"/usr/bin/strace", "/sbin/auditctl"})
    if (::access(program, X_OK) != 0) return std::string(program) + " is not installed";
  return {};
}

TEST(AssessReadOnly, LeavesFilesAuditAndBpfAsTheyWere) {
  if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
  const KernelLock lock;
  ASSERT_TRUE(lock.held());
  const TemporaryTree captured;
  fs::copy(AUDITSHIFT_FIXTURES "/hosts/ubuntu-20.04-auditd-era", captured.root(),
           fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  const std::vector<std::string> roots{
      "/etc",           "/var/lib/auditshift", "/var/lib/dpkg", "/var/lib/systemd",
      "/var/log/audit", "/var/log/microsoft",  "/sys/fs/bpf",   captured.root()};
  const auto files = snapshot(roots);
  ASSERT_GT(files.size(), 100U);
  const std::string audit = audit_state();
  const std::set<std::uint32_t> bpf = bpf_ids();

  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"assess"},
                                                    {"-v", "assess", "--json"},
                                                    {"rules", "list"},
                                                    {"rules", "check"},
                                                    {"rules", "normalize"},
                                                    {"assess", "--root", captured.root()},
                                                    {"collect", "-o", "-", "--root", captured.root()}}) {
    const Outcome done = run_tool(arguments);
    EXPECT_THAT((std::vector<int>{0, 2, 3}), ::testing::Contains(done.exit_code)) << done.err;
  }

  EXPECT_THAT(differences(files, snapshot(roots)), IsEmpty());
  EXPECT_EQ(audit_state(), audit);
  // Others may load programs meanwhile; none of ours may stay.
  std::vector<std::uint32_t> fresh;
  for (int i = 0; i < 50; ++i) {
    fresh.clear();
    for (const std::uint32_t id : bpf_ids())
      if (!bpf.contains(id)) fresh.push_back(id);
    if (fresh.empty()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_THAT(fresh, IsEmpty());
}

/// Calls that change files, other processes or the machine. What opens for writing, what sends to the kernel
/// and what bpf(2) is asked for are looked at by themselves.
const std::set<std::string> kForbidden = {
    "creat",         "unlink",          "unlinkat",        "rename",
    "renameat",      "renameat2",       "mkdir",           "mkdirat",
    "rmdir",         "mknod",           "mknodat",         "link",
    "linkat",        "symlink",         "symlinkat",       "chmod",
    "fchmod",        "fchmodat",        "fchmodat2",       "chown",
    "fchown",        "lchown",          "fchownat",        "setxattr",
    "lsetxattr",     "fsetxattr",       "removexattr",     "lremovexattr",
    "fremovexattr",  "utime",           "utimes",          "utimensat",
    "futimesat",     "truncate",        "ftruncate",       "fallocate",
    "mount",         "umount2",         "pivot_root",      "move_mount",
    "open_tree",     "fsopen",          "mount_setattr",   "kill",
    "tkill",         "tgkill",          "rt_sigqueueinfo", "pidfd_send_signal",
    "reboot",        "sethostname",     "setdomainname",   "settimeofday",
    "clock_settime", "adjtimex",        "init_module",     "finit_module",
    "delete_module", "swapon",          "swapoff",         "quotactl",
    "acct",          "syslog",          "ptrace",          "process_vm_writev",
    "kexec_load",    "kexec_file_load", "add_key",         "keyctl",
    "execveat"};

struct Traced {
  std::string call;
  std::string rest;
};

/// The calls of an `strace -f` log; resumed halves are joined to their beginning.
std::vector<Traced> read_trace(const std::string& text) {
  std::vector<Traced> calls;
  std::map<std::string, std::string> unfinished;
  static const std::regex kLine(R"(^(\d+) +(.*)$)");
  static const std::regex kResumed(R"(^<\.\.\. (\w+) resumed>(.*)$)");
  for (const std::string_view line : base::split(text, '\n')) {
    std::smatch parts;
    const std::string whole(line);
    if (!std::regex_match(whole, parts, kLine)) continue;
    const std::string pid = parts[1];
    std::string body = parts[2];
    if (const std::size_t cut = body.find(" <unfinished ...>"); cut != std::string::npos) {
      unfinished[pid] = body.substr(0, cut);
      continue;
    }
    std::smatch resumed;
    if (std::regex_match(body, resumed, kResumed)) body = unfinished[pid] + resumed[2].str();
    const std::size_t open = body.find('(');
    if (open == std::string::npos || body.starts_with("+++") || body.starts_with("---")) continue;
    calls.push_back({body.substr(0, open), body.substr(open)});
  }
  return calls;
}

bool opens_for_writing(const Traced& call) {
  if (call.call != "open" && call.call != "openat" && call.call != "openat2") return false;
  static const std::regex kWrites(R"(\bO_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)\b)");
  if (!std::regex_search(call.rest, kWrites)) return false;
  static const std::regex kHarmless(R"("(/dev/null|/dev/tty)\")");
  return !std::regex_search(call.rest, kHarmless);
}

/// Message types that only ask; strace prints a name for what it knows.
bool asks_audit_only(const std::string& type) {
  static const std::set<std::string> kQuestions = {
      "AUDIT_GET", "AUDIT_LIST_RULES", "AUDIT_GET_FEATURE", "0x3e8", "0x3f5", "0x3fb"};
  return kQuestions.contains(type);
}

std::vector<std::string> audit_message_types(const std::vector<Traced>& calls) {
  static const std::regex kType(R"(nlmsg_type=([^,}\s]+))");
  std::vector<std::string> types;
  for (const Traced& call : calls) {
    if (call.call != "sendto" && call.call != "sendmsg" && call.call != "sendmmsg" && call.call != "write")
      continue;
    std::smatch parts;
    if (std::regex_search(call.rest, parts, kType)) types.push_back(parts[1]);
  }
  return types;
}

/// What a probe may ask bpf(2) for: everything here ends with its descriptor.
bool only_probes(const Traced& call) {
  if (call.call != "bpf") return true;
  static const std::set<std::string> kProbing = {
      "BPF_PROG_LOAD",       "BPF_MAP_CREATE",         "BPF_BTF_LOAD",        "BPF_RAW_TRACEPOINT_OPEN",
      "BPF_LINK_CREATE",     "BPF_OBJ_GET_INFO_BY_FD", "BPF_MAP_UPDATE_ELEM", "BPF_MAP_FREEZE",
      "BPF_MAP_LOOKUP_ELEM", "BPF_PROG_BIND_MAP"};
  const std::size_t end = call.rest.find_first_of(", )");
  return kProbing.contains(call.rest.substr(1, end - 1));
}

TEST(AssessReadOnly, MakesNoSystemCallThatChangesAnything) {
  if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
  const KernelLock lock;
  ASSERT_TRUE(lock.held());
  const TemporaryTree tree;
  Call call{.arguments = {"assess", "--json"}};
  call.under = {"strace", "-f", "-qq", "-v", "-s", "256", "-o", tree.real("/trace"), "--"};
  // The leak check of a sanitized build is a tracer itself; there can be one only.
  call.environment = {{"ASAN_OPTIONS", "detect_leaks=0"}, {"LSAN_OPTIONS", "detect_leaks=0"}};
  const Outcome done = run_tool(call);
  ASSERT_THAT((std::vector<int>{0, 2, 3}), ::testing::Contains(done.exit_code)) << done.err;
  const base::Json assessment = json_of(done.out);

  const std::vector<Traced> calls = read_trace(tree.read("/trace"));
  ASSERT_GT(calls.size(), 200U);
  for (const Traced& traced : calls) {
    EXPECT_FALSE(kForbidden.contains(traced.call)) << traced.call << traced.rest;
    EXPECT_FALSE(opens_for_writing(traced)) << traced.call << traced.rest;
    EXPECT_TRUE(only_probes(traced)) << traced.call << traced.rest;
  }
  const std::vector<std::string> messages = audit_message_types(calls);
  EXPECT_GE(messages.size(), 2U) << "status and rules are asked for";
  for (const std::string& type : messages) EXPECT_TRUE(asks_audit_only(type)) << type;
  // The run that was traced is one that really looked at audit and at BPF.
  EXPECT_NE(assessment["audit"]["state"], "unknown");
  EXPECT_GT(std::count_if(calls.begin(), calls.end(), [](const Traced& t) { return t.call == "bpf"; }), 3);
}

TEST(AssessReadOnly, TheTraceIsReadRight) {
  const std::vector<Traced> calls = read_trace(
      "12 openat(AT_FDCWD, \"/etc/x\", O_RDONLY|O_CLOEXEC) = 3\n"
      "12 openat(AT_FDCWD, \"/x\", O_WRONLY|O_CREAT <unfinished ...>\n"
      "13 openat(AT_FDCWD, \"/dev/null\", O_RDWR) = 3\n"
      "12 <... openat resumed>, 0644) = 3\n"
      "13 bpf(BPF_OBJ_PIN, {pathname=\"/sys/fs/bpf/x\"}, 32) = 0\n"
      "13 bpf(BPF_PROG_LOAD, {prog_type=BPF_PROG_TYPE_KPROBE}, 144) = 5\n"
      "13 sendto(3, [{nlmsg_len=16, nlmsg_type=AUDIT_GET, nlmsg_flags=NLM_F_REQUEST}], 16) = 16\n"
      "13 sendto(3, [{nlmsg_len=56, nlmsg_type=AUDIT_SET, nlmsg_flags=NLM_F_REQUEST}], 56) = 56\n"
      "13 +++ exited with 0 +++\n");
  ASSERT_EQ(calls.size(), 7U);
  EXPECT_FALSE(opens_for_writing(calls[0]));
  EXPECT_FALSE(opens_for_writing(calls[1]));
  EXPECT_TRUE(opens_for_writing(calls[2]));
  EXPECT_FALSE(only_probes(calls[3]));
  EXPECT_TRUE(only_probes(calls[4]));
  EXPECT_EQ(audit_message_types(calls), (std::vector<std::string>{"AUDIT_GET", "AUDIT_SET"}));
  EXPECT_TRUE(asks_audit_only("AUDIT_GET"));
  EXPECT_FALSE(asks_audit_only("AUDIT_SET"));
}

}  // namespace
}  // namespace auditshift::testing
