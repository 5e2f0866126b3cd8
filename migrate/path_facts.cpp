// SPDX-License-Identifier: Apache-2.0
#include "migrate/path_facts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace auditshift::migrate {
namespace {

using base::Json;

/// Names below a directory that are looked at for links; a bigger tree stays unknown.
constexpr std::size_t kScanLimit = 20'000;

/// Who can write to one file or directory, root aside.
std::string writers_of(const std::string& path, const base::FileInfo& info) {
  if (info.uid != 0) return "uid " + std::to_string(info.uid) + ", which owns " + path;
  if (info.is_symlink()) return {};
  if ((info.mode & S_IWOTH) != 0) return "everyone, by the mode of " + path;
  if ((info.mode & S_IWGRP) != 0 && info.gid != 0)
    return "gid " + std::to_string(info.gid) + ", by the mode of " + path;
  return {};
}

/// Whoever can write to a directory on the way can put something else in its place.
std::optional<std::string> writable_by(const base::Sysroot& host, const std::string& resolved) {
  for (std::size_t at = 0; at != std::string::npos;
       at = at + 1 < resolved.size() ? resolved.find('/', at + 1) : std::string::npos) {
    const std::string here = at == 0 ? "/" : resolved.substr(0, at);
    const auto info = host.lstat(here);
    if (!info) return std::nullopt;
    if (std::string who = writers_of(here, *info); !who.empty()) return who;
  }
  const auto info = host.lstat(resolved);
  if (!info) return std::nullopt;
  return writers_of(resolved, *info);
}

std::optional<bool> is_script(const base::Sysroot& host, const std::string& path) {
  const auto file = host.open_file(path, O_RDONLY | O_CLOEXEC);
  if (!file) return std::nullopt;
  char head[2];
  const ssize_t got = ::read(file->get(), head, sizeof head);
  if (got < 0) return std::nullopt;
  return got == 2 && head[0] == '#' && head[1] == '!';
}

/// Looks for a symbolic link below that leads out of the tree.
std::optional<bool> any_links_out(const base::Sysroot& host, const std::string& directory) {
  std::vector<std::string> open{directory};
  std::size_t seen = 0;
  while (!open.empty()) {
    const std::string here = std::move(open.back());
    open.pop_back();
    const auto entries = host.list(here);
    if (!entries) return std::nullopt;
    for (const base::DirectoryEntry& entry : *entries) {
      if (++seen > kScanLimit) return std::nullopt;
      const std::string path = (here == "/" ? "" : here) + "/" + entry.name;
      if (entry.info.is_directory()) open.push_back(path);
      if (!entry.info.is_symlink()) continue;
      const auto target = host.resolve(path);
      if (!target || !is_below(*target, directory)) return true;
    }
  }
  return false;
}

/// mountinfo writes blanks and the like as \040.
std::string unescape_octal(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && digit(i + 1) && digit(i + 2) && digit(i + 3)) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

template <class T>
void take(const Json& entry, const char* key, std::optional<T>& to) {
  if (const auto at = entry.find(key); at != entry.end() && !at->is_null()) to = at->get<T>();
}

}  // namespace

bool is_below(std::string_view path, std::string_view directory) {
  while (directory.size() > 1 && directory.back() == '/') directory.remove_suffix(1);
  return path.starts_with(directory) &&
         (path.size() == directory.size() || directory == "/" || path[directory.size()] == '/');
}

std::optional<std::vector<std::string>> mount_points(const base::Sysroot& host) {
  const auto text = host.read_file("/proc/1/mountinfo", std::size_t{4} << 20);
  if (!text) return std::nullopt;
  std::vector<std::string> points;
  for (const std::string_view line : base::split(*text, '\n')) {
    const auto words = base::split(line, ' ');
    if (words.size() > 4)
      points.push_back(unescape_octal(words[4]));  // proc(5): the fifth is the mount point
  }
  if (points.empty()) return std::nullopt;
  return points;
}

PathFacts look_at_captured_path(const base::Sysroot& host, const std::string& path) {
  PathFacts facts;
  if (const auto info = host.lstat(path)) facts.is_link = info->is_symlink();
  auto resolved = host.resolve(path);
  if (!resolved) return facts;
  if (const auto info = host.stat(*resolved)) facts.is_directory = info->is_directory();
  facts.resolved = *std::move(resolved);
  return facts;
}

PathFacts look_at_path(const base::Sysroot& host, const std::string& path,
                       const std::optional<std::vector<std::string>>& mounts) {
  PathFacts facts = look_at_captured_path(host, path);
  if (!facts.resolved) return facts;
  facts.writable_by = writable_by(host, *facts.resolved);
  if (facts.is_directory) {
    if (mounts)
      facts.mounts_below = std::any_of(mounts->begin(), mounts->end(), [&](const std::string& point) {
        return point != *facts.resolved && is_below(point, *facts.resolved);
      });
    facts.links_out = any_links_out(host, *facts.resolved);
  } else if (const auto info = host.stat(*facts.resolved)) {
    facts.hard_links = info->links;
    if (info->is_regular()) facts.script = is_script(host, *facts.resolved);
  }
  return facts;
}

std::string format_path_facts(const PathFactsMap& facts) {
  Json document = Json::object();
  for (const auto& [path, known] : facts) {
    if (!known.resolved || !base::is_utf8(path)) continue;
    document[path] = {{"script", or_null(known.script)},
                      {"hard_links", or_null(known.hard_links)},
                      {"writable_by", or_null(known.writable_by)},
                      {"mounts_below", or_null(known.mounts_below)},
                      {"links_out", or_null(known.links_out)}};
  }
  return base::dump_json(document, base::JsonStyle::pretty);
}

base::Result<void> add_path_facts(std::string_view text, std::string_view name, PathFactsMap& facts) {
  AUDITSHIFT_TRY(document, base::parse_json(text, name));
  try {
    for (auto& [path, known] : facts) {
      const auto entry = document.find(path);
      if (entry == document.end()) continue;
      take(*entry, "script", known.script);
      take(*entry, "hard_links", known.hard_links);
      take(*entry, "writable_by", known.writable_by);
      take(*entry, "mounts_below", known.mounts_below);
      take(*entry, "links_out", known.links_out);
    }
  } catch (const Json::exception&) {
    return base::Error(base::Errc::invalid, std::string(name) + ": not the path facts of a capture");
  }
  return {};
}

bool surely_different(const PathFactsMap& facts, const std::string& a, const std::string& b) {
  const auto first = facts.find(a);
  const auto second = facts.find(b);
  if (first == facts.end() || second == facts.end() || !first->second.resolved || !second->second.resolved)
    return false;
  return *first->second.resolved != *second->second.resolved &&
         (first->second.hard_links == 1 || second->second.hard_links == 1);
}

}  // namespace auditshift::migrate
