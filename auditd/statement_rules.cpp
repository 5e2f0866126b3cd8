// SPDX-License-Identifier: Apache-2.0
// What a rule matches: -S, -F, -C, -p, -k.
#include <libaudit.h>

#include "auditd/machine.h"
#include "auditd/statement.h"
#include "base/text.h"

namespace auditshift::auditd {
namespace {

/// Audit 2 kept these keys for its intrusion detection and checked their form.
bool is_bad_ids_key(const std::string& key) {
  return key.starts_with("ids-") && key != "ids-mkexec" && !key.ends_with("-low") && !key.ends_with("-med") &&
         !key.ends_with("-hi");
}

}  // namespace

bool Statement::take_rule_option(const Option& option) {
  switch (option.letter) {
    case 'a':
    case 'A':
    case 'd':
      take_list(option);
      return true;
    case 'w':
    case 'W':
      take_watch(option);
      return true;
    case 'S':
      take_syscalls(option);
      return true;
    case 'F':
      take_field(option);
      return true;
    case 'C':
      take_comparison(option);
      return true;
    case 'p':
      take_permissions(option);
      return true;
    case 'k':
      if (!place().key_allowed || !list()) {
        fail(option.offset, "-k needs a watch, a syscall, a path, a permission or an exe before it");
      } else {
        take_key(option.argument, option.argument_offset);
      }
      return true;
    default:
      return false;
  }
}

void Statement::take_syscalls(const Option& option) {
  const bool has_list = list().has_value();
  if (has_list && *list() == Filter::io_uring) {
    if (const auto unknown = add_io_uring_operations(option.argument, options_.version, mask_)) {
      return fail(option.argument_offset + unknown->offset,
                  "\"" + unknown->word + "\" is no io_uring operation: " + unknown->reason,
                  unknown->suggestion);
    }
    syscalls_given_ = true;
    return;
  }
  if (has_list && *list() != Filter::exit) {
    return fail(option.offset, "the " + std::string(to_string(*list())) + " list takes no syscalls");
  }
  const std::uint32_t native = native_arch(options_.machine).value_or(0);
  const bool arch_unknown = arch_ == 0;
  if (arch_unknown) arch_ = native;
  if (arch_ == 0) return fail(option.offset, "libaudit does not know the machine " + options_.machine);
  if (const auto unknown = add_syscalls(option.argument, {arch_, native, options_.version}, mask_)) {
    std::string message = "\"" + unknown->word + "\" is no syscall of " + field_name(AUDIT_ARCH) + "=" +
                          ((arch_ & __AUDIT_ARCH_64BIT) != 0 ? "b64" : "b32");
    if (!unknown->reason.empty()) message += ": " + unknown->reason;
    return fail(option.argument_offset + unknown->offset, message, unknown->suggestion);
  }
  syscalls_given_ = true;
  if (arch_unknown && add_ && !watch_) warn_of_abi_mismatch(option);
}

/// Without an arch the numbers count for both ABIs; auditctl warns when the names differ between them.
void Statement::warn_of_abi_mismatch(const Option& option) {
  const std::optional<std::uint32_t> companion = companion_arch(arch_);
  if (!companion) return;
  SyscallMask other{};
  (void)add_syscalls(option.argument, {*companion, arch_, options_.version}, other);
  if (other != mask_) {
    warn(option.argument_offset,
         "without an arch field the syscall numbers count for 32-bit programs too, where they mean other "
         "syscalls");
  }
}

void Statement::take_field(const Option& option) {
  if (!list()) {
    // auditctl lets an arch through when -t is the next word.
    const Token* next = reader_->word(reader_->index());
    if (next == nullptr || next->text != "-t" || option.argument.find("arch=") == std::string::npos) {
      return fail(option.offset, "a list (-a, -A, -d) or a watch must come before a field");
    }
  }
  if (option.argument.starts_with("key="))
    return take_key(option.argument.substr(4), option.argument_offset + 4);
  if (fields_.size() >= kMostFields) return fail(option.offset, "a rule holds at most 63 fields");
  const std::optional<FieldText> text = split_field(option.argument);
  if (!text) {
    return fail(option.argument_offset, "\"" + option.argument + "\" has no operator (= != < > <= >= & &=)");
  }
  if (text->name.empty()) return fail(option.argument_offset, "there is no field name before the operator");
  if (text->value.empty()) {
    return fail(option.argument_offset + text->value_offset, "there is no value behind the operator");
  }
  const std::optional<std::uint32_t> id = field_number(text->name, options_.version);
  if (!id) {
    const bool quoted = text->name.find_first_of("\"'") != std::string::npos;
    return fail(option.argument_offset,
                "there is no field \"" + text->name + "\"" + (quoted ? "; auditctl knows no quotes" : ""),
                base::nearest(text->name, all_field_names()).value_or(""));
  }
  add_field(*id, *text, option);
}

void Statement::add_field(std::uint32_t id, const FieldText& text, const Option& option) {
  if (id == AUDIT_WATCH || id == AUDIT_DIR) permission_given_ = true;
  if (id == AUDIT_EXE) exe_given_ = true;
  if (const auto error = check_field_place(id, text, place(), options_.version)) {
    return fail(option.argument_offset + error->offset, error->message, error->suggestion);
  }
  FieldError error;
  const std::optional<Field> field = read_field(id, text, options_, error);
  if (!field) return fail(option.argument_offset + error.offset, error.message, error.suggestion);
  note_number_quirks(id, text.value, option.argument_offset + text.value_offset);
  fields_.push_back(*field);
  field_offsets_.push_back(option.argument_offset);
  if (id == AUDIT_ARCH) {
    arch_ = field->value;
    arch_given_ = true;
  }
  if (id == AUDIT_FSTYPE) filesystem_given_ = true;
  if (id == AUDIT_PERM) {
    permission_given_ = true;
    if (permission_adds_syscalls(options_.version) && arch_given_) {
      if (syscalls_given_) {
        warn(option.argument_offset,
             "from audit 3.1.3 on, perm behind an arch adds its syscalls to those of -S", Severity::note);
      }
      add_permission_syscalls(field->value, {arch_, arch_, options_.version}, mask_);
      syscalls_given_ = true;
    }
  }
}

/// Numbers that libaudit reads otherwise than a person would.
void Statement::note_number_quirks(std::uint32_t id, const std::string& value, std::size_t offset) {
  const ValueKind kind = value_kind(id);
  if (kind == ValueKind::text || kind == ValueKind::permissions || kind == ValueKind::arch) return;
  const std::size_t sign = value.starts_with('-') ? 1 : 0;
  if (kind == ValueKind::session && value != "unset" && (value[sign] < '0' || value[sign] > '9')) {
    return warn(offset, "\"" + value + "\" is no session id and counts as 0");
  }
  if (kind == ValueKind::address_family && (value[0] < '0' || value[0] > '9')) {
    return warn(offset, "address families are numbers; \"" + value + "\" counts as 0");
  }
  if (value.size() <= sign || value[sign] < '0' || value[sign] > '9') return;
  const bool hexadecimal = value.size() > sign + 2 && value[sign] == '0' && (value[sign + 1] | 0x20) == 'x';
  const std::string_view digits = std::string_view(value).substr(hexadecimal ? sign + 2 : sign);
  const bool octal = !hexadecimal && digits.size() > 1 && digits[0] == '0';
  const std::string_view allowed = hexadecimal ? "0123456789abcdefABCDEF" : octal ? "01234567" : "0123456789";
  if (const std::size_t end = digits.find_first_not_of(allowed); end != std::string_view::npos) {
    warn(offset, "the number ends before \"" + std::string(digits.substr(end)) + "\", which is passed over");
  } else if (octal) {
    warn(offset, "a number that begins with 0 is octal");
  }
}

void Statement::take_comparison(const Option& option) {
  if (fields_.size() >= kMostFields) return fail(option.offset, "a rule holds at most 63 fields");
  FieldError error;
  const std::optional<Field> field = read_comparison(option.argument, place(), options_.version, error);
  if (!field) return fail(option.argument_offset + error.offset, error.message, error.suggestion);
  fields_.push_back(*field);
  field_offsets_.push_back(option.argument_offset);
}

void Statement::take_permissions(const Option& option) {
  if (!list()) return fail(option.offset, "-p needs a watch or a list before it");
  FieldError error;
  const std::optional<std::uint32_t> permissions = read_permissions(option.argument, error);
  if (!permissions) return fail(option.argument_offset + error.offset, error.message);
  if (fields_.empty()) return fail(option.offset, "-p needs a path before it");
  bool done = false;
  for (Field& field : fields_) {
    if (field.id != AUDIT_PERM) continue;
    field.value = *permissions;
    done = true;
  }
  if (!done) {
    if (fields_.size() >= kMostFields) return fail(option.offset, "a rule holds at most 63 fields");
    fields_.push_back({AUDIT_PERM, Op::equal, *permissions, ""});
    field_offsets_.push_back(option.argument_offset);
  }
  permission_given_ = true;
  status_ = Status::rule;
}

void Statement::take_key(const std::string& key, std::size_t offset) {
  if (key.size() + key_.size() + (key_.empty() ? 0 : 1) > AUDIT_MAX_KEY_LEN) {
    return fail(offset, "the keys are longer than 256 bytes together");
  }
  if (older_than(3, 0, 0) && is_bad_ids_key(key)) {
    return fail(offset, "before audit 3.0, keys that begin with ids- must end with -low, -med or -hi");
  }
  if (key.find('\x01') != std::string::npos) {
    if (!older_than(4, 1, 4)) return fail(offset, "a key must not contain the byte 0x01");
    warn(offset, "the byte 0x01 splits the key in two");
  }
  if (key_.empty()) {
    key_offset_ = offset;
  } else {
    key_ += '\x01';
  }
  key_ += key;
}

}  // namespace auditshift::auditd
