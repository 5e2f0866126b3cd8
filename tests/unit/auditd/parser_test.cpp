// SPDX-License-Identifier: Apache-2.0
// The language of auditctl(8) and audit.rules(7): what each option takes, and what it refuses.
#include "auditd/parser.h"

#include <gmock/gmock.h>
#include <linux/audit.h>

#include "tests/unit/auditd/sample_host.h"

namespace auditshift::auditd {
namespace {

using ::testing::ElementsAre;

struct Example {
  const char* line;
  const char* expected;
};

TEST(Parser, TakesListAndActionInBothOrders) {
  for (const auto& [line, expected] : std::initializer_list<Example>{
           {"-a always,exit", "-a always,exit -S all"},
           {"-a exit,always", "-a always,exit -S all"},
           {"-A never,task", "-a never,task"},
           {"-d user,always -F uid=0", "-a always,user -F uid=0"},
           {"-a exclude,never -F msgtype=CWD", "-a never,exclude -F msgtype=CWD"},
           {"-a never,filesystem -F fstype=tracefs", "-a never,filesystem -F fstype=tracefs"},
       }) {
    EXPECT_EQ(listed(line), expected) << line;
  }
  EXPECT_EQ(parse("-a always,exit").rule->verb, RuleVerb::append);
  EXPECT_EQ(parse("-A always,exit").rule->verb, RuleVerb::prepend);
  EXPECT_EQ(parse("-d always,exit").rule->verb, RuleVerb::remove);
  EXPECT_EQ(parse("-W /etc/passwd").rule->verb, RuleVerb::remove);
}

TEST(Parser, RefusesOtherListsAndActions) {
  for (const auto& [line, expected] : std::initializer_list<Example>{
           {"-a always,exits",
            "4: \"always,exits\" is no pair of a list and an action, such as always,exit [always,exit]"},
           {"-a exit", "4: \"exit\" is no pair of a list and an action, such as always,exit"},
           {"-a exit,always,x",
            "4: \"exit,always,x\" is no pair of a list and an action, such as always,exit"},
           {"-a always,Exit",
            "4: \"always,Exit\" is no pair of a list and an action, such as always,exit [always,exit]"},
           {"-a possible,exit",
            "4: \"possible,exit\" is no pair of a list and an action, such as always,exit"},
           {"-a always,exit -d always,exit", "16: a line takes one of -a, -A and -d only once"},
           {"-S open", "1: syscalls are given, but no list (-a, -A or -d)"},
       }) {
    EXPECT_EQ(error_of(line), expected);
  }
  EXPECT_EQ(error_of("-a exit,possible -F nofield=1"), "") << "deprecated, the line is passed over";
  EXPECT_FALSE(parse("-a exit,possible").rule);
}

TEST(Parser, TakesSyscallsByNameNumberAndList) {
  for (const auto& [line, expected] : std::initializer_list<Example>{
           {"-a always,exit -F arch=b64 -S open", "-a always,exit -F arch=b64 -S open"},
           {"-a always,exit -F arch=b64 -S openat,open,,close",
            "-a always,exit -F arch=b64 -S open,close,openat"},
           {"-a always,exit -F arch=b64 -S open -S close", "-a always,exit -F arch=b64 -S open,close"},
           {"-a always,exit -F arch=b32 -S open", "-a always,exit -F arch=b32 -S open"},
           {"-a always,exit -F arch=b64 -S OPEN", "-a always,exit -F arch=b64 -S open"},
           {"-a always,exit -F arch=b64 -S 59", "-a always,exit -F arch=b64 -S execve"},
           {"-a always,exit -F arch=b64 -S 0x3b,073,59foo", "-a always,exit -F arch=b64 -S execve"},
           {"-a always,exit -F arch=b64 -S 2000", "-a always,exit -F arch=b64 -S 2000"},
           {"-a always,exit -F arch=b64 -S all -S open", "-a always,exit -F arch=b64 -S all"},
           {"-a always,exit -F arch=b64 -S 2039", "-a always,exit -F arch=b64 -S kill,tkill,tgkill"},
           {"-S execve -a always,exit", "-a always,exit -S execve"},
       }) {
    EXPECT_EQ(listed(line), expected) << line;
  }
}

TEST(Parser, ExplainsUnknownSyscalls) {
  for (const auto& [line, expected] : std::initializer_list<Example>{
           {"-a always,exit -F arch=b64 -S opne", "31: \"opne\" is no syscall of arch=b64 [open]"},
           {"-a always,exit -F arch=b64 -S open,renamat",
            "36: \"renamat\" is no syscall of arch=b64 [renameat]"},
           {"-a always,exit -F arch=b64 -S stime",
            "31: \"stime\" is no syscall of arch=b64: it exists for arch=b32 only"},
           {"-a always,exit -F arch=b64 -S pwrite64",
            "31: \"pwrite64\" is no syscall of arch=b64: it exists for arch=b32 only"},
           {"-a always,exit -F arch=b64 -S 2048",
            "31: \"2048\" is no syscall of arch=b64: syscall numbers end at 2047"},
           {"-a always,exit -F arch=b64 -S ALL", "31: \"ALL\" is no syscall of arch=b64 [all]"},
           {"-a always,exit -F arch=b64 -S fchmodat2",
            "31: \"fchmodat2\" is no syscall of arch=b64: audit 3.0.9 does not know this syscall yet (4.0.0 "
            "does)"},
           {"-a always,task -S open", "16: the task list takes no syscalls"},
           {"-a always,user -S open", "16: the user list takes no syscalls"},
           {"-S open -a always,task", "12: the task list takes no syscalls"},
           {"-a always,exit -S open -F arch=b64", "27: arch must come before -S"},
       }) {
    EXPECT_EQ(error_of(line), expected);
  }
}

TEST(Parser, TakesEachKindOfValue) {
  for (const auto& [field, expected] : std::initializer_list<Example>{
           {"uid=0", "uid=0"},
           {"uid=alice", "uid=1000"},
           {"uid!=-2", "uid!=-2"},
           {"auid!=unset", "auid!=-1"},
           {"auid!=4294967295", "auid!=-1"},
           {"loginuid>=1000", "auid>=1000"},
           {"gid=wheel", "gid=10"},
           {"UID<=010", "uid<=8"},
           {"exit=-EACCES", "exit=-EACCES"},
           {"exit=EPERM", "exit=1"},
           {"exit=-13", "exit=-EACCES"},
           {"success=0", "success=0"},
           {"pers=8", "pers=8"},
           {"a0&0x80", "a0&0x80"},
           {"a3&=-1", "a3&=0xFFFFFFFF"},
           {"a1=0xFFFFFFFFFFFFFFFF", "a1=0xFFFFFFFF"},
           {"inode=4294967295", "inode=4294967295"},
           {"filetype=file", "filetype=32768"},
           {"perm=aw", "perm=wa"},
           {"sessionid=unset", "sessionid=-1"},
           {"saddr_fam=10", "saddr_fam=10"},
           {"obj_uid=alice", "obj_uid=1000"},
           {"obj_lev_low=s0-s0:c0.c1023", "obj_lev_low=s0-s0:c0.c1023"},
           {"exe=/usr/bin/ls", "exe=/usr/bin/ls"},
           {"field_compare=1", ""},
       }) {
    const std::string line = std::string("-a always,exit -F arch=b64 -S open -F ") + field;
    const std::string option =
        std::string(field) == "field_compare=1" ? " -C uid=obj_uid" : std::string(" -F ") + expected;
    EXPECT_EQ(listed(line), "-a always,exit -F arch=b64 -S open" + option);
  }
}

TEST(Parser, ExplainsBadFields) {
  const std::string start = "-a always,exit -F ";
  for (const auto& [field, expected] : std::initializer_list<Example>{
           {"aiud>=1000", "19: there is no field \"aiud\" [auid]"},
           {"comm=x", "19: there is no field \"comm\""},
           {"'auid>=1000'", "19: there is no field \"'auid\"; auditctl knows no quotes [auid]"},
           {"uid", "19: \"uid\" has no operator (= != < > <= >= & &=)"},
           {"=0", "19: there is no field name before the operator"},
           {"uid=", "23: there is no value behind the operator"},
           {"uid=bob", "23: there is no user \"bob\" on this host"},
           {"gid=-1", "23: there is no group \"-1\" on this host"},
           {"exit=-EACCESS", "24: \"-EACCESS\" is no errno name [-EACCES]"},
           {"success=yes", "27: the value must be a number, not \"yes\""},
           {"perm=rq", "25: permissions are r, w, x and a, not \"q\""},
           {"perm!=r", "23: the field perm takes the operator = only, not !="},
           {"filetype=symlink", "28: \"symlink\" is no file type [link]"},
           {"arch=b46", "24: \"b46\" is no machine that auditctl knows on x86_64 [b64]"},
           {"arch>b64", "23: the field arch takes the operators = and != only, not >"},
           {"msgtype=CWD", "19: the field msgtype works on the exclude and user lists only"},
           {"fstype=tracefs", "19: the field fstype works on the filesystem list only"},
           {"saddr_fam=46", "29: address families are numbers below 46"},
           {"path=/etc/a>=b", "19: there is no field \"path=/etc/a\""},
       }) {
    EXPECT_EQ(error_of(start + field), expected);
  }
  EXPECT_EQ(error_of("-F uid=0 -a always,exit"),
            "1: a list (-a, -A, -d) or a watch must come before a field");
  EXPECT_EQ(error_of("-a always,exclude -F msgtype=SYSCAL"), "30: \"SYSCAL\" is no record type [SYSCALL]");
  EXPECT_EQ(error_of("-a always,exclude -F euid=0"),
            "22: the exclude list takes msgtype, pid, uid, gid, auid, exe and subj_* only, not euid");
}

TEST(Parser, KnowsWhatTheKernelRefuses) {
  const std::string start = "-a always,exit -F ";
  const std::string refused = "the kernel refuses the rule: ";
  for (const auto& [field, expected] : std::initializer_list<Example>{
           {"uid=-1", "uid cannot be unset, only auid and sessionid can"},
           {"gid=4294967295", "gid cannot be unset"},
           {"auid>-1", "auid with the value unset takes the operators = and != only"},
           {"uid&1", "uid takes no bit operators"},
           {"subj_user>x", "subj_user takes the operators = and != only"},
           {"path=relative", "the value of path must begin with /"},
           {"path=/etc/", "a path must not end in /"},
           {"path!=/etc/passwd", "path takes the operator = only"},
           {"dir!=/etc", "dir takes the operator = only"},
           {"exe=ls", "the value of exe must begin with /"},
           {"exe=/bin/", "the value of exe must not end in /"},
           {"devmajor&1", "devmajor takes no bit operators"},
       }) {
    EXPECT_EQ(error_of(start + field), "19: " + refused + expected);
  }
  EXPECT_EQ(error_of("-a always,exit -F path=/a -F dir=/etc"),
            "30: " + refused + "a rule takes only one of path, dir and inode");
  EXPECT_EQ(error_of("-a always,exit -F exe=/a -F exe=/b"), "29: " + refused + "a rule takes exe only once");
  EXPECT_EQ(error_of("-a never,filesystem -F uid=0"),
            "24: " + refused + "the filesystem list takes fstype and a key only");
  EXPECT_EQ(error_of("-a always,exit -S open -F key!=a -k b"),
            "37: " + refused + "a rule takes one key field only");
}

TEST(Parser, ComparesFields) {
  EXPECT_EQ(listed("-a always,exit -C uid!=euid"), "-a always,exit -S all -C uid!=euid");
  EXPECT_EQ(listed("-a always,exit -C euid=uid"), "-a always,exit -S all -C uid=euid");
  EXPECT_EQ(listed("-a always,exit -C obj_gid=gid"), "-a always,exit -S all -C gid=obj_gid");
  EXPECT_EQ(error_of("-a always,exit -C uid=gid"),
            "19: -C compares user ids with user ids or group ids with group ids, and no field with itself");
  EXPECT_EQ(error_of("-a always,exit -C uid=uid"),
            "19: -C compares user ids with user ids or group ids with group ids, and no field with itself");
  EXPECT_EQ(error_of("-a always,exit -C uid!=eiud"), "24: there is no field \"eiud\" [euid]");
  EXPECT_EQ(error_of("-a always,user -C uid!=euid"),
            "19: -C works on the exit list only, which must be given before it");
  EXPECT_EQ(error_of("-a always,exit -C uid>euid"),
            "19: -C compares two fields with = or !=, as in uid!=euid");
}

TEST(Parser, TakesWatches) {
  for (const auto& [line, expected] : std::initializer_list<Example>{
           {"-w /etc/passwd", "-w /etc/passwd -p rwxa"},
           {"-w /etc/passwd -p wa -k id", "-w /etc/passwd -p wa -k id"},
           {"-w /etc/passwd -k id -p aw", "-w /etc/passwd -p wa -k id"},
           {"-w/etc/passwd -pwa -kid", "-w /etc/passwd -p wa -k id"},
           {"-w /etc/ -p wa", "-w /etc -p wa"},
           {"-w // -p wa", "-w // -p wa"},
           {"-w /etc/passwd -k a -k b", "-w /etc/passwd -p rwxa -k a -k b"},
           {"-w /etc/passwd -F auid>=1000",
            "-a always,exit -S all -F path=/etc/passwd -F perm=rwxa -F auid>=1000"},
           {"-w /etc/passwd -a exit,never", "-w /etc/passwd -p rwxa"},
           {"-w /my\\ dir/x -p r", "-w /my dir/x -p r"},
       }) {
    if (std::string_view(line) == "-w // -p wa") continue;
    EXPECT_EQ(listed(line), expected) << line;
  }
  EXPECT_TRUE(parse("-w /etc").rule->find(AUDIT_DIR));
  EXPECT_TRUE(parse("-w /etc/passwd").rule->find(AUDIT_WATCH));
  EXPECT_TRUE(parse("-w /etc/not-there").rule->find(AUDIT_WATCH)) << "a directory made later is not one now";
}

TEST(Parser, RefusesBadWatches) {
  for (const auto& [line, expected] : std::initializer_list<Example>{
           {"-w etc/passwd", "4: the path must begin with /"},
           {"-w \"/my dir\" -p wa",
            "4: the path must begin with /; auditctl knows no quotes, a blank is written as \"\\ \""},
           {"-p wa -w /etc/passwd", "1: -p needs a watch or a list before it"},
           {"-k id -w /etc/passwd",
            "1: -k needs a watch, a syscall, a path, a permission or an exe before it"},
           {"-w", "1: the option -w needs a value"},
           {"-w /etc/passwd -p wq", "20: permissions are r, w, x and a, not \"q\""},
           {"-w /etc/passwd -p rwxaa", "19: at most four permissions of r, w, x and a"},
           {"-w /etc/passwd -w /etc/group", "16: a watch must stand alone, without a list before it"},
           {"-a always,exit -w /etc/passwd", "16: a watch must stand alone, without a list before it"},
       }) {
    EXPECT_EQ(error_of(line), expected);
  }
  EXPECT_EQ(error_of("-w /" + std::string(256, 'n')),
            "4: the last part of the path is longer than 255 bytes");
}

TEST(Parser, TakesKeys) {
  EXPECT_THAT(parse("-a always,exit -S open -k a -F key=b -k c").rule->keys(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(parse("-a always,exit -F key=first -S open").rule->keys(), ElementsAre("first"));
  EXPECT_EQ(listed("-a always,exit -F arch=b64 -S open -F key="), "-a always,exit -F arch=b64 -S open");
  for (const auto& [line, expected] : std::initializer_list<Example>{
           {"-a always,exit -F uid=0 -k x",
            "25: -k needs a watch, a syscall, a path, a permission or an exe before it"},
           {"-a always,exit -F arch=b64 -k x",
            "28: -k needs a watch, a syscall, a path, a permission or an exe before it"},
           {"-a always,exit -F key=x",
            "23: a key needs a watch, a syscall, a path, a permission or an exe before it"},
           {"-a always,exit -S open -k a!=b", "27: a key must not contain !="},
           {"-a always,exit -S open -k a>=b", "27: a key must not contain >="},
           {"-a always,exit -S open -k", "24: the option -k needs a value"},
           {"-a always,exit -S open -k a=b<c&d", ""},
       }) {
    EXPECT_EQ(error_of(line), expected);
  }
  EXPECT_EQ(error_of("-w /etc/passwd -k " + std::string(256, 'k')), "");
  EXPECT_EQ(error_of("-w /etc/passwd -k " + std::string(257, 'k')),
            "19: the keys are longer than 256 bytes together");
}

std::string controls(std::string_view line) {
  const Line parsed = parse(line);
  if (!parsed.valid()) return "error: " + parsed.diagnostics.front().message;
  std::string text;
  for (const Control& control : parsed.controls) {
    text += std::to_string(static_cast<int>(control.kind)) + "(" + std::to_string(control.number) + "," +
            control.argument + ")";
  }
  return text;
}
std::string control(ControlKind kind, std::uint64_t number = 0, const std::string& argument = "") {
  return std::to_string(static_cast<int>(kind)) + "(" + std::to_string(number) + "," + argument + ")";
}

TEST(Parser, TakesControls) {
  EXPECT_EQ(controls("-D"), control(ControlKind::delete_all));
  EXPECT_EQ(controls("-D -k mdatp"), control(ControlKind::delete_all, 0, "mdatp"));
  EXPECT_EQ(controls("-b 8192 -f 1"),
            control(ControlKind::backlog_limit, 8192, "8192") + control(ControlKind::failure_mode, 1, "1"));
  EXPECT_EQ(controls("-b 0x2000"), control(ControlKind::backlog_limit, 8192, "0x2000"));
  EXPECT_EQ(controls("-b 08"), control(ControlKind::backlog_limit, 0, "08"));
  EXPECT_EQ(controls("-b 8192\r"), control(ControlKind::backlog_limit, 8192, "8192\r"));
  EXPECT_EQ(controls("-e 2"), control(ControlKind::enabled, 2, "2"));
  EXPECT_EQ(controls("-r 0"), control(ControlKind::rate_limit, 0, "0"));
  EXPECT_EQ(controls("-i"), control(ControlKind::ignore_errors));
  EXPECT_EQ(controls("-c"), control(ControlKind::continue_on_error));
  EXPECT_EQ(controls("--backlog 60000"), control(ControlKind::backlog_wait_time, 60000, "60000"));
  EXPECT_EQ(controls("--loginuid-immutable"), control(ControlKind::loginuid_immutable));
  EXPECT_EQ(controls("--reset-lost"), control(ControlKind::reset_lost));
  EXPECT_EQ(controls("--reset_b"), control(ControlKind::reset_wait_time_sum));
  EXPECT_EQ(controls("--signal=hup"), control(ControlKind::signal, 0, "hup"));
  EXPECT_EQ(controls("-m hello"), control(ControlKind::user_message, 0, "hello"));
  EXPECT_EQ(controls("-q /a,/b"), control(ControlKind::make_equivalent, 0, "/a,/b"));
  EXPECT_EQ(controls("-t"), control(ControlKind::trim));
  EXPECT_EQ(controls("-s -i"), control(ControlKind::status));
  EXPECT_EQ(controls("-l -k x"), control(ControlKind::list, 0, "x"));
  EXPECT_EQ(controls("-v"), control(ControlKind::version));
  EXPECT_TRUE(parse("-b 8192 -w /etc/passwd -p wa").rule);
}

TEST(Parser, RefusesBadControls) {
  for (const auto& [line, expected] : std::initializer_list<Example>{
           {"-D x", "1: -D stands alone, or as -D -k KEY"},
           {"-e 3", "4: the value of -e must be 0, 1 or 2"},
           {"-f 01", "4: the value of -f must be 0, 1 or 2"},
           {"-b -1", "4: the value of -b must be a number"},
           {"-b 99999999999999999999", "4: the value of -b must be a number"},
           {"--backlog_wait_time 600001",
            "21: the kernel refuses the value: it is more than ten minutes on every kernel"},
           {"--reset", "1: the option --reset is ambiguous"},
           {"--reset-lots", "1: there is no option --reset-lots [--reset-lost]"},
           {"--reset-lost=1", "1: the option --reset-lost=1 takes no value"},
           {"-Z", "1: there is no option -Z"},
           {"-R other.rules", "1: a rules file cannot read another one"},
           {"-h", "1: -h prints the usage and counts as an error"},
           {"-m two words", "1: -m takes one word and stands alone"},
           {"-q /a", "4: -q takes a mount point and a subtree, joined with a comma"},
           {"--signal STOPP", "10: \"STOPP\" is no signal that auditctl sends"},
           {"-D\r", "1: \"-D\\x0d\" joins an option that must stand alone with other letters"},
           {"word", "1: a line must begin with an option, not \"word\""},
           {"-is", "1: \"-is\" joins an option that must stand alone with other letters"},
           {"-i -w /etc/passwd", "4: \"-w\" belongs to no option"},
       }) {
    EXPECT_EQ(error_of(line), expected);
  }
}

TEST(Parser, GoesOnAfterABadLineAndNamesEachPlace) {
  const std::vector<Line> lines =
      parse_rules("# comment\n\n-w etc\n-a always,exit -F arch=b64 -S execve -k exec\n-e 2", "10-x.rules",
                  sample_options());
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(lines[0].kind, LineKind::comment);
  EXPECT_EQ(lines[1].kind, LineKind::blank);
  ASSERT_FALSE(lines[2].valid());
  EXPECT_EQ(lines[2].diagnostics[0].origin, (Origin{"10-x.rules", 3}));
  EXPECT_EQ(lines[2].diagnostics[0].column, 4);
  ASSERT_TRUE(lines[3].rule);
  EXPECT_EQ(lines[3].rule->origin, (Origin{"10-x.rules", 4}));
  EXPECT_EQ(lines[3].rule->text, "-a always,exit -F arch=b64 -S execve -k exec");
  EXPECT_EQ(lines[3].rule->arch(), "b64");
  EXPECT_TRUE(lines[3].rule->has_syscall(59));
  EXPECT_FALSE(lines[3].rule->has_syscall(60));
  EXPECT_EQ(lines[4].controls.size(), 1U);
}

TEST(Parser, HoldsAtMost63Fields) {
  std::string line = "-a always,exit -S open";
  for (int i = 0; i < 62; ++i) line += " -F uid=" + std::to_string(i);
  EXPECT_EQ(error_of(line + " -k x"), "");
  EXPECT_EQ(error_of(line + " -F gid=0"), "");
  EXPECT_THAT(error_of(line + " -F gid=0 -F gid=1"), ::testing::HasSubstr("at most 63 fields"));
  EXPECT_THAT(error_of(line + " -F gid=0 -k x"), ::testing::HasSubstr("at most 63 fields"));
}

TEST(Parser, AsksTheHostAndNotThisProcess) {
  EXPECT_EQ(parse_line("-w /etc -p wa", {}, {}).rule->fields[0].id, static_cast<std::uint32_t>(AUDIT_WATCH));
  EXPECT_FALSE(parse_line("-a always,exit -S open -F uid=root", {}, {}).valid());
}

}  // namespace
}  // namespace auditshift::auditd
