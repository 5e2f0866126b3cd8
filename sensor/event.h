// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include "bpf/kinds.h"

/// The one model of what happened. Every provider fills it, every sink reads it.
///
/// An Event owns nothing: its string_views point into a buffer of the provider and are valid until the
/// consumer's function returns. Fields that a provider cannot know keep their defaults, which mean "unknown",
/// never "zero". A provider reuses one Event for the whole batch.
namespace auditshift::sensor {

enum class EventKind : std::uint8_t {
  none = AS_KIND_NONE,
  exec = AS_KIND_EXEC,
  fork = AS_KIND_FORK,
  exit = AS_KIND_EXIT,
  running = AS_KIND_RUNNING,
  session = AS_KIND_SESSION,
  name = AS_KIND_NAME,
  core_dump = AS_KIND_CORE_DUMP,
  uid_change = AS_KIND_UID_CHANGE,
  gid_change = AS_KIND_GID_CHANGE,
  groups_change = AS_KIND_GROUPS_CHANGE,
  capabilities_change = AS_KIND_CAPABILITIES_CHANGE,
  open = AS_KIND_OPEN,
  create = AS_KIND_CREATE,
  rename = AS_KIND_RENAME,
  unlink = AS_KIND_UNLINK,
  rmdir = AS_KIND_RMDIR,
  mkdir = AS_KIND_MKDIR,
  link = AS_KIND_LINK,
  symlink = AS_KIND_SYMLINK,
  mknod = AS_KIND_MKNOD,
  truncate = AS_KIND_TRUNCATE,
  chmod = AS_KIND_CHMOD,
  chown = AS_KIND_CHOWN,
  set_xattr = AS_KIND_SET_XATTR,
  remove_xattr = AS_KIND_REMOVE_XATTR,
  mount = AS_KIND_MOUNT,
  unmount = AS_KIND_UNMOUNT,
  socket = AS_KIND_SOCKET,
  connect = AS_KIND_CONNECT,
  bind = AS_KIND_BIND,
  listen = AS_KIND_LISTEN,
  accept = AS_KIND_ACCEPT,
  send = AS_KIND_SEND,
  set_socket_option = AS_KIND_SET_SOCKET_OPTION,
  ptrace = AS_KIND_PTRACE,
  process_write = AS_KIND_PROCESS_WRITE,
  bpf = AS_KIND_BPF,
  module_load = AS_KIND_MODULE_LOAD,
  module_unload = AS_KIND_MODULE_UNLOAD,
  kexec = AS_KIND_KEXEC,
  time_change = AS_KIND_TIME_CHANGE,
  host_name_change = AS_KIND_HOST_NAME_CHANGE,
  loss = AS_KIND_LOSS,
};

/// "exec", "set_xattr": the name in JSON, options and statistics. Empty for a number that is no kind.
std::string_view kind_name(EventKind kind);
std::optional<EventKind> kind_from_name(std::string_view name);
/// All kinds, in the order of their numbers.
std::span<const EventKind> all_kinds();

/// A set of event kinds.
class KindSet {
 public:
  constexpr KindSet() = default;
  constexpr KindSet(std::initializer_list<EventKind> kinds) {
    for (const EventKind kind : kinds) insert(kind);
  }
  static KindSet all();

  constexpr void insert(EventKind kind) { bits_ |= bit(kind); }
  constexpr void erase(EventKind kind) { bits_ &= ~bit(kind); }
  constexpr bool contains(EventKind kind) const { return (bits_ & bit(kind)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr std::uint64_t bits() const { return bits_; }
  bool operator==(const KindSet&) const = default;

 private:
  static constexpr std::uint64_t bit(EventKind kind) {
    return std::uint64_t{1} << static_cast<unsigned>(kind);
  }

  std::uint64_t bits_ = 0;
};

inline constexpr std::uint32_t kUnknownId =
    0xffffffff;  ///< a uid, gid, auid or session that is unset or unknown
inline constexpr int kUnknownSyscall = -1;

/// Which system-call table a number belongs to.
enum class Abi : std::uint8_t { unknown, x86_64, x32, i386, arm64, arm };

/// "x86_64", "i386", …; empty when unknown. The names are those of auditctl's -F arch=.
std::string_view abi_name(Abi abi);

/// One process, whatever its pid is reused for later.
struct ProcessIdentity {
  std::uint32_t pid = 0;       ///< of the thread group, in the initial pid namespace; 0 is unknown
  std::uint64_t start_ns = 0;  ///< CLOCK_BOOTTIME when its first thread started; 0 is unknown

  auto operator<=>(const ProcessIdentity&) const = default;
};

/// A path, and how far it can be trusted.
struct Path {
  /// Absolute and lexically clean (no ".", "..", "//") unless a flag below says otherwise. Any bytes but NUL.
  /// Symbolic links are not followed, except in Process::executable, cwd and paths that the call gave by
  /// descriptor: those come from the kernel's own tree.
  std::string_view text;
  bool present = false;     ///< the event has such a path; with `unreadable`, its text is empty all the same
  bool truncated = false;   ///< longer than the limit: a prefix of the name, or the front is missing
  bool unresolved = false;  ///< still relative: the directory it starts from could not be told
  bool unreadable = false;  ///< the caller's memory could not be read (not there, or paged out)
  bool deleted = false;     ///< the file or the start directory had been removed from its directory
  bool chroot_relative = false;  ///< as seen inside the root directory of a process that changed it
  bool from_kernel = false;      ///< from the kernel's own tree, not from the caller's memory

  bool operator==(const Path&) const = default;
};

struct Process {
  ProcessIdentity id;
  std::uint32_t tid = 0;
  ProcessIdentity parent;  ///< start_ns is 0 where only the number is known
  std::string_view comm;   ///< at most 15 bytes, any bytes
  Path executable;

  std::uint32_t uid = kUnknownId;
  std::uint32_t gid = kUnknownId;
  std::uint32_t euid = kUnknownId;
  std::uint32_t egid = kUnknownId;
  std::uint32_t suid = kUnknownId;
  std::uint32_t sgid = kUnknownId;
  std::uint32_t fsuid = kUnknownId;
  std::uint32_t fsgid = kUnknownId;
  std::uint32_t auid = kUnknownId;     ///< login uid: who logged in, whatever they became since
  std::uint32_t session = kUnknownId;  ///< audit session

  std::uint64_t cgroup_id = 0;        ///< cgroup v2 id (inode of its directory); 0 is unknown
  std::string_view container_id;      ///< empty: none, or unknown
  std::uint32_t mount_namespace = 0;  ///< inode number as in /proc/PID/ns/mnt; 0 is unknown

  bool operator==(const Process&) const = default;
};

/// The system call behind an event. For fork, exec and exit it is known where the kernel tells it.
struct Syscall {
  int number = kUnknownSyscall;
  Abi abi = Abi::unknown;
  std::string_view name;    ///< "renameat2"; empty when the number has no name here
  std::int64_t result = 0;  ///< what it returned; negative is -errno
  bool result_known = false;
  std::array<std::uint64_t, 6> arguments{};  ///< raw registers; all zero where the provider has none

  bool failed() const { return result_known && result < 0 && result >= -4095; }
  /// The errno of a failed call, or 0.
  int error() const { return failed() ? static_cast<int>(-result) : 0; }
};

enum class AddressFamily : std::uint8_t { none, ipv4, ipv6, unix_socket, netlink, packet, other };

/// "ipv4", "ipv6", "unix", "netlink", "packet", "other", "none".
std::string_view family_name(AddressFamily family);

/// One end of a socket.
struct Address {
  AddressFamily family = AddressFamily::none;
  std::uint16_t raw_family = 0;          ///< AF_* number
  std::array<std::uint8_t, 16> bytes{};  ///< network order; IPv4 uses the first four
  std::uint16_t port = 0;                ///< host order, IPv4 and IPv6
  std::uint32_t scope = 0;               ///< IPv6 scope id; netlink: port id; packet: interface index
  std::string_view path;                 ///< unix: path, or abstract name without its leading NUL
  bool abstract_name = false;
  bool truncated = false;

  bool present() const { return family != AddressFamily::none; }
};

struct Socket {
  int family = -1;    ///< AF_*
  int type = -1;      ///< SOCK_*, without flags
  int protocol = -1;  ///< IPPROTO_*; for netlink the netlink family
  Address local;
  Address remote;
};

/// The argument vector of an exec.
struct Arguments {
  std::string_view text;  ///< arguments, each ended by NUL (the last one may lack it when truncated)
  bool present = false;
  bool truncated = false;  ///< there was more than the limit
  bool unreadable = false;
};

/// Records that never reached the consumer.
struct Loss {
  std::string_view cause;      ///< "ring buffer full"; names are those of Provider::drops()
  std::uint64_t count = 0;     ///< lost in this range of time
  std::uint64_t first_ns = 0;  ///< boot time; the loss lies between the two
  std::uint64_t last_ns = 0;
};

/// What happened, to what, by whom, with which result.
struct Event {
  EventKind kind = EventKind::none;
  std::uint64_t boot_ns = 0;  ///< CLOCK_BOOTTIME when the call had done its work
  std::int64_t wall_ns = 0;   ///< the same instant, nanoseconds since 1970 UTC
  std::uint32_t cpu = 0;

  Process process;  ///< credentials are those after the call
  /// auditd only: keys of the rule that recorded this; several are separated by byte 1.
  std::string_view audit_key;
  Syscall syscall;

  /// What the call acted on: the file; the old name of a rename or link; the target of exec as it was asked
  /// for; the mount point; the link text of a symlink is in `text`, the new name in `path`.
  Path path;
  Path second_path;  ///< the new name of a rename or link; the source of a mount
  Path cwd;          ///< exec only

  Arguments argv;          ///< exec
  ProcessIdentity target;  ///< fork: the child; ptrace and process_write: the process acted on
  /// fork of a thread: its tid; ptrace: the number given; exec: the tid of the thread that called, which is
  /// another than the pid when a thread took the process over.
  std::uint32_t target_tid = 0;
  bool thread = false;  ///< fork: a thread of the same process
  int exit_code = -1;   ///< exit: 0…255 when it exited by itself
  int exit_signal = 0;  ///< exit: the signal that ended it; core_dump: the signal
  bool core_dumped = false;

  std::uint64_t flags = 0;  ///< open, unlinkat, renameat2, mount, clone, …: the call's flag word
  std::uint32_t mode = 0;   ///< open with create, mkdir, mknod, chmod: mode_t
  std::uint32_t owner_uid = kUnknownId;  ///< chown: the new owner; uid_change: the uid asked for
  std::uint32_t owner_gid = kUnknownId;  ///< chown: the new group; gid_change: the gid asked for
  std::uint64_t device = 0;              ///< mknod: dev_t
  std::uint64_t size = 0;                ///< truncate: new length in bytes; set_xattr: length of the value
  int descriptor = -1;                   ///< the descriptor the call worked on or returned
  int command = -1;                      ///< ptrace request, bpf command, socket option name
  int level = -1;                        ///< socket option level
  /// xattr name, link text, host name, module parameters, file system type; see `kind`.
  std::string_view text;
  bool text_present = false;
  bool text_truncated = false;
  bool text_unreadable = false;  ///< present, but the caller's memory could not be read

  Socket socket;
  Loss loss;
};

}  // namespace auditshift::sensor
