// SPDX-License-Identifier: Apache-2.0
#include "auditd/normalize.h"

#include <libaudit.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <list>
#include <unordered_map>

#include "auditd/fields.h"
#include "auditd/machine.h"
#include "auditd/rule_identity.h"
#include "auditd/syscalls.h"

namespace auditshift::auditd {
namespace {

bool is_watch_field(const Field& field) {
  return field.id == AUDIT_PERM || field.id == AUDIT_FILTERKEY || field.id == AUDIT_DIR ||
         field.id == AUDIT_WATCH;
}

bool takes_syscalls(Filter filter) { return filter == Filter::exit || filter == Filter::io_uring; }

/// auditctl's own test, which looks at neither action nor operators.
bool looks_like_watch(const Rule& rule) {
  return rule.find(AUDIT_PERM) != nullptr &&
         std::all_of(rule.fields.begin(), rule.fields.end(), is_watch_field) &&
         (!takes_syscalls(rule.filter) || rule.all_syscalls());
}

std::string hexadecimal(std::uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%X", value);
  return text;
}

std::string decimal(std::uint32_t value) { return std::to_string(static_cast<std::int32_t>(value)); }

std::string permissions_text(std::uint32_t permissions) {
  std::string text;
  if ((permissions & AUDIT_PERM_READ) != 0) text += 'r';
  if ((permissions & AUDIT_PERM_WRITE) != 0) text += 'w';
  if ((permissions & AUDIT_PERM_EXEC) != 0) text += 'x';
  if ((permissions & AUDIT_PERM_ATTR) != 0) text += 'a';
  return text;
}

std::string exit_code_text(std::uint32_t value) {
  const auto code = static_cast<std::int32_t>(value);
  const char* name = code < 0 ? audit_errno_to_name(static_cast<int>(0U - value)) : nullptr;
  return name != nullptr ? std::string("-") + name : std::to_string(code);
}

std::string message_type_text(std::uint32_t value) {
  const char* name = audit_msg_type_to_name(static_cast<int>(value));
  return name != nullptr ? name : decimal(value);
}

std::string filesystem_type_text(std::uint32_t value) {
  const char* name = audit_fstype_to_name(static_cast<int>(value));
  return name != nullptr ? name : decimal(value);
}

/// Writes one rule as audit_print_rule of auditctl does.
class Listing {
 public:
  Listing(const Rule& rule, const AuditVersion& version, std::string_view machine)
      : rule_(rule), version_(version), machine_(machine), watch_(looks_like_watch(rule)) {}

  std::string write() {
    if (!watch_) {
      text_ = "-a " + std::string(to_string(rule_.action)) + "," + list_name();
      for (const Field& field : rule_.fields) {
        if (field.id == AUDIT_ARCH) write_arch(field);
      }
      if (takes_syscalls(rule_.filter)) write_syscalls();
    }
    for (const Field& field : rule_.fields) {
      if (field.id != AUDIT_ARCH) write_field(field);
    }
    return text_;
  }

 private:
  std::string list_name() const {
    if (rule_.filter == Filter::io_uring && version_ < AuditVersion{3, 1, 0}) return "(null)";
    return std::string(to_string(rule_.filter));
  }

  void write_arch(const Field& field) {
    arch_ = field.value;
    text_ += " -F arch" + std::string(to_string(field.op));
    if (audit_elf_to_machine(field.value) < 0) {
      text_ += hexadecimal(field.value);
    } else {
      text_ += (field.value & __AUDIT_ARCH_64BIT) != 0 ? "b64" : "b32";
    }
  }

  void write_syscalls() {
    if (rule_.all_syscalls()) {
      text_ += " -S all";
      return;
    }
    const std::uint32_t native = native_arch(machine_).value_or(0);
    const SyscallMask mask = expand_classes(rule_.syscalls, native);
    const bool operations = rule_.filter == Filter::io_uring && version_ >= AuditVersion{3, 1, 0};
    const char* separator = " -S ";
    for (unsigned number = 0; number < kSyscallLimit; ++number) {
      if ((mask[number / 32] >> (number % 32) & 1U) == 0) continue;
      const char* name = operations ? io_uring_operation(number)
                                    : listed_syscall_name(number, arch_ != 0 ? arch_ : native, version_);
      text_ += separator + (name != nullptr ? name : std::to_string(number));
      separator = ",";
    }
  }

  void write_field(const Field& field) {
    const std::string sign(to_string(field.op));
    const std::string start = " -F " + field_name(field.id) + sign;
    switch (field.id) {
      case AUDIT_MSGTYPE:
        text_ += start + message_type_text(field.value);
        break;
      case AUDIT_WATCH:
      case AUDIT_DIR:
        text_ += (watch_ ? "-w " : " -F " + field_name(field.id) + "=") + field.text;
        break;
      case AUDIT_EXE:
        text_ += " -F exe" + (keeps_exe_operator() ? sign : "=") + field.text;
        break;
      case AUDIT_FILTERKEY:
        write_keys(field);
        break;
      case AUDIT_PERM:
        text_ += (watch_ ? " -p " : " -F perm=") + permissions_text(field.value);
        break;
      case AUDIT_INODE:
        text_ += start + std::to_string(field.value);
        break;
      case AUDIT_FIELD_COMPARE:
        write_comparison(field);
        break;
      case AUDIT_ARG0:
      case AUDIT_ARG1:
      case AUDIT_ARG2:
      case AUDIT_ARG3:
        text_ += start + hexadecimal(field.value);
        break;
      case AUDIT_FSTYPE:
        text_ += start + filesystem_type_text(field.value);
        break;
      case AUDIT_EXIT:
        text_ += start + exit_code_text(field.value);
        break;
      default:
        write_other(field, start);
    }
  }

  void write_other(const Field& field, const std::string& start) {
    if (is_text_field(field.id)) {
      text_ += start + field.text;
    } else if (audit_field_to_name(static_cast<int>(field.id)) != nullptr) {
      text_ += start + decimal(field.value);
    } else {
      text_ += " " + field_name(field.id) + std::string(to_string(field.op)) + decimal(field.value);
    }
  }

  bool keeps_exe_operator() const {
    return version_ >= AuditVersion{4, 0, 2} ||
           (version_ >= AuditVersion{3, 1, 5} && version_ < AuditVersion{4, 0, 0});
  }

  void write_keys(const Field& field) {
    for (std::size_t begin = 0; begin < field.text.size();) {
      const std::size_t end = std::min(field.text.find('\x01', begin), field.text.size());
      if (end > begin) text_ += (watch_ ? " -k " : " -F key=") + field.text.substr(begin, end - begin);
      begin = end + 1;
    }
  }

  void write_comparison(const Field& field) {
    const auto [first, second] = comparison_names(field.value);
    if (first.empty()) return;  // auditctl prints nothing for one that it does not know
    text_ += " -C " + std::string(first) + std::string(to_string(field.op)) + std::string(second);
  }

  const Rule& rule_;
  const AuditVersion& version_;
  std::string machine_;
  bool watch_;
  std::uint32_t arch_ = 0;
  std::string text_;
};

}  // namespace

std::string normalize(const Rule& rule, const AuditVersion& version, std::string_view machine) {
  return Listing(rule, version, machine).write();
}

std::vector<Rule> kernel_order(const std::vector<Rule>& rules) {
  std::list<Rule> ordered;
  // Equal rules that are loaded, the first in order last: another one only ever comes before them.
  std::unordered_map<std::string, std::vector<std::list<Rule>::iterator>> loaded;
  for (const Rule& rule : rules) {
    auto& equal = loaded[identity_of(rule)];
    if (rule.verb == RuleVerb::remove) {
      if (equal.empty()) continue;
      ordered.erase(equal.back());
      equal.pop_back();
    } else if (rule.verb == RuleVerb::prepend) {
      // The kernel does not look for an equal rule here, so that -A can put one there twice.
      equal.push_back(ordered.insert(ordered.begin(), rule));
    } else if (equal.empty()) {
      equal.push_back(ordered.insert(ordered.end(), rule));
    }
  }
  ordered.sort([](const Rule& a, const Rule& b) { return a.filter < b.filter; });  // stable
  return {std::make_move_iterator(ordered.begin()), std::make_move_iterator(ordered.end())};
}

}  // namespace auditshift::auditd
