// SPDX-License-Identifier: Apache-2.0
#include "auditd/remarks.h"

#include <libaudit.h>

#include <algorithm>
#include <string>

#include "auditd/fields.h"
#include "auditd/machine.h"
#include "auditd/syscalls.h"
#include "auditd/tokens.h"
#include "base/text.h"

namespace auditshift::auditd {
namespace {

constexpr std::string_view kNoBreakSpace = "\xc2\xa0";

class Remarks {
 public:
  Remarks(const Rule& rule, const std::vector<std::size_t>& offsets, const ParseOptions& options)
      : rule_(rule), offsets_(offsets), options_(options) {}

  std::vector<Diagnostic> collect() {
    on_keys();
    on_list();
    on_arch();
    on_paths();
    on_user_ids();
    on_security_contexts();
    on_listing();
    return std::move(found_);
  }

 private:
  void add(std::size_t offset, Severity severity, const std::string& message) {
    found_.push_back({rule_.origin, static_cast<int>(offset + 1), severity, base::printable(message), {}});
  }
  std::size_t offset_of(const Field& field) const {
    return offsets_[static_cast<std::size_t>(&field - rule_.fields.data())];
  }

  void on_keys();
  void on_list();
  void on_arch();
  void on_paths();
  void on_missing(const Field& field, PathKind kind);
  void on_user_ids();
  void on_security_contexts();
  void on_listing();

  const Rule& rule_;
  const std::vector<std::size_t>& offsets_;
  const ParseOptions& options_;
  std::vector<Diagnostic> found_;
};

void Remarks::on_keys() {
  const Field* field = rule_.find(AUDIT_FILTERKEY);
  if (field == nullptr) return;
  for (const std::string& key : rule_.keys()) {
    const std::string& shown = key;
    if (key.ends_with('\r')) {
      add(offset_of(*field), Severity::warning, "the key ends with a carriage return: \"" + shown + "\"");
    } else if (key.starts_with('-')) {
      add(offset_of(*field), Severity::warning, "the key is \"" + shown + "\", which looks like an option");
    } else if (key.find(kNoBreakSpace) != std::string::npos) {
      add(offset_of(*field), Severity::warning,
          "the key has a no-break space, which is no blank: \"" + shown + "\"");
    } else if (key.find('\t') != std::string::npos) {
      add(offset_of(*field), Severity::warning,
          "the key has a tab, which does not end it: \"" + shown + "\"");
    }
  }
  if (field->op == Op::not_equal) {
    add(offset_of(*field), Severity::warning, "a key is a label; != makes no difference and is listed as =");
  }
}

bool evaluated_on_exclude(std::uint32_t field) {
  return field == AUDIT_PID || field == AUDIT_UID || field == AUDIT_GID || field == AUDIT_LOGINUID ||
         field == AUDIT_MSGTYPE || field == AUDIT_EXE ||
         (field >= AUDIT_SUBJ_USER && field <= AUDIT_SUBJ_CLR);
}

void Remarks::on_list() {
  const bool message_list = rule_.filter == Filter::exclude || rule_.filter == Filter::user;
  if (message_list && rule_.fields.empty()) {
    add(0, Severity::warning,
        "a rule without fields never matches on the " + std::string(to_string(rule_.filter)) + " list");
  }
  for (const Field& field : rule_.fields) {
    if (message_list && !evaluated_on_exclude(field.id)) {
      add(offset_of(field), Severity::warning,
          "the " + std::string(to_string(rule_.filter)) + " list does not evaluate " + field_name(field.id) +
              ": this rule does nothing, and no rule of the list behind it is looked at");
    }
    if (rule_.filter == Filter::task && field.id == AUDIT_EXE) {
      add(offset_of(field), Severity::warning, "exe never matches on the task list");
    }
  }
  if (rule_.filter == Filter::exclude && rule_.action == Action::never) {
    add(0, Severity::note, "the exclude list does not look at the action: never excludes, as always does");
  }
  if (rule_.watch && !rule_.all_syscalls()) add(0, Severity::warning, "a watch does not look at syscalls");
}

void Remarks::on_arch() {
  const auto native = native_arch(options_.machine);
  const auto companion = native ? companion_arch(*native) : std::nullopt;
  std::size_t seen = 0;
  for (const Field& field : rule_.fields) {
    if (field.id != AUDIT_ARCH) continue;
    if (++seen == 2) add(offset_of(field), Severity::warning, "a rule with two arch fields may never match");
    if (field.op == Op::equal && native && field.value != *native && field.value != companion) {
      add(offset_of(field), Severity::warning, "programs of this arch do not run on " + options_.machine);
    }
  }
}

void Remarks::on_missing(const Field& field, PathKind kind) {
  const bool parent_only = field.id != AUDIT_DIR;
  if (kind == PathKind::missing_parent || (kind == PathKind::missing && !parent_only)) {
    add(offset_of(field), Severity::warning,
        std::string(parent_only ? "the parent directory of " : "the directory ") + field.text +
            " does not exist: the kernel would refuse the rule now");
  } else if (kind == PathKind::missing && rule_.watch) {
    add(offset_of(field), Severity::note,
        field.text +
            " does not exist: the rule watches a file of that name, a directory made later is not walked");
  }
}

void Remarks::on_paths() {
  const HostView& host = options_.host != nullptr ? *options_.host : no_host();
  for (const Field& field : rule_.fields) {
    if (field.id != AUDIT_WATCH && field.id != AUDIT_DIR && field.id != AUDIT_EXE) continue;
    on_missing(field, host.kind_of(field.text));
    if (field.text.ends_with('\r')) {
      add(offset_of(field), Severity::warning, "the path ends with a carriage return");
    } else if (!rule_.watch && field.text.find_first_of("*?") != std::string::npos) {
      add(offset_of(field), Severity::warning, "wildcards in a path are taken literally");
    }
  }
}

void Remarks::on_user_ids() {
  const Field* unbounded = nullptr;
  bool excludes_unset = false;
  for (const Field& field : rule_.fields) {
    if (field.id != AUDIT_LOGINUID) continue;
    if (field.value == kUnset) excludes_unset = excludes_unset || field.op == Op::not_equal;
    if (field.op == Op::greater || field.op == Op::greater_or_equal) unbounded = &field;
    if (field.op == Op::less || field.op == Op::less_or_equal || field.op == Op::equal) excludes_unset = true;
  }
  if (unbounded != nullptr && !excludes_unset) {
    add(offset_of(*unbounded), Severity::note,
        "an unset auid is 4294967295, so this matches daemons too; auid!=unset leaves them out");
  }
}

void Remarks::on_security_contexts() {
  for (const Field& field : rule_.fields) {
    const bool subject = field.id >= AUDIT_SUBJ_USER && field.id <= AUDIT_SUBJ_CLR;
    const bool object = field.id >= AUDIT_OBJ_USER && field.id <= AUDIT_OBJ_LEV_HIGH;
    if (subject || object) {
      add(offset_of(field), Severity::note,
          field_name(field.id) + " never matches without SELinux (AppArmor knows subj_role only)");
    }
  }
}

void Remarks::on_listing() {
  const Field* exe = rule_.find(AUDIT_EXE);
  const AuditVersion& version = options_.version;
  const bool loses_operator = version < AuditVersion{3, 1, 5} ||
                              (version >= AuditVersion{4, 0, 0} && version < AuditVersion{4, 0, 2});
  if (exe != nullptr && exe->op == Op::not_equal && loses_operator) {
    add(offset_of(*exe), Severity::note, "auditctl -l of this version shows the rule as exe=");
  }
  const auto watch_field = [](const Field& field) {
    return field.id == AUDIT_PERM || field.id == AUDIT_WATCH || field.id == AUDIT_DIR ||
           field.id == AUDIT_FILTERKEY;
  };
  if (rule_.action == Action::never && rule_.filter == Filter::exit && rule_.all_syscalls() &&
      rule_.find(AUDIT_PERM) != nullptr &&
      std::all_of(rule_.fields.begin(), rule_.fields.end(), watch_field)) {
    add(0, Severity::note, "auditctl -l shows this exclusion as a watch");
  }
}

}  // namespace

std::vector<Diagnostic> remarks_on(const Rule& rule, const std::vector<std::size_t>& offsets,
                                   const ParseOptions& options) {
  return Remarks(rule, offsets, options).collect();
}

std::vector<Diagnostic> remarks_on_bytes(const Line& line) {
  std::vector<Diagnostic> found;
  const auto add = [&](std::size_t offset, Severity severity, std::string message) {
    found.push_back({line.origin, static_cast<int>(offset + 1), severity, std::move(message), {}});
  };
  const std::string_view visible = visible_part(line.text);
  if (visible.size() < line.text.size()) {
    add(visible.size(), Severity::warning, "a NUL byte ends the line for auditctl; what follows is not read");
  }
  if (line.kind == LineKind::statement) {
    if (visible.ends_with('\r')) {
      add(visible.size() - 1, Severity::warning,
          "the line ends with CR LF; auditctl takes the carriage return for a part of the last word");
    }
    if (const std::size_t tab = visible.find('\t'); tab != std::string_view::npos) {
      add(tab, Severity::warning, "a tab separates nothing; only blanks do");
    }
    if (const std::size_t blank = visible.find(kNoBreakSpace); blank != std::string_view::npos) {
      add(blank, Severity::warning, "a no-break space separates nothing; only blanks do");
    }
  }
  if (line.cut) {
    add(line.text.size(), Severity::warning,
        "auditctl cuts lines at 6,143 bytes; it takes the rest of this one for another line");
  }
  return found;
}

}  // namespace auditshift::auditd
