// SPDX-License-Identifier: Apache-2.0
#include "auditd/machine.h"

#include <libaudit.h>

#include <cerrno>
#include <cstdlib>

#include "base/text.h"

namespace auditshift::auditd {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<std::uint32_t> arch_of_machine(int machine) {
  const std::uint32_t arch = machine < 0 ? 0 : audit_machine_to_elf(machine);
  if (arch == 0) return std::nullopt;
  return arch;
}

/// The machine whose 32-bit programs this one runs, or the machine itself.
int machine_for_32_bits(int machine) {
  switch (machine) {
    case MACH_86_64:
      return MACH_X86;
    case MACH_PPC64:
      return MACH_PPC;
    case MACH_S390X:
      return MACH_S390;
    case MACH_AARCH64:
      return MACH_ARM;
    default:
      return machine;
  }
}

bool has_64_bits(int machine) {
  const std::optional<std::uint32_t> arch = arch_of_machine(machine);
  return arch && (*arch & __AUDIT_ARCH_64BIT) != 0;
}

/// A number in the given base, 0 for the base that its prefix names; nothing when it is out of range.
std::optional<std::uint32_t> number_in_base(const std::string& text, int base) {
  errno = 0;
  const unsigned long number = std::strtoul(text.c_str(), nullptr, base);
  if (errno != 0) return std::nullopt;
  return static_cast<std::uint32_t>(number);
}

}  // namespace

std::optional<std::uint32_t> native_arch(const std::string& machine) {
  return arch_of_machine(audit_name_to_machine(machine.c_str()));
}

std::optional<std::uint32_t> companion_arch(std::uint32_t native) {
  const int machine = audit_elf_to_machine(native);
  const int companion = machine_for_32_bits(machine);
  if (machine < 0 || companion == machine) return std::nullopt;
  return arch_of_machine(companion);
}

std::optional<std::uint32_t> arch_of(const std::string& value, const std::string& machine) {
  if (!value.empty() && is_digit(value[0])) {
    const std::optional<std::uint32_t> arch = number_in_base(value, 0);
    if (!arch || audit_elf_to_machine(*arch) < 0) return std::nullopt;
    return arch;
  }
  const std::string name = base::to_lower(value);
  const int host = audit_name_to_machine(machine.c_str());
  if (name == "b64") return has_64_bits(host) ? arch_of_machine(host) : std::nullopt;
  if (name == "b32") return arch_of_machine(machine_for_32_bits(host));
  int named = audit_name_to_machine(value.c_str());
  if (named < 0) {
    // Without a leading digit the number is hexadecimal: c000003e.
    const std::optional<std::uint32_t> arch = number_in_base(value, 16);
    named = arch ? audit_elf_to_machine(*arch) : -1;
  }
  return arch_of_machine(named);
}

std::optional<unsigned> syscall_number(const std::string& name, std::uint32_t arch) {
  const int machine = audit_elf_to_machine(arch);
  const int number = machine < 0 ? -1 : audit_name_to_syscall(name.c_str(), machine);
  if (number < 0) return std::nullopt;
  return static_cast<unsigned>(number);
}

const char* syscall_name(unsigned number, std::uint32_t arch) {
  const int machine = audit_elf_to_machine(arch);
  return machine < 0 ? nullptr : audit_syscall_to_name(static_cast<int>(number), machine);
}

}  // namespace auditshift::auditd
