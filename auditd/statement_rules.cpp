// SPDX-License-Identifier: Apache-2.0
// The options that build a rule: -a -A -d, -w -W, -S, -F, -C, -p, -k.
#include <libaudit.h>
#include <linux/limits.h>

#include <algorithm>

#include "auditd/machine.h"
#include "auditd/statement.h"
#include "base/text.h"

namespace auditshift::auditd {
namespace {

constexpr std::size_t kMostFields = AUDIT_MAX_FIELDS - 1;
const std::vector<std::string_view> kListWords{"task",       "exit",     "user",  "exclude",
                                               "filesystem", "io_uring", "never", "always"};

std::optional<Filter> list_of(const std::string& word, const AuditVersion& version) {
  const bool since_31 = version >= AuditVersion{3, 1, 0};
  const std::string name = since_31 ? base::to_lower(word) : word;
  if (name == "task") return Filter::task;
  if (name == "exit") return Filter::exit;
  if (name == "user") return Filter::user;
  if (name == "exclude") return Filter::exclude;
  if (name == "filesystem") return Filter::filesystem;
  if (name == "io_uring" && since_31) return Filter::io_uring;
  return std::nullopt;
}

std::optional<Action> action_of(const std::string& word) {
  if (word == "always") return Action::always;
  if (word == "never") return Action::never;
  if (word == "possible") return Action::possible;
  return std::nullopt;
}

enum class ListResult { taken, deprecated, bad };

/// auditctl's reading of LIST,ACTION: each half may be either; a list that is there already turns the second
/// half into the action.
ListResult read_list(const std::string& argument, const AuditVersion& version, std::optional<Filter>& list,
                     std::optional<Action>& action) {
  const std::size_t comma = argument.find(',');
  if (comma == std::string::npos || argument.find(',', comma + 1) != std::string::npos)
    return ListResult::bad;
  const std::string first = argument.substr(0, comma);
  const std::string second = argument.substr(comma + 1);
  if (const auto found = action_of(first)) {
    if (*found != Action::possible) action = found;
  } else {
    const auto filter = list_of(first, version);
    if (!filter) return ListResult::bad;
    list = filter;
  }
  if (!list) {
    list = list_of(second, version);
  } else {
    const auto found = action_of(second);
    if (!found) return ListResult::bad;
    if (*found == Action::possible) return ListResult::deprecated;
    action = found;
  }
  return list && action ? ListResult::taken : ListResult::bad;
}

/// The half of the argument that is neither list nor action, for a suggestion.
std::string suggest_list(const std::string& argument) {
  std::vector<std::string> halves;
  bool changed = false;
  for (const std::string_view half : base::split(argument, ',')) {
    const auto found = base::nearest(half, kListWords);
    changed = changed || (found && *found != half);
    halves.push_back(found.value_or(std::string(half)));
  }
  return changed && halves.size() == 2 ? base::join(halves, ",") : "";
}

/// Audit 2 kept these keys for its intrusion detection and checked their form.
bool is_bad_ids_key(const std::string& key) {
  return key.starts_with("ids-") && key != "ids-mkexec" && !key.ends_with("-low") && !key.ends_with("-med") &&
         !key.ends_with("-hi");
}

std::string_view base_name(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path.substr(path.rfind('/') + 1);
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

void Statement::take_list(const Option& option) {
  if (option.letter == 'd' && options_.version == AuditVersion{4, 0, 4}) {
    return fail(option.offset, "audit 4.0.4 does not know the option -d");
  }
  if (option.letter != 'd' && syscalls_given_ && option.argument.find("task") != std::string::npos) {
    return fail(option.argument_offset, "the task list takes no syscalls");
  }
  if (list_given_) return fail(option.offset, "a line takes one of -a, -A and -d only once");
  list_given_ = true;
  // Measured: from 4.0.4 to 4.1.0 -A removes the rule.
  const bool removes =
      option.letter == 'd' || (option.letter == 'A' && !older_than(4, 0, 4) && older_than(4, 1, 1));
  switch (read_list(option.argument, options_.version, removes ? remove_ : add_, action_)) {
    case ListResult::bad:
      return fail(option.argument_offset,
                  "\"" + option.argument + "\" is no pair of a list and an action, such as always,exit",
                  suggest_list(option.argument));
    case ListResult::deprecated:
      warn(option.argument_offset, "the action possible is deprecated; the line is passed over");
      status_ = Status::success;
      add_.reset();
      remove_.reset();
      ended_ = true;
      return;
    case ListResult::taken:
      break;
  }
  if (option.letter == 'A' && removes) {
    warn(option.offset, "-A removes the rule in audit " + options_.version.to_string() +
                            " instead of putting it first (repaired in 4.1.1)");
  }
  prepend_ = option.letter == 'A' && !removes;
  status_ = Status::rule;
}

void Statement::take_watch(const Option& option) {
  if (option.letter == 'w' && list()) {
    return fail(option.offset, "a watch must stand alone, without a list before it");
  }
  std::string path = option.argument;
  if (path.size() >= PATH_MAX) return fail(option.argument_offset, "the path is longer than 4095 bytes");
  if (path.empty() || path[0] != '/') {
    return fail(option.argument_offset,
                path.starts_with('"') || path.starts_with('\'')
                    ? "the path must begin with /; auditctl knows no quotes, a blank is "
                      "written as \"\\ \""
                    : "the path must begin with /");
  }
  if (base_name(path).size() > NAME_MAX) {
    return fail(option.argument_offset, "the last part of the path is longer than 255 bytes");
  }
  if (path.find("..") != std::string::npos)
    warn(option.argument_offset, "\"..\" in a path is taken literally");
  if (path.find_first_of("*?") != std::string::npos) {
    warn(option.argument_offset, "wildcards in a path are taken literally");
  }
  if (path.size() > 2) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
  }
  (option.letter == 'w' ? add_ : remove_) = Filter::exit;
  action_ = Action::always;
  syscalls_given_ = true;
  watch_ = true;
  if (!fields_.empty()) return fail(option.offset, "a watch must stand alone, without fields before it");
  const HostView& host = options_.host != nullptr ? *options_.host : no_host();
  const bool directory = host.kind_of(path) == PathKind::directory;
  const auto length = static_cast<std::uint32_t>(path.size());
  fields_.push_back(
      {directory ? std::uint32_t{AUDIT_DIR} : std::uint32_t{AUDIT_WATCH}, Op::equal, length, path});
  fields_.push_back(
      {AUDIT_PERM, Op::equal, AUDIT_PERM_READ | AUDIT_PERM_WRITE | AUDIT_PERM_EXEC | AUDIT_PERM_ATTR, ""});
  field_offsets_.assign(2, option.argument_offset);
  set_all(mask_);
  permission_given_ = true;
  status_ = Status::rule;
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
