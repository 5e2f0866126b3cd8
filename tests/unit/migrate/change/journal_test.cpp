// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/journal.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "migrate/change/transaction_record.h"
#include "tests/unit/migrate/change/simulated_host.h"

namespace auditshift::migrate::change {
namespace {

using base::Errc;
using base::Json;
using tests::FaultDisk;
using tests::FaultPoints;

Json record(int number) { return {{"event", "note"}, {"number", number}, {"text", "line\nbreak \u00e4"}}; }

std::string journal_of(int records) {
  std::string text(journal_header());
  for (int i = 0; i < records; ++i) text += encode_record(record(i));
  return text;
}

TEST(Journal, IsDocumentedByteByByte) {
  EXPECT_EQ(journal_header(), "auditshift-journal 1\n");
  // printf '{"event":"note"}' | sha256sum
  EXPECT_EQ(encode_record({{"event", "note"}}), "440649b57cce03a3 16 {\"event\":\"note\"}\n");
}

TEST(Journal, GivesItsRecordsBack) {
  const auto parsed = parse_journal(journal_of(3), "j");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message();
  ASSERT_EQ(parsed->records.size(), 3U);
  EXPECT_EQ(parsed->records[2], record(2));
  EXPECT_EQ(parsed->torn, 0U);
  EXPECT_EQ(parsed->size, journal_of(3).size());
}

TEST(Journal, ATailTornAtAnyByteCutsTheLastRecordAndNoOther) {
  const std::string before = journal_of(2);
  const std::string whole = journal_of(3);
  for (std::size_t size = before.size(); size < whole.size(); ++size) {
    const auto parsed = parse_journal(std::string_view(whole).substr(0, size), "j");
    ASSERT_TRUE(parsed.ok()) << size << parsed.error().message();
    EXPECT_EQ(parsed->records.size(), 2U) << size;
    EXPECT_EQ(parsed->size, before.size());
    EXPECT_EQ(parsed->torn, size - before.size());
    // The same length, but zeros where the disk never got the rest.
    std::string holes = whole.substr(0, size) + std::string(whole.size() - size, '\0');
    EXPECT_EQ(parse_journal(holes, "j")->records.size(), 2U) << size;
    if (size + 1 < whole.size()) {
      holes.back() = '\n';
      EXPECT_EQ(parse_journal(holes, "j")->records.size(), 2U) << size;
    }
  }
}

TEST(Journal, DamageAnywhereElseNamesTheLine) {
  const std::string whole = journal_of(3);
  const std::size_t second = journal_of(1).size();
  const std::size_t last = journal_of(2).size();
  for (std::size_t at = 0; at + 1 < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x01);
    const auto parsed = parse_journal(damaged, "j");
    ASSERT_FALSE(parsed.ok()) << at;
    if (at >= second && at < last - 1) {
      EXPECT_EQ(parsed.error().message(), "j:3: the journal is damaged, this record is not what was written")
          << at;
    }
  }
  EXPECT_FALSE(parse_journal("", "j").ok());
  EXPECT_EQ(parse_journal("auditshift-journal 2\n", "j").error().code(), Errc::unsupported);
}

TEST(Journal, EveryEventIsDocumented) {
  std::ifstream page(std::string(AUDITSHIFT_SOURCE_DIR) + "/docs/journal.md");
  const std::string text{std::istreambuf_iterator<char>(page), {}};
  for (const char* name :
       {event::kBegin, event::kStepBegins, event::kStepDone, event::kStepFailed, event::kRebootAwaited,
        event::kAttempt, event::kVerifying, event::kVerifyError, event::kVerified, event::kSwitched,
        event::kRollbackBegins, event::kUndoBegins, event::kUndoDone, event::kUndoFailed, event::kRolledBack,
        event::kFailed, event::kInterrupted, event::kCommitted, event::kNote})
    EXPECT_NE(text.find("\n| `" + std::string(name) + "` |"), std::string::npos) << name;
}

struct Bench {
  tests::SimulatedHost host;
  std::shared_ptr<const base::Sysroot> files = host.host().files;
  JournalFile create() {
    auto made = JournalFile::create(files, "/j", record(0));
    EXPECT_TRUE(made.ok());
    return *std::move(made);
  }
};

TEST(JournalFile, OpeningCutsATornTailAndGoesOn) {
  Bench bench;
  { bench.create(); }
  bench.host.file("/j", journal_of(1) + encode_record(record(1)).substr(0, 30), 0600);
  auto journal = JournalFile::open(bench.files, "/j");
  ASSERT_TRUE(journal.ok());
  EXPECT_EQ(journal->cut(), 30U);
  EXPECT_EQ(journal->records().size(), 1U);
  ASSERT_TRUE(journal->append(record(1)).ok());
  EXPECT_EQ(*bench.files->read_file("/j"), journal_of(2));
  EXPECT_EQ(bench.files->stat("/j")->mode & 07777, 0600U);
}

TEST(JournalFile, EveryRecordOutlivesAPowerCut) {
  Bench bench;
  JournalFile journal = bench.create();
  ASSERT_TRUE(journal.append(record(1)).ok());
  bench.host.power_cut(FaultDisk::Survives::nothing);
  EXPECT_EQ(*bench.files->read_file("/j"), journal_of(2));
}

TEST(JournalFile, AFailedAppendLeavesNoTrace) {
  for (std::size_t at = 1; at <= 2; ++at) {
    Bench bench;
    JournalFile journal = bench.create();
    bench.host.points().arm({.kind = FaultPoints::Kind::error, .at = at, .error = EIO});
    EXPECT_FALSE(journal.append(record(1)).ok());
    EXPECT_EQ(*bench.files->read_file("/j"), journal_of(1));
    EXPECT_TRUE(journal.append(record(1)).ok());
    EXPECT_EQ(*bench.files->read_file("/j"), journal_of(2));
  }
}

TEST(JournalFile, WhatWasSetAsideIsThereOnAFullDisk) {
  Bench bench;
  JournalFile journal = bench.create();
  bench.host.points().arm({.kind = FaultPoints::Kind::full, .at = 1});
  for (int i = 1; i < 100; ++i) EXPECT_TRUE(journal.append(record(i)).ok()) << i;
  EXPECT_EQ(*bench.files->read_file("/j"), journal_of(100));
  EXPECT_EQ(journal.reserve(1 << 20).error().code(), Errc::no_space);
}

TEST(Replay, RefusesWhatNoTransactionWrites) {
  const auto line = [](Json json) {
    json["at"] = "2026-11-21T08:00:00Z";
    return json;
  };
  const Json begin =
      line({{"event", "begin"}, {"caller", "me"}, {"boot_id", "b"}, {"plan", to_json(Plan{})}});
  EXPECT_TRUE(replay({begin}, "1", "j").ok()) << replay({begin}, "1", "j").error().message();
  EXPECT_FALSE(replay({}, "1", "j").ok());
  EXPECT_FALSE(replay({begin, begin}, "1", "j").ok());
  EXPECT_FALSE(replay({line({{"event", "note"}})}, "1", "j").ok());
  EXPECT_EQ(replay({begin, line({{"event", "later"}})}, "1", "j").error().message(),
            "j:3: this version knows no event 'later'");
  EXPECT_EQ(replay({begin, line({{"event", "step-done"}, {"step", 0}, {"boot_id", "b"}})}, "1", "j")
                .error()
                .message(),
            "j:3: 'step' is not the number of a step");
}

}  // namespace
}  // namespace auditshift::migrate::change
