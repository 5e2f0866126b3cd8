// SPDX-License-Identifier: Apache-2.0
// The operations of io_uring that audit 3.1 and later know by name (IORING_OP_* of <linux/io_uring.h>).
#include <cstdlib>

#include "auditd/syscalls.h"
#include "base/text.h"

namespace auditshift::auditd {
namespace {

struct Operation {
  const char* name;
  unsigned number;
  AuditVersion since;
};
constexpr Operation kOperations[] = {
    {"sendmsg", 9, {3, 1, 0}},     {"recvmsg", 10, {3, 1, 0}},     {"accept", 13, {3, 1, 0}},
    {"connect", 16, {3, 1, 0}},    {"fallocate", 17, {3, 1, 0}},   {"openat", 18, {3, 1, 0}},
    {"close", 19, {3, 1, 0}},      {"openat2", 28, {3, 1, 0}},     {"shutdown", 34, {3, 1, 0}},
    {"renameat", 35, {3, 1, 0}},   {"unlinkat", 36, {3, 1, 0}},    {"mkdirat", 37, {3, 1, 0}},
    {"symlinkat", 38, {3, 1, 0}},  {"linkat", 39, {3, 1, 0}},      {"msg_ring", 40, {3, 1, 0}},
    {"fsetxattr", 41, {3, 1, 0}},  {"setxattr", 42, {3, 1, 0}},    {"fgetxattr", 43, {3, 1, 0}},
    {"getxattr", 44, {3, 1, 0}},   {"uring_cmd", 46, {3, 1, 0}},   {"send_zc", 47, {3, 1, 0}},
    {"sendmsg_zc", 48, {3, 1, 0}}, {"waitid", 50, {4, 0, 0}},      {"futex_wait", 51, {4, 0, 0}},
    {"futex_wake", 52, {4, 0, 0}}, {"futex_waitv", 53, {4, 0, 0}}, {"fixed_fd_install", 54, {4, 0, 0}},
    {"ftruncate", 55, {4, 0, 0}},  {"bind", 56, {4, 0, 2}},        {"listen", 57, {4, 0, 2}},
};

std::optional<unsigned> operation_number(const std::string& word, const AuditVersion& version) {
  const std::string lower = base::to_lower(word);
  for (const Operation& operation : kOperations) {
    if (operation.name == lower && version >= operation.since) return operation.number;
  }
  if (word.empty() || word[0] < '0' || word[0] > '9') return std::nullopt;
  const long number = std::strtol(word.c_str(), nullptr, 0);
  if (number < 0 || number >= static_cast<long>(kSyscallLimit)) return std::nullopt;
  return static_cast<unsigned>(number);
}

}  // namespace

std::optional<UnknownSyscall> add_io_uring_operations(const std::string& argument,
                                                      const AuditVersion& version, SyscallMask& mask) {
  std::size_t offset = 0;
  for (const std::string_view part : base::split(argument, ',')) {
    const std::string word(part);
    if (word == "all") {
      set_all(mask);
    } else if (const std::optional<unsigned> number = operation_number(word, version)) {
      set_syscall(mask, *number);
    } else if (!word.empty()) {
      std::vector<std::string_view> known;
      for (const Operation& operation : kOperations) known.emplace_back(operation.name);
      return UnknownSyscall{word, offset, "no auditable io_uring operation has this name",
                            base::nearest(word, known).value_or("")};
    }
    offset += part.size() + 1;
  }
  return std::nullopt;
}

const char* io_uring_operation(unsigned number) {
  for (const Operation& operation : kOperations) {
    if (operation.number == number) return operation.name;
  }
  return nullptr;
}

}  // namespace auditshift::auditd
