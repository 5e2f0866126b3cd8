// SPDX-License-Identifier: Apache-2.0
#include "auditd/log_record.h"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

namespace auditshift::auditd {
namespace {

TEST(RecordHead, IsSplitWithAndWithoutNode) {
  const auto plain = parse_record_head("type=CWD msg=audit(1700000000.123:42): cwd=\"/\"");
  ASSERT_TRUE(plain);
  EXPECT_EQ(std::tuple(plain->node, plain->type, plain->stamp, plain->body),
            std::tuple("", "CWD", "1700000000.123:42)", " cwd=\"/\""));
  const auto with_node = parse_record_head("node=web 1 type=CWD msg=audit(1.2:3):");
  EXPECT_FALSE(with_node);  // a node name holds no blank
  const auto node = parse_record_head("node=web-1.example type=UNKNOWN[1999] msg=audit(1.2:3):");
  ASSERT_TRUE(node);
  EXPECT_EQ(std::tuple(node->node, node->type, node->stamp, node->body),
            std::tuple("web-1.example", "UNKNOWN[1999]", "1.2:3)", ""));
}

TEST(RecordHead, RefusesWhatIsNoRecord) {
  for (const char* line :
       {"", "type=", "type= msg=audit(1.2:3):", "type=CWD", "type=CWD msg=audit(1.2:3",
        "type=CWD audit(1.2:3):", "Nov 21 08:00:00 host kernel: x", "node=a", "node=a type=b"})
    EXPECT_FALSE(parse_record_head(line)) << line;
  EXPECT_FALSE(parse_record_head("type=" + std::string(65, 'A') + " msg=audit(1.2:3):"));
  EXPECT_FALSE(parse_record_head("type=CWD msg=audit(" + std::string(70, '1') + "):"));
}

TEST(EventStamp, ReadsSecondsMillisecondsAndSerial) {
  EXPECT_EQ(parse_event_stamp("1700000000.007:18446744073709551615)"),
            (EventStamp{1700000000, 7, 18446744073709551615ULL}));
  for (const char* text : {"", ")", "1.2:3", "1.2:)", "1:2.3)", "-1.2:3)", "1.2:3 )", "4294967296.000:1)",
                           "1.2:18446744073709551616)", "a.b:c)"})
    EXPECT_FALSE(parse_event_stamp(text)) << text;
}

TEST(SyscallNumber, IsFoundWhereverTheFieldsStand) {
  const auto parse = [](std::string_view raw) {
    const SyscallNumber found = parse_syscall_number(raw);
    return std::pair(found.arch, found.number);
  };
  EXPECT_EQ(parse(" arch=c000003e syscall=59 success=yes"), std::pair(0xc000003eU, 59));
  EXPECT_EQ(parse("syscall=11 per=400000 arch=40000003"), std::pair(0x40000003U, 11));
  EXPECT_EQ(parse(" xarch=1 syscall=2"), std::pair(0U, 2));
  EXPECT_EQ(parse(" arch=zz syscall=-1"), std::pair(0U, -1));
  EXPECT_EQ(parse(" arch=fffffffff syscall=99999999999"), std::pair(0U, -1));
  EXPECT_EQ(parse(""), std::pair(0U, -1));
}

struct FieldCase {
  const char* raw;
  const char* exe;
  const char* key;
};

TEST(ExeAndKey, AreReadFromTheEndOfTheRecord) {
  const std::vector<FieldCase> cases = {
      {" comm=\"cat\" exe=\"/usr/bin/cat\" subj=unconfined key=\"id\"", "/usr/bin/cat", "id"},
      {" comm=\"cat\" exe=\"/usr/bin/cat\" key=(null)", "/usr/bin/cat", ""},
      {" comm=6578653D22 exe=2F6D792070726F67 key=61016232", "/my prog",
       "a\x01"
       "b2"},
      {" exe=\"/a\" subj=/usr/bin/man (enforce) key=\"k\"", "/a", "k"},
      {" pid=1 msg='op=login acct=\"root\" exe=\"/usr/sbin/sshd\" hostname=? res=success'", "/usr/sbin/sshd",
       ""},
      {" msg='exe=\"/sbin/x\" res=success'", "/sbin/x", ""},
      {" msg='op=x exe=/bare res=1'", "/bare", ""},
      {" msg='op=x exe=?'", "", ""},
      {" msg='op=x exe=\"?\" res=1'", "", ""},
      {" exe=", "", ""},
      {" exe=\"", "", ""},
      {" exe=\"/unclosed", "/unclosed", ""},
      {"exe=\"/first\"", "/first", ""},
      {" notexe=\"/x\" xkey=\"y\"", "", ""},
      {" exe=ABC key=AZ", "ABC", "AZ"},  // no whole bytes, no hexadecimal: a bare word
      {"", "", ""},
      {" ", "", ""},
  };
  for (const FieldCase& c : cases) {
    const ExeAndKey found = find_exe_and_key(c.raw, true);
    std::string exe_buffer;
    std::string key_buffer;
    EXPECT_EQ(decode_value(found.exe, exe_buffer), c.exe) << c.raw;
    EXPECT_EQ(decode_value(found.key, key_buffer), c.key) << c.raw;
  }
}

TEST(RawBody, LeavesInterpretationsOut) {
  EXPECT_EQ(raw_body(" key=\"a\"\x1d"
                     "ARCH=x86_64 SYSCALL=open"),
            " key=\"a\"");
  EXPECT_EQ(raw_body(" key=\"a\""), " key=\"a\"");
}

}  // namespace
}  // namespace auditshift::auditd
