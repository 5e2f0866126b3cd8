// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace auditshift::auditd {

/// AUDIT_ARCH_* of a host whose uname -m says `machine`; nothing for one that libaudit does not know.
std::optional<std::uint32_t> native_arch(const std::string& machine);

/// AUDIT_ARCH_* of the 32-bit ABI beside it; nothing when there is none.
std::optional<std::uint32_t> companion_arch(std::uint32_t native);

/// What the value of an `arch` field means on such a host: b64, b32, a machine's name, or a number.
std::optional<std::uint32_t> arch_of(const std::string& value, const std::string& machine);

/// The syscall's number in that ABI, or nothing. Names are not case-sensitive.
std::optional<unsigned> syscall_number(const std::string& name, std::uint32_t arch);

/// The syscall's name in that ABI as libaudit knows it, or null.
const char* syscall_name(unsigned number, std::uint32_t arch);

}  // namespace auditshift::auditd
