// SPDX-License-Identifier: Apache-2.0
#include "auditd/rule.h"

#include <linux/audit.h>

#include <algorithm>

#include "auditd/syscalls.h"

namespace auditshift::auditd {

std::string_view to_string(Op op) {
  switch (op) {
    case Op::equal:
      return "=";
    case Op::not_equal:
      return "!=";
    case Op::less:
      return "<";
    case Op::less_or_equal:
      return "<=";
    case Op::greater:
      return ">";
    case Op::greater_or_equal:
      return ">=";
    case Op::bit_mask:
      return "&";
    case Op::bit_test:
      return "&=";
  }
  return "?";
}

std::string_view to_string(Filter filter) {
  switch (filter) {
    case Filter::user:
      return "user";
    case Filter::task:
      return "task";
    case Filter::exit:
      return "exit";
    case Filter::exclude:
      return "exclude";
    case Filter::filesystem:
      return "filesystem";
    case Filter::io_uring:
      return "io_uring";
  }
  return "?";
}

std::string_view to_string(Action action) {
  switch (action) {
    case Action::never:
      return "never";
    case Action::possible:
      return "possible";
    case Action::always:
      return "always";
  }
  return "?";
}

bool Rule::all_syscalls() const {
  // The last word holds the class bits, which the kernel clears.
  return std::all_of(syscalls.begin(), syscalls.end() - 1, [](std::uint32_t word) { return word == ~0U; });
}

bool Rule::has_syscall(unsigned number) const {
  return number < kSyscallLimit && (syscalls[number / 32] >> (number % 32) & 1U) != 0;
}

const Field* Rule::find(std::uint32_t field_id) const {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.id == field_id; });
  return found == fields.end() ? nullptr : &*found;
}

std::vector<std::string> Rule::keys() const {
  std::vector<std::string> keys;
  for (const Field& field : fields) {
    if (field.id != AUDIT_FILTERKEY) continue;
    for (std::size_t begin = 0; begin <= field.text.size();) {
      const std::size_t end = std::min(field.text.find('\x01', begin), field.text.size());
      if (end > begin) keys.push_back(field.text.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return keys;
}

std::string_view Rule::arch() const {
  const Field* arch = find(AUDIT_ARCH);
  if (arch == nullptr || arch->op != Op::equal) return {};
  return (arch->value & __AUDIT_ARCH_64BIT) != 0 ? "b64" : "b32";
}

namespace {

/// The kernel clears the class bits of a mask; beside all syscalls they change nothing.
bool same_mask(const Rule& a, const Rule& b) {
  if (a.syscalls == b.syscalls) return true;
  return a.all_syscalls() && b.all_syscalls() && ((a.syscalls.back() ^ b.syscalls.back()) & ~kClassBits) == 0;
}

}  // namespace

bool same_in_kernel(const Rule& a, const Rule& b) {
  return a.filter == b.filter && a.action == b.action && a.fields == b.fields && same_mask(a, b);
}

bool Line::valid() const {
  return std::none_of(diagnostics.begin(), diagnostics.end(),
                      [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::error; });
}

}  // namespace auditshift::auditd
