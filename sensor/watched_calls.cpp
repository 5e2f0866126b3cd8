// SPDX-License-Identifier: Apache-2.0
#include "sensor/watched_calls.h"

#include <algorithm>

namespace auditshift::sensor {
namespace {

// fork, exec and exit come from tracepoints of their own; of their calls only failures are told at sys_exit.
// A reader looks for one row, not for a row's fields: one line each.
// clang-format off
constexpr WatchedCall kCalls[] = {
    {"execve", {59, 11, 221, 11, 520}, {.kind = AS_KIND_EXEC, .filter = AS_FILTER_FAILED, .path = 1}, {}},
    {"execveat", {322, 358, 281, 387, 545}, {.kind = AS_KIND_EXEC, .filter = AS_FILTER_FAILED, .directory = 1, .path = 2}, {.flags = 5}},
    {"fork", {57, 2, 0, 2}, {.kind = AS_KIND_FORK, .filter = AS_FILTER_FAILED}, {}},
    {"vfork", {58, 190, 0, 190}, {.kind = AS_KIND_FORK, .filter = AS_FILTER_FAILED}, {}},
    {"clone", {56, 120, 220, 120}, {.kind = AS_KIND_FORK, .filter = AS_FILTER_FAILED}, {.flags = 1}},
    {"clone3", {435, 435, 435, 435}, {.kind = AS_KIND_FORK, .filter = AS_FILTER_FAILED}, {}},
    {"exit", {60, 1, 93, 1}, {.kind = AS_KIND_EXIT}, {}},
    {"exit_group", {231, 252, 94, 248}, {.kind = AS_KIND_EXIT}, {}},
    {"setsid", {112, 66, 157, 66}, {.kind = AS_KIND_SESSION}, {}},
    {"setuid", {105, 23, 146, 23}, {.kind = AS_KIND_UID_CHANGE}, {.uid = 1, .narrow = true}},
    {"setreuid", {113, 70, 145, 70}, {.kind = AS_KIND_UID_CHANGE}, {.uid = 2, .narrow = true}},
    {"setresuid", {117, 164, 147, 164}, {.kind = AS_KIND_UID_CHANGE}, {.uid = 2, .narrow = true}},
    {"setfsuid", {122, 138, 151, 138}, {.kind = AS_KIND_UID_CHANGE}, {.uid = 1, .narrow = true}},
    {"setuid32", {0, 213, 0, 213}, {.kind = AS_KIND_UID_CHANGE}, {.uid = 1}},
    {"setreuid32", {0, 203, 0, 203}, {.kind = AS_KIND_UID_CHANGE}, {.uid = 2}},
    {"setresuid32", {0, 208, 0, 208}, {.kind = AS_KIND_UID_CHANGE}, {.uid = 2}},
    {"setfsuid32", {0, 215, 0, 215}, {.kind = AS_KIND_UID_CHANGE}, {.uid = 1}},
    {"setgid", {106, 46, 144, 46}, {.kind = AS_KIND_GID_CHANGE}, {.gid = 1, .narrow = true}},
    {"setregid", {114, 71, 143, 71}, {.kind = AS_KIND_GID_CHANGE}, {.gid = 2, .narrow = true}},
    {"setresgid", {119, 170, 149, 170}, {.kind = AS_KIND_GID_CHANGE}, {.gid = 2, .narrow = true}},
    {"setfsgid", {123, 139, 152, 139}, {.kind = AS_KIND_GID_CHANGE}, {.gid = 1, .narrow = true}},
    {"setgid32", {0, 214, 0, 214}, {.kind = AS_KIND_GID_CHANGE}, {.gid = 1}},
    {"setregid32", {0, 204, 0, 204}, {.kind = AS_KIND_GID_CHANGE}, {.gid = 2}},
    {"setresgid32", {0, 210, 0, 210}, {.kind = AS_KIND_GID_CHANGE}, {.gid = 2}},
    {"setfsgid32", {0, 216, 0, 216}, {.kind = AS_KIND_GID_CHANGE}, {.gid = 1}},
    {"setgroups", {116, 81, 159, 81}, {.kind = AS_KIND_GROUPS_CHANGE}, {.size = 1}},
    {"setgroups32", {0, 206, 0, 206}, {.kind = AS_KIND_GROUPS_CHANGE}, {.size = 1}},
    {"capset", {126, 185, 91, 185}, {.kind = AS_KIND_CAPABILITIES_CHANGE}, {}},
    {"open", {2, 5, 0, 5}, {.kind = AS_KIND_OPEN, .filter = AS_FILTER_OPEN_FLAGS, .filter_argument = 2, .path = 1}, {.flags = 2, .mode = 3}},
    {"openat", {257, 295, 56, 322}, {.kind = AS_KIND_OPEN, .filter = AS_FILTER_OPEN_FLAGS, .filter_argument = 3, .directory = 1, .path = 2}, {.flags = 3, .mode = 4}},
    {"openat2", {437, 437, 437, 437}, {.kind = AS_KIND_OPEN, .filter = AS_FILTER_OPEN_HOW, .filter_argument = 3, .directory = 1, .path = 2}, {}},
    {"open_by_handle_at", {304, 342, 265, 371}, {.kind = AS_KIND_OPEN, .filter = AS_FILTER_OPEN_FLAGS, .filter_argument = 3, .directory = AS_ARGUMENT_RESULT}, {.flags = 3}},
    {"creat", {85, 8, 0, 8}, {.kind = AS_KIND_OPEN, .path = 1}, {.mode = 2}},
    {"rename", {82, 38, 0, 38}, {.kind = AS_KIND_RENAME, .path = 1, .second_path = 2}, {}},
    {"renameat", {264, 302, 38, 329}, {.kind = AS_KIND_RENAME, .directory = 1, .path = 2, .second_directory = 3, .second_path = 4}, {}},
    {"renameat2", {316, 353, 276, 382}, {.kind = AS_KIND_RENAME, .directory = 1, .path = 2, .second_directory = 3, .second_path = 4}, {.flags = 5}},
    {"unlink", {87, 10, 0, 10}, {.kind = AS_KIND_UNLINK, .path = 1}, {}},
    {"unlinkat", {263, 301, 35, 328}, {.kind = AS_KIND_UNLINK, .directory = 1, .path = 2}, {.flags = 3}},
    {"rmdir", {84, 40, 0, 40}, {.kind = AS_KIND_RMDIR, .path = 1}, {}},
    {"mkdir", {83, 39, 0, 39}, {.kind = AS_KIND_MKDIR, .path = 1}, {.mode = 2}},
    {"mkdirat", {258, 296, 34, 323}, {.kind = AS_KIND_MKDIR, .directory = 1, .path = 2}, {.mode = 3}},
    {"link", {86, 9, 0, 9}, {.kind = AS_KIND_LINK, .path = 1, .second_path = 2}, {}},
    {"linkat", {265, 303, 37, 330}, {.kind = AS_KIND_LINK, .directory = 1, .path = 2, .second_directory = 3, .second_path = 4}, {.flags = 5}},
    {"symlink", {88, 83, 0, 83}, {.kind = AS_KIND_SYMLINK, .path = 2, .text = 1}, {}},
    {"symlinkat", {266, 304, 36, 331}, {.kind = AS_KIND_SYMLINK, .directory = 2, .path = 3, .text = 1}, {}},
    {"mknod", {133, 14, 0, 14}, {.kind = AS_KIND_MKNOD, .path = 1}, {.mode = 2, .device = 3}},
    {"mknodat", {259, 297, 33, 324}, {.kind = AS_KIND_MKNOD, .directory = 1, .path = 2}, {.mode = 3, .device = 4}},
    {"truncate", {76, 92, 45, 92}, {.kind = AS_KIND_TRUNCATE, .path = 1}, {.size = 2}},
    {"ftruncate", {77, 93, 46, 93}, {.kind = AS_KIND_TRUNCATE, .directory = 1}, {.size = 2, .descriptor = 1}},
    {"truncate64", {0, 193, 0, 0}, {.kind = AS_KIND_TRUNCATE, .path = 1}, {.size = 2, .size_high = 3}},
    {"ftruncate64", {0, 194, 0, 0}, {.kind = AS_KIND_TRUNCATE, .directory = 1}, {.size = 2, .size_high = 3, .descriptor = 1}},
    {"truncate64", {0, 0, 0, 193}, {.kind = AS_KIND_TRUNCATE, .path = 1}, {.size = 3, .size_high = 4}},
    {"ftruncate64", {0, 0, 0, 194}, {.kind = AS_KIND_TRUNCATE, .directory = 1}, {.size = 3, .size_high = 4, .descriptor = 1}},
    {"chmod", {90, 15, 0, 15}, {.kind = AS_KIND_CHMOD, .path = 1}, {.mode = 2}},
    {"fchmod", {91, 94, 52, 94}, {.kind = AS_KIND_CHMOD, .directory = 1}, {.mode = 2, .descriptor = 1}},
    {"fchmodat", {268, 306, 53, 333}, {.kind = AS_KIND_CHMOD, .directory = 1, .path = 2}, {.mode = 3}},
    {"fchmodat2", {452, 452, 452, 452}, {.kind = AS_KIND_CHMOD, .directory = 1, .path = 2}, {.flags = 4, .mode = 3}},
    {"chown", {92, 182, 0, 182}, {.kind = AS_KIND_CHOWN, .path = 1}, {.uid = 2, .gid = 3, .narrow = true}},
    {"lchown", {94, 16, 0, 16}, {.kind = AS_KIND_CHOWN, .path = 1}, {.uid = 2, .gid = 3, .narrow = true}},
    {"fchown", {93, 95, 55, 95}, {.kind = AS_KIND_CHOWN, .directory = 1}, {.uid = 2, .gid = 3, .descriptor = 1, .narrow = true}},
    {"chown32", {0, 212, 0, 212}, {.kind = AS_KIND_CHOWN, .path = 1}, {.uid = 2, .gid = 3}},
    {"lchown32", {0, 198, 0, 198}, {.kind = AS_KIND_CHOWN, .path = 1}, {.uid = 2, .gid = 3}},
    {"fchown32", {0, 207, 0, 207}, {.kind = AS_KIND_CHOWN, .directory = 1}, {.uid = 2, .gid = 3, .descriptor = 1}},
    {"fchownat", {260, 298, 54, 325}, {.kind = AS_KIND_CHOWN, .directory = 1, .path = 2}, {.flags = 5, .uid = 3, .gid = 4}},
    {"setxattr", {188, 226, 5, 226}, {.kind = AS_KIND_SET_XATTR, .path = 1, .text = 2}, {.flags = 5, .size = 4}},
    {"lsetxattr", {189, 227, 6, 227}, {.kind = AS_KIND_SET_XATTR, .path = 1, .text = 2}, {.flags = 5, .size = 4}},
    {"fsetxattr", {190, 228, 7, 228}, {.kind = AS_KIND_SET_XATTR, .directory = 1, .text = 2}, {.flags = 5, .size = 4, .descriptor = 1}},
    {"setxattrat", {463, 463, 463, 463}, {.kind = AS_KIND_SET_XATTR, .directory = 1, .path = 2, .text = 4}, {.flags = 3}},
    {"removexattr", {197, 235, 14, 235}, {.kind = AS_KIND_REMOVE_XATTR, .path = 1, .text = 2}, {}},
    {"lremovexattr", {198, 236, 15, 236}, {.kind = AS_KIND_REMOVE_XATTR, .path = 1, .text = 2}, {}},
    {"fremovexattr", {199, 237, 16, 237}, {.kind = AS_KIND_REMOVE_XATTR, .directory = 1, .text = 2}, {.descriptor = 1}},
    {"removexattrat", {466, 466, 466, 466}, {.kind = AS_KIND_REMOVE_XATTR, .directory = 1, .path = 2, .text = 4}, {.flags = 3}},
    {"mount", {165, 21, 40, 21}, {.kind = AS_KIND_MOUNT, .path = 2, .second_path = 1, .text = 3}, {.flags = 4}},
    {"pivot_root", {155, 217, 41, 218}, {.kind = AS_KIND_MOUNT, .path = 1, .second_path = 2}, {}},
    {"move_mount", {429, 429, 429, 429}, {.kind = AS_KIND_MOUNT, .directory = 3, .path = 4, .second_directory = 1, .second_path = 2}, {.flags = 5}},
    {"fsopen", {430, 430, 430, 430}, {.kind = AS_KIND_MOUNT, .text = 1}, {.flags = 2}},
    {"fsmount", {432, 432, 432, 432}, {.kind = AS_KIND_MOUNT}, {.flags = 2, .descriptor = 1}},
    {"open_tree", {428, 428, 428, 428}, {.kind = AS_KIND_MOUNT, .filter = AS_FILTER_CLONE_FLAG, .filter_argument = 3, .directory = 1, .path = 2}, {.flags = 3}},
    {"mount_setattr", {442, 442, 442, 442}, {.kind = AS_KIND_MOUNT, .directory = 1, .path = 2}, {.flags = 3}},
    {"umount2", {166, 52, 39, 52}, {.kind = AS_KIND_UNMOUNT, .path = 1}, {.flags = 2}},
    {"umount", {0, 22, 0, 0}, {.kind = AS_KIND_UNMOUNT, .path = 1}, {}},
    {"socket", {41, 359, 198, 281}, {.kind = AS_KIND_SOCKET, .filter = AS_FILTER_RAW_SOCKET, .filter_argument = 1}, {}},
    {"connect", {42, 362, 203, 283}, {.kind = AS_KIND_CONNECT, .socket = 1, .address = AS_ADDRESS_REMOTE, .address_argument = 2}, {.descriptor = 1}},
    {"bind", {49, 361, 200, 282}, {.kind = AS_KIND_BIND, .socket = 1, .address = AS_ADDRESS_LOCAL, .address_argument = 2}, {.descriptor = 1}},
    {"listen", {50, 363, 201, 284}, {.kind = AS_KIND_LISTEN, .socket = 1}, {.size = 2, .descriptor = 1}},
    {"accept", {43, 0, 202, 285}, {.kind = AS_KIND_ACCEPT, .socket = AS_ARGUMENT_RESULT, .address = AS_ADDRESS_KERNEL}, {}},
    {"accept4", {288, 364, 242, 366}, {.kind = AS_KIND_ACCEPT, .socket = AS_ARGUMENT_RESULT, .address = AS_ADDRESS_KERNEL}, {.flags = 4}},
    {"sendto", {44, 369, 206, 290}, {.kind = AS_KIND_SEND, .filter = AS_FILTER_SEND_ADDRESS, .filter_argument = 5, .socket = 1, .address = AS_ADDRESS_REMOTE, .address_argument = 5}, {.flags = 4, .size = 3, .descriptor = 1}},
    {"sendmsg", {46, 370, 211, 296, 518}, {.kind = AS_KIND_SEND, .socket = 1, .address = AS_ADDRESS_MESSAGE, .address_argument = 2}, {.flags = 3, .descriptor = 1}},
    {"sendmmsg", {307, 345, 269, 374, 538}, {.kind = AS_KIND_SEND, .socket = 1, .address = AS_ADDRESS_MESSAGE, .address_argument = 2}, {.flags = 4, .descriptor = 1}},
    {"setsockopt", {54, 366, 208, 294, 541}, {.kind = AS_KIND_SET_SOCKET_OPTION, .socket = 1}, {.descriptor = 1, .command = 3, .level = 2}},
    {"socketcall", {0, 102, 0, 0}, {.kind = AS_KIND_SOCKET, .filter = AS_FILTER_SOCKETCALL}, {}},
    {"ptrace", {101, 26, 117, 26, 521}, {.kind = AS_KIND_PTRACE, .filter = AS_FILTER_PTRACE, .filter_argument = 1}, {.command = 1, .target = 2}},
    {"process_vm_writev", {311, 348, 271, 377, 540}, {.kind = AS_KIND_PROCESS_WRITE}, {.target = 1}},
    {"bpf", {321, 357, 280, 386}, {.kind = AS_KIND_BPF, .filter = AS_FILTER_BPF, .filter_argument = 1}, {.size = 3, .command = 1}},
    {"init_module", {175, 128, 105, 128}, {.kind = AS_KIND_MODULE_LOAD, .text = 3}, {.size = 2}},
    {"finit_module", {313, 350, 273, 379}, {.kind = AS_KIND_MODULE_LOAD, .directory = 1, .text = 2}, {.flags = 3, .descriptor = 1}},
    {"delete_module", {176, 129, 106, 129}, {.kind = AS_KIND_MODULE_UNLOAD, .text = 1}, {.flags = 2}},
    {"kexec_load", {246, 283, 104, 347, 528}, {.kind = AS_KIND_KEXEC}, {.flags = 4}},
    {"kexec_file_load", {320, 0, 294, 401}, {.kind = AS_KIND_KEXEC, .directory = 1}, {.flags = 5, .descriptor = 1}},
    {"settimeofday", {164, 79, 170, 79}, {.kind = AS_KIND_TIME_CHANGE}, {}},
    {"stime", {0, 25, 0, 0}, {.kind = AS_KIND_TIME_CHANGE}, {}},
    {"clock_settime", {227, 264, 112, 262}, {.kind = AS_KIND_TIME_CHANGE}, {.command = 1}},
    {"clock_settime64", {0, 404, 0, 404}, {.kind = AS_KIND_TIME_CHANGE}, {.command = 1}},
    {"adjtimex", {159, 124, 171, 124}, {.kind = AS_KIND_TIME_CHANGE, .filter = AS_FILTER_TIME_MODES, .filter_argument = 1}, {}},
    {"clock_adjtime", {305, 343, 266, 372}, {.kind = AS_KIND_TIME_CHANGE, .filter = AS_FILTER_TIME_MODES, .filter_argument = 2}, {.command = 1}},
    {"clock_adjtime64", {0, 405, 0, 405}, {.kind = AS_KIND_TIME_CHANGE, .filter = AS_FILTER_TIME_MODES, .filter_argument = 2}, {.command = 1}},
    {"sethostname", {170, 74, 161, 74}, {.kind = AS_KIND_HOST_NAME_CHANGE, .text = 1, .text_length = 2}, {.size = 2}},
    {"setdomainname", {171, 121, 162, 121}, {.kind = AS_KIND_HOST_NAME_CHANGE, .text = 1, .text_length = 2}, {.size = 2}},
};
// clang-format on
static_assert(std::size(kCalls) < AS_CALL_LIMIT, "0 means not watched, and the kernel's table has an end");

// In the order of SYS_SOCKET = 1 and so on.
constexpr std::string_view kSocketcalls[] = {
    "",       "socket", "bind", "connect",    "listen", "accept",  "", "",        "", "",        "",
    "sendto", "",       "",     "setsockopt", "",       "sendmsg", "", "accept4", "", "sendmmsg"};
static_assert(std::size(kSocketcalls) <= AS_SOCKETCALL_LIMIT);

constexpr std::size_t column(Abi abi) {
  switch (abi) {
    case Abi::x86_64:
      return 0;
    case Abi::i386:
      return 1;
    case Abi::arm64:
      return 2;
    case Abi::arm:
      return 3;
    case Abi::x32:
      return 4;
    case Abi::unknown:
      break;
  }
  return std::size(kCalls[0].numbers);
}

int number_of(const WatchedCall& call, Abi abi) {
  const std::size_t index = column(abi);
  if (index >= call.numbers.size()) return 0;
  if (abi == Abi::x32 && call.numbers[index] == 0) return call.numbers[0];
  return call.numbers[index];
}

/// Every number of one ABI: the tables are asked for each event.
using Index = std::array<const WatchedCall*, AS_SYSCALL_LIMIT>;

Index make_index(Abi abi) {
  Index index{};
  for (const WatchedCall& call : kCalls) {
    const auto number = static_cast<std::size_t>(number_of(call, abi));
    if (number != 0) index[number] = &call;
  }
  return index;
}

}  // namespace

as_call CallShape::for_kernel() const {
  as_call call{};
  call.kind = kind;
  call.filter = filter;
  call.filter_argument = filter_argument;
  call.directory = directory;
  call.path = path;
  call.second_directory = second_directory;
  call.second_path = second_path;
  call.text = text;
  call.text_length = text_length;
  call.socket = socket;
  call.address = address;
  call.address_argument = address_argument;
  return call;
}

std::span<const WatchedCall> watched_calls() { return kCalls; }

const WatchedCall* find_watched_call(Abi abi, int number) {
  static const std::array<Index, 6> indexes = {Index{},
                                               make_index(Abi::x86_64),
                                               make_index(Abi::x32),
                                               make_index(Abi::i386),
                                               make_index(Abi::arm64),
                                               make_index(Abi::arm)};
  const auto table = static_cast<std::size_t>(abi);
  if (table >= indexes.size() || number < 0 || number >= AS_SYSCALL_LIMIT) return nullptr;
  return indexes[table][static_cast<std::size_t>(number)];
}

const WatchedCall* find_socketcall(std::uint64_t number) {
  if (number >= std::size(kSocketcalls) || kSocketcalls[number].empty()) return nullptr;
  const auto found = std::find_if(std::begin(kCalls), std::end(kCalls),
                                  [&](const WatchedCall& call) { return call.name == kSocketcalls[number]; });
  return found == std::end(kCalls) ? nullptr : found;
}

}  // namespace auditshift::sensor
