// SPDX-License-Identifier: Apache-2.0
#include "cli/known_ids.h"

#include "base/text.h"

namespace auditshift::cli {

base::Result<void> check_ids(const migrate::Assessment& assessment, const migrate::AssessOptions& ids) {
  const std::vector<std::string> unknown = migrate::unknown_ids(assessment, ids);
  if (unknown.empty()) return {};
  std::vector<std::string_view> known;
  for (const migrate::CheckReport& check : assessment.checks) known.emplace_back(check.id);
  for (const migrate::ExclusionIntent& intent : assessment.exclusions) known.emplace_back(intent.id);
  base::Error error(base::Errc::invalid,
                    "no check and no exclusion of this host has the id " + base::join(unknown, ", "));
  if (const auto meant = base::nearest(unknown.front(), known))
    return std::move(error).with_hint("did you mean " + *meant + "?");
  return std::move(error).with_hint("auditshift assess -v lists all checks");
}

}  // namespace auditshift::cli
