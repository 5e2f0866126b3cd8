// SPDX-License-Identifier: Apache-2.0
#include "sensor/exclusions.h"

#include <gtest/gtest.h>
#include "sensor/file_watch.h"
#include "temporary_directory.h"

namespace auditshift::sensor {
namespace {

ManagedSettings parse(std::string_view text) {
  auto settings =
      parse_managed(text, "managed.json", [](const std::string& path) -> std::optional<std::string> {
        if (path == "/bin/cat") return "/usr/bin/cat";
        return std::nullopt;
      });
  EXPECT_TRUE(settings.ok()) << settings.error().message();
  return settings.ok() ? *settings : ManagedSettings{};
}

std::string texts(const std::vector<Exclusion>& entries) {
  std::string text;
  for (const Exclusion& entry : entries)
    text += std::string(exclusion_kind_name(entry.kind)) + " " + entry.path + "\n";
  return text;
}

Event file_event(EventKind kind, std::string_view path, std::string_view second = {}) {
  Event event;
  event.kind = kind;
  event.process.executable.text = "/usr/bin/worker";
  event.path.text = path;
  event.second_path.text = second;
  return event;
}

TEST(ManagedSettings, TakesTheGlobalExclusionsOfDefendersSchema) {
  const ManagedSettings settings = parse(R"({
    "antivirusEngine": {"exclusions": [{"$type": "excludedPath", "isDirectory": true, "path": "/av"}]},
    "exclusionSettings": {"mergePolicy": "merge", "exclusions": [
      {"$type": "excludedPath", "isDirectory": true, "path": "/srv/data/", "scopes": ["global"]},
      {"$type": "excludedPath", "isDirectory": false, "path": "/srv/app/db.log", "scopes": ["epp", "global"]},
      {"$type": "excludedFileName", "name": "/usr/sbin/named", "scopes": ["global"]},
      {"$type": "excludedFileName", "name": "/bin/cat"},
      {"$type": "excludedFileName", "name": "/usr/bin/cat", "scopes": ["global"]},
      {"$type": "excludedPath", "isDirectory": true, "path": "/epp-only", "scopes": ["epp"]},
      {"$type": "excludedFileExtension", "extension": ".log", "scopes": ["epp"]}]},
    "features": {"ebpfSupplementaryEventProvider": "enabled"}})");
  EXPECT_EQ(texts(settings.exclusions),
            "folder /srv/data\n"
            "file /srv/app/db.log\n"
            "process /usr/sbin/named\n"
            "process /usr/bin/cat\n")
      << "links are followed, duplicates go, no scope means global";
  EXPECT_EQ(settings.ebpf_provider, true);
  EXPECT_TRUE(settings.problems.empty());
}

TEST(ManagedSettings, ReportsWhatItCannotObeyAndTakesTheRest) {
  const ManagedSettings settings = parse(R"({
    "exclusionSettings": {"exclusions": [
      {"$type": "excludedPath", "isDirectory": true, "path": "relative"},
      {"$type": "excludedPath", "isDirectory": false, "path": "/var/*.log"},
      {"$type": "excludedPath", "path": "/no-kind"},
      {"$type": "excludedFileName", "name": "bash"},
      {"$type": "excludedFileExtension", "extension": ".log", "scopes": ["global"]},
      {"$type": "excludedPaht", "path": "/x"},
      {"$type": "excludedPath", "isDirectory": true, "path": "/x", "scopes": "global"},
      7,
      {"$type": "excludedPath", "isDirectory": true, "path": "/a/./b//../c/"}]},
    "features": {"ebpfSupplementaryEventProvider": "diabled"}})");
  EXPECT_EQ(texts(settings.exclusions), "folder /a/c\n");
  EXPECT_EQ(settings.ebpf_provider, std::nullopt);
  const std::vector<std::string> problems = {
      R"(features.ebpfSupplementaryEventProvider: "diabled" is neither "enabled" nor "disabled")",
      R"(exclusionSettings.exclusions[0]: a global exclusion needs an absolute path: "relative")",
      R"(exclusionSettings.exclusions[1]: a global exclusion knows no wildcards: "/var/*.log")",
      "exclusionSettings.exclusions[2]: isDirectory must be true or false",
      R"(exclusionSettings.exclusions[3]: a global exclusion needs an absolute path: "bash")",
      "exclusionSettings.exclusions[4]: a file extension cannot be excluded globally",
      R"(exclusionSettings.exclusions[5]: $type "excludedPaht" is not known)",
      "exclusionSettings.exclusions[6]: scopes is no array",
      "exclusionSettings.exclusions[7]: is no object"};
  EXPECT_EQ(settings.problems, problems);
}

TEST(ManagedSettings, AnyOtherFormIsEmptyOrAnError) {
  EXPECT_TRUE(parse("{}").exclusions.empty());
  EXPECT_EQ(parse(R"({"exclusionSettings": []})").problems.size(), 1U);
  EXPECT_EQ(parse(R"({"exclusionSettings": {"exclusions": {}}})").problems.size(), 1U);
  EXPECT_TRUE(parse(R"({"exclusionSettings": {}})").problems.empty());
  const auto nothing = [](const std::string&) { return std::optional<std::string>(); };
  EXPECT_FALSE(parse_managed("[]", "m", nothing).ok());
  EXPECT_FALSE(parse_managed("{", "m", nothing).ok());
}

TEST(Exclusions, AFolderCoversItselfAndAllBelowIt) {
  const Exclusions exclusions({{ExclusionKind::folder, "/srv/data"}});
  EXPECT_TRUE(exclusions.excluded(file_event(EventKind::open, "/srv/data/a/b")));
  EXPECT_TRUE(exclusions.excluded(file_event(EventKind::rmdir, "/srv/data")));
  EXPECT_FALSE(exclusions.excluded(file_event(EventKind::open, "/srv/database")));
  EXPECT_FALSE(exclusions.excluded(file_event(EventKind::open, "/srv")));
  EXPECT_TRUE(
      Exclusions({{ExclusionKind::folder, "/"}}).excluded(file_event(EventKind::open, "/etc/passwd")));
}

TEST(Exclusions, AFileIsExact) {
  const Exclusions exclusions({{ExclusionKind::file, "/srv/db.log"}});
  EXPECT_TRUE(exclusions.excluded(file_event(EventKind::unlink, "/srv/db.log")));
  EXPECT_FALSE(exclusions.excluded(file_event(EventKind::unlink, "/srv/db.log.1")));
}

TEST(Exclusions, ARenameOutOfAFolderIsSeen) {
  const Exclusions exclusions({{ExclusionKind::folder, "/srv/data"}});
  EXPECT_TRUE(exclusions.excluded(file_event(EventKind::rename, "/srv/data/a", "/srv/data/b")));
  EXPECT_FALSE(exclusions.excluded(file_event(EventKind::rename, "/srv/data/a", "/etc/cron.d/a")));
  EXPECT_FALSE(exclusions.excluded(file_event(EventKind::link, "/etc/shadow", "/srv/data/a")));
}

TEST(Exclusions, ANameThatIsNotFullyKnownIsSeen) {
  const Exclusions exclusions({{ExclusionKind::folder, "/srv/data"}});
  Event event = file_event(EventKind::open, "/srv/data/a");
  event.path.unresolved = true;
  EXPECT_FALSE(exclusions.excluded(event));
  event.path = Path{};
  event.path.text = "/srv/data/a";
  event.path.chroot_relative = true;
  EXPECT_FALSE(exclusions.excluded(event));
  EXPECT_FALSE(exclusions.excluded(file_event(EventKind::open, "")));
}

TEST(Exclusions, AProcessIsMutedWhateverItDoes) {
  const Exclusions exclusions({{ExclusionKind::process, "/usr/bin/worker"}, {ExclusionKind::folder, "/opt"}});
  EXPECT_TRUE(exclusions.excluded(file_event(EventKind::open, "/etc/shadow")));
  EXPECT_TRUE(exclusions.excluded(file_event(EventKind::exit, "")));
  Event other = file_event(EventKind::exec, "/opt/tool");
  other.process.executable.text = "/opt/tool";
  EXPECT_FALSE(exclusions.excluded(other)) << "a folder mutes files, not the programs in it";
  EXPECT_EQ(exclusions.match(file_event(EventKind::exit, ""))->path, "/usr/bin/worker");
  Event loss;
  loss.kind = EventKind::loss;
  EXPECT_FALSE(exclusions.excluded(loss));
}

TEST(Exclusions, AProgramWhoseNameIsNotThatOfItsNamespaceIsSeen) {
  const Exclusions exclusions({{ExclusionKind::process, "/usr/bin/worker"}});
  const auto excluded = [&](bool Path::*mark) {
    Event event = file_event(EventKind::exit, "");
    event.process.executable.*mark = true;
    return exclusions.excluded(event);
  };
  EXPECT_FALSE(excluded(&Path::chroot_relative)) << "the same path below another root";
  EXPECT_FALSE(excluded(&Path::truncated));
  EXPECT_FALSE(excluded(&Path::unresolved));
  EXPECT_TRUE(excluded(&Path::deleted)) << "as after an update, until it is started anew";
}

TEST(FileWatch, TellsWritingReplacingAndRemoving) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("managed.json");
  FileWatch watch(path);
  EXPECT_FALSE(watch.changed());
  write_all(path, "{}");
  EXPECT_TRUE(watch.changed());
  EXPECT_FALSE(watch.changed());
  write_all(path, "{ }");
  EXPECT_TRUE(watch.changed()) << "written in place";
  write_all(directory.file("new"), "{ }");
  EXPECT_FALSE(watch.changed()) << "another file of the directory";
  std::filesystem::rename(directory.file("new"), path);
  EXPECT_TRUE(watch.changed()) << "replaced by one of the same size";
  std::filesystem::remove(path);
  EXPECT_TRUE(watch.changed());
  EXPECT_FALSE(watch.changed());
}

TEST(FileWatch, FindsAFileInADirectoryThatCameLater) {
  const TemporaryDirectory directory;
  FileWatch watch(directory.file("later/managed.json"));
  std::filesystem::create_directory(directory.file("later"));
  EXPECT_FALSE(watch.changed());
  write_all(directory.file("later/managed.json"), "{}");
  EXPECT_TRUE(watch.changed());
}

}  // namespace
}  // namespace auditshift::sensor
