// SPDX-License-Identifier: Apache-2.0
#include "sensor/kind_profile.h"

#include <array>
#include <iterator>

namespace auditshift::sensor {
namespace {

using enum EventKind;

// ECS 8.11 allowed values of event.category and event.type; OCSF 1.3.0 classes and activities.
constexpr KindProfile kProfiles[] = {
    {exec, R"(["process"])", R"(["start"])", 1007, 1},
    {fork, R"(["process"])", R"(["start"])", 1007, 1},
    {exit, R"(["process"])", R"(["end"])", 1007, 2},
    {running, R"(["process"])", R"(["info"])", 1007, 99},
    {session, R"(["process"])", R"(["change"])", 1007, 99},
    {name, R"(["process"])", R"(["change"])", 1007, 99},
    {core_dump, R"(["process"])", R"(["info"])", 1007, 99},
    {uid_change, R"(["process"])", R"(["change"])", 1007, 5},
    {gid_change, R"(["process"])", R"(["change"])", 1007, 99},
    {groups_change, R"(["process"])", R"(["change"])", 1007, 99},
    {capabilities_change, R"(["process"])", R"(["change"])", 1007, 99},
    {open, R"(["file"])", R"(["access"])", 1001, 14},
    {create, R"(["file"])", R"(["creation"])", 1001, 1},
    {rename, R"(["file"])", R"(["change"])", 1001, 5},
    {unlink, R"(["file"])", R"(["deletion"])", 1001, 4},
    {rmdir, R"(["file"])", R"(["deletion"])", 1001, 4},
    {mkdir, R"(["file"])", R"(["creation"])", 1001, 1},
    {link, R"(["file"])", R"(["creation"])", 1001, 1},
    {symlink, R"(["file"])", R"(["creation"])", 1001, 1},
    {mknod, R"(["file"])", R"(["creation"])", 1001, 1},
    {truncate, R"(["file"])", R"(["change"])", 1001, 3},
    {chmod, R"(["file"])", R"(["change"])", 1001, 7},
    {chown, R"(["file"])", R"(["change"])", 1001, 7},
    {set_xattr, R"(["file"])", R"(["change"])", 1001, 6},
    {remove_xattr, R"(["file"])", R"(["change"])", 1001, 6},
    {mount, R"(["host"])", R"(["change"])", 1001, 12},
    {unmount, R"(["host"])", R"(["change"])", 1001, 13},
    {socket, R"(["network"])", R"(["info"])", 4001, 99},
    {connect, R"(["network"])", R"(["connection","start"])", 4001, 1},
    {bind, R"(["network"])", R"(["info"])", 4001, 99},
    {listen, R"(["network"])", R"(["info"])", 4001, 7},
    {accept, R"(["network"])", R"(["connection","start"])", 4001, 1},
    {send, R"(["network"])", R"(["connection"])", 4001, 6},
    {set_socket_option, R"(["network"])", R"(["info"])", 4001, 99},
    {ptrace, R"(["process"])", R"(["access"])", 1007, 3},
    {process_write, R"(["process"])", R"(["change"])", 1007, 4},
    {bpf, R"(["driver"])", R"(["change"])", 1003, 4},
    {module_load, R"(["driver"])", R"(["start"])", 1002, 1},
    {module_unload, R"(["driver"])", R"(["end"])", 1002, 2},
    {kexec, R"(["host"])", R"(["change"])", 1003, 4},
    {time_change, R"(["configuration"])", R"(["change"])", 1003, 4},
    {host_name_change, R"(["configuration"])", R"(["change"])", 1003, 4},
    {loss, R"(["host"])", R"(["info"])", 0, 99},
};

constexpr auto kIndex = [] {
  std::array<std::uint8_t, AS_KIND_LIMIT> index{};
  index.fill(std::size(kProfiles) - 1);
  for (std::size_t i = 0; i < std::size(kProfiles); ++i)
    index[static_cast<std::size_t>(kProfiles[i].kind)] = static_cast<std::uint8_t>(i);
  return index;
}();

}  // namespace

const KindProfile& kind_profile(EventKind kind) {
  const auto number = static_cast<std::size_t>(kind);
  return kProfiles[number < kIndex.size() ? kIndex[number] : std::size(kProfiles) - 1];
}

std::string_view ocsf_class_name(std::uint16_t class_uid) {
  switch (class_uid) {
    case 1001:
      return "File System Activity";
    case 1002:
      return "Kernel Extension Activity";
    case 1003:
      return "Kernel Activity";
    case 1007:
      return "Process Activity";
    case 4001:
      return "Network Activity";
    default:
      return "Base Event";
  }
}

}  // namespace auditshift::sensor
