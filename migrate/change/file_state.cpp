// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/hash.h"
#include "base/text.h"
#include "migrate/change/backup.h"

namespace auditshift::migrate::change {
namespace {

using base::Errc;
using base::Error;
using base::Json;
using base::Result;

Error malformed(const std::string& what) { return Error(Errc::invalid, "not the state of a file: " + what); }

Result<std::uint32_t> number(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_unsigned()) return malformed(std::string(key) + " is missing");
  if (!std::in_range<std::uint32_t>(found->get<std::uint64_t>()))
    return malformed(std::string(key) + " is too large");
  return found->get<std::uint32_t>();
}

Result<std::string> text(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return std::string();
  if (!found->is_string()) return malformed(std::string(key) + " is not text");
  return found->get<std::string>();
}

}  // namespace

Result<FileState> read_file_state(const base::Sysroot& host, const std::string& path) {
  FileState state;
  const auto info = host.lstat(path);
  if (!info) {
    if (info.error().code() == Errc::not_found) return state;
    return info.error();
  }
  state.exists = true;
  state.uid = info->uid;
  state.gid = info->gid;
  state.mode = info->mode & 07777;
  if (info->is_symlink()) {
    AUDITSHIFT_TRY(target, host.read_link(path));
    state.link = target;
    return state;
  }
  if (!info->is_regular()) return Error(Errc::invalid, path + ": neither a regular file nor a symbolic link");
  AUDITSHIFT_TRY(attributes, host.attributes(path));
  state.attributes = std::move(attributes.extended);
  AUDITSHIFT_TRY(content, host.read_file(path));
  state.sha256 = base::sha256(content);
  return state;
}

Json to_json(const FileState& state) {
  Json json = Json::object();
  json["exists"] = state.exists;
  if (!state.exists) return json;
  json["mode"] = state.mode;
  json["uid"] = state.uid;
  json["gid"] = state.gid;
  if (!state.link.empty()) {
    json["link"] = base::base64(state.link);
    return json;
  }
  json["sha256"] = state.sha256;
  Json attributes = Json::object();
  for (const auto& [name, value] : state.attributes) attributes[base::base64(name)] = base::base64(value);
  if (!attributes.empty()) json["attributes"] = std::move(attributes);
  return json;
}

Result<FileState> file_state_from_json(const Json& json) {
  FileState state;
  if (!json.is_object()) return malformed("no object");
  const auto exists = json.find("exists");
  if (exists == json.end() || !exists->is_boolean()) return malformed("exists is missing");
  state.exists = exists->get<bool>();
  if (!state.exists) return state;
  AUDITSHIFT_TRY(mode, number(json, "mode"));
  AUDITSHIFT_TRY(uid, number(json, "uid"));
  AUDITSHIFT_TRY(gid, number(json, "gid"));
  state.mode = mode;
  state.uid = uid;
  state.gid = gid;
  AUDITSHIFT_TRY(sha256, text(json, "sha256"));
  state.sha256 = sha256;
  AUDITSHIFT_TRY(link, text(json, "link"));
  const auto target = base::from_base64(link);
  if (!target) return malformed("link is not base64");
  state.link = *target;
  if (state.link.empty() == state.sha256.empty()) return malformed("either sha256 or link is needed");
  const auto attributes = json.find("attributes");
  if (attributes == json.end()) return state;
  if (!attributes->is_object()) return malformed("attributes is no object");
  for (const auto& [key, value] : attributes->items()) {
    const auto name = base::from_base64(key);
    const auto bytes = value.is_string() ? base::from_base64(value.get<std::string>()) : std::nullopt;
    if (!name || !bytes) return malformed("attributes are not base64");
    state.attributes[*name] = *bytes;
  }
  return state;
}

}  // namespace auditshift::migrate::change
