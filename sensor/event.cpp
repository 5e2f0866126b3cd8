// SPDX-License-Identifier: Apache-2.0
#include "sensor/event.h"

#include <algorithm>

namespace auditshift::sensor {
namespace {

// In the order of the numbers.
constexpr std::pair<EventKind, std::string_view> kKinds[] = {
    {EventKind::exec, "exec"},
    {EventKind::fork, "fork"},
    {EventKind::exit, "exit"},
    {EventKind::running, "running"},
    {EventKind::session, "session"},
    {EventKind::name, "name"},
    {EventKind::core_dump, "core_dump"},
    {EventKind::uid_change, "uid_change"},
    {EventKind::gid_change, "gid_change"},
    {EventKind::groups_change, "groups_change"},
    {EventKind::capabilities_change, "capabilities_change"},
    {EventKind::open, "open"},
    {EventKind::create, "create"},
    {EventKind::rename, "rename"},
    {EventKind::unlink, "unlink"},
    {EventKind::rmdir, "rmdir"},
    {EventKind::mkdir, "mkdir"},
    {EventKind::link, "link"},
    {EventKind::symlink, "symlink"},
    {EventKind::mknod, "mknod"},
    {EventKind::truncate, "truncate"},
    {EventKind::chmod, "chmod"},
    {EventKind::chown, "chown"},
    {EventKind::set_xattr, "set_xattr"},
    {EventKind::remove_xattr, "remove_xattr"},
    {EventKind::mount, "mount"},
    {EventKind::unmount, "unmount"},
    {EventKind::socket, "socket"},
    {EventKind::connect, "connect"},
    {EventKind::bind, "bind"},
    {EventKind::listen, "listen"},
    {EventKind::accept, "accept"},
    {EventKind::send, "send"},
    {EventKind::set_socket_option, "set_socket_option"},
    {EventKind::ptrace, "ptrace"},
    {EventKind::process_write, "process_write"},
    {EventKind::bpf, "bpf"},
    {EventKind::module_load, "module_load"},
    {EventKind::module_unload, "module_unload"},
    {EventKind::kexec, "kexec"},
    {EventKind::time_change, "time_change"},
    {EventKind::host_name_change, "host_name_change"},
    {EventKind::loss, "loss"},
};

constexpr auto kAllKinds = [] {
  std::array<EventKind, std::size(kKinds)> kinds{};
  for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] = kKinds[i].first;
  return kinds;
}();
static_assert(std::is_sorted(kAllKinds.begin(), kAllKinds.end()));
static_assert(static_cast<unsigned>(kAllKinds.back()) < AS_KIND_LIMIT);

}  // namespace

std::string_view kind_name(EventKind kind) {
  const auto* found =
      std::lower_bound(std::begin(kKinds), std::end(kKinds), kind,
                       [](const auto& entry, EventKind wanted) { return entry.first < wanted; });
  return found != std::end(kKinds) && found->first == kind ? found->second : std::string_view();
}

std::optional<EventKind> kind_from_name(std::string_view name) {
  for (const auto& [kind, kind_name] : kKinds) {
    if (kind_name == name) return kind;
  }
  return std::nullopt;
}

std::span<const EventKind> all_kinds() { return kAllKinds; }

KindSet KindSet::all() {
  KindSet set;
  for (const EventKind kind : kAllKinds) set.insert(kind);
  return set;
}

std::string_view abi_name(Abi abi) {
  switch (abi) {
    case Abi::unknown:
      return {};
    case Abi::x86_64:
      return "x86_64";
    case Abi::x32:
      return "x32";
    case Abi::i386:
      return "i386";
    case Abi::arm64:
      return "aarch64";
    case Abi::arm:
      return "arm";
  }
  return {};
}

std::string_view family_name(AddressFamily family) {
  switch (family) {
    case AddressFamily::none:
      return "none";
    case AddressFamily::ipv4:
      return "ipv4";
    case AddressFamily::ipv6:
      return "ipv6";
    case AddressFamily::unix_socket:
      return "unix";
    case AddressFamily::netlink:
      return "netlink";
    case AddressFamily::packet:
      return "packet";
    case AddressFamily::other:
      return "other";
  }
  return {};
}

}  // namespace auditshift::sensor
