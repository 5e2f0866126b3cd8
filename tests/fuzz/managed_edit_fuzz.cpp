// SPDX-License-Identifier: Apache-2.0
// Any bytes as a managed configuration: an edit changes nothing else, can be done once only, and can be taken
// back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "migrate/managed_edit.h"

using namespace auditshift::migrate;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// Every byte of `before` stands in `after`, in order, around one inserted piece; blanks between the brackets
/// of an empty list or object may have given way.
bool only_inserted(std::string_view before, std::string_view after) {
  std::size_t head = 0;
  while (head < before.size() && head < after.size() && before[head] == after[head]) ++head;
  std::size_t tail = 0;
  while (tail < before.size() - head && tail < after.size() - head &&
         before[before.size() - 1 - tail] == after[after.size() - 1 - tail])
    ++tail;
  const std::string_view gone = before.substr(head, before.size() - head - tail);
  return gone.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const ManagedExclusion process{
      ManagedExclusion::Kind::process_path, "/usr/sbin/named", {"global"}, "exclusionSettings"};
  const ManagedExclusion folder{
      ManagedExclusion::Kind::folder, "/srv/\"a\\b\"", {"epp", "global"}, "exclusionSettings"};

  const auto added = add_exclusions(text, "fuzz", {process});
  if (added) {
    require(parse_managed_config(added->text, "fuzz").error.empty() || added->changes.empty());
    require(added->changes.empty() ? added->text == text : same_elsewhere(text, added->text));
    if (!added->changes.empty() && text.find_first_not_of(" \t\r\n") != std::string::npos)
      require(only_inserted(text, added->text));
    const auto again = add_exclusions(added->text, "fuzz", {process});
    require(again && again->changes.empty() && again->text == added->text);
    const auto both = add_exclusions(added->text, "fuzz", {process, folder});
    require(both.ok());
    const auto less = remove_exclusions(both->text, "fuzz", {folder});
    require(less.ok());
    require(same_elsewhere(less->text, added->text));
  }
  const auto removed = remove_exclusions(text, "fuzz", {process, folder});
  if (removed) {
    require(removed->changes.empty() ? removed->text == text : same_elsewhere(text, removed->text));
    const auto again = remove_exclusions(removed->text, "fuzz", {process, folder});
    require(again && again->changes.empty() && again->text == removed->text);
  }
  return 0;
}
