// SPDX-License-Identifier: Apache-2.0
// The audit stream from text to event. The records are those of Linux 6.18, shortened.
#include <gtest/gtest.h>

#include "sensor/audit_assembler.h"
#include "sensor/audit_event.h"
#include "sensor/format.h"

namespace auditshift::sensor {
namespace {

using namespace std::chrono_literals;

TEST(AuditStamp, IsTakenOffTheFront) {
  std::string_view text = "audit(1795294392.333:2552): arch=c000003e";
  const auto stamp = take_stamp(text);
  ASSERT_TRUE(stamp);
  EXPECT_EQ(stamp->wall_ns, 1'795'294'392'333'000'000);
  EXPECT_EQ(stamp->serial, 2552U);
  EXPECT_EQ(text, "arch=c000003e");
  for (const char* bad : {"", "audit(", "audit(1.2)", "audit(1.2:3", "audit(x.2:3):", "audit(1.2000:3):",
                          "audit(:.):", "audit(99999999999.0:1):", "(1.2:3):", "audit(1.2:-3):"}) {
    std::string_view rest = bad;
    EXPECT_FALSE(take_stamp(rest)) << bad;
  }
}

TEST(AuditFields, AreNamesWithPlainOrQuotedValues) {
  AuditFields fields(
      R"(a=1 word  comm="two words" name=(null) empty= exe="/x" msg='op=login res=success' last="open)");
  std::string seen;
  for (AuditField field; fields.next(field);)
    seen += std::string(field.name) + (field.quoted ? "~" : "=") + std::string(field.value) + ";";
  EXPECT_EQ(seen, "a=1;comm~two words;name=(null);empty=;exe~/x;msg='op=login;res=success';last~open;");
}

TEST(UntrustedText, IsQuotedOrHexadecimal) {
  const auto text = [](std::string_view value, bool quoted) {
    return untrusted_text({"name", value, quoted});
  };
  EXPECT_EQ(text("deadbeef", true), "deadbeef");
  EXPECT_EQ(text("6120C3A4FF", false), "a \xc3\xa4\xff");
  EXPECT_EQ(text("(null)", false), std::nullopt);
  EXPECT_EQ(text("abc", false), "abc") << "an odd number of digits is no hexadecimal";
}

class AuditStreamTest : public testing::Test {
 protected:
  /// Lines "TYPE text" of one event, its end included → the event in the raw format.
  std::string decode(const std::vector<std::pair<std::uint16_t, std::string>>& records) {
    for (const auto& [type, text] : records)
      EXPECT_TRUE(assembler_.add(type, "audit(1795294392.333:7): " + text, 0s)) << text;
    EXPECT_TRUE(assembler_.add(audit_type::kEnd, "audit(1795294392.333:7): ", 0s));
    return std::exchange(line_, {});
  }
  static std::string syscall(int number, const std::string& result, const std::string& arguments) {
    return "arch=c000003e syscall=" + std::to_string(number) + " success=yes exit=" + result + " " +
           arguments +
           R"( items=2 ppid=10 pid=11 auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=3 )"
           R"(comm="worker" exe="/usr/bin/worker" subj=unconfined key="mine")";
  }

  std::string line_;
  std::string key_;
  int number_ = 0;
  std::uint32_t pid_ = 0;
  AuditDecoder decoder_;
  Formatter formatter_{Format::raw, {}};
  AuditAssembler assembler_{[this](const AuditEvent& audit) {
    const Event* event = decoder_.decode(audit);
    if (event == nullptr) return;
    key_ = event->audit_key;
    number_ = event->syscall.number;
    pid_ = event->process.id.pid;
    TextBuffer line;
    formatter_.append(line, *event, "auditd", 1);
    line_ += line.view();
  }};
};

TEST_F(AuditStreamTest, ACallThatTheSensorHasNoKindForIsToldOnRequest) {
  const std::vector<std::pair<std::uint16_t, std::string>> fallocate = {
      {1300, syscall(285, "0", "a0=3 a1=0 a2=0 a3=1000")}};
  decode(fallocate);
  EXPECT_EQ(number_, 0);
  decoder_.tell_unknown_calls(true);
  decode(fallocate);
  EXPECT_EQ(number_, 285);
  EXPECT_EQ(pid_, 11U);
  EXPECT_EQ(key_, "mine");
}

TEST_F(AuditStreamTest, ARenameHasBothNamesAndWhoDidIt) {
  EXPECT_EQ(
      decode({{1300, syscall(82, "0", "a0=7f01 a1=7f02 a2=0 a3=0")},
              {1307, R"(cwd="/srv/data")"},
              {1302, R"(item=0 name="/srv/data" inode=1 nametype=PARENT)"},
              {1302, R"(item=1 name="/srv/other/" inode=2 nametype=PARENT)"},
              {1302, R"(item=2 name="./a" inode=3 nametype=DELETE)"},
              {1302, R"(item=3 name=2F7372762F6F746865722F6220C3A4 inode=4 nametype=DELETE)"},
              {1302, R"(item=4 name=2F7372762F6F746865722F6220C3A4 inode=3 nametype=CREATE)"},
              {1327, R"(proctitle="worker")"}}),
      "{\"kind\":\"rename\",\"sequence\":1,\"provider\":\"auditd\",\"boot_ns\":1795294392333000000,"
      "\"wall_ns\":1795294392333000000,\"cpu\":0,\"process\":{\"pid\":11,\"ppid\":10,\"comm\":\"worker\","
      "\"exe\":\"/usr/bin/"
      "worker\",\"uid\":0,\"gid\":0,\"euid\":0,\"egid\":0,\"suid\":0,\"sgid\":0,\"fsuid\":0,"
      "\"fsgid\":0,\"auid\":1000,\"session\":3},\"syscall\":{\"number\":82,\"name\":\"rename\",\"arch\":"
      "\"x86_64\","
      "\"result\":0,\"arguments\":[32513,32514,0,0,0,0]},\"path\":{\"text\":\"/srv/data/a\"},"
      "\"second_path\":{\"text\":\"/srv/other/b \xc3\xa4\"}}\n");
  EXPECT_EQ(key_, "mine");
}

// In the order of Linux 6.18 on x86-64, which is that of neither the call's arguments nor any promise.
TEST_F(AuditStreamTest, NamesThatCannotBeToldApartAreLeftOut) {
  const std::string rename = decode({{1300, syscall(82, "-2", "a0=1 a1=2 a2=0 a3=0")},
                                     {1307, R"(cwd="/tmp")"},
                                     {1302, R"(item=0 name="none/new" nametype=UNKNOWN)"},
                                     {1302, R"(item=1 name="none/old" nametype=UNKNOWN)"}});
  EXPECT_EQ(rename.find("path"), std::string::npos) << rename;
  const std::string symlink = decode({{1300, syscall(88, "-2", "a0=1 a1=2 a2=0 a3=0")},
                                      {1307, R"(cwd="/tmp")"},
                                      {1302, R"(item=0 name="none/link" nametype=UNKNOWN)"},
                                      {1302, R"(item=1 name="target" nametype=UNKNOWN)"}});
  EXPECT_EQ(symlink.find("path"), std::string::npos) << symlink;
  EXPECT_EQ(symlink.find("text"), std::string::npos) << symlink;
  const std::string taken = decode({{1300, syscall(88, "-17", "a0=1 a1=2 a2=0 a3=0")},
                                    {1307, R"(cwd="/tmp")"},
                                    {1302, R"(item=0 name="/tmp" nametype=PARENT)"},
                                    {1302, R"(item=1 name="target" nametype=UNKNOWN)"}});
  EXPECT_EQ(taken.find("path"), std::string::npos) << taken;
  EXPECT_NE(taken.find(R"("text":"target")"), std::string::npos) << taken;
}

TEST_F(AuditStreamTest, AnExecHasItsArgumentsPutTogether) {
  const std::string line = decode({{1300, syscall(59, "0", "a0=1 a1=2 a2=3 a3=4")},
                                   {1309, R"(argc=4 a0="sh" a1_len=8 a1[0]=6161 a1[1]=6262)"},
                                   {1309, R"(a2=FF20 a3="")"},
                                   {1307, R"(cwd="/")"},
                                   {1302, R"(item=0 name="/bin/sh" nametype=NORMAL)"},
                                   {1302, R"(item=1 name="/lib64/ld.so" nametype=NORMAL)"}});
  EXPECT_NE(line.find(R"("argv":["sh","aabb","\\xff ",""])"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("path":{"text":"/bin/sh"},"cwd":{"text":"/","from_kernel":true})"),
            std::string::npos)
      << line;
}

TEST_F(AuditStreamTest, AConnectHasItsPeer) {
  const std::string line = decode({{1300, syscall(42, "-111", "a0=3 a1=7f a2=10 a3=0")},
                                   {1306, "saddr=020001BB7F0000010000000000000000"}});
  EXPECT_NE(line.find(R"("result":-111)"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("socket":{"family":2,"remote":{"family":"ipv4","address":"127.0.0.1","port":443}})"),
            std::string::npos)
      << line;
}

TEST_F(AuditStreamTest, APathRelativeToADescriptorSaysSo) {
  const std::string line = decode({{1300, syscall(263, "0", "a0=5 a1=7f a2=200 a3=0")},
                                   {1307, R"(cwd="/tmp")"},
                                   {1302, R"(item=0 name="/tmp" nametype=PARENT)"},
                                   {1302, R"(item=1 name="d" nametype=DELETE)"}});
  EXPECT_NE(line.find(R"({"kind":"rmdir")"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("path":{"text":"d","unresolved":true})"), std::string::npos) << line;
}

TEST_F(AuditStreamTest, OtherThingsAreToldAsTheyAre) {
  EXPECT_NE(decode({{1300, syscall(101, "0", "a0=10 a1=2a a2=0 a3=0")},
                    {1318, "opid=42 oauid=-1 ouid=0 ocomm=\"x\""}})
                .find(R"("target":{"pid":42,"tid":42},"command":16)"),
            std::string::npos);
  EXPECT_NE(decode({{1300, syscall(231, "0", "a0=3 a1=0 a2=0 a3=0")}}).find(R"("exit_code":3)"),
            std::string::npos);
  const std::string create = decode({{1300, syscall(257, "4", "a0=ffffff9c a1=7f a2=41 a3=1a4")},
                                     {1307, R"(cwd="/tmp")"},
                                     {1302, R"(item=0 name="/tmp" nametype=PARENT)"},
                                     {1302, R"(item=1 name="new" nametype=CREATE)"}});
  EXPECT_NE(create.find(R"({"kind":"create")"), std::string::npos) << create;
  EXPECT_NE(create.find(R"("path":{"text":"/tmp/new"},"flags":65,"mode":"0644")"), std::string::npos)
      << create;
  EXPECT_EQ(decode({{1300, syscall(0, "1", "a0=3 a1=0 a2=0 a3=0")}}), "")
      << "read(2) is nothing the model knows";
  EXPECT_EQ(decode({{1307, R"(cwd="/tmp")"}}), "") << "no SYSCALL record";
  EXPECT_EQ(decode({{1300, "arch=f000003e syscall=82"}}), "") << "an ABI that is not known";
  EXPECT_EQ(decode({{1100, "op=login"}}), "");
}

TEST(AuditAssembler, PutsInterleavedRecordsTogether) {
  std::string events;
  AuditAssembler assembler([&](const AuditEvent& event) {
    events += std::to_string(event.stamp.serial) + (event.complete ? "+" : "-");
    for (const auto& record : event.records) events += " " + record.text;
    events += "\n";
  });
  EXPECT_TRUE(assembler.add(1300, "audit(1.000:1): a", 0s));
  EXPECT_TRUE(assembler.add(1300, "audit(1.000:2): b", 0s));
  EXPECT_TRUE(assembler.add(1302, "audit(1.000:1): c", 0s));
  EXPECT_TRUE(assembler.add(1320, "audit(1.000:2): ", 0s));
  EXPECT_TRUE(assembler.add(1320, "audit(1.000:1): ", 0s));
  EXPECT_TRUE(assembler.add(1320, "audit(1.000:9): ", 0s)) << "an end whose records came before the start";
  EXPECT_FALSE(assembler.add(1300, "no stamp", 0s));
  EXPECT_EQ(events, "2+ b\n1+ a c\n");
  EXPECT_EQ(assembler.incomplete(), 0U);
}

TEST(AuditAssembler, ARecordThatStandsAloneLacksNothing) {
  AuditAssembler assembler([](const AuditEvent&) {});
  EXPECT_TRUE(assembler.add(1334, "audit(1.000:1): prog-id=7 op=UNLOAD", 0s));
  assembler.expire(3s);
  EXPECT_EQ(assembler.incomplete(), 0U);
  EXPECT_TRUE(assembler.add(1302, "audit(1.000:2): item=0", 3s));
  assembler.expire(6s);
  EXPECT_EQ(assembler.incomplete(), 1U);
}

TEST(AuditAssembler, WaitsTwoSecondsAndKeepsItsMemoryBounded) {
  std::size_t given_up = 0;
  AuditAssembler assembler([&](const AuditEvent& event) { given_up += event.complete ? 0 : 1; });
  assembler.add(1300, "audit(1.000:1): a", 1s);
  assembler.expire(3s);
  EXPECT_EQ(given_up, 0U);
  assembler.expire(3s + 1ns);
  EXPECT_EQ(given_up, 1U);
  for (int serial = 0; serial < 1000; ++serial)
    assembler.add(1300, "audit(1.000:" + std::to_string(serial) + "): a", 4s);
  EXPECT_EQ(given_up, 1U + 1000 - 256);
  for (int i = 0; i < 600; ++i) assembler.add(1302, "audit(1.000:999): a", 4s);
  EXPECT_EQ(assembler.cut(), 600U - 511);
  assembler.flush();
  EXPECT_EQ(given_up, 1001U);
  EXPECT_EQ(assembler.incomplete(), 1001U);
}

}  // namespace
}  // namespace auditshift::sensor
