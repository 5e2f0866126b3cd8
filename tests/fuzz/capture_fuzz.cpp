// SPDX-License-Identifier: Apache-2.0
// Any bytes as a file of a capture, which comes from another host: it is refused or read; what was read can
// be written, and read again as the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "auditd/kernel.h"
#include "migrate/log_json.h"
#include "migrate/path_facts.h"
#include "migrate/world.h"

using namespace auditshift;  // NOLINT: one purpose

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void as_probe(const std::string& text) {
  const auto probe = migrate::parse_probe(text, "fuzz.json");
  if (!probe) return;
  (void)migrate::tier_of(*probe);
  const std::string written = migrate::format_probe(*probe);
  const auto again = migrate::parse_probe(written, "again.json");
  require(again.ok() && migrate::format_probe(*again) == written);
}

void as_log_statistics(const std::string& text) {
  const auto log = migrate::parse_log_statistics(text, "fuzz.json");
  if (!log) return;
  const std::string written = migrate::format_log_statistics(*log);
  const auto again = migrate::parse_log_statistics(written, "again.json");
  require(again.ok() && migrate::format_log_statistics(*again) == written);
}

void as_path_facts(const std::string& text) {
  const migrate::PathFactsMap asked = {{"/usr/sbin/named", {}}, {"/srv", {}}};
  migrate::PathFactsMap facts = asked;
  if (!migrate::add_path_facts(text, "fuzz.json", facts)) return;
  migrate::PathFactsMap again = asked;
  require(migrate::add_path_facts(migrate::format_path_facts(facts), "again.json", again).ok());
  require(migrate::format_path_facts(again) == migrate::format_path_facts(facts));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      as_probe(text);
      break;
    case 1:
      as_log_statistics(text);
      break;
    case 2: {
      if (const auto names = migrate::parse_uname(text)) require(!names->release.empty());
      break;
    }
    case 3: {
      auditd::CapturedKernelAudit audit(text, text, {{3, 0, 9}, "x86_64", nullptr});
      (void)audit.status();
      (void)audit.rules();
      break;
    }
    default:
      as_path_facts(text);
  }
  return 0;
}
