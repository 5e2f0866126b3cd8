// SPDX-License-Identifier: Apache-2.0
#include "migrate/exclusion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "fake_host.h"

namespace auditshift::migrate {
namespace {

using Table = std::vector<std::string>;

/// One line for each intent: id, result, entry, consent, number of sources.
Table table(const FakeHost& host) {
  Table lines;
  for (const ExclusionIntent& intent : host.assess().exclusions) {
    std::string entry = "-";
    if (intent.entry) entry = std::string(to_string(intent.entry->kind)) + ":" + intent.entry->value;
    lines.push_back(intent.id + " | " + std::string(to_string(intent.result)) + " | " + entry + " | " +
                    (intent.consent_needed ? "consent" : "free") + " | " +
                    std::to_string(intent.sources.size()));
  }
  return lines;
}

ExclusionIntent only(const Assessment& assessment) {
  EXPECT_EQ(assessment.exclusions.size(), 1U);
  return assessment.exclusions.at(0);
}
ExclusionIntent only(const FakeHost& host) { return only(host.assess()); }

// ---- the intent ----

TEST(ExclusionIntent, ThreeLinesOfTheSupportToolAreOne) {
  FakeHost host;
  host.audit(1)
      .program("/usr/sbin/named")
      .rules("exclude.rules",
             "-a exit,never -S accept -S bind -F exe=/usr/sbin/named -k exclude\n"
             "-a exit,never -S rename -S unlink -F exe=/usr/sbin/named -k exclude\n"
             "-a exit,never -S chown -S bpf -F exe=/usr/sbin/named -k exclude\n");
  EXPECT_EQ(table(host),
            (Table{"process:/usr/sbin/named | broader | process:/usr/sbin/named | consent | 3"}));
}

TEST(ExclusionIntent, TwoSpellingsOfOnePathAreOne) {
  FakeHost host;
  host.audit(1)
      .program("/usr/bin/copier")
      .link("/bin", "usr/bin")
      .path_facts("/bin/copier", {.script = false, .hard_links = 1, .writable_by = ""})
      .rules("1.rules", "-a never,exit -F exe=/bin/copier\n-a never,exit -S all -F exe=/usr/bin/copier\n");
  EXPECT_EQ(table(host), (Table{"process:/usr/bin/copier | exact | process:/usr/bin/copier | free | 2"}));
}

TEST(ExclusionIntent, LinesOfSyscallsBelongTogetherByKeyOrByPlace) {
  FakeHost host;
  host.audit(1).rules("1.rules",
                      "-a never,exit -F arch=b64 -S rename -k quiet\n"
                      "-w /etc/passwd -p wa -k own\n"
                      "-a never,exit -F arch=b64 -S unlink -k quiet\n"
                      "-a never,exit -F arch=b64 -S chmod\n"
                      "-a never,exit -F arch=b64 -S chown\n"
                      "-a always,exit -F arch=b64 -S execve -k own\n"
                      "-a never,exit -F arch=b64 -S mount\n");
  EXPECT_EQ(table(host),
            (Table{"exit rename,unlink | none | - | free | 2", "exit chmod,chown | none | - | free | 2",
                   "exit mount | none | - | free | 1"}));
}

TEST(ExclusionIntent, LimitsAndSkippingAreIntentsToo) {
  FakeHost host;
  host.audit(1).rules("1.rules", "-r 2500\n-c\n").rules("2.rules", "-r 0\n");
  EXPECT_EQ(table(host),
            (Table{"rate-limit | none | - | free | 1", "skip-faulty-rules | none | - | free | 1"}));
}

/// Nobody can consent to what the agent does not know.
TEST(ExclusionIntent, ABuildWithoutGlobalExclusionsGetsNone) {
  for (const auto& [build, supported] :
       std::vector<std::pair<std::string, bool>>{{"101.23082.0011", false}, {"101.24092.0002", true}}) {
    FakeHost host;
    host.audit(1)
        .mdatp(build, "auditd")
        .program("/usr/sbin/named")
        .rules("exclude.rules", "-a exit,never -F exe=/usr/sbin/named -k exclude\n");
    AssessOptions options;
    options.accept = {"process:/usr/sbin/named"};
    const ExclusionIntent intent = only(host.assess(options));
    ASSERT_TRUE(intent.entry) << build;
    EXPECT_EQ(intent.supported, supported) << build;
    EXPECT_EQ(intent.carried_over(), supported) << build;
    EXPECT_EQ(intent.consent_needed, !supported) << build;
    EXPECT_EQ(intent.recommended.find("update the agent") != std::string::npos, !supported);
  }
}

// ---- events ----

TEST(ExclusionEvents, AreExactOnlyWhenEverySyscallOfEveryAbiIsKeptOut) {
  FakeHost host;
  host.audit(1).program("/opt/a").program("/opt/b").program("/opt/c").rules(
      "1.rules",
      "-a never,exit -F exe=/opt/a\n"
      "-a never,exit -F arch=b64 -S all -F exe=/opt/b\n"
      "-a never,exit -F arch=b64 -S all -F exe=/opt/c\n"
      "-a never,exit -F arch=b32 -S all -F exe=/opt/c\n");
  EXPECT_EQ(table(host), (Table{"process:/opt/a | exact | process:/opt/a | free | 1",
                                "process:/opt/b | broader | process:/opt/b | consent | 1",
                                "process:/opt/c | exact | process:/opt/c | free | 2"}));
}

TEST(ExclusionEvents, AnEarlierRecordingRuleTakesEventsFromTheExclusion) {
  FakeHost host;
  host.audit(1).program("/opt/a").rules(
      "1.rules", "-a always,exit -F arch=b64 -S execve -k own\n-a never,exit -F exe=/opt/a\n");
  const ExclusionIntent intent = only(host);
  EXPECT_EQ(to_string(intent.result), "broader");
  EXPECT_EQ(intent.reason,
            "the entry keeps out more: what rules asked earlier record (/etc/audit/rules.d/1.rules:1)");
  FakeHost prepended;
  prepended.audit(1).program("/opt/a").rules(
      "1.rules", "-a always,exit -F arch=b64 -S execve -k own\n-A never,exit -F exe=/opt/a\n");
  EXPECT_EQ(to_string(only(prepended).result), "exact");
}

TEST(ExclusionEvents, OtherNamesOfTheProgramMakeItNarrower) {
  FakeHost host;
  host.audit(1)
      .write("/opt/a", "")
      .path_facts("/opt/a", {.script = false, .hard_links = 2, .writable_by = ""})
      .rules("1.rules", "-a never,exit -F exe=/opt/a\n");
  EXPECT_EQ(only(host).reason, "the rules also kept out: runs of the same file under its 1 other name");
  EXPECT_EQ(to_string(only(host).result), "narrower");
}

TEST(ExclusionEvents, ContainersMakeAProcessBroader) {
  FakeHost host;
  host.audit(1)
      .program("/opt/a")
      .write("/usr/bin/podman", "")
      .rules("1.rules", "-a never,exit -F exe=/opt/a\n");
  EXPECT_EQ(only(host).reason,
            "the entry keeps out more: programs of the same path in containers (this host has "
            "/usr/bin/podman)");
}

TEST(ExclusionEvents, ContainersMakeAFolderAndAFileBroader) {
  FakeHost host;
  host.audit(1)
      .write("/data/x", "")
      .path_facts("/data", {.writable_by = "", .mounts_below = false, .links_out = false})
      .write("/srv/file", "")
      .path_facts("/srv/file", {.writable_by = ""})
      .write("/usr/bin/podman", "")
      .rules("1.rules", "-a never,exit -F dir=/data\n-a never,exit -F path=/srv/file\n");
  EXPECT_EQ(table(host), (Table{"folder:/data | broader | folder:/data | consent | 1",
                                "file:/srv/file | broader | file:/srv/file | consent | 1"}));
  for (const ExclusionIntent& intent : host.assess().exclusions)
    EXPECT_THAT(intent.reason, testing::HasSubstr("the entry keeps out more: files of the same path in "
                                                  "containers (this host has /usr/bin/podman)"));
}

TEST(ExclusionEvents, AFolderIsNarrowerWhenNothingLeadsOutOfIt) {
  FakeHost host;
  host.audit(1)
      .write("/data/known/x", "")
      .path_facts("/data/known", {.writable_by = "", .mounts_below = false, .links_out = false})
      .write("/data/linked/x", "")
      .path_facts("/data/linked", {.writable_by = "", .mounts_below = false, .links_out = true})
      .write("/data/unknown/x", "")
      .write("/data/file", "")
      .path_facts("/data/file", {.writable_by = ""})
      .rules("1.rules",
             "-a never,exit -F dir=/data/known\n-a never,exit -F dir=/data/linked\n"
             "-a never,exit -F dir=/data/unknown\n-a never,exit -F path=/data/file\n");
  EXPECT_EQ(table(host), (Table{"folder:/data/known | narrower | folder:/data/known | free | 1",
                                "folder:/data/linked | broader | folder:/data/linked | consent | 1",
                                "folder:/data/unknown | broader | folder:/data/unknown | consent | 1",
                                "file:/data/file | narrower | file:/data/file | free | 1"}));
}

TEST(ExclusionEvents, FollowLinksOfTheHost) {
  FakeHost host;
  host.audit(1)
      .program("/usr/bin/copier")
      .link("/bin", "usr/bin")
      .path_facts("/bin/copier", {.script = false, .hard_links = 1, .writable_by = ""})
      .rules("1.rules", "-a never,exit -F exe=/bin/copier\n");
  EXPECT_EQ(table(host), (Table{"process:/usr/bin/copier | exact | process:/usr/bin/copier | free | 1"}));
  EXPECT_EQ(only(host).reason.substr(0, 44), "/bin/copier leads to /usr/bin/copier; both k");
}

// ---- protection and danger ----

TEST(ExclusionProtection, WithDefenderEveryEntryCostsIt) {
  FakeHost host;
  host.audit(1)
      .mdatp("101.24102.0000", "auditd")
      .program("/opt/a")
      .rules("1.rules", "-a never,exit -F exe=/opt/a\n");
  const Assessment assessment = host.assess();
  EXPECT_EQ(only(assessment).protection_impact.size(), 3U);
  EXPECT_TRUE(only(assessment).consent_needed);
  EXPECT_EQ(to_string(assessment.verdict), "needs-consent");
  const Assessment accepted = host.assess({.skip = {}, .accept = {"process:/opt/a"}});
  EXPECT_FALSE(only(accepted).consent_needed);
  EXPECT_TRUE(only(accepted).carried_over());
  EXPECT_EQ(to_string(accepted.verdict), "ready");
}

TEST(ExclusionProtection, AnAgentBeforeGlobalExclusionsCannotHoldThem) {
  FakeHost host;
  host.audit(1)
      .mdatp("101.24072.0001", "auditd")
      .program("/opt/a")
      .rules("1.rules", "-a never,exit -F exe=/opt/a\n");
  const Assessment assessment = host.assess();
  ASSERT_NE(find(assessment, "EXC005"), nullptr);
  EXPECT_EQ(
      find(assessment, "EXC005")->diagnosis,
      "1 exclusion could be carried over, but build 101.24072.0001 has global exclusions as a preview; they "
      "came with 101.24092.0001.");
}

TEST(ExclusionDangers, AreRefusedUnlessAcceptedOneByOne) {
  FakeHost host;
  host.audit(1)
      .program("/usr/bin/python3.11")
      .write("/srv/app/run", "")
      .path_facts("/srv/app/run",
                  {.script = false, .hard_links = 1, .writable_by = "uid 33, which owns /srv/app"})
      .write("/etc/x", "")
      .rules("1.rules",
             "-a never,exit -F exe=/usr/bin/python3.11\n-a never,exit -F exe=/srv/app/run\n"
             "-a never,exit -F dir=/etc\n");
  std::vector<std::string> dangers;
  const Assessment assessment = host.assess();
  for (const ExclusionIntent& intent : assessment.exclusions) {
    EXPECT_TRUE(intent.consent_needed) << intent.id;
    EXPECT_FALSE(intent.carried_over());
    dangers.push_back(intent.id + ": " + base::join(intent.dangers, "; "));
  }
  EXPECT_EQ(dangers, (Table{"process:/usr/bin/python3.11: /usr/bin/python3.11 is an interpreter: whoever can "
                            "start it works unseen",
                            "process:/srv/app/run: it can be changed by uid 33, which owns /srv/app",
                            "folder:/etc: /etc is a folder of the system itself"}));
  EXPECT_EQ(outcome(assessment, "EXC004"), "found");
  EXPECT_EQ(outcome(assessment, "EXC001"), "nothing");
  const Assessment general = host.assess({.skip = {}, .accept = {"EXC001", "EXC004"}});
  EXPECT_FALSE(general.exclusions[0].carried_over());
  const Assessment one = host.assess({.skip = {}, .accept = {"process:/usr/bin/python3.11"}});
  EXPECT_TRUE(one.exclusions[0].carried_over());
  EXPECT_FALSE(one.exclusions[1].carried_over());
}

TEST(ExclusionManaged, WhatTheFileHasNeedsNothing) {
  FakeHost host;
  host.audit(1)
      .mdatp("101.24102.0000", "auditd")
      .managed(
          R"({"exclusionSettings": {"exclusions": [{"$type": "excludedFileName", "name": "/opt/a", "scopes": ["global"]}]}})")
      .program("/opt/a")
      .rules("1.rules", "-a never,exit -F exe=/opt/a\n");
  EXPECT_EQ(table(host), (Table{"process:/opt/a | exact | process:/opt/a | free | 1"}));
  EXPECT_FALSE(only(host).carried_over());
}

// ---- without an equivalent ----

TEST(ExclusionsWithoutEquivalent, SayWhyAndWhatToDo) {
  FakeHost host;
  host.audit(1).rules("1.rules",
                      "-a exit,never -F auid!=0 -F auid<500\n"
                      "-a exclude,always -F msgtype=CWD\n"
                      "-a never,exit -F pid=4711\n"
                      "-a never,exit -F arch=b64 -S rename\n"
                      "-a never,exit -F exe=/gone/away\n"
                      "-a never,task\n"
                      "-a never,user -F uid=33\n"
                      "-a never,exit -F exe!=/opt/a\n"
                      "-a never,exit -F exit=-ENOENT\n"
                      "-a never,exit -F uid=33\n"
                      "-a never,exit -F arch=b32 -S all\n"
                      "-a never,exit -F exe=/opt/a -F dir=/srv\n"
                      "-a never,exit -S all -F success=0\n");
  EXPECT_EQ(
      table(host),
      (Table{"exit auid!=0 auid<500 | none | - | free | 1", "exclude msgtype=CWD | none | - | free | 1",
             "exit pid=4711 | none | - | free | 1", "exit rename | none | - | free | 1",
             "process:/gone/away | none | - | free | 1", "task | none | - | free | 1",
             "user uid=33 | none | - | free | 1", "exit exe!=/opt/a | none | - | free | 1",
             "exit exit=-2 | none | - | free | 1", "exit uid=33 | none | - | free | 1",
             "exit every syscall | none | - | free | 1", "exit dir=/srv exe=/opt/a | none | - | free | 1",
             "exit success=0 | none | - | free | 1"}));
  for (const ExclusionIntent& intent : host.assess().exclusions) {
    EXPECT_NE(intent.reason, "") << intent.id;
    EXPECT_NE(intent.advice, "") << intent.id;
  }
}

// ---- whom else a rule serves ----

TEST(ExclusionsOfOwnRules, StayWhenAnOwnRuleComesLater) {
  const auto serves = [](const std::string& rules) {
    FakeHost host;
    host.audit(1).program("/opt/a").program("/opt/b").rules("1.rules", rules);
    return host.assess().exclusions.at(0).serves_user_rules;
  };
  const std::string watch = "-w /etc/passwd -p wa -k own\n";
  EXPECT_TRUE(serves("-a never,exit -F exe=/opt/a\n" + watch));
  EXPECT_FALSE(serves(watch + "-a never,exit -F exe=/opt/a\n"));
  EXPECT_TRUE(serves(watch + "-A never,exit -F exe=/opt/a\n"));
  EXPECT_FALSE(serves("-a never,exit -F exe=/opt/a\n-a always,exit -S execve -F exe=/opt/b -k own\n"));
  EXPECT_FALSE(serves("-a never,exit -F exe=/opt/a\n-a always,exit -S execve -k mdatp\n"));
  EXPECT_TRUE(serves("-a always,exclude -F msgtype=CWD\n"));
  EXPECT_TRUE(serves("-a never,task\n" + watch));
  EXPECT_FALSE(serves("-a never,task\n"));
}

// ---- evidence ----

TEST(ExclusionEvidence, TellsWhatNeverMatched) {
  const auto why = [](const std::string& rules) {
    FakeHost host;
    host.audit(1)
        .write("/auditshift-capture/packages", "auditd 1:3.1.2-1\n")
        .program("/opt/a")
        .link("/opt/link", "a")
        .write("/opt/script", "#!/bin/sh\n")
        .path_facts("/opt/script", {.script = true, .hard_links = 1, .writable_by = ""})
        .rules("1.rules", rules);
    const ExclusionIntent intent = host.assess().exclusions.at(0);
    return std::string(to_string(intent.evidence.verdict)) + ": " + intent.evidence.reason;
  };
  EXPECT_EQ(why("-a never,exit -F exe=/opt/gone\n"), "dead: /opt/gone does not exist on this host");
  EXPECT_EQ(why("-a never,exit -F exe=/opt/link\n"),
            "dead: /opt/link is a symbolic link, and exe= never matches one");
  EXPECT_EQ(why("-a never,exit -F exe=/opt/script\n"),
            "dead: /opt/script is a script; audit sees its interpreter as the program");
  EXPECT_EQ(why("-a always,exit -S all -k own\n-a never,exit -F exe=/opt/a\n"),
            "dead: /etc/audit/rules.d/1.rules:1 is asked before it and takes all that it could match");
  EXPECT_EQ(why("-a always,exclude -F msgtype=CWD -F sessionid=1\n"),
            "dead: the kernel does not know sessionid=1 on the exclude list, and passes the rest of the list "
            "over");
  EXPECT_EQ(why("-a never,exit -F exe=/opt/a\n"), "unknown: there is no audit log to tell");
}

TEST(ExclusionEvidence, IsTakenFromTheLog) {
  const auto judge = [](int events) {
    FakeHost host;
    host.audit(1).program("/opt/a").rules("1.rules", "-a never,exit -F arch=b64 -S rename -F exe=/opt/a\n");
    Facts facts = host.facts();
    facts.log_known = true;
    facts.log.days = 10;
    facts.log.classes[{"k", 0xc000003e, 82, "/opt/a"}] = {static_cast<std::uint64_t>(events), 0};
    facts.log.classes[{"k", 0xc000003e, 59, "/opt/a"}] = {420, 0};
    facts.log.classes[{"k", 0xc000003e, 82, "/opt/b"}] = {1000, 0};
    return assess(std::move(facts), {}).exclusions.at(0);
  };
  const ExclusionIntent busy = judge(5'000'000);
  EXPECT_EQ(to_string(busy.evidence.verdict), "candidate");
  EXPECT_EQ(busy.evidence.reason,
            "of 500,100 events a day of these system calls in the log, 500,000 are of this program");
  ASSERT_FALSE(busy.blinded.empty());
  EXPECT_EQ(busy.blinded.front().event_class, EventClass::exec);
  EXPECT_EQ(busy.blinded.front().events_per_day, 42U);
  EXPECT_EQ(to_string(judge(100).evidence.verdict), "drop");
}

}  // namespace
}  // namespace auditshift::migrate
