// SPDX-License-Identifier: Apache-2.0
#include "migrate/managed_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace auditshift::migrate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ManagedConfig, ReadsProviderPolicyAndExclusionsWithTheirScopes) {
  const ManagedConfig config = parse_managed_config(R"({
    "exclusionSettings": {"mergePolicy": "admin_only", "exclusions": [
      {"$type": "excludedPath", "isDirectory": true, "path": "/srv/data", "scopes": ["global"]},
      {"$type": "excludedPath", "isDirectory": false, "path": "/srv/a.log"},
      {"$type": "excludedFileName", "name": "/usr/sbin/named", "scopes": ["epp", "global"]},
      {"$type": "excludedFileName", "name": "cat", "scopes": ["epp"]},
      {"$type": "excludedFileExtension", "extension": ".log", "scopes": ["epp"]}]},
    "antivirusEngine": {"exclusions": [
      {"$type": "excludedPath", "isDirectory": true, "path": "/var/cache", "scopes": ["global"]}]},
    "features": {"ebpfSupplementaryEventProvider": "disabled"}})",
                                                    "m.json");
  EXPECT_EQ(config.error, "");
  EXPECT_TRUE(config.problems.empty());
  EXPECT_EQ(config.ebpf_provider, "disabled");
  EXPECT_EQ(config.merge_policy, "admin_only");
  std::vector<std::string> seen;
  for (const ManagedExclusion& exclusion : config.exclusions)
    seen.push_back(std::string(to_string(exclusion.kind)) + " " + exclusion.value +
                   (exclusion.global() ? " global" : " epp"));
  EXPECT_THAT(
      seen, ElementsAre("folder /srv/data global", "file /srv/a.log global", "process /usr/sbin/named global",
                        "process cat epp", "extension .log epp", "folder /var/cache epp"));
}

TEST(ManagedConfig, ReportsWhatTheAgentPassesOverInSilence) {
  const ManagedConfig config = parse_managed_config(
      "\xef\xbb\xbf{\"info\": 1, \"info\": 2, \"features\": {\"ebpfSupplementaryEventProvider\": "
      "\"diabled\"},"
      "\"exclusionSettings\": {\"mergePolicy\": \"merg\", \"exclusions\": [{\"$type\": \"excludedThing\"}]}}",
      "m.json");
  EXPECT_EQ(config.error, "");
  EXPECT_THAT(config.problems,
              ElementsAre(HasSubstr("byte order mark"), HasSubstr("\"info\" stands twice"),
                          HasSubstr("\"diabled\""), HasSubstr("\"merg\""), HasSubstr("excludedThing")));
}

TEST(ManagedConfig, SameKeyInDifferentObjectsIsNoDuplicate) {
  EXPECT_TRUE(parse_managed_config(R"({"a": {"x": 1}, "b": {"x": 2, "c": {"x": 3}}})", "m").problems.empty());
}

TEST(ManagedConfig, TellsLineAndColumnOfASyntaxError) {
  const ManagedConfig config = parse_managed_config("{\n  \"features\": {},\n}\n", "m.json");
  EXPECT_TRUE(config.exists);
  EXPECT_THAT(config.error, HasSubstr("m.json:3:1: not valid JSON"));
}

TEST(ManagedConfig, SurvivesValuesOfTheWrongType) {
  EXPECT_EQ(parse_managed_config("[]", "m").error, "m: the outermost value is not an object");
  const ManagedConfig config = parse_managed_config(
      R"({"features": 3, "exclusionSettings": {"exclusions": {}}, "antivirusEngine": []})", "m");
  EXPECT_EQ(config.error, "");
  EXPECT_THAT(config.problems, ElementsAre("exclusionSettings.exclusions is not an array"));
}

}  // namespace
}  // namespace auditshift::migrate
