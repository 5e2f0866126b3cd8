// SPDX-License-Identifier: Apache-2.0
// The value forms of -F, as libaudit reads them.
#include <libaudit.h>
#include <linux/limits.h>

#include <cstdlib>

#include "auditd/fields.h"
#include "auditd/machine.h"
#include "base/text.h"

namespace auditshift::auditd {
namespace {

// AF_MAX of the kernels and C libraries that auditctl is built with.
constexpr std::uint32_t kAddressFamilies = 46;
constexpr int kLastErrno = 133;
constexpr int kFirstMessageType = 1000;
constexpr int kLastMessageType = 2999;
// The kernel's newest record types that audit 2.8 did not know: TIME_INJOFFSET, TIME_ADJNTPVAL, BPF, …
constexpr int kFirstTypeSince3 = 1332;
constexpr int kLastTypeSince3 = 1399;

bool starts_with_digit(std::string_view text) { return !text.empty() && text[0] >= '0' && text[0] <= '9'; }

bool is_negative(std::string_view text) {
  return text.size() >= 2 && text[0] == '-' && starts_with_digit(text.substr(1));
}

// Both read as much as looks like a number, base by prefix, and keep the low 32 bits; text behind it is
// ignored.
std::uint32_t unsigned_value(const std::string& text) {
  return static_cast<std::uint32_t>(std::strtoul(text.c_str(), nullptr, 0));
}
std::uint32_t signed_value(const std::string& text) {
  return static_cast<std::uint32_t>(std::strtol(text.c_str(), nullptr, 0));
}

std::string nearest_errno(const std::string& text) {
  std::vector<std::string_view> names;
  for (int number = 1; number <= kLastErrno; ++number) {
    if (const char* name = audit_errno_to_name(number)) names.emplace_back(name);
  }
  const bool negative = !text.empty() && text[0] == '-';
  const auto found = base::nearest(std::string_view(text).substr(negative ? 1 : 0), names);
  return found ? (negative ? "-" : "") + *found : "";
}

std::string nearest_message_type(const std::string& text) {
  std::vector<std::string_view> names;
  for (int type = kFirstMessageType; type <= kLastMessageType; ++type) {
    if (const char* name = audit_msg_type_to_name(type)) names.emplace_back(name);
  }
  return base::nearest(text, names).value_or("");
}

std::optional<std::uint32_t> read_user(const std::string& text, const HostView& host, FieldError& error) {
  if (starts_with_digit(text)) return unsigned_value(text);
  if (is_negative(text)) return signed_value(text);
  if (text == "unset") return kUnset;
  if (const auto uid = host.uid_of(text)) return uid;
  error.message = "there is no user \"" + text + "\" on this host";
  return std::nullopt;
}

std::optional<std::uint32_t> read_group(const std::string& text, const HostView& host, FieldError& error) {
  if (starts_with_digit(text)) return signed_value(text);
  if (const auto gid = host.gid_of(text)) return gid;
  error.message = "there is no group \"" + text + "\" on this host";
  return std::nullopt;
}

std::optional<std::uint32_t> read_exit_code(const std::string& text, FieldError& error) {
  if (starts_with_digit(text) || is_negative(text)) return signed_value(text);
  if (const int number = audit_name_to_errno(text.c_str()); number != 0)
    return static_cast<std::uint32_t>(number);
  error = {"\"" + text + "\" is no errno name", nearest_errno(text), 0};
  return std::nullopt;
}

std::optional<std::uint32_t> read_message_type(const std::string& text, const AuditVersion& version,
                                               FieldError& error) {
  if (starts_with_digit(text)) return signed_value(text);
  const int type = audit_name_to_msg_type(text.c_str());
  const bool too_new = version.major < 3 && type >= kFirstTypeSince3 && type <= kLastTypeSince3;
  if (type > 0 && !too_new) return static_cast<std::uint32_t>(type);
  error = {"\"" + text + "\" is no record type", nearest_message_type(text), 0};
  return std::nullopt;
}

std::optional<std::uint32_t> read_file_type(const std::string& text, FieldError& error) {
  if (const int type = audit_name_to_ftype(text.c_str()); type >= 0) return static_cast<std::uint32_t>(type);
  error = {"\"" + text + "\" is no file type",
           base::nearest(text, {"file", "dir", "socket", "link", "character", "block", "fifo"}).value_or(""),
           0};
  if (text == "symlink") error.suggestion = "link";
  return std::nullopt;
}

std::optional<std::uint32_t> read_filesystem_type(const std::string& text, FieldError& error) {
  const auto type = starts_with_digit(text) ? unsigned_value(text)
                                            : static_cast<std::uint32_t>(audit_name_to_fstype(text.c_str()));
  if (type != kUnset) return type;
  error = {"\"" + text + "\" is no file system that auditctl knows; its magic number works",
           base::nearest(text, {"tracefs", "debugfs"}).value_or(""), 0};
  return std::nullopt;
}

std::optional<std::uint32_t> read_address_family(const std::string& text, FieldError& error) {
  const std::uint32_t family = unsigned_value(text);
  if (family < kAddressFamilies) return family;
  error.message = "address families are numbers below " + std::to_string(kAddressFamilies);
  return std::nullopt;
}

std::optional<std::uint32_t> read_number(const std::string& text, bool negative_allowed, FieldError& error) {
  if (starts_with_digit(text)) return unsigned_value(text);
  if (negative_allowed && is_negative(text)) return signed_value(text);
  error.message = "the value must be a number, not \"" + text + "\"";
  return std::nullopt;
}

std::uint32_t read_session(const std::string& text) {
  if (starts_with_digit(text)) return unsigned_value(text);
  if (is_negative(text)) return signed_value(text);
  return text == "unset" ? kUnset : 0;
}

std::optional<std::uint32_t> read_arch(const std::string& text, const ParseOptions& options,
                                       FieldError& error) {
  if (const auto arch = arch_of(text, options.machine)) return arch;
  error = {"\"" + text + "\" is no machine that auditctl knows on " + options.machine,
           base::nearest(text, {"b64", "b32", "x86_64", "i386", "aarch64", "ppc64le", "s390x"}).value_or(""),
           0};
  return std::nullopt;
}

std::optional<std::uint32_t> read_text(std::uint32_t field, const std::string& text, FieldError& error) {
  const std::size_t limit = field == AUDIT_FILTERKEY ? AUDIT_MAX_KEY_LEN : PATH_MAX;
  if (text.size() <= limit) return static_cast<std::uint32_t>(text.size());
  error.message = "the text is longer than " + std::to_string(limit) + " bytes";
  return std::nullopt;
}

std::optional<std::uint32_t> read_value(std::uint32_t field, const std::string& text,
                                        const ParseOptions& options, FieldError& error) {
  const HostView& host = options.host != nullptr ? *options.host : no_host();
  switch (value_kind(field)) {
    case ValueKind::user:
      return read_user(text, host, error);
    case ValueKind::group:
      return read_group(text, host, error);
    case ValueKind::exit_code:
      return read_exit_code(text, error);
    case ValueKind::message_type:
      return read_message_type(text, options.version, error);
    case ValueKind::arch:
      return read_arch(text, options, error);
    case ValueKind::permissions:
      return read_permissions(text, error);
    case ValueKind::file_type:
      return read_file_type(text, error);
    case ValueKind::filesystem_type:
      return read_filesystem_type(text, error);
    case ValueKind::address_family:
      return read_address_family(text, error);
    case ValueKind::session:
      return read_session(text);
    case ValueKind::text:
      return read_text(field, text, error);
    case ValueKind::signed_number:
      return read_number(text, true, error);
    case ValueKind::number:
      break;
  }
  if (field == AUDIT_INODE) return read_number(text, false, error);
  const auto number = read_number(text, false, error);
  return number ? std::optional(signed_value(text)) : std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> read_permissions(std::string_view text, FieldError& error) {
  if (text.size() > 4) {
    error.message = "at most four permissions of r, w, x and a";
    return std::nullopt;
  }
  std::uint32_t permissions = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i] | 0x20) {
      case 'r':
        permissions |= AUDIT_PERM_READ;
        break;
      case 'w':
        permissions |= AUDIT_PERM_WRITE;
        break;
      case 'x':
        permissions |= AUDIT_PERM_EXEC;
        break;
      case 'a':
        permissions |= AUDIT_PERM_ATTR;
        break;
      default:
        error = {"permissions are r, w, x and a, not \"" + std::string(1, text[i]) + "\"", "", i};
        return std::nullopt;
    }
  }
  return permissions;
}

std::optional<Field> read_field(std::uint32_t field, const FieldText& text, const ParseOptions& options,
                                FieldError& error) {
  const std::optional<std::uint32_t> value = read_value(field, text.value, options, error);
  if (!value) {
    error.offset += text.value_offset;
    return std::nullopt;
  }
  return Field{field, text.op, *value, is_text_field(field) ? text.value : ""};
}

}  // namespace auditshift::auditd
