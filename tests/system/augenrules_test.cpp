// SPDX-License-Identifier: Apache-2.0
// Compares what we say augenrules would write with what the host's own augenrules writes. The script runs on
// generated directories in a private mount namespace: /etc/audit is the generated one, /tmp is empty,
// auditctl is /bin/true, and --load is never given. Nothing reaches the kernel or the host's /etc.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <random>

#include "auditd/layout.h"
#include "base/process.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::auditd {
namespace {

using tests::TemporaryTree;

constexpr const char* kScript = "/sbin/augenrules";

bool private_mount(const char* from, const char* to, const char* type, unsigned long flags) {
  return ::mount(from, to, type, flags, nullptr) == 0;
}

/// In the child: gives the script its own world and becomes it.
[[noreturn]] void become_augenrules(const std::string& audit_directory, const std::string& awk) {
  constexpr int kSetupFailed = 99;
  const int null = ::open("/dev/null", O_RDWR);
  if (::unshare(CLONE_NEWNS) != 0 || !private_mount("none", "/", nullptr, MS_REC | MS_PRIVATE) ||
      !private_mount("/bin/true", "/sbin/auditctl", nullptr, MS_BIND) ||
      !private_mount(audit_directory.c_str(), "/etc/audit", nullptr, MS_BIND) ||
      !private_mount("tmpfs", "/tmp", "tmpfs", 0) || ::mkdir("/tmp/shim", 0755) != 0 ||
      ::symlink(awk.c_str(), "/tmp/shim/awk") != 0 || ::chdir("/") != 0)
    ::_exit(kSetupFailed);
  for (int fd : {0, 1, 2}) ::dup2(null, fd);
  char path[] = "PATH=/tmp/shim:/usr/sbin:/usr/bin:/sbin:/bin";
  char* environment[] = {path, nullptr};
  char name[] = "augenrules";
  char* arguments[] = {name, nullptr};
  ::execve(kScript, arguments, environment);
  ::_exit(kSetupFailed);
}

/// Exit status of the script, or -1.
int run_augenrules(const std::string& audit_directory, const std::string& awk) {
  const pid_t child = ::fork();
  if (child == 0) become_augenrules(audit_directory, awk);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

/// Directories of rules that nobody should have, and some that many have.
class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed) {}

  void fill(const TemporaryTree& tree) {
    tree.directory("/etc/audit/rules.d");
    const unsigned count = pick(8);
    for (unsigned i = 0; i < count; ++i)
      add_entry(tree, "/etc/audit/rules.d/" + std::string(kNames[pick(kNames.size())]));
  }

 private:
  static constexpr std::array<std::string_view, 44> kNames = {
      "10-base.rules", "2-x.rules",     "100-a.rules", "audit.rules",    "a.rules",        "A.rules",
      "a10.rules",     "a9.rules",      "a09.rules",   "a1.2.rules",     "a1.10.rules",    "z~.rules",
      "z.rules",       ".hidden.rules", "x.rules.bak", "x.conf",         "X.RULES",        "my b.rules",
      "c b.rules",     "b.rules",       "c",           "--x.rules",      "-e.rules",       "\xc3\xa9.rules",
      "x_y.rules",     "x-y.rules",     "x.y.rules",   "1.rules",        "01.rules",       "001.rules",
      "st*r.rules",    "[ab].rules",    "10.rules",    "10-.rules",      "10~.rules",      "a.rules.rules",
      "a..rules",      "a b a.rules",   "README",      "tab\tc b.rules", "99-final.rules", "rules",
      "x.r.rules",     "\xff.rules"};
  static constexpr std::array<std::string_view, 40> kLines = {"-D",
                                                              "  -D",
                                                              "-D ",
                                                              "-D\t",
                                                              "-D\r",
                                                              "-D -k x",
                                                              "-b 8192",
                                                              " -b 1",
                                                              "-bogus",
                                                              "-f 1",
                                                              "\t-f 0",
                                                              "-e 1",
                                                              "-e 0",
                                                              " -e 1",
                                                              "-e 0\r",
                                                              "# comment",
                                                              "  # comment",
                                                              "\t# comment",
                                                              "#",
                                                              "",
                                                              " ",
                                                              "   \t",
                                                              "\r",
                                                              " \r",
                                                              "ss-e 1",
                                                              "s#x",
                                                              "-Ds",
                                                              "s-D",
                                                              "\v-e 0",
                                                              "\f#c",
                                                              "-c",
                                                              "-i",
                                                              "-r 100",
                                                              "-w /etc/passwd -p wa -k id",
                                                              "-w /a\r",
                                                              "-a always,exit -F arch=b64 -S execve -k exec",
                                                              "\xff\xfe",
                                                              "-w /b -k \xc3\xbc",
                                                              "--backlog_wait_time 60000",
                                                              "x\r\r"};

  unsigned pick(std::size_t below) { return static_cast<unsigned>(random_() % below); }

  std::string content() {
    std::string text;
    const unsigned lines = pick(10);
    for (unsigned i = 0; i < lines; ++i) text += std::string(kLines[pick(kLines.size())]) + "\n";
    if (pick(20) == 0) text += "-w /" + std::string(9000, 'l') + "\n";
    if (pick(30) == 0) text += std::string("-w /nul\0byte\n", 13);
    if (pick(4) == 0 && !text.empty()) text.pop_back();
    return text;
  }

  void add_entry(const TemporaryTree& tree, const std::string& path) {
    if (std::filesystem::symlink_status(tree.real(path)).type() != std::filesystem::file_type::not_found)
      return;
    switch (pick(12)) {
      case 0:
        tree.directory(path);
        break;
      case 1:
        tree.link(path, "/etc/audit/nowhere");
        break;
      case 2:
        if (!std::filesystem::exists(tree.real("/etc/audit/extra"))) tree.file("/etc/audit/extra", content());
        tree.link(path, pick(2) == 0 ? "/etc/audit/extra" : "../extra");
        break;
      default:
        tree.file(path, content());
    }
  }

  std::mt19937 random_;
};

std::optional<AuditVersion> installed_version() {
  const auto done = base::SystemProcessRunner().run({{"auditctl", "-v"}, {}});
  if (!done || !done->success()) return std::nullopt;
  const std::string& text = done->output;
  return AuditVersion::parse(text.substr(text.rfind(' ') + 1, text.find('\n') - text.rfind(' ') - 1));
}

std::string escaped(const std::string& text) {
  std::string shown;
  for (const char c : text) {
    char hex[8];
    std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned char>(c));
    if (c == '\n') {
      shown += "\\n\n";
    } else if (c < ' ' || c > '~') {
      shown += hex;
    } else {
      shown += c;
    }
  }
  return shown;
}

std::string shown_directory(const Layout& layout) {
  std::string text;
  for (const RuleFile& file : layout.rules_d)
    text += "== " + escaped(file.path) + (file.read_by_loader ? "" : " (passed over)") + " " + file.error +
            "\n" + escaped(file.content) + "\n";
  return text;
}

void compare_with(const std::string& awk, bool mawk) {
  if (::geteuid() != 0) GTEST_SKIP() << "mount namespaces need root";
  if (::access(kScript, X_OK) != 0) GTEST_SKIP() << kScript << " is not installed (package auditd)";
  if (::access(awk.c_str(), X_OK) != 0)
    GTEST_SKIP() << awk << " is not installed: this awk is NOT tested here";
  const auto version = installed_version();
  if (!version) GTEST_SKIP() << "auditctl does not tell its version";
  ParseOptions options;
  options.version = *version;

  for (std::uint32_t seed = 1; seed <= 250; ++seed) {
    const TemporaryTree tree;
    Generator(seed).fill(tree);
    const base::Sysroot host = tree.open();
    tree.file("/usr/bin/" + std::string(mawk ? "mawk" : "gawk"), "");
    tree.link("/usr/bin/awk", mawk ? "/usr/bin/mawk" : "/usr/bin/gawk");
    const Layout layout = read_layout(host, options);
    const int status = run_augenrules(tree.real("/etc/audit"), awk);
    if (status == 99 && seed == 1) GTEST_SKIP() << "no private mount namespace can be made here";
    ASSERT_EQ(status, 0) << "seed " << seed;
    const std::string written = tree.read("/etc/audit/audit.rules");
    ASSERT_EQ(escaped(layout.would_compile), escaped(written)) << "seed " << seed << "\n"
                                                               << shown_directory(layout);
  }
}

TEST(Augenrules, WritesWhatWePredictWithMawk) { compare_with("/usr/bin/mawk", true); }

TEST(Augenrules, WritesWhatWePredictWithGawk) {
  const char* other = ::getenv("AUDITSHIFT_GAWK");
  compare_with(other != nullptr ? other : "/usr/bin/gawk", false);
}

}  // namespace
}  // namespace auditshift::auditd
