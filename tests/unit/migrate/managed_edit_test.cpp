// SPDX-License-Identifier: Apache-2.0
#include "migrate/managed_edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <fstream>

#include "../temporary_tree.h"

namespace auditshift::migrate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = ManagedExclusion::Kind;

ManagedExclusion entry(Kind kind, std::string value, std::vector<std::string> scopes = {"global"}) {
  return {kind, std::move(value), std::move(scopes), "exclusionSettings"};
}

const ManagedExclusion kNamed = entry(Kind::process_path, "/usr/sbin/named");
const ManagedExclusion kData = entry(Kind::folder, "/srv/data");

std::string added(std::string_view text, const std::vector<ManagedExclusion>& wanted = {kNamed}) {
  const auto edit = add_exclusions(text, "m.json", wanted);
  if (!edit) return "refused: " + edit.error().message();
  const auto again = add_exclusions(edit->text, "m.json", wanted);
  EXPECT_TRUE(again.ok() && again->text == edit->text && again->changes.empty()) << "not idempotent";
  return edit->text;
}

std::string removed(std::string_view text, const std::vector<ManagedExclusion>& unwanted = {kNamed}) {
  const auto edit = remove_exclusions(text, "m.json", unwanted);
  return edit ? edit->text : "refused: " + edit.error().message();
}

TEST(ManagedEdit, MakesANewFile) {
  EXPECT_EQ(added("", {kNamed, kData}), R"({
  "exclusionSettings": {
    "exclusions": [
      {"$type": "excludedFileName", "name": "/usr/sbin/named", "scopes": ["global"]},
      {"$type": "excludedPath", "isDirectory": true, "path": "/srv/data", "scopes": ["global"]}
    ]
  }
}
)");
}

TEST(ManagedEdit, AppendsInTheStyleOfTheFile) {
  EXPECT_EQ(added(R"({
    "features": {"x": "enabled"},
    "exclusionSettings": {
        "mergePolicy": "admin_only",
        "exclusions": [
            {
                "$type": "excludedPath",
                "isDirectory": true,
                "path": "/srv/data",
                "scopes": ["global"]
            }
        ]
    }
})"),
            R"({
    "features": {"x": "enabled"},
    "exclusionSettings": {
        "mergePolicy": "admin_only",
        "exclusions": [
            {
                "$type": "excludedPath",
                "isDirectory": true,
                "path": "/srv/data",
                "scopes": ["global"]
            },
            {
                "$type": "excludedFileName",
                "name": "/usr/sbin/named",
                "scopes": ["global"]
            }
        ]
    }
})");
  EXPECT_EQ(
      added(R"({"a": 1})"),
      R"({"a": 1, "exclusionSettings": {"exclusions": [{"$type": "excludedFileName", "name": "/usr/sbin/named", "scopes": ["global"]}]}})");
  EXPECT_EQ(added("{\r\n\t\"a\": 1\r\n}\r\n"),
            "{\r\n\t\"a\": 1,\r\n\t\"exclusionSettings\": {\r\n\t\t\"exclusions\": [\r\n\t\t\t{\"$type\": "
            "\"excludedFileName\", \"name\": \"/usr/sbin/named\", \"scopes\": "
            "[\"global\"]}\r\n\t\t]\r\n\t}\r\n}\r\n");
}

TEST(ManagedEdit, KeepsWhatItDoesNotUnderstand) {
  const std::string odd =
      "\xef\xbb\xbf{ \"info\" : \"one\",\n  \"info\":\t\"two\", \"n\":1.50e+3,\"u\":\"\\u00e9\\/\",\n"
      "\"exclusionSettings\":{\"exclusions\":[ ],\"unknown\":[1,2 ,3]} , \"//\":\"comment\" }\n\n";
  const auto edit = add_exclusions(odd, "m.json", {kNamed});
  ASSERT_TRUE(edit.ok()) << edit.error().message();
  const std::string inserted =
      R"({"$type": "excludedFileName", "name": "/usr/sbin/named", "scopes": ["global"]})";
  const std::size_t at = edit->text.find(inserted);
  ASSERT_NE(at, std::string::npos);
  // Around the entry stands the file as it was, byte for byte.
  EXPECT_TRUE(odd.starts_with(edit->text.substr(0, edit->text.rfind('[', at) + 1)));
  EXPECT_TRUE(odd.ends_with(edit->text.substr(edit->text.find(']', at + inserted.size()))));
  EXPECT_THAT(edit->notes, ElementsAre(HasSubstr("byte order mark"), HasSubstr("\"info\" stands twice")));
}

TEST(ManagedEdit, AddsOnlyMissingScopes) {
  const std::string epp =
      R"({"exclusionSettings": {"exclusions": [{"$type": "excludedFileName", "name": "/usr/sbin/named", "scopes": ["epp"]}]}})";
  EXPECT_EQ(
      added(epp),
      R"({"exclusionSettings": {"exclusions": [{"$type": "excludedFileName", "name": "/usr/sbin/named", "scopes": ["epp"]}, {"$type": "excludedFileName", "name": "/usr/sbin/named", "scopes": ["global"]}]}})");
  // Without scopes an entry of this section is global.
  const std::string implied =
      R"({"exclusionSettings": {"exclusions": [{"$type": "excludedFileName", "name": "/usr/sbin/named"}]}})";
  EXPECT_EQ(added(implied), implied);
}

TEST(ManagedEdit, RemovesEntriesAndScopes) {
  const std::string start = "{\n  \"exclusionSettings\": {\n    \"exclusions\": [\n";
  const std::string end = "\n    ]\n  }\n}\n";
  const std::string a =
      R"(      {"$type": "excludedPath", "isDirectory": true, "path": "/srv/data", "scopes": ["epp", "global"]})";
  const std::string b =
      R"(      {"$type": "excludedFileName", "name": "/usr/sbin/named", "scopes": ["global"]})";
  EXPECT_EQ(removed(start + a + ",\n" + b + end), start + a + end);
  EXPECT_EQ(removed(start + b + ",\n" + a + end), start + a + end);
  EXPECT_EQ(
      removed(start + a + end, {kData}),
      start +
          R"(      {"$type": "excludedPath", "isDirectory": true, "path": "/srv/data", "scopes": ["epp"]})" +
          end);
  EXPECT_EQ(
      removed(start + a + end, {entry(Kind::folder, "/srv/data", {"epp"})}),
      start +
          R"(      {"$type": "excludedPath", "isDirectory": true, "path": "/srv/data", "scopes": ["global"]})" +
          end);
  EXPECT_EQ(removed(start + b + end), "{\n  \"exclusionSettings\": {\n    \"exclusions\": []\n  }\n}\n");
  EXPECT_EQ(removed(start + a + end), start + a + end);
}

TEST(ManagedEdit, RefusesWhatItCannotKeep) {
  EXPECT_EQ(added("{\n  // comment\n}").substr(0, 35), "refused: m.json:2:3: not valid JSON");
  EXPECT_THAT(added(R"({"a": 1,})"), HasSubstr("not valid JSON"));
  EXPECT_THAT(added(R"({"exclusionSettings": {}, "exclusionSettings": {}})"),
              HasSubstr("\"exclusionSettings\" stands twice"));
  EXPECT_THAT(added(R"({"exclusionSettings": {"exclusions": [], "exclusions": []}})"),
              HasSubstr("\"exclusions\" stands twice"));
  EXPECT_EQ(added(R"({"exclusionSettings": 3})"), "refused: m.json: \"exclusionSettings\" is not an object");
  EXPECT_EQ(added(R"({"exclusionSettings": {"exclusions": {}}})"),
            "refused: m.json: \"exclusions\" is not a list");
  EXPECT_EQ(added("[]"), "refused: m.json: the outermost value is not an object");
  EXPECT_THAT(added("{\"a\": " + std::string(300, '[') + std::string(300, ']') + "}"),
              HasSubstr("levels deep"));
}

TEST(ManagedEdit, SetsTheProviderAndNothingElse) {
  struct Case {
    const char* before;
    const char* after;
  };
  const Case cases[] = {
      {"", "{\n  \"features\": {\n    \"ebpfSupplementaryEventProvider\": \"enabled\"\n  }\n}\n"},
      {R"({"features": {"ebpfSupplementaryEventProvider": "disabled"}})",
       R"({"features": {"ebpfSupplementaryEventProvider": "enabled"}})"},
      {R"({"features": {"ebpfSupplementaryEventProvider": "enabled" } })",
       R"({"features": {"ebpfSupplementaryEventProvider": "enabled" } })"},
      {"{\r\n\t\"features\": {\r\n\t\t\"moduleLoad\": \"diabled\"\r\n\t}, \"info\": 1, \"info\": 2\r\n}",
       "{\r\n\t\"features\": {\r\n\t\t\"moduleLoad\": "
       "\"diabled\",\r\n\t\t\"ebpfSupplementaryEventProvider\": \"enabled\"\r\n\t}, \"info\": 1, \"info\": "
       "2\r\n}"},
      // The list of exclusions is nobody's business here.
      {R"({"exclusionSettings": 1, "exclusionSettings": 2, "features": {}})",
       R"({"exclusionSettings": 1, "exclusionSettings": 2, "features": {"ebpfSupplementaryEventProvider": "enabled"}})"}};
  for (const Case& each : cases) {
    const auto edit = set_ebpf_provider(each.before, "m.json", true);
    ASSERT_TRUE(edit.ok()) << each.before << edit.error().message();
    EXPECT_EQ(edit->text, each.after);
    EXPECT_EQ(edit->changes.empty(), std::string_view(each.before) == each.after);
    const auto again = set_ebpf_provider(edit->text, "m.json", true);
    EXPECT_EQ(again->text, edit->text);
    EXPECT_TRUE(again->changes.empty());
  }
}

TEST(ManagedEdit, RefusesAProviderItCannotPlace) {
  for (
      const char* text :
      {R"({"features": 1})", R"({"features": {}, "features": {}})", "[]", "{",
       R"({"features": {"ebpfSupplementaryEventProvider": true}})",
       R"({"features": {"ebpfSupplementaryEventProvider": "disabled", "ebpfSupplementaryEventProvider": "disabled"}})"})
    EXPECT_FALSE(set_ebpf_provider(text, "m.json", true).ok()) << text;
}

TEST(ManagedEdit, WritesAtomicallyAndKeepsTheFilesAttributes) {
  const tests::TemporaryTree tree;
  auto host = base::Sysroot::open(tree.root());
  ASSERT_TRUE(host.ok());
  ASSERT_TRUE(write_managed(*host, "/etc/new/managed.json", "", "{}").ok());
  const std::string file = tree.root() + "/etc/new/managed.json";
  ASSERT_EQ(::chmod(file.c_str(), 0640), 0);
  const bool attributes = ::setxattr(file.c_str(), "user.label", "kept", 4, 0) == 0;
  ASSERT_TRUE(write_managed(*host, "/etc/new/managed.json", "{}", "{ }").ok());
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0640U);
  char value[8] = {};
  if (attributes) {
    EXPECT_EQ(::getxattr(file.c_str(), "user.label", value, sizeof value), 4);
  }
  const auto stale = write_managed(*host, "/etc/new/managed.json", "{}", "{\"a\": 1}");
  ASSERT_FALSE(stale.ok());
  EXPECT_THAT(stale.error().message(), HasSubstr("somebody else changed it"));
}

}  // namespace
}  // namespace auditshift::migrate
