// SPDX-License-Identifier: Apache-2.0
// Hosts whose files are broken, hostile or enormous, through every verb that reads them: a report or a clear
// error, in bounded time, with nothing a terminal would act on, and nothing read outside the root.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "tests/system/tool.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using tests::TemporaryTree;

/// Seconds of the processor that any verb may take here: a build without optimisation and with sanitizers
/// takes its time. What is quadratic in these inputs takes an hour.
constexpr double kBounded = 60;

/// A copy of a sample host to spoil.
class Host : public TemporaryTree {
 public:
  explicit Host(const std::string& sample = "rhel-8.1-sap") {
    fs::copy(AUDITSHIFT_FIXTURES "/hosts/" + sample, root(),
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  }
  void rules(const std::string& name, std::string_view text) const {
    file("/etc/audit/rules.d/" + name, text);
  }
};

/// Every verb on a host: no crash, no time out, an exit code of the contract. The assessment as JSON.
base::Json assess_all(const std::string& root) {
  const std::vector<std::vector<std::string>> verbs = {{"assess"},
                                                       {"-v", "assess"},
                                                       {"rules", "list"},
                                                       {"rules", "check"},
                                                       {"rules", "check", "/etc/audit/rules.d"},
                                                       {"rules", "normalize"},
                                                       {"collect", "-o", "/dev/null"}};
  for (std::vector<std::string> arguments : verbs) {
    arguments.insert(arguments.end(), {"--root", root});
    const Outcome done = run_tool(arguments);
    const std::string what = ::testing::PrintToString(arguments);
    EXPECT_FALSE(done.timed_out) << what;
    EXPECT_EQ(done.signal, 0) << what << "\n" << done.err.substr(0, 2000);
    EXPECT_THAT((std::vector<int>{0, 1, 2, 3}), Contains(done.exit_code)) << what << done.err.substr(0, 2000);
    EXPECT_LT(done.cpu_seconds, kBounded) << what;
    EXPECT_FALSE(has_raw_controls(done.out)) << what;
    EXPECT_FALSE(has_raw_controls(done.err)) << what << "\n" << done.err.substr(0, 2000);
    if (done.exit_code == 1) {
      EXPECT_THAT(done.err, HasSubstr("error: ")) << what;
    }
  }
  const Outcome json = run_tool({"-q", "assess", "--json", "--root", root});
  EXPECT_THAT((std::vector<int>{0, 2, 3}), Contains(json.exit_code)) << json.err.substr(0, 2000);
  EXPECT_EQ(schema_errors("assessment.schema.json", json.out), "");
  return json_of(json.out);
}

/// "file: text" of a finding's evidence; empty when the finding is not there.
std::vector<std::string> evidence_of(const base::Json& assessment, const std::string& id) {
  std::vector<std::string> lines;
  for (const base::Json& finding : assessment["findings"])
    if (finding["id"] == id)
      for (const base::Json& evidence : finding["evidence"])
        lines.push_back(evidence["file"].get<std::string>() + ": " + evidence["text"].get<std::string>());
  return lines;
}

TEST(HostileHost, FilesThatAreNoFilesAreNamedAndPassedOver) {
  const Host host;
  const std::string rules_d = "/etc/audit/rules.d/";
  ASSERT_EQ(::mkfifo(host.real(rules_d + "10-fifo.rules").c_str(), 0600), 0);
  host.link(rules_d + "20-loop.rules", "20-loop.rules");
  host.link(rules_d + "21-dangling.rules", "/no/where");
  host.directory(rules_d + "30-directory.rules");
  {
    const base::Fd huge(
        ::open(host.real(rules_d + "40-huge.rules").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    ASSERT_EQ(::ftruncate(huge.get(), off_t{5} << 30), 0);
  }
  const auto named = evidence_of(assess_all(host.root()), "AUD102");
  EXPECT_THAT(named, Contains(HasSubstr("10-fifo.rules: not a regular file")));
  EXPECT_THAT(named, Contains(HasSubstr("20-loop.rules: Too many levels of symbolic links")));
  EXPECT_THAT(named, Contains(HasSubstr("21-dangling.rules: No such file or directory")));
  EXPECT_THAT(named, Contains(HasSubstr("30-directory.rules: Is a directory")));
  EXPECT_THAT(named, Contains(HasSubstr("40-huge.rules: 5368709120 bytes, more than the limit")));
}

TEST(HostileHost, LinksNeverLeadOutsideTheRoot) {
  const TemporaryTree outside;
  outside.file("/secret.rules", "-w /secret-of-the-outside -p wa -k secret-key\n");
  outside.file("/managed.json", "{\"secret-of-the-outside\": }");
  outside.file("/os-release", "PRETTY_NAME=\"secret-of-the-outside\"\nID=secret\nVERSION_ID=1.1\n");
  const Host host;
  fs::remove(host.real("/etc/os-release"));
  host.link("/etc/os-release", outside.real("/os-release"));
  host.link("/etc/audit/rules.d/10-absolute.rules", outside.real("/secret.rules"));
  std::string up;
  for (int i = 0; i < 30; ++i) up += "../";
  host.link("/etc/audit/rules.d/11-up.rules", up + outside.real("/secret.rules").substr(1));
  host.link("/etc/audit/plugins.d", outside.root());
  fs::remove(host.real("/etc/opt/microsoft/mdatp/managed/mdatp_managed.json"));
  host.link("/etc/opt/microsoft/mdatp/managed/mdatp_managed.json", outside.real("/managed.json"));
  assess_all(host.root());
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"assess", "--json"}, {"rules", "list", "--json"}, {"collect", "-o", "-"}}) {
    std::vector<std::string> arguments = verb;
    arguments.insert(arguments.end(), {"--root", host.root()});
    const std::string out = run_tool(arguments).out;
    EXPECT_THAT(out, Not(HasSubstr("secret-of-the-outside"))) << verb.front();
  }
  const Outcome check =
      run_tool({"rules", "check", "--root", host.root(), "/etc/audit/rules.d/10-absolute.rules"});
  EXPECT_EQ(check.exit_code, 1);
  EXPECT_THAT(check.err, HasSubstr("No such file or directory"));
}

TEST(HostileHost, TerminalEscapesAreNeverPrintedRaw) {
  const std::string evil =
      "\033]0;owned\007\033[2J\xc2\x9b"
      "31m\xe2\x80\xae\xff";
  const Host host("ubuntu-20.04-auditd-era");
  host.file("/etc/hostname", "host" + evil + "\n");
  host.file("/etc/os-release",
            "ID=debian" + evil + "\nVERSION_ID=12" + evil + "\nPRETTY_NAME=\"D" + evil + "\"\n");
  host.file("/etc/machine-id", evil);
  host.file("/etc/audit/auditd.conf", "log_file = /x" + evil + "\n" + evil + " = " + evil + "\n");
  host.rules("10-evil.rules", "-w /etc/evil" + evil + " -p wa -k key" + evil + "\n-w /x -p " + evil + "\n# " +
                                  evil + " STIG managed by ansible" + evil + "\n-a always,exit -S " + evil +
                                  "\n-a never,exit -F exe=/usr/bin/evil" + evil +
                                  "\n-a never,exit -F dir=/etc/" + evil + " -F uid=" + evil + "\n-b " + evil +
                                  "\n--" + evil + "\n" + evil + "\n");
  host.rules("20-" + evil + ".rules", "-w /etc/passwd -p wa -k id\n-x\n");
  host.file("/etc/audit/plugins.d/" + evil + ".conf", "active = yes\npath = /x" + evil + "\n");
  host.file("/auditshift-capture/mdatp-health",
            "healthy : true" + evil + "\napp_version : \"101.23062" + evil + "\"\nlicensed : " + evil +
                "\nsupplementary_events_subsystem : \"auditd" + evil + "\"\nATTENTION: " + evil + "\n");
  host.file("/auditshift-capture/uname", "Linux n" + evil + " 5.4.0" + evil + " #1 x86_64 GNU/Linux\n");
  host.file("/auditshift-capture/audit-status", "enabled 1\nfailure " + evil + "\n" + evil + " 3\n");
  host.file("/auditshift-capture/audit-rules",
            "-w /live" + evil + " -p wa -k live" + evil + "\n" + evil + "\n");
  host.file("/auditshift-capture/packages", "mdatp 101" + evil + "\nauditd 3" + evil + "\n");
  host.file("/auditshift-capture/boot-id", evil);
  host.file(
      "/auditshift-capture/ebpf-probe.json",
      "{\"probe\": [{\"feature\": \"x\\u001b[2J\\u009b31m\", \"ok\": \"no\", \"detail\": \"\\u001b[2J\"}]}");
  host.file("/auditshift-capture/log-statistics.json", "{\"days\": \"\033[2J\"}");
  host.file(
      "/etc/opt/microsoft/mdatp/managed/mdatp_managed.json",
      "{\"exclusionSettings\": {\"mergePolicy\": \"\\u001b[2J\", \"exclusions\": [{\"$type\": "
      "\"\\u001b[2J\"}, {\"$type\": \"excludedPath\", \"isDirectory\": true, \"path\": \"/\\u001b[2J\"}]}, "
      "\"features\": {\"ebpfSupplementaryEventProvider\": \"\\u001b[2J\"}, \"\\u001b\": 1, \"\\u001b\": 2}");
  assess_all(host.root());
  const std::string name = "/etc/audit/rules.d/" + evil;
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"rules", "check", "--root", host.root(), name},
        {"assess", "--root", host.root(), "--skip", evil},
        {"assess", "--root", "/no" + evil},
        {"assess", "--" + evil},
        {"assess", "--json=" + evil},
        {"rules", "check", "--audit-version", evil},
        {"-q", "assess", "--root", host.root(), "-o", "/no/such/" + evil},
        {evil}}) {
    const Outcome done = run_tool(arguments);
    EXPECT_THAT((std::vector<int>{1, 64}), Contains(done.exit_code));
    EXPECT_FALSE(has_raw_controls(done.out + done.err)) << ::testing::PrintToString(done.err);
  }
}

TEST(HostileHost, BinaryAndTornContentIsReported) {
  const Host host;
  std::string bytes;
  for (int i = 0; i < 100'000; ++i) bytes += static_cast<char>((i * 7919) >> 3);
  host.rules("10-binary.rules", bytes);
  host.rules("11-nul.rules", std::string("-w /etc/x\0 -p wa\n\0\0\n-w /etc/y -p wa\0", 38));
  host.rules("12-long.rules", "-w /" + std::string(1 << 16, 'x') + " -p wa");
  for (const char* path :
       {"/etc/audit/auditd.conf", "/etc/audit/audit.rules", "/etc/passwd", "/etc/group", "/etc/os-release",
        "/etc/opt/microsoft/mdatp/managed/mdatp_managed.json", "/auditshift-capture/mdatp-health",
        "/auditshift-capture/audit-rules", "/auditshift-capture/audit-status", "/auditshift-capture/uname",
        "/auditshift-capture/log-statistics.json", "/usr/lib/systemd/system/auditd.service"})
    host.file(path, bytes);
  assess_all(host.root());
  // A probe answer that cannot be read is no answer "no".
  host.file("/auditshift-capture/ebpf-probe.json", bytes);
  const Outcome done = run_tool({"assess", "--root", host.root()});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err, HasSubstr("error: /auditshift-capture/ebpf-probe.json:1:1: not valid JSON"));
}

TEST(HostileHost, DeeplyNestedJsonIsRefused) {
  constexpr std::size_t kLevels = 100'000;
  const auto nested = [](const std::string& open, const std::string& close) {
    std::string text;
    for (std::size_t i = 0; i < kLevels; ++i) text += open;
    text += "1";
    for (std::size_t i = 0; i < kLevels; ++i) text += close;
    return text;
  };
  const std::string arrays = nested("[", "]");
  const std::string objects = nested("{\"a\":", "}");
  const std::string managed = "/etc/opt/microsoft/mdatp/managed/mdatp_managed.json";
  for (const std::string& value : {arrays, objects}) {
    const Host host;
    host.file(managed, "{\"features\": {\"ebpfSupplementaryEventProvider\": " + value + "}}");
    host.file("/auditshift-capture/log-statistics.json", "{\"days\": " + value + "}");
    host.file("/auditshift-capture/mdatp-health", "{\"healthy\": " + value + "}");
    const base::Json assessment = assess_all(host.root());
    EXPECT_THAT(assessment.dump(), HasSubstr("nested more than 200 levels deep"));
    host.file("/auditshift-capture/ebpf-probe.json", "{\"probe\": [" + value + "]}");
    const Outcome done = run_tool({"assess", "--root", host.root()});
    EXPECT_EQ(done.exit_code, 1);
    EXPECT_THAT(done.err, HasSubstr("ebpf-probe.json:1:"));
    EXPECT_THAT(done.err, HasSubstr("nested more than 200 levels deep"));
  }
}

TEST(HostileHost, AnEnormousManagedConfigurationIsAnErrorOfThatFile) {
  const Host host;
  const std::string path = "/etc/opt/microsoft/mdatp/managed/mdatp_managed.json";
  host.file(path, "{\"a\": \"" + std::string(std::size_t{100} << 20, 'x') + "\"}");
  EXPECT_THAT(assess_all(host.root()).dump(), HasSubstr("more than the limit of 4194304"));
}

std::string many(std::size_t count, const std::function<std::string(std::size_t)>& line) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += line(i) + "\n";
  return text;
}

/// Runs a verb on an enormous host in bounded time. What it printed.
std::string run_bounded(std::vector<std::string> arguments, const std::string& root) {
  arguments.insert(arguments.end(), {"--root", root});
  const Outcome done = run_tool(arguments);
  EXPECT_THAT((std::vector<int>{0, 2, 3}), Contains(done.exit_code)) << done.err.substr(0, 2000);
  EXPECT_LT(done.cpu_seconds, kBounded);
  return done.out;
}

TEST(EnormousHost, AHundredThousandRulesTakeSeconds) {
  const auto number = [](std::size_t i) { return std::to_string(i); };
  const Host host;
  host.rules("70-watches.rules",
             many(100'000, [&](std::size_t i) { return "-w /x" + number(i) + " -p wa"; }));
  EXPECT_THAT(run_bounded({"-q", "assess"}, host.root()), HasSubstr("user               100000"));
}

TEST(EnormousHost, RulesThatAllConcernEachOtherTakeSeconds) {
  const auto number = [](std::size_t i) { return std::to_string(i); };
  const Host host;
  constexpr std::size_t kHalf = 5'000;
  // Exclusions before rules they do not hide, and 64-bit rules without twins.
  host.rules("60-never.rules",
             many(kHalf, [&](std::size_t i) { return "-a never,exit -F exe=/y" + number(i); }));
  host.rules("70-rules.rules", many(kHalf, [&](std::size_t i) {
               return "-a always,exit -F arch=b64 -S open -F exe=/x" + number(i) + " -k k" + number(i);
             }));
  const base::Json assessment = json_of(run_bounded({"-q", "assess", "--json"}, host.root()));
  EXPECT_GE(assessment["exclusions"].size(), kHalf);
  for (const base::Json& check : assessment["checks"]) {
    if (check["id"] != "AUD104") continue;
    EXPECT_EQ(check["outcome"], "not-run") << "a comparison that is too large is named as not made";
    EXPECT_THAT(check["reason"].get<std::string>(), HasSubstr("too many to compare"));
  }
}

TEST(EnormousHost, TheSameLineOverAndOverTakesSeconds) {
  const Host host;
  const std::string lines = many(20'000, [](std::size_t) { return "-w /etc/x -p wa -k k"; });
  host.rules("70-same.rules", lines);
  host.file("/etc/audit/audit.rules", lines);
  host.file("/auditshift-capture/audit-rules", lines);
  EXPECT_THAT(run_bounded({"-q", "assess"}, host.root()), HasSubstr("Verdict: "));
  // The kernel refuses a rule that it has, and the load ends there.
  EXPECT_EQ(run_bounded({"rules", "normalize"}, host.root()).find("-w /etc/x -p wa -k k\n-w /etc/x"),
            std::string::npos);
}

TEST(EnormousHost, LongNonsenseWordsTakeSeconds) {
  const Host host;
  host.rules("70-long.rules", many(600, [](std::size_t i) {
               return "-a always,exit -S " + std::string(5900, 'x') + std::to_string(i);
             }));
  const Outcome check = run_tool({"rules", "check", "--root", host.root()});
  EXPECT_EQ(check.exit_code, 2);
  EXPECT_LT(check.cpu_seconds, kBounded);
}

TEST(Unprivileged, UnreadableFilesAreNamed) {
  if (::geteuid() != 0) GTEST_SKIP() << "becoming another user needs root";
  if (::access("/usr/bin/setpriv", X_OK) != 0) GTEST_SKIP() << "setpriv is not installed";
  const PublicTool tool;
  const std::string copy = tool.directory() + "/host";
  fs::copy(AUDITSHIFT_FIXTURES "/hosts/rhel-8.1-sap", copy,
           fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  const std::string secret = copy + "/etc/audit/rules.d/mdatp.rules";
  ASSERT_EQ(::chmod(secret.c_str(), 0600), 0);
  const Outcome json = tool.run_as_nobody({"-q", "assess", "--json", "--root", copy});
  EXPECT_EQ(json.exit_code, 2) << json.err;
  EXPECT_THAT(evidence_of(json_of(json.out), "AUD102"),
              Contains(HasSubstr("mdatp.rules: Permission denied")));
  const Outcome check =
      tool.run_as_nobody({"rules", "check", "--root", copy, "/etc/audit/rules.d/mdatp.rules"});
  EXPECT_EQ(check.exit_code, 1);
  EXPECT_THAT(check.err, HasSubstr("mdatp.rules: Permission denied"));
}

}  // namespace
}  // namespace auditshift::testing
