// SPDX-License-Identifier: Apache-2.0
#include "migrate/exclusion_untranslatable.h"

#include <libaudit.h>

#include <algorithm>

#include "base/text.h"

namespace auditshift::migrate {
namespace {

using auditd::Field;
using auditd::Filter;
using About = IntentGroup::About;

constexpr const char* kStatistics =
    "watch the sensor's statistics; where a program causes the load, exclude that program";

struct FieldAdvice {
  std::uint32_t first;
  std::uint32_t last;
  std::string_view reason;
  std::string_view advice;
};

/// By field; the first line that holds the field counts.
constexpr FieldAdvice kFields[] = {
    {AUDIT_PID, AUDIT_PID, "a pid names another process after the next start; global exclusions have none",
     "exclude the program that had the pid, as a process"},
    {AUDIT_PPID, AUDIT_PPID, "a pid names another process after the next start; global exclusions have none",
     "exclude the programs that the parent starts, as processes"},
    {AUDIT_LOGINUID, AUDIT_LOGINUID, "global exclusions know no users, and no login users",
     "filter by auid where the events are stored; the sensor's events carry it"},
    {AUDIT_UID, AUDIT_FSGID, "global exclusions know no users and groups",
     "if the account runs one program, exclude that program as a process"},
    {AUDIT_SESSIONID, AUDIT_SESSIONID, "global exclusions know no sessions",
     "filter by session where the events are stored"},
    {AUDIT_EXIT, AUDIT_SUCCESS, "global exclusions do not look at the result of a call",
     "the sensor reports of failed calls only those that were refused; filter the rest where they are "
     "stored"},
    {AUDIT_ARCH, AUDIT_ARCH, "global exclusions do not tell ABIs apart", kStatistics},
    {AUDIT_PERS, AUDIT_PERS, "global exclusions do not tell ABIs apart", kStatistics},
    {AUDIT_ARG0, AUDIT_ARG3, "global exclusions do not look at a call's arguments", kStatistics},
    {AUDIT_SUBJ_USER, AUDIT_SUBJ_CLR, "global exclusions know no security labels",
     "exclude the programs that run under the label, as processes"},
    {AUDIT_OBJ_USER, AUDIT_OBJ_LEV_HIGH, "global exclusions know no security labels",
     "exclude the folder that holds files of the label"},
    {AUDIT_OBJ_UID, AUDIT_OBJ_GID, "global exclusions do not look at a file's owner",
     "exclude the folder that holds these files"},
    {AUDIT_INODE, AUDIT_INODE,
     "an inode number names another file after a while; global exclusions have none",
     "exclude the file by its path"},
    {AUDIT_DEVMAJOR, AUDIT_DEVMINOR, "global exclusions know no devices",
     "exclude the folder where the device is mounted"},
    {AUDIT_FILETYPE, AUDIT_FILETYPE, "global exclusions know no file types", kStatistics},
    {AUDIT_SADDR_FAM, AUDIT_SADDR_FAM, "global exclusions know no address families", kStatistics},
    {AUDIT_FIELD_COMPARE, AUDIT_FIELD_COMPARE, "global exclusions do not compare two properties of a process",
     kStatistics},
};

void explain_field(const Field& field, ExclusionIntent& intent) {
  const bool path = field.id == AUDIT_EXE || field.id == AUDIT_DIR || field.id == AUDIT_WATCH;
  if (path) {  // only operators other than = come here
    intent.reason = "global exclusions cannot say \"all but\"";
    intent.advice = "exclude the few busy programs by name instead of all but one";
    return;
  }
  for (const FieldAdvice& known : kFields) {
    if (field.id < known.first || field.id > known.last) continue;
    intent.reason = known.reason;
    intent.advice = known.advice;
    return;
  }
  intent.reason = "global exclusions know processes, folders and files only";
  intent.advice = kStatistics;
}

void explain_conditions(const IntentGroup& group, ExclusionIntent& intent) {
  const std::vector<const Field*> subject = subject_fields(*group.rules.front()->rule);
  std::vector<std::string> conditions;
  bool program = false;
  bool place = false;
  for (const Field* field : subject) {
    conditions.push_back(field_text(*field));
    program = program || field->id == AUDIT_EXE;
    place = place || field->id == AUDIT_DIR || field->id == AUDIT_WATCH;
  }
  intent.intent = "keep out events with " + base::join(conditions, " and ");
  if (subject.size() == 1) {
    explain_field(*subject.front(), intent);
    return;
  }
  intent.reason = "a global exclusion holds one condition; any part of this one alone would keep out more";
  intent.advice =
      program && place
          ? "decide whether the program may touch anything unseen, or anybody the place: either half is "
            "broader. Without the entry the host is watched more, not less"
      : program ? "exclude the program as a process, if all it does may go unseen"
                : kStatistics;
}

void explain_syscalls(const Facts& facts, const IntentGroup& group, ExclusionIntent& intent) {
  std::vector<std::string> names;
  bool every = false;
  for (const InventoryRule* entry : group.rules) {
    const auto of_rule = syscall_names(*entry->rule, facts.host.architecture);
    every = every || of_rule.empty();
    for (const std::string& name : of_rule)
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  const bool one_abi = !group.rules.front()->rule->arch().empty();
  intent.intent = "keep out " + (every ? "every syscall" : base::join(names, ", ")) + " of every process" +
                  (every && one_abi ? " of one ABI" : "");
  intent.reason = every ? "global exclusions do not tell ABIs apart, and cannot mean every process"
                        : "global exclusions cannot name syscalls";
  intent.advice = every ? "leave it out"
                        : "a sensor that collects chosen calls may not collect these at all; see "
                          "`auditshift rules list` for what it sees";
}

void explain_list(const IntentGroup& group, ExclusionIntent& intent) {
  const auditd::Rule& rule = *group.rules.front()->rule;
  std::vector<std::string> conditions;
  for (const Field* field : subject_fields(rule)) conditions.push_back(field_text(*field));
  const std::string what = base::join(conditions, " and ");
  switch (rule.filter) {
    case Filter::exclude:
      intent.intent = "keep audit records out by " + (what.empty() ? "an empty condition" : what);
      intent.reason = "eBPF events have no record types; there is nothing to exclude";
      intent.advice = "it shapes the audit log, and belongs to whoever reads that";
      break;
    case Filter::task:
      intent.intent = "make no syscall records for new processes" + (what.empty() ? "" : " with " + what);
      intent.reason = "it silences audit as a whole; eBPF sensors do not take their events from audit";
      intent.advice = "with it, rules of your own record nothing either";
      break;
    case Filter::user:
      intent.intent = "keep messages of user space out" + (what.empty() ? "" : " by " + what);
      intent.reason = "messages of user space stay in auditd and never reach an eBPF sensor";
      intent.advice = "it shapes the audit log, and belongs to whoever reads that";
      break;
    default:
      intent.intent = "keep events of the " + std::string(to_string(rule.filter)) + " list out" +
                      (what.empty() ? "" : " by " + what);
      intent.reason = "global exclusions know processes, folders and files only";
      intent.advice = kStatistics;
      break;
  }
}

void explain_control(const IntentGroup& group, ExclusionIntent& intent) {
  if (group.id == "rate-limit") {
    intent.intent = "drop audit records above a rate";
    intent.reason = "it loses records at random; a sensor has no such limit, and counts what it loses";
    intent.advice = "take the limit away with the switch, else it keeps cutting your own rules' records";
  } else {
    intent.intent = "load the other rules when one is faulty";
    intent.reason = "it keeps no event out; it is about loading rules";
    intent.advice = "mend the faulty rules (`auditshift rules check`)";
  }
}

}  // namespace

void explain_untranslatable(const Facts& facts, const IntentGroup& group, ExclusionIntent& intent) {
  switch (group.about) {
    case About::syscalls:
      explain_syscalls(facts, group, intent);
      break;
    case About::other_list:
      explain_list(group, intent);
      break;
    case About::control:
      explain_control(group, intent);
      break;
    default:
      explain_conditions(group, intent);
      break;
  }
}

}  // namespace auditshift::migrate
