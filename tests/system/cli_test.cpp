// SPDX-License-Identifier: Apache-2.0
// The built program against its command contract: exit codes, what goes to which stream, options, files it
// writes, and what it says when it is used wrongly. Needs no privilege; what does is skipped without it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/text.h"
#include "tests/system/tool.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;
using tests::TemporaryTree;

std::string host(const std::string& name) { return AUDITSHIFT_FIXTURES "/hosts/" + name; }

std::vector<std::string> assess_quietly(const std::string& name, std::vector<std::string> more = {}) {
  std::vector<std::string> all{"-q", "assess", "--root", host(name)};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST(ExitCodes, AreThoseOfTheContract) {
  const std::vector<std::pair<std::vector<std::string>, int>> table = {
      {assess_quietly("without-audit"), 0},
      {assess_quietly("switched-with-leftovers"), 0},
      {assess_quietly("rhel-8.1-sap"), 2},
      {assess_quietly("sles-12"), 2},
      {assess_quietly("rhel-8-immutable-cis"), 3},
      {{"rules", "list", "--root", host("rhel-8.1-sap")}, 0},
      {{"rules", "check", "--root", host("damaged-files"), "/etc/audit/rules.d"}, 1},
      {{"rules", "check", "--root", host("ubuntu-20.04-auditd-era"), "/no/such/file"}, 1},
      {{"rules", "check", "--audit-version", "three"}, 1},
      {{"assess", "--root", "/no/such/directory"}, 1},
      {{"assess", "--root", host("sles-12") + "/etc/os-release"}, 1},
      {{}, 64},
      {{"rules"}, 64},
      {{"collect"}, 64},
      {{"assess", "stray"}, 64},
      {{"assess", "--json=bad"}, 64},
      {{"assess", "--log-days", "-1"}, 64},
      {{"assess", "--log-days", "many"}, 64},
      {{"assess", "--format", "yaml"}, 64},
      {{"--progress-fd", "x", "assess"}, 64},
      {{"--progress-fd", "77", "rules", "list", "--disk"}, 64},  // not open
      {{"rules", "list", "--live", "--disk"}, 64},
      {{"--help"}, 0},
      {{"--version"}, 0},
  };
  for (const auto& [arguments, expected] : table) {
    const Outcome done = run_tool(arguments);
    EXPECT_EQ(done.exit_code, expected) << base::join(arguments, " ") << "\n" << done.err;
    EXPECT_EQ(done.signal, 0) << base::join(arguments, " ");
    if (expected != 1 && expected != 64) continue;
    EXPECT_EQ(done.out, "") << base::join(arguments, " ");
    EXPECT_THAT(done.err, HasSubstr("error: ")) << base::join(arguments, " ");
  }
}

TEST(Rules, CheckSaysTwoWhenALineDoesNotLoad) {
  const TemporaryTree tree;
  tree.file("/good.rules", "-w /etc/passwd -p wa -k id\n");
  tree.file("/bad.rules", "-w /etc/passwd -p wa -k id\n-a always,exit -S opne\n");
  EXPECT_EQ(run_tool({"rules", "check", tree.real("/good.rules")}).exit_code, 0);
  const Outcome bad = run_tool({"rules", "check", tree.real("/bad.rules")});
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_THAT(bad.out, HasSubstr(tree.real("/bad.rules") + ":2:19: error: "));
  EXPECT_THAT(bad.out, HasSubstr("did you mean open?"));
  const base::Json json = json_of(run_tool({"rules", "check", "--json", tree.real("/bad.rules")}).out);
  EXPECT_EQ(json["checked"], 2);
  EXPECT_EQ(json["rejected"], 1);
  EXPECT_EQ(json["diagnostics"][0]["line"], 2);
  const Outcome normal = run_tool({"rules", "normalize", tree.real("/bad.rules")});
  EXPECT_EQ(normal.exit_code, 2);
  EXPECT_EQ(normal.out, "-w /etc/passwd -p wa -k id\n");
  EXPECT_THAT(normal.err, HasSubstr(":2:19: error: "));
}

TEST(Usage, AMisspeltWordGetsASuggestion) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> table = {
      {{"asess"}, "hint: did you mean assess?\n"},
      {{"colect", "-o", "x"}, "hint: did you mean collect?\n"},
      {{"rules", "lst"}, "hint: did you mean list?\n"},
      {{"rules", "normalise"}, "hint: did you mean normalize?\n"},
      {{"assess", "--jsno"}, "hint: did you mean --json?\n"},
      {{"assess", "--rot=/x"}, "hint: did you mean --root?\n"},
      {{"assess", "--verbos"}, "hint: did you mean --verbose?\n"},
      {{"rules", "check", "--audit-versoin", "3.1"}, "hint: did you mean --audit-version?\n"},
      {assess_quietly("sles-12", {"--skip", "AUDO01"}), "hint: did you mean AUD001?\n"},
      {assess_quietly("sles-12", {"--accept", "aud01"}), "hint: did you mean AUD001?\n"},
      {assess_quietly("sles-12", {"--accept", "something else"}),
       "hint: auditshift assess -v lists all checks\n"},
  };
  for (const auto& [arguments, hint] : table) {
    const Outcome done = run_tool(arguments);
    EXPECT_EQ(done.exit_code, 64) << base::join(arguments, " ");
    EXPECT_EQ(done.out, "") << base::join(arguments, " ");
    EXPECT_THAT(done.err, StartsWith("error: ")) << base::join(arguments, " ");
    EXPECT_THAT(done.err, HasSubstr(hint)) << base::join(arguments, " ");
  }
  EXPECT_THAT(run_tool({"asess"}).err, HasSubstr("'asess' is no verb"));
  EXPECT_THAT(run_tool({"frobnicate"}).err, HasSubstr("hint: see auditshift --help"));
}

TEST(Version, NamesTheToolAndItsLibraries) {
  const Outcome done = run_tool({"--version"});
  EXPECT_THAT(done.out, MatchesRegex("auditshift [0-9]+\\.[0-9]+\\.[0-9]+\nlibbpf [0-9]+\\.[0-9]+\n"
                                     "libaudit [0-9]+\\.[0-9]+(\\.[0-9]+)?\n"));
  EXPECT_EQ(done.err, "");
}

TEST(Help, OfEveryVerbShowsExamplesFirst) {
  const std::vector<std::vector<std::string>> verbs = {
      {}, {"assess"}, {"collect"}, {"rules"}, {"rules", "list"}, {"rules", "check"}, {"rules", "normalize"}};
  for (std::vector<std::string> arguments : verbs) {
    const std::string example = "\n  auditshift " + base::join(arguments, " ");
    arguments.emplace_back("--help");
    const Outcome done = run_tool(arguments);
    EXPECT_EQ(done.exit_code, 0);
    EXPECT_EQ(done.err, "");
    const std::size_t first = done.out.find(example);
    ASSERT_NE(first, std::string::npos) << done.out;
    EXPECT_LT(first, done.out.find("Usage:")) << done.out;
    EXPECT_LT(first, done.out.find("Options:")) << done.out;
  }
}

TEST(Json, PrettyAndShortAreTheSameDocument) {
  for (const std::vector<std::string>& arguments :
       {assess_quietly("ubuntu-20.04-auditd-era"),
        {"rules", "list", "--root", host("ubuntu-20.04-auditd-era")},
        {"rules", "check", "--root", host("ubuntu-20.04-auditd-era")},
        {"rules", "normalize", "--root", host("ubuntu-20.04-auditd-era")}}) {
    const auto with = [&](const std::string& option) {
      std::vector<std::string> all = arguments;
      all.push_back(option);
      return run_tool(all).out;
    };
    const std::string pretty = with("--json");
    const std::string brief = with("--json=short");
    EXPECT_EQ(pretty, with("--json=pretty"));
    EXPECT_EQ(json_of(pretty), json_of(brief));
    EXPECT_EQ(std::count(brief.begin(), brief.end(), '\n'), 1) << base::join(arguments, " ");
    EXPECT_GT(std::count(pretty.begin(), pretty.end(), '\n'), 5) << base::join(arguments, " ");
  }
  EXPECT_EQ(run_tool(assess_quietly("sles-12", {"--json"})).out,
            run_tool(assess_quietly("sles-12", {"--format", "json"})).out);
}

TEST(Streams, StandardOutputHoldsTheResultAlone) {
  const Outcome loud = run_tool({"assess", "--root", host("rhel-8.1-sap"), "--json"});
  EXPECT_EQ(json_of(loud.out)["verdict"], "blocked");
  EXPECT_THAT(loud.err, HasSubstr("reading audit rules\n"));
  const Outcome quiet = run_tool({"-q", "assess", "--root", host("rhel-8.1-sap"), "--json"});
  EXPECT_EQ(quiet.out, loud.out);
  EXPECT_EQ(quiet.err, "");
  // Global options may also stand behind the verb.
  EXPECT_EQ(run_tool({"assess", "-q", "--root", host("rhel-8.1-sap"), "--json"}).err, "");
}

TEST(Verbose, ExplainsEveryCheck) {
  const std::string brief = run_tool(assess_quietly("rhel-8.1-sap")).out;
  const std::string full = run_tool({"-v", "assess", "--root", host("rhel-8.1-sap")}).out;
  EXPECT_THAT(brief, Not(HasSubstr("eBPF probe\n")));
  EXPECT_THAT(full, HasSubstr("eBPF probe\n"));
  EXPECT_THAT(full, HasSubstr("AUD104  nothing"));
}

Outcome on_terminal(std::vector<std::pair<std::string, std::string>> environment,
                    std::vector<std::string> more = {}) {
  Call call{.arguments = assess_quietly("rhel-8.1-sap", std::move(more)),
            .environment = std::move(environment),
            .terminal = true};
  return run_tool(call);
}

TEST(Colour, IsForTerminalsThatWantIt) {
  const std::string colour = "\033[31mblocked\033[0m";
  EXPECT_THAT(on_terminal({}).out, HasSubstr(colour));
  EXPECT_THAT(on_terminal({{"NO_COLOR", ""}}).out, HasSubstr(colour)) << "an empty NO_COLOR counts as unset";
  EXPECT_THAT(on_terminal({{"NO_COLOR", "1"}}).out, Not(HasSubstr("\033")));
  EXPECT_THAT(on_terminal({{"TERM", "dumb"}}).out, Not(HasSubstr("\033")));
  EXPECT_THAT(on_terminal({}, {"--no-color"}).out, Not(HasSubstr("\033")));
  EXPECT_THAT(run_tool(assess_quietly("rhel-8.1-sap")).out, Not(HasSubstr("\033")));
  const TemporaryTree tree;
  EXPECT_EQ(on_terminal({}, {"-o", tree.real("/report")}).exit_code, 2);
  EXPECT_THAT(tree.read("/report"), Not(HasSubstr("\033")));
}

TEST(Progress, IsOneRedrawnLineOnATerminalAndLinesElsewhere) {
  const Call call{.arguments = {"assess", "--root", host("sles-12"), "--json=short"}, .terminal = true};
  const std::string terminal = run_tool(call).out;
  EXPECT_THAT(terminal, HasSubstr("\r\033[Kreading audit rules"));
  Call dumb = call;
  dumb.environment = {{"TERM", "dumb"}};
  EXPECT_THAT(run_tool(dumb).out, Not(HasSubstr("\033")));
  EXPECT_THAT(run_tool({"assess", "--root", host("sles-12")}).err,
              MatchesRegex("([a-zA-Z' ]+\n)+reading the audit log\n|([a-zA-Z' ]+\n)+"));
}

TEST(Progress, OnADescriptorIsJsonLinesAndNotTooMany) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"assess", "--root", host("rhel-8.1-sap")},
        std::vector<std::string>{"collect", "--root", host("rhel-8.1-sap"), "-o", "-"}}) {
    Call call{.arguments = arguments, .progress = true};
    const Outcome done = run_tool(call);
    EXPECT_EQ(done.err, "") << "progress goes to one place";
    std::size_t lines = 0;
    std::string last;
    for (const std::string_view line : base::split(done.progress, '\n')) {
      if (line.empty()) continue;
      const base::Json json = json_of(std::string(line));
      ASSERT_TRUE(json.is_object() && json["step"].is_string()) << line;
      last = json["step"].get<std::string>();
      ++lines;
    }
    EXPECT_GE(lines, 3U);
    EXPECT_LE(static_cast<double>(lines), 5.0 * (1.0 + done.seconds)) << done.progress;
    EXPECT_EQ(last, "done");
  }
}

TEST(Progress, AReaderThatLeavesDoesNotEndTheWork) {
  Call call{.arguments = {"assess", "--root", host("rhel-8.1-sap"), "--json"}};
  call.progress = true;
  call.progress_reader_gone = true;
  const Outcome done = run_tool(call);
  EXPECT_EQ(done.signal, 0);
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_EQ(json_of(done.out)["verdict"], "blocked");
}

TEST(StandardOutput, ThatIsFullOrGoneIsNoCrash) {
  for (const std::vector<std::string>& arguments :
       {assess_quietly("rhel-8.1-sap"),
        {"rules", "list", "--root", host("rhel-8.1-sap")},
        {"--help"},
        {"--version"},
        {"-q", "collect", "--root", host("sles-12"), "-o", "-"}}) {
    const Outcome full = run_tool(Call{.arguments = arguments, .output_to = "/dev/full"});
    EXPECT_EQ(full.exit_code, 1) << base::join(arguments, " ");
    EXPECT_THAT(full.err, HasSubstr("error: standard output: No space left on device"));
    // As any filter in a pipe whose reader has enough.
    const Outcome gone = run_tool(Call{.arguments = arguments, .output_reader_gone = true});
    EXPECT_EQ(gone.signal, SIGPIPE) << base::join(arguments, " ") << gone.exit_code;
    EXPECT_THAT(gone.err, Not(HasSubstr("error"))) << base::join(arguments, " ");
  }
}

/// Names in a directory, hidden ones too.
std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(OutputFile, IsWhatStandardOutputWouldBe) {
  const TemporaryTree tree;
  const std::string expected = run_tool(assess_quietly("rhel-8.1-sap", {"--json"})).out;
  const Outcome done = run_tool(assess_quietly("rhel-8.1-sap", {"--json", "-o", tree.real("/report.json")}));
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_EQ(done.out, "");
  EXPECT_EQ(tree.read("/report.json"), expected);
  EXPECT_EQ(names_in(tree.root()), std::vector<std::string>{"report.json"});
}

TEST(OutputFile, ThatExistsKeepsItsModeAndOwner) {
  const TemporaryTree tree;
  tree.file("/report", "old");
  const std::string path = tree.real("/report");
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(path.c_str(), 65534, 4), 0);
  }
  struct stat before {};
  ASSERT_EQ(::stat(path.c_str(), &before), 0);
  // The name may also be a link: the file it leads to is replaced, the link stays.
  tree.link("/link", "report");
  EXPECT_EQ(run_tool(assess_quietly("rhel-8.1-sap", {"-o", tree.real("/link")})).exit_code, 2);
  struct stat after {};
  ASSERT_EQ(::stat(path.c_str(), &after), 0);
  EXPECT_EQ(after.st_mode, before.st_mode);
  EXPECT_EQ(after.st_uid, before.st_uid);
  EXPECT_EQ(after.st_gid, before.st_gid);
  EXPECT_THAT(tree.read("/report"), StartsWith("Verdict: blocked"));
  EXPECT_TRUE(fs::is_symlink(tree.real("/link")));
}

TEST(OutputFile, ThatCannotBeWrittenIsAnErrorThatNamesIt) {
  const TemporaryTree tree;
  tree.directory("/directory");
  tree.link("/dangling", "nowhere/at-all");
  tree.link("/loop", "loop");
  ASSERT_EQ(::mkfifo(tree.real("/fifo").c_str(), 0600), 0);
  const std::vector<std::string> before = names_in(tree.root());
  // What is wrong may be a part of the path, or where a link leads: that is what is named.
  const std::vector<std::pair<std::string, std::string>> table = {
      {tree.real("/missing/report"), tree.real("/missing: No such file or directory")},
      {tree.real("/directory"), tree.real("/directory: Is a directory")},
      {tree.real("/dangling"), tree.real("/nowhere: No such file or directory")},
      {tree.real("/loop"), tree.real("/loop: Too many levels of symbolic links")},
      {tree.real("/fifo"), tree.real("/fifo: not a regular file")},
      {"/dev/full", "/dev/full: not a regular file"},
  };
  for (const char* verb : {"assess", "collect"}) {
    for (const auto& [path, reason] : table) {
      const Outcome done = run_tool({"-q", verb, "--root", host("sles-12"), "-o", path});
      EXPECT_EQ(done.exit_code, 1) << verb << " " << path;
      EXPECT_EQ(done.out, "") << path;
      EXPECT_THAT(done.err, StartsWith("error: cannot write the ")) << path;
      EXPECT_THAT(done.err, HasSubstr(reason)) << path;
    }
  }
  EXPECT_EQ(names_in(tree.root()), before);
}

TEST(OutputFile, OverTheAllowedSizeLeavesTheOldOne) {
  const TemporaryTree tree;
  tree.file("/report", "the old report");
  const Outcome done = run_tool(
      Call{.arguments = assess_quietly("rhel-8.1-sap", {"-o", tree.real("/report")}), .largest_file = 1024});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err, HasSubstr("error: cannot write the result: " + tree.real("/report")));
  EXPECT_EQ(tree.read("/report"), "the old report");
  EXPECT_EQ(names_in(tree.root()), std::vector<std::string>{"report"});
}

TEST(OutputFile, OnAFullDiskLeavesTheOldOne) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting a small file system needs root";
  const TemporaryTree tree;
  tree.directory("/disk");
  // The mount lives and dies with the namespace of this shell.
  const std::string script =
      "mount -t tmpfs -o size=16k none \"$1\" || exit 99\n"
      "echo old >\"$1/report\"\n"
      "\"$0\" -q assess --json --root \"$2\" -o \"$1/report\"; echo \"exit $?\"\n"
      "cat \"$1/report\"; ls -A \"$1\"";
  const Outcome done = run_program({"unshare", "--mount", "sh", "-c", script, AUDITSHIFT_TOOL,
                                    tree.real("/disk"), host("ubuntu-20.04-auditd-era")});
  if (done.exit_code == 99) GTEST_SKIP() << "no tmpfs can be mounted here: " << done.err;
  EXPECT_EQ(done.out, "exit 1\nold\nreport\n");
  EXPECT_THAT(done.err, HasSubstr("No space left on device"));
}

TEST(Unprivileged, TheReportSaysWhatIsNotKnownAndWhatToDo) {
  if (::geteuid() != 0) GTEST_SKIP() << "becoming another user needs root";
  if (::access("/usr/bin/setpriv", X_OK) != 0) GTEST_SKIP() << "setpriv is not installed";
  const PublicTool tool;
  const Outcome text = tool.run_as_nobody({"assess"});
  EXPECT_EQ(text.signal, 0);
  EXPECT_THAT((std::vector<int>{0, 2, 3}), ::testing::Contains(text.exit_code)) << text.err;
  EXPECT_THAT(text.out, HasSubstr("root"));
  const Outcome json = tool.run_as_nobody({"-q", "assess", "--json"});
  EXPECT_EQ(json.err, "");
  const base::Json document = json_of(json.out);
  EXPECT_EQ(document["audit"]["state"], "unknown");
  EXPECT_FALSE(document["host"]["kernel"].get<std::string>().empty());
  EXPECT_EQ(schema_errors("assessment.schema.json", json.out), "");
  const std::string archive = tool.directory() + "/host.tar.gz";
  fs::permissions(tool.directory(), fs::perms(0777));
  const Outcome collected = tool.run_as_nobody({"collect", "-o", archive});
  EXPECT_EQ(collected.exit_code, 0) << collected.err;
  EXPECT_THAT(collected.err, HasSubstr("warning: not root"));
  EXPECT_TRUE(fs::exists(archive));
}

TEST(Demo, ShowsTheNineSampleHostsAndTheirVerdicts) {
  const Outcome done = run_program({"bash", AUDITSHIFT_FIXTURES "/demo.sh", AUDITSHIFT_TOOL});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  const std::vector<std::tuple<std::string, std::string, int>> expected = {
      {"damaged-files", "blocked", 2},
      {"oracle-8.8-bad-uek", "blocked", 2},
      {"rhel-7.4-netlink", "netlink-only", 2},
      {"rhel-8-immutable-cis", "ready-after-reboot", 3},
      {"rhel-8.1-sap", "blocked", 2},
      {"sles-12", "netlink-only", 2},
      {"switched-with-leftovers", "already-switched", 0},
      {"ubuntu-20.04-auditd-era", "needs-consent", 2},
      {"without-audit", "ready", 0}};
  std::size_t at = 0;
  for (const auto& [name, verdict, code] : expected) {
    const std::size_t line = done.out.find(name, at);
    ASSERT_NE(line, std::string::npos) << name << "\n" << done.out;
    at = done.out.find('\n', line);
    const std::string text = done.out.substr(line, at - line);
    EXPECT_THAT(text, HasSubstr("Verdict: " + verdict + " "));
    EXPECT_THAT(text, ::testing::EndsWith("exit " + std::to_string(code)));
  }
  EXPECT_THAT(done.out, HasSubstr("\nNext\n"));
  EXPECT_EQ(run_program({"bash", AUDITSHIFT_FIXTURES "/demo.sh", AUDITSHIFT_TOOL, "sles-12"}).exit_code, 0);
  const Outcome unknown = run_program({"bash", AUDITSHIFT_FIXTURES "/demo.sh", AUDITSHIFT_TOOL, "sles-99"});
  EXPECT_EQ(unknown.exit_code, 64);
  EXPECT_THAT(unknown.err, HasSubstr("sles-12"));
}

}  // namespace
}  // namespace auditshift::testing
