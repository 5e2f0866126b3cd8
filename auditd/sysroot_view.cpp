// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "auditd/layout.h"
#include "auditd/paths.h"
#include "base/text.h"

namespace auditshift::auditd {
namespace {

using NamedId = std::pair<std::string, std::uint32_t>;

/// Name and id of a passwd(5) or group(5) file: the first and third of its fields. The first line of a name
/// wins, as in the C library. An unreadable file names nobody.
std::vector<NamedId> read_ids(const base::Sysroot& host, const char* path) {
  std::vector<NamedId> ids;
  const auto content = host.read_file(path);
  if (!content) return ids;
  for (const std::string_view line : base::split(*content, '\n')) {
    if (line.empty() || line[0] == '#') continue;
    const auto fields = base::split(line, ':');
    if (fields.size() < 3 || fields[0].empty()) continue;
    const auto id = base::parse_decimal(fields[2]);
    if (id && *id <= std::numeric_limits<std::uint32_t>::max())
      ids.emplace_back(fields[0], static_cast<std::uint32_t>(*id));
  }
  std::stable_sort(ids.begin(), ids.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return ids;
}

std::optional<std::uint32_t> find_id(const std::vector<NamedId>& ids, std::string_view name) {
  const auto found = std::lower_bound(
      ids.begin(), ids.end(), name, [](const NamedId& id, std::string_view text) { return id.first < text; });
  if (found == ids.end() || found->first != name) return std::nullopt;
  return found->second;
}

}  // namespace

SysrootView::SysrootView(const base::Sysroot& host)
    : host_(host), users_(read_ids(host, paths::kUsers)), groups_(read_ids(host, paths::kGroups)) {}

std::optional<std::uint32_t> SysrootView::uid_of(std::string_view user) const {
  return find_id(users_, user);
}

std::optional<std::uint32_t> SysrootView::gid_of(std::string_view group) const {
  return find_id(groups_, group);
}

PathKind SysrootView::kind_of(std::string_view path) const {
  const auto info = host_.stat(path);
  if (info) return info->is_directory() ? PathKind::directory : PathKind::other;
  if (info.error().code() != base::Errc::not_found) return PathKind::unknown;
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return PathKind::missing;
  const auto parent = host_.stat(path.substr(0, slash));
  if (!parent)
    return parent.error().code() == base::Errc::not_found ? PathKind::missing_parent : PathKind::unknown;
  return parent->is_directory() ? PathKind::missing : PathKind::missing_parent;
}

}  // namespace auditshift::auditd
