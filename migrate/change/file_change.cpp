// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/file_change.h"

#include <cerrno>

namespace auditshift::migrate::change {
namespace {

using base::Errc;
using base::Error;
using base::Json;
using base::Result;

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::vector<std::string> missing_directories(const base::Sysroot& files, const std::string& path) {
  std::vector<std::string> missing;
  for (std::string directory = parent_of(path); directory != "/" && !files.exists(directory);
       directory = parent_of(directory))
    missing.insert(missing.begin(), directory);
  return missing;
}

Result<void> remove_directories(Host& host, const std::vector<std::string>& directories) {
  for (auto directory = directories.rbegin(); directory != directories.rend(); ++directory) {
    const auto removed = host.files->remove_directory(*directory);
    if (removed) continue;
    const int number = removed.error().system_errno();
    if (number == ENOTEMPTY || number == EEXIST) break;  // somebody uses it now
    if (removed.error().code() == Errc::not_found) {
      // Perhaps removed by a process that died before it synced that.
      AUDITSHIFT_TRY_VOID(settle(host, *directory));
      continue;
    }
    return removed.error();
  }
  return {};
}

}  // namespace

Result<CapturedFile> capture_file(const Host& host, const std::string& path,
                                  const std::optional<FileState>& expected, BackupStore& backups) {
  CapturedFile captured;
  captured.path = path;
  AUDITSHIFT_TRY(state, read_file_state(*host.files, path));
  captured.state = state;
  captured.directories = missing_directories(*host.files, path);
  if (expected && !(*expected == state))
    return changed_by_others(path, "the plan was made").with_hint("Make a new plan.");
  if (!state.exists || !state.link.empty()) return captured;
  AUDITSHIFT_TRY(content, host.files->read_file(path));
  AUDITSHIFT_TRY(sha256, backups.keep(content));
  if (sha256 != state.sha256) return changed_by_others(path, "this step began to look at it");
  return captured;
}

Json to_json(const CapturedFile& captured) {
  Json json = Json::object();
  json["path"] = captured.path;
  json["state"] = to_json(captured.state);
  if (!captured.directories.empty()) json["directories"] = captured.directories;
  return json;
}

Result<CapturedFile> captured_file_from_json(const Json& json) {
  const Error malformed(Errc::invalid, "not what a file step captures");
  CapturedFile captured;
  if (!json.is_object()) return malformed;
  const auto path = json.find("path");
  const auto state = json.find("state");
  if (path == json.end() || !path->is_string() || state == json.end()) return malformed;
  captured.path = path->get<std::string>();
  AUDITSHIFT_TRY(parsed, file_state_from_json(*state));
  captured.state = parsed;
  const auto directories = json.find("directories");
  if (directories == json.end()) return captured;
  if (!directories->is_array()) return malformed;
  for (const Json& directory : *directories) {
    if (!directory.is_string()) return malformed;
    captured.directories.push_back(directory.get<std::string>());
  }
  return captured;
}

Error changed_by_others(const std::string& path, std::string_view since) {
  return Error(Errc::busy, path + ": somebody else changed it since " + std::string(since));
}

Result<void> settle(const Host& host, const std::string& path) {
  if (!host.files->exists(parent_of(path))) return {};
  AUDITSHIFT_TRY_VOID(host.files->remove_leftovers(path));
  return host.files->sync_parent(path);
}

Result<void> restore_file(Host& host, const CapturedFile& captured, const FileState& now,
                          const BackupStore& backups) {
  const base::Sysroot& files = *host.files;
  const FileState& old = captured.state;
  if (!(now == old)) {
    if (!old.exists) {
      AUDITSHIFT_TRY_VOID(files.remove(captured.path));
    } else if (!old.link.empty()) {
      AUDITSHIFT_TRY_VOID(files.restore_link(captured.path, old.link, old.uid, old.gid));
    } else {
      AUDITSHIFT_TRY(content, backups.read(old.sha256).context("cannot restore " + captured.path));
      if (captured.directories.empty() && !files.exists(parent_of(captured.path)))
        return Error(Errc::busy, captured.path + ": its directory was removed by somebody else")
            .with_hint("Create the directory and roll back again.");
      AUDITSHIFT_TRY_VOID(
          files.restore(captured.path, content,
                        {.mode = old.mode, .uid = old.uid, .gid = old.gid, .extended = old.attributes}));
    }
  }
  AUDITSHIFT_TRY_VOID(settle(host, captured.path));
  return remove_directories(host, captured.directories);
}

Result<std::optional<FileState>> expected_state(const Json* parameter) {
  if (parameter == nullptr) return std::optional<FileState>();
  AUDITSHIFT_TRY(state, file_state_from_json(*parameter));
  return std::optional<FileState>(std::move(state));
}

}  // namespace auditshift::migrate::change
