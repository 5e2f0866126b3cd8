// SPDX-License-Identifier: Apache-2.0
// Any bytes as a journal: what is read is what would be written again, a torn tail never takes a whole record
// with it, and whatever the records say can be told as a status.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "migrate/change/journal.h"
#include "migrate/change/transaction_record.h"

using namespace auditshift::migrate::change;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// The input as records without their checksums, so that mutations reach what is behind them.
std::string sealed(const std::string& text) {
  std::string journal(journal_header());
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const auto json = auditshift::base::parse_json(text.substr(at, end - at), "fuzz");
    if (json && json->is_object()) journal += encode_record(*json);
    at = end + 1;
  }
  return journal;
}

void read(const std::string& text) {
  const auto journal = parse_journal(text, "fuzz");
  if (!journal) return;
  require(journal->size + journal->torn == text.size());
  const auto whole = parse_journal(text.substr(0, journal->size), "fuzz");
  require(whole && whole->records == journal->records && whole->torn == 0);
  std::string again(journal_header());
  for (const auto& record : journal->records) again += encode_record(record);
  const auto reread = parse_journal(again, "fuzz");
  require(reread && reread->records == journal->records && reread->torn == 0);
  const auto transaction = replay(journal->records, "000001", "fuzz");
  if (transaction) require(to_json(to_status(*transaction)).is_object());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  read(text);
  const std::string journal = sealed(text);
  read(journal);
  read(journal + text);
  read(journal.substr(0, journal.size() - size % journal.size()));
  return 0;
}
