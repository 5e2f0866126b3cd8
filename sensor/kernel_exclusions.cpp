// SPDX-License-Identifier: Apache-2.0
// The part of KernelPrograms that says whose events are not wanted.
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "base/text.h"
#include "sensor/kernel_programs.h"
#include "sensor/path.h"

namespace auditshift::sensor {
namespace {

/// Keys compare as bytes.
using Wanted = std::map<std::string, std::uint32_t>;

std::string bytes_of(const as_executable_key& key) { return {key.components, sizeof key.components}; }

base::Result<Wanted> wanted_entries(std::span<const ExcludedExecutable> executables) {
  Wanted wanted;
  for (const ExcludedExecutable& executable : executables) {
    AUDITSHIFT_TRY(key, executable_key(executable.path));
    std::uint32_t& value = wanted[bytes_of(key)];
    value |= AS_EXCLUDE_PROCESS;
    if (executable.with_children) value |= AS_EXCLUDE_CHILDREN;
  }
  if (wanted.size() > AS_EXCLUSION_LIMIT) {
    return base::Error(base::Errc::too_large, "at most " + std::to_string(AS_EXCLUSION_LIMIT) +
                                                  " executables can be excluded, not " +
                                                  std::to_string(wanted.size()));
  }
  return wanted;
}

std::vector<std::string> present_keys(int map_fd) {
  std::vector<std::string> keys;
  std::string key(AS_EXCLUSION_SIZE, '\0'), next(AS_EXCLUSION_SIZE, '\0');
  for (int status = bpf_map_get_next_key(map_fd, nullptr, next.data()); status == 0;
       status = bpf_map_get_next_key(map_fd, key.data(), next.data())) {
    key = next;
    keys.push_back(key);
  }
  return keys;
}

}  // namespace

base::Result<as_executable_key> executable_key(std::string_view path) {
  PathBuilder builder;
  builder.start_at_root();
  builder.add(path);
  if (!path.starts_with('/') || builder.text() != path || path == "/") {
    return base::Error(base::Errc::invalid,
                       "not an absolute path of an executable: " + base::printable(path));
  }
  as_executable_key key{};
  if (path.size() > sizeof key.components) {  // each slash makes room for a NUL
    return base::Error(base::Errc::too_large, "an excluded executable's path may have " +
                                                  std::to_string(sizeof key.components) +
                                                  " bytes at most: " + base::printable(path));
  }
  char* target = key.components;
  while (!path.empty()) {
    const auto slash = path.rfind('/');
    const std::string_view name = path.substr(slash + 1);
    std::memcpy(target, name.data(), name.size());
    target += name.size() + 1;
    path = path.substr(0, slash);
  }
  return key;
}

base::Result<void> KernelPrograms::set_exclusions(std::span<const ExcludedExecutable> executables) {
  AUDITSHIFT_TRY(wanted, wanted_entries(executables));
  // What goes makes room first; in between, more is seen than wanted, never less.
  for (const std::string& key : present_keys(exclusions_.get())) {
    if (!wanted.contains(key) && bpf_map_delete_elem(exclusions_.get(), key.data()) != 0) {
      return base::Error::from_errno(errno, "cannot remove an exclusion");
    }
  }
  for (const auto& [key, value] : wanted) {
    if (bpf_map_update_elem(exclusions_.get(), key.data(), &value, BPF_ANY) != 0) {
      return base::Error::from_errno(errno, "cannot add an exclusion");
    }
  }
  AUDITSHIFT_TRY(state, this->state());
  if (++state.exclusions == 0) ++state.exclusions;  // 0 says that there never were any
  return set_state(state);
}

}  // namespace auditshift::sensor
