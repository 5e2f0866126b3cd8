// SPDX-License-Identifier: Apache-2.0
#include "migrate/local_exclusions.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace auditshift::migrate {
namespace {

std::vector<std::string> table(std::string_view text) {
  std::vector<std::string> lines;
  for (const ManagedExclusion& exclusion : parse_exclusion_list(text))
    lines.push_back(std::string(to_string(exclusion.kind)) + " " + exclusion.value + " " +
                    base::join(exclusion.scopes, ","));
  return lines;
}

TEST(LocalExclusions, AreReadFromTheAgentsList) {
  EXPECT_EQ(
      table("=====================================\n"
            "Excluded process\nProcess name: cat\nScope: [\"epp\"]\n---\n"
            "Excluded folder\nPath: \"/srv/data\"\nScope: [\"epp\", \"global\"]\n---\n"
            "Excluded file\nPath: \"/srv/a: b.log\"\n"
            "=====================================\n"),
      (std::vector<std::string>{"process cat epp", "folder /srv/data epp,global", "file /srv/a: b.log epp"}));
}

TEST(LocalExclusions, OfAnEmptyListAreNone) {
  EXPECT_TRUE(table("=====\nNo exclusions\n=====\n").empty());
  EXPECT_TRUE(table("").empty());
  EXPECT_TRUE(table("Excluded nonsense\nfoo: bar\n").empty());
}

}  // namespace
}  // namespace auditshift::migrate
