// SPDX-License-Identifier: Apache-2.0
#include "auditd/log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <utime.h>
#include <zlib.h>

#include "auditd/log_reader.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::auditd {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using tests::TemporaryTree;

const sys_days kDay1{days(19'675)};  // 2023-11-14
const sys_days kDay2{days(19'676)};
constexpr int kDay1Noon = 19'675 * 86'400 + 43'200;

/// One line per dimension, "name day events bytes", so that a whole answer is compared at once.
std::string shown(const DailyVolumes& volumes) {
  std::string text;
  for (const auto& [name, by_day] : volumes)
    for (const auto& [day, volume] : by_day)
      text += name + " " + std::to_string((day - kDay1).count()) + " " + std::to_string(volume.events) + " " +
              std::to_string(volume.bytes) + "\n";
  return text;
}

std::string shown(const std::map<EventClass, Volume>& classes) {
  std::string text;
  for (const auto& [event, volume] : classes) {
    char arch[16];
    std::snprintf(arch, sizeof arch, "%x", event.arch);
    text += "[" + event.key + "] " + arch + " " + std::to_string(event.syscall) + " [" + event.executable +
            "] " + std::to_string(volume.events) + " " + std::to_string(volume.bytes) + "\n";
  }
  return text;
}

LogStatistics count(std::string_view text, LogOptions options = {}, std::size_t piece = 1 << 20) {
  LogReader reader(options);
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) reader.feed(text.substr(0, piece));
  reader.end_of_file();
  return reader.finish();
}

std::string stamp(int seconds, int serial) {
  return "msg=audit(" + std::to_string(seconds) + ".500:" + std::to_string(serial) + "): ";
}

std::string syscall_line(int seconds, int serial, int number, const std::string& exe,
                         const std::string& key) {
  return "type=SYSCALL " + stamp(seconds, serial) + "arch=c000003e syscall=" + std::to_string(number) +
         " success=yes comm=\"x\" exe=\"" + exe + "\" subj=unconfined key=" + key + "\n";
}

std::string line(const std::string& type, int seconds, int serial, const std::string& body = "x=1") {
  return "type=" + type + " " + stamp(seconds, serial) + body + "\n";
}

std::string bytes(const std::string& text) { return std::to_string(text.size()); }

TEST(LogReader, AddsRecordsUpToEventsByDayAndName) {
  const std::string call = syscall_line(kDay1Noon, 1, 59, "/usr/bin/ls", "\"exec\"");
  const std::string cwd = line("CWD", kDay1Noon, 1);
  const std::string path = line("PATH", kDay1Noon, 1);
  const std::string title = line("PROCTITLE", kDay1Noon, 1);
  const std::string login =
      line("USER_LOGIN", kDay1Noon + 86'400, 2, "pid=1 msg='op=login exe=\"/usr/sbin/sshd\" res=success'");
  const LogStatistics log = count(call + cwd + path + path + title + login);

  const std::string event = bytes(call + cwd + path + path + title);
  EXPECT_EQ(shown(log.by_key), "exec 0 1 " + event + "\n");
  EXPECT_EQ(shown(log.by_executable),
            "/usr/bin/ls 0 1 " + event + "\n/usr/sbin/sshd 1 1 " + bytes(login) + "\n");
  EXPECT_EQ(shown(log.by_syscall), "x86_64:execve 0 1 " + event + "\n");
  EXPECT_EQ(shown(log.by_record_type), "CWD 0 1 " + bytes(cwd) + "\nPATH 0 1 " + bytes(path + path) +
                                           "\nPROCTITLE 0 1 " + bytes(title) + "\nSYSCALL 0 1 " +
                                           bytes(call) + "\nUSER_LOGIN 1 1 " + bytes(login) + "\n");
  EXPECT_EQ(shown(log.classes), "[] 0 -1 [/usr/sbin/sshd] 1 " + bytes(login) +
                                    "\n[exec] c000003e 59 [/usr/bin/ls] 1 " + event + "\n");
  EXPECT_EQ(log.first_day, kDay1);
  EXPECT_EQ(log.last_day, kDay2);
  EXPECT_EQ(std::tuple(log.days, log.total.events, log.lines), std::tuple(2U, 2U, 6U));
  EXPECT_EQ(log.total.bytes, (call + cwd + path + path + title + login).size());
  EXPECT_EQ(std::tuple(log.malformed, log.truncated, log.interleaved, log.unfinished),
            std::tuple(0U, 0U, 0U, 0U));
}

TEST(LogReader, PiecesOfAnySizeGiveTheSameAnswer) {
  std::string text;
  for (int i = 0; i < 40; ++i)
    text += syscall_line(kDay1Noon + i * 7000, i, 257 + i % 3, "/bin/p" + std::to_string(i % 4), "\"k\"") +
            line("CWD", kDay1Noon + i * 7000, i) + line("PROCTITLE", kDay1Noon + i * 7000, i) + "noise\n";
  const LogStatistics whole = count(text);
  EXPECT_EQ(whole.malformed, 40U);
  for (const std::size_t piece : {1UL, 7UL, 64UL, 1000UL}) {
    const LogStatistics cut = count(text, {}, piece);
    EXPECT_EQ(shown(cut.classes), shown(whole.classes));
    EXPECT_EQ(shown(cut.by_record_type), shown(whole.by_record_type));
    EXPECT_EQ(std::tuple(cut.lines, cut.malformed), std::tuple(whole.lines, whole.malformed));
  }
}

TEST(LogReader, PutsInterleavedEventsTogether) {
  const std::string a1 = syscall_line(kDay1Noon, 1, 59, "/a", "\"ka\"");
  const std::string b1 = syscall_line(kDay1Noon, 2, 42, "/b", "\"kb\"");
  const std::string a2 = line("PATH", kDay1Noon, 1);
  const std::string b2 = line("SOCKADDR", kDay1Noon, 2);
  const std::string a3 = line("PROCTITLE", kDay1Noon, 1);
  const std::string b3 = line("PROCTITLE", kDay1Noon, 2);
  const LogStatistics log = count(a1 + b1 + a2 + b2 + a3 + b3);
  EXPECT_EQ(shown(log.by_key), "ka 0 1 " + bytes(a1 + a2 + a3) + "\nkb 0 1 " + bytes(b1 + b2 + b3) + "\n");
  EXPECT_EQ(std::tuple(log.total.events, log.interleaved, log.unfinished), std::tuple(2U, 4U, 0U));
}

TEST(LogReader, KeepsEventsOfNodesWithOneSerialApart) {
  const std::string a = "node=web1 " + syscall_line(kDay1Noon, 1, 59, "/a", "\"k\"");
  const std::string b = "node=web2 " + syscall_line(kDay1Noon, 1, 59, "/b", "\"k\"");
  const LogStatistics log = count(a + b + "node=web1 " + line("PROCTITLE", kDay1Noon, 1) + "node=web2 " +
                                  line("PROCTITLE", kDay1Noon, 1));
  EXPECT_EQ(log.total.events, 2U);
  EXPECT_EQ(log.by_executable.size(), 2U);
}

TEST(LogReader, EventsWithoutTheirLastRecordAreCountedNotLost) {
  std::string text;
  for (int i = 0; i < 100; ++i)
    text += syscall_line(kDay1Noon, i, 59, "/a", "\"k\"") + line("CWD", kDay1Noon, i);
  const LogStatistics log = count(text);
  EXPECT_EQ(std::tuple(log.total.events, log.unfinished, log.by_key.at("k").at(kDay1).events),
            std::tuple(100U, 100U, 100U));
}

TEST(LogReader, EveryKeyOfAnEventCounts) {
  const std::string call = syscall_line(kDay1Noon, 1, 59, "/a", "6B31016B32");  // k1 and k2
  const LogStatistics log = count(call);
  EXPECT_EQ(shown(log.by_key), "k1 0 1 " + bytes(call) + "\nk2 0 1 " + bytes(call) + "\n");
  EXPECT_EQ(log.classes.begin()->first.key, "k1\x01k2");
  const LogStatistics none = count(syscall_line(kDay1Noon, 1, 59, "/a", "(null)"));
  EXPECT_TRUE(none.by_key.empty());
}

TEST(LogReader, AKeyInAConfigurationChangeIsNoEventOfItsRule) {
  const LogStatistics log =
      count(line("CONFIG_CHANGE", kDay1Noon, 1, "op=add_rule key=\"exec\" list=4 res=1"));
  EXPECT_TRUE(log.by_key.empty());
  EXPECT_EQ(log.total.events, 1U);
}

TEST(LogReader, EnrichedTextIsNotTakenForFields) {
  std::string call = syscall_line(kDay1Noon, 1, 59, "/a", "\"k\"");
  call.insert(call.size() - 1,
              "\x1d"
              "ARCH=x86_64 SYSCALL=execve AUID=\"x exe=/evil key=evil\"");
  const LogStatistics log = count(call);
  EXPECT_EQ(shown(log.by_key), "k 0 1 " + bytes(call) + "\n");
  EXPECT_EQ(shown(log.by_executable), "/a 0 1 " + bytes(call) + "\n");
}

TEST(LogReader, NamesSyscallsByTheirOwnAbi) {
  std::string b32 = syscall_line(kDay1Noon, 1, 11, "/a", "\"k\"");
  b32.replace(b32.find("c000003e"), 8, "40000003");
  std::string unknown = syscall_line(kDay1Noon, 2, 9999, "/a", "\"k\"");
  std::string strange = syscall_line(kDay1Noon, 3, 5, "/a", "\"k\"");
  strange.replace(strange.find("c000003e"), 8, "deadbeef");
  const LogStatistics log = count(b32 + unknown + strange);
  EXPECT_EQ(shown(log.by_syscall), "deadbeef:5 0 1 " + bytes(strange) + "\ni386:execve 0 1 " + bytes(b32) +
                                       "\nx86_64:9999 0 1 " + bytes(unknown) + "\n");
}

TEST(LogReader, OlderEventsAreLeftOut) {
  LogOptions options;
  options.since = sys_seconds(std::chrono::seconds(kDay1Noon + 10));
  const LogStatistics log =
      count(syscall_line(kDay1Noon + 9, 1, 59, "/old", "\"k\"") + line("CWD", kDay1Noon + 9, 1) +
                syscall_line(kDay1Noon + 10, 2, 59, "/new", "\"k\""),
            options);
  EXPECT_EQ(log.total.events, 1U);
  EXPECT_TRUE(log.by_executable.contains("/new"));
}

TEST(LogReader, DamagedInputIsCountedAndPassedOver) {
  const std::string good = line("USER_CMD", kDay1Noon, 1);
  const LogStatistics log =
      count("\n" + std::string("\0garbage\n", 9) + good + "type=X msg=audit(9.9:9\n" +
            "type=X msg=audit(99999999999.1:1): \n" + "type=SYSCALL msg=audit(1.1:1): arch=");
  EXPECT_EQ(std::tuple(log.lines, log.malformed, log.truncated, log.total.events),
            std::tuple(5U, 4U, 1U, 1U));
  EXPECT_EQ(log.total.bytes, good.size());
}

TEST(LogReader, AnEndlessLineIsOneMalformedLine) {
  const std::string good = line("USER_CMD", kDay1Noon, 1);
  const LogStatistics log = count(std::string(3 << 20, 'x') + "\n" + good, {}, 65536);
  EXPECT_EQ(std::tuple(log.lines, log.malformed, log.total.events), std::tuple(2U, 1U, 1U));
  const LogStatistics cut = count(good + std::string(3 << 20, 'x'), {}, 65536);
  EXPECT_EQ(std::tuple(cut.lines, cut.truncated, cut.total.events), std::tuple(1U, 1U, 1U));
}

TEST(LogReader, NamesWithoutEndAreFolded) {
  LogOptions options;
  options.class_limit = 10;
  std::string text;
  for (int i = 0; i < 25'000; ++i)
    text += line("USER_CMD", kDay1Noon, i, "msg='exe=\"/x/" + std::to_string(i) + "\" res=1'");
  const LogStatistics log = count(text, options);
  EXPECT_EQ(log.total.events, 25'000U);
  EXPECT_EQ(log.by_executable.size(), 20'001U);
  EXPECT_EQ(log.by_executable.at("(other)").at(kDay1).events, 5'000U);
  EXPECT_EQ(log.classes.size(), 11U);
  EXPECT_EQ(log.classes_folded, 24'990U);
}

std::string gzip(const std::string& text) {
  std::string out(compressBound(static_cast<uLong>(text.size())) + 64, '\0');
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

LogStatistics read(const TemporaryTree& tree, LogOptions options = {}) {
  base::NoProgress progress;
  return read_log(tree.open(), options, progress);
}

TEST(ReadLog, AMissingLogIsEmptyNotAnError) {
  const TemporaryTree tree;
  const LogStatistics log = read(tree);
  EXPECT_EQ(std::tuple(log.days, log.total.events, log.files.size(), log.errors.size()),
            std::tuple(0U, 0U, 0U, 0U));
}

TEST(ReadLog, ReadsRotatedAndCompressedFilesOldestFirst) {
  const TemporaryTree tree;
  const std::string first = syscall_line(kDay1Noon, 1, 59, "/a", "\"k\"");
  const std::string rest = line("PROCTITLE", kDay1Noon, 1);  // its event began in the file before
  tree.file("/var/log/audit/audit.log", line("USER_CMD", kDay1Noon + 300, 9));
  tree.file("/var/log/audit/audit.log.1", rest);
  tree.file("/var/log/audit/audit.log.2.gz", gzip(line("USER_CMD", kDay1Noon - 50, 0)) + gzip(first));
  tree.file("/var/log/audit/audit.log-20230101", line("USER_CMD", kDay1Noon - 86'400, 0));
  tree.file("/var/log/audit/audit.log.bak", "not read");
  tree.file("/var/log/audit/audit.logger", "not read");
  tree.file("/var/log/audit/audit.log.3.xz", "not read");
  const LogStatistics log = read(tree);
  EXPECT_EQ(log.files,
            (std::vector<std::string>{"/var/log/audit/audit.log-20230101", "/var/log/audit/audit.log.2.gz",
                                      "/var/log/audit/audit.log.1", "/var/log/audit/audit.log"}));
  EXPECT_EQ(log.errors, std::vector<std::string>{
                            "/var/log/audit/audit.log.3.xz: compressed, and not with gzip: not read"});
  EXPECT_EQ(std::tuple(log.total.events, log.malformed, log.unfinished), std::tuple(4U, 0U, 0U));
  EXPECT_EQ(log.by_key.at("k").at(kDay1).bytes, first.size() + rest.size());
}

TEST(ReadLog, PassesWhollyOlderFilesOver) {
  const TemporaryTree tree;
  tree.file("/var/log/audit/audit.log", line("USER_CMD", kDay1Noon + 300, 3));
  tree.file("/var/log/audit/audit.log.1", line("USER_CMD", kDay1Noon, 2));
  tree.file("/var/log/audit/audit.log.2", line("USER_CMD", kDay1Noon - 500, 1));
  tree.file("/var/log/audit/audit.log.3", line("USER_CMD", kDay1Noon - 900, 1));
  const utimbuf old{kDay1Noon - 600, kDay1Noon - 600};
  ASSERT_EQ(::utime(tree.real("/var/log/audit/audit.log.3").c_str(), &old), 0);
  LogOptions options;
  options.since = sys_seconds(std::chrono::seconds(kDay1Noon + 100));
  const LogStatistics log = read(tree, options);
  EXPECT_EQ(log.files, (std::vector<std::string>{"/var/log/audit/audit.log.1", "/var/log/audit/audit.log"}));
  EXPECT_EQ(log.total.events, 1U);
}

TEST(ReadLog, HostileFilesAreErrorsNotTheEnd) {
  const TemporaryTree tree;
  tree.file("/var/log/audit/audit.log", line("USER_CMD", kDay1Noon, 3));
  ASSERT_EQ(::mkfifo(tree.real("/var/log/audit/audit.log.1").c_str(), 0600), 0);
  tree.directory("/var/log/audit/audit.log.2");
  tree.link("/var/log/audit/audit.log.3", "audit.log.3");
  const std::string packed = gzip(line("USER_CMD", kDay1Noon - 5, 1) + std::string(100'000, 'z'));
  tree.file("/var/log/audit/audit.log.4", packed.substr(0, packed.size() - 20));
  tree.file("/var/log/audit/audit.log.5.gz", packed.substr(0, 20) + std::string(50, '\xff'));
  tree.link("/var/log/audit/audit.log.6", "audit.log");  // the same file once more
  const LogStatistics log = read(tree);
  EXPECT_EQ(log.errors.size(), 4U);
  EXPECT_EQ(log.total.events, 2U);
  EXPECT_GE(log.truncated, 1U);
}

}  // namespace
}  // namespace auditshift::auditd
