// SPDX-License-Identifier: Apache-2.0
#include <libaudit.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "migrate/check.h"
#include "migrate/matching.h"

namespace auditshift::migrate {
namespace {

using auditd::Field;
using auditd::Filter;
using auditd::Rule;
using base::count_of;

bool has_rules(const CheckContext& c) { return !c.rules.empty(); }
bool is_64_bit_x86(const CheckContext& c) {
  return !c.rules.empty() && c.facts.host.architecture == "x86_64";
}

/// A rule that takes part in matching: valid, loaded or about to be, and not a deletion.
bool counts(const InventoryRule& entry) {
  return entry.valid && entry.rule && entry.rule->verb != auditd::RuleVerb::remove &&
         entry.place != Place::kernel;
}

bool is_user_recording(const InventoryRule& entry) {
  return counts(entry) && entry.owner == Owner::user && entry.rule->action == auditd::Action::always;
}

CheckOutcome broken_rules(const CheckContext& c) {
  Finding finding;
  std::size_t broken = 0;
  base::Json lines = base::Json::array();
  for (const InventoryRule& entry : c.rules) {
    if (entry.valid) continue;
    ++broken;
    if (finding.evidence.size() >= 20) continue;
    std::string text = entry.text + "  (" + entry.error;
    for (const auditd::Diagnostic& diagnostic : entry.diagnostics)
      if (diagnostic.severity == auditd::Severity::error && !diagnostic.suggestion.empty())
        text += "; did you mean " + diagnostic.suggestion + "?";
    finding.evidence.push_back({entry.origin.file, entry.origin.line, text + ")"});
    lines.push_back({{"file", entry.origin.file}, {"line", entry.origin.line}, {"error", entry.error}});
  }
  if (broken == 0) return std::vector<Finding>{};
  finding.severity = FindingSeverity::medium;
  finding.diagnosis =
      count_of(broken, "line") + " of the audit rules " + (broken == 1 ? "does" : "do") + " not load.";
  finding.data = {{"count", broken}, {"lines", lines}};
  std::set<std::string> files;
  for (const InventoryRule& entry : c.rules)
    if (!entry.valid && !entry.origin.file.empty()) files.insert(entry.origin.file);
  Remediation remediation{.hint = "See each line with its column and reason, and mend it.",
                          .argv = {"auditshift", "rules", "check"},
                          .safe = true};
  remediation.argv.insert(remediation.argv.end(), files.begin(), files.end());
  finding.remediations.push_back(std::move(remediation));
  return std::vector{finding};
}

CheckOutcome unreadable_files(const CheckContext& c) {
  Finding finding;
  for (const auditd::RuleFile& file : c.facts.audit.layout.rules_d)
    if (!file.error.empty()) finding.evidence.push_back({file.path, 0, file.error});
  if (c.facts.audit.layout.compiled && !c.facts.audit.layout.compiled->error.empty())
    finding.evidence.push_back(
        {c.facts.audit.layout.compiled->path, 0, c.facts.audit.layout.compiled->error});
  for (const auditd::Plugin& plugin : c.facts.audit.layout.plugins)
    if (!plugin.error.empty()) finding.evidence.push_back({plugin.path, 0, plugin.error});
  if (!c.facts.audit.layout.auditd_conf_error.empty())
    finding.evidence.push_back({"/etc/audit/auditd.conf", 0, c.facts.audit.layout.auditd_conf_error});
  if (finding.evidence.empty()) return std::vector<Finding>{};
  finding.severity = FindingSeverity::medium;
  finding.blocks = Blocks::overridable;
  finding.diagnosis = count_of(finding.evidence.size(), "audit file") + " could not be read; what " +
                      (finding.evidence.size() == 1 ? "it holds" : "they hold") +
                      " is not part of this assessment.";
  base::Json files = base::Json::array();
  for (const Evidence& evidence : finding.evidence) files.push_back(evidence.file);
  finding.data = {{"files", files}};
  finding.remediations.push_back(
      {.hint = "Make the files readable, or move away what is no rules file, and assess again."});
  return std::vector{finding};
}

/// What the next boot does not load because a bad line before it ends the load.
CheckOutcome load_aborts(const CheckContext& c) {
  const auditd::BootLoad load = c.facts.audit.layout.boot_load();
  if (load.stopped_at == nullptr || load.never_loaded.empty()) return std::vector<Finding>{};
  const auditd::Line& culprit = *load.stopped_at;
  const std::size_t lost = load.never_loaded.size();
  Finding finding;
  finding.severity = FindingSeverity::high;
  finding.diagnosis =
      "The load stops at " + culprit.origin.file + " line " + std::to_string(culprit.origin.line) +
      (culprit.valid() ? ", where the kernel holds the same rule already: " : ": ") +
      count_of(lost, "good line") + " after it " + (lost == 1 ? "is" : "are") + " never loaded.";
  finding.evidence.push_back({culprit.origin.file, culprit.origin.line, culprit.text});
  constexpr std::size_t kShown = 10;
  for (std::size_t i = 0; i < std::min(lost, kShown); ++i) {
    const auditd::Line& line = *load.never_loaded[i];
    finding.evidence.push_back({line.origin.file, line.origin.line, line.text});
  }
  finding.data = {{"file", culprit.origin.file}, {"line", culprit.origin.line}, {"lost", lost}};
  finding.remediations.push_back(
      {.hint = "Mend that line, or put -c on a line before it to go on after errors."});
  return std::vector{finding};
}

/// Comparing every exclusion with every rule after it is left out beyond this, some seconds of work. No host
/// has so many rules: the kernel, too, goes through its list rule by rule.
constexpr std::size_t kMostComparisons = 10'000'000;

CheckOutcome shadowed(const CheckContext& c) {
  std::vector<const InventoryRule*> exclusions;
  std::vector<const InventoryRule*> others;
  for (const InventoryRule& entry : c.rules) {
    if (!counts(entry)) continue;
    const bool never = entry.rule->action == auditd::Action::never;
    if (!never && entry.rule->filter == Filter::exclude) continue;
    (never ? exclusions : others).push_back(&entry);
  }
  if (!exclusions.empty() && others.size() > kMostComparisons / exclusions.size())
    return NotRun{count_of(exclusions.size(), "exclusion") + " and " + count_of(others.size(), "other rule") +
                  " are too many to compare each with each"};
  Finding finding;
  std::size_t number = 0;
  base::Json pairs = base::Json::array();
  for (const InventoryRule* later : others) {
    const auto hides_it = [&](const InventoryRule* earlier) {
      return earlier->place == later->place && covers(*earlier->rule, *later->rule);
    };
    // Both point into c.rules, which is in the loader's order.
    const auto end = std::lower_bound(exclusions.begin(), exclusions.end(), later);
    const auto found = std::find_if(exclusions.begin(), end, hides_it);
    if (found == end) continue;
    const InventoryRule& earlier = **found;
    ++number;
    if (finding.evidence.size() < 20)
      finding.evidence.push_back({later->origin.file, later->origin.line,
                                  later->text + "  (behind " + earlier.origin.file + ":" +
                                      std::to_string(earlier.origin.line) + " " + earlier.text + ")"});
    pairs.push_back({{"file", later->origin.file},
                     {"line", later->origin.line},
                     {"behind_file", earlier.origin.file},
                     {"behind_line", earlier.origin.line}});
  }
  if (number == 0) return std::vector<Finding>{};
  finding.severity = FindingSeverity::medium;
  finding.diagnosis = count_of(number, "rule") + " never " + (number == 1 ? "records" : "record") +
                      " anything: an earlier never rule takes every event.";
  finding.data = {{"count", number}, {"rules", pairs}};
  finding.remediations.push_back(
      {.hint = "Move the rule before the exclusion, narrow the exclusion, or drop the rule."});
  return std::vector{finding};
}

/// Directories that hold programs: a person who excludes one by dir= means the programs in it.
bool looks_like_program_directory(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name == "bin" || name == "sbin" || name == "libexec";
}

CheckOutcome wrong_field(const CheckContext& c) {
  std::vector<const InventoryRule*> found;
  for (const InventoryRule& entry : c.rules) {
    if (!counts(entry) || entry.rule->action != auditd::Action::never || entry.rule->filter != Filter::exit)
      continue;
    const Field* dir = entry.rule->find(AUDIT_DIR);
    if (dir != nullptr && entry.rule->find(AUDIT_EXE) == nullptr && looks_like_program_directory(dir->text))
      found.push_back(&entry);
  }
  if (found.empty()) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::low;
  finding.diagnosis = count_of(found.size(), "exclusion") + " " + (found.size() == 1 ? "names" : "name") +
                      " a directory of programs by dir=: that keeps out accesses to the files there, not "
                      "what the programs do.";
  finding.evidence = evidence_of(found);
  finding.data = {{"count", found.size()}};
  finding.remediations.push_back(
      {.hint = "What a program does is excluded by -F exe=, one rule for each program."});
  return std::vector{finding};
}

/// What a rule records, but for arch, syscalls and key: a rule for 32-bit calls with the same text is a twin.
std::string conditions_of(const Rule& rule) {
  std::string text =
      std::to_string(static_cast<int>(rule.action)) + " " + std::to_string(static_cast<int>(rule.filter));
  for (const Field& field : rule.fields) {
    if (field.id == AUDIT_ARCH || field.id == AUDIT_FILTERKEY) continue;
    // A value cannot hold NUL: it ends the line of a rules file.
    text += '\0' + std::to_string(field.id) + " " + std::string(to_string(field.op)) + " " +
            std::to_string(field.value) + " " + field.text;
  }
  return text;
}

CheckOutcome missing_twin(const CheckContext& c) {
  std::set<std::string> not_64_bit;
  for (const InventoryRule& entry : c.rules)
    if (counts(entry) && entry.rule->arch() != "b64") not_64_bit.insert(conditions_of(*entry.rule));
  std::vector<const InventoryRule*> found;
  for (const InventoryRule& entry : c.rules)
    if (is_user_recording(entry) && entry.rule->filter == Filter::exit && entry.rule->arch() == "b64" &&
        !not_64_bit.contains(conditions_of(*entry.rule)))
      found.push_back(&entry);
  if (found.empty()) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::low;
  finding.diagnosis = count_of(found.size(), "rule") + " for 64-bit calls " +
                      (found.size() == 1 ? "has" : "have") +
                      " no twin for 32-bit calls: a 32-bit program passes unseen.";
  finding.evidence = evidence_of(found, 10);
  finding.data = {{"count", found.size()}};
  finding.remediations.push_back({.hint = "Write each such rule a second time with arch=b32."});
  return std::vector{finding};
}

CheckOutcome task_never(const CheckContext& c) {
  std::vector<const InventoryRule*> found;
  for (const InventoryRule& entry : c.rules) {
    if (!entry.valid || !entry.rule || entry.rule->filter != Filter::task ||
        entry.rule->action != auditd::Action::never)
      continue;
    if (std::none_of(entry.rule->fields.begin(), entry.rule->fields.end(),
                     [](const Field& f) { return f.id != AUDIT_FILTERKEY; }))
      found.push_back(&entry);
  }
  if (found.empty()) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::medium;
  finding.diagnosis =
      "A rule on the task list keeps every new process out of audit: no syscall rule records anything.";
  finding.evidence = evidence_of(found);
  finding.data = {{"count", found.size()}};
  finding.remediations.push_back(
      {.hint = "If syscall rules are meant to work, remove it. The eBPF sensor is not affected by it."});
  return std::vector{finding};
}

CheckOutcome doubtful_lines(const CheckContext& c) {
  Finding finding;
  std::size_t number = 0;
  for (const InventoryRule& entry : c.rules) {
    if (!entry.valid || entry.place == Place::kernel) continue;
    for (const auditd::Diagnostic& diagnostic : entry.diagnostics) {
      if (diagnostic.severity != auditd::Severity::warning) continue;
      ++number;
      if (finding.evidence.size() < 20)
        finding.evidence.push_back(
            {entry.origin.file, entry.origin.line, entry.text + "  (" + diagnostic.message + ")"});
    }
  }
  if (number == 0) return std::vector<Finding>{};
  finding.severity = FindingSeverity::low;
  finding.diagnosis = count_of(number, "remark") + " on lines that load but may not do what they say.";
  finding.data = {{"count", number}};
  return std::vector{finding};
}

CheckOutcome stays_in_audit(const CheckContext& c) {
  std::vector<const InventoryRule*> found;
  for (const InventoryRule& entry : c.rules) {
    if (!entry.valid || !entry.rule || entry.owner != Owner::user) continue;
    if (entry.rule->filter == Filter::user || entry.coverage.coverage == Coverage::none ||
        entry.coverage.coverage == Coverage::partial)
      found.push_back(&entry);
  }
  if (found.empty()) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::info;
  finding.diagnosis =
      count_of(found.size(), "rule") + " of your own " + (found.size() == 1 ? "records" : "record") +
      " what an eBPF sensor sees in part or not at all. A switch leaves all rules of your own in place.";
  finding.evidence = evidence_of(found, 10);
  finding.data = {{"count", found.size()}};
  finding.remediations.push_back({.hint = "Keep auditd running: logins, sudo, account changes, SELinux and "
                                          "AppArmor denials exist only as audit messages."});
  return std::vector{finding};
}

struct Baseline {
  std::string_view mark;
  std::string_view name;
};
constexpr Baseline kBaselines[] = {
    {"STIG", "DISA STIG"}, {"CIS ", "CIS Benchmark"}, {"CIS_", "CIS Benchmark"}, {"PCI", "PCI DSS"},
    {"OSPP", "OSPP"},      {"NISPOM", "NISPOM"},      {"ANSSI", "ANSSI BP-028"}, {"800-171", "NIST 800-171"}};

CheckOutcome baselines(const CheckContext& c) {
  std::map<std::string, Evidence> found;
  for (const auditd::RuleFile& file : c.facts.audit.layout.rules_d) {
    for (const auditd::Line& line : file.lines) {
      if (line.kind != auditd::LineKind::comment) continue;
      for (const Baseline& baseline : kBaselines)
        if (line.text.find(baseline.mark) != std::string::npos)
          found.emplace(std::string(baseline.name), Evidence{line.origin.file, line.origin.line, line.text});
    }
  }
  if (found.empty()) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::info;
  std::vector<std::string> names;
  for (const auto& [name, evidence] : found) {
    names.push_back(name);
    finding.evidence.push_back(evidence);
  }
  finding.diagnosis =
      "Rules here belong to " + base::join(names, ", ") +
      ". They stay, in their order; scanners that read rules.d and auditctl -l find them as before.";
  finding.data = {{"baselines", names}};
  finding.remediations.push_back({.hint = "Change only those controls that ask for Defender's own audit "
                                          "rules (keys mdatp, mdatpmbr): they fail after the switch."});
  return std::vector{finding};
}

/// Event classes that a group of rules records, as far as their syscalls or permissions tell.
std::set<EventClass> recorded_classes(const CheckContext& c, Owner owner) {
  std::set<EventClass> classes;
  for (const InventoryRule& entry : c.rules) {
    if (!entry.valid || !entry.rule || entry.owner != owner || entry.rule->action != auditd::Action::always)
      continue;
    classes.insert(entry.coverage.classes.begin(), entry.coverage.classes.end());
  }
  return classes;
}

CheckOutcome leaves_the_log(const CheckContext& c) {
  const std::set<EventClass> kept = recorded_classes(c, Owner::user);
  std::vector<std::string> gone;
  for (const EventClass event_class : recorded_classes(c, Owner::defender))
    if (!kept.contains(event_class)) gone.emplace_back(to_string(event_class));
  if (gone.empty()) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::info;
  finding.diagnosis = "Only Defender's rules put these events into the audit log: " + base::join(gone, ", ") +
                      ". After the switch the log no longer holds them.";
  finding.data = {{"event_classes", gone}};
  finding.remediations.push_back({.hint = "If a control or a log pipeline counts on them, write a rule of "
                                          "your own for these, with a key of your own, "
                                          "before the switch."});
  return std::vector{finding};
}

CheckOutcome log_cost(const CheckContext& c) {
  if (!c.facts.log_known) return NotRun{"there is no audit log to read"};
  auditd::Volume defender;
  for (const auto& [key, days] : c.facts.log.by_key)
    if (is_defender_key(key))
      for (const auto& [day, volume] : days) defender += volume;
  if (defender.events == 0 || c.facts.log.days == 0) return std::vector<Finding>{};
  const std::uint64_t share =
      c.facts.log.total.bytes == 0 ? 0 : defender.bytes * 100 / c.facts.log.total.bytes;
  Finding finding;
  finding.severity = FindingSeverity::info;
  finding.diagnosis = "Defender's rules wrote " + count_of(defender.events / c.facts.log.days, "event") +
                      " (" + base::human_bytes(defender.bytes / c.facts.log.days) +
                      ") a day into the audit log, " + std::to_string(share) +
                      "% of it. The switch ends that.";
  for (const std::string& file : c.facts.log.files) finding.evidence.push_back({file, 0, ""});
  finding.data = {{"events_per_day", defender.events / c.facts.log.days},
                  {"bytes_per_day", defender.bytes / c.facts.log.days},
                  {"share_percent", share}};
  return std::vector{finding};
}

constexpr Check kChecks[] = {
    {"AUD101", "Rules that do not load",
     "auditctl refuses a line with an unknown word, a missing user, or a combination the kernel does not "
     "take.",
     has_rules, broken_rules},
    {"AUD102", "Audit files that cannot be read", "The assessment speaks of what it could read.",
     [](const CheckContext&) { return true; }, unreadable_files},
    {"AUD103", "The load stops half way",
     "auditctl ends a load at the first bad line unless -c or -i came before. systemd shows the unit green "
     "all the same.",
     has_rules, load_aborts},
    {"AUD104", "Rules behind an exclusion",
     "The first rule that matches decides; one behind a never rule that takes all its events is dead.",
     has_rules, shadowed},
    {"AUD105", "Exclusions by the wrong field",
     "dir= and path= name what is accessed, exe= names who does it.", has_rules, wrong_field},
    {"AUD106", "No rule for 32-bit calls",
     "System call numbers differ between the 64-bit and the 32-bit table, so a rule speaks of one of them.",
     is_64_bit_x86, missing_twin},
    {"AUD107", "All processes kept out of audit",
     "-a task,never gives new processes no audit context. Some distributions ship it as their default.",
     has_rules, task_never},
    {"AUD108", "Lines that may not do what they say",
     "Some lines are accepted with another meaning than the one that is read into them.", has_rules,
     doubtful_lines},
    {"AUD109", "What stays with audit",
     "Messages of user space and of security modules exist only in audit; some conditions are known to audit "
     "alone.",
     has_rules, stays_in_audit},
    {"AUD110", "Compliance baselines",
     "Baselines ask for rules by their text. A migration must leave these as they are.", has_rules,
     baselines},
    {"AUD111", "What Defender's rules cost", "The audit log tells how many events each key wrote.", has_rules,
     log_cost},
    {"AUD112", "What leaves the audit log",
     "Records that Defender's rules caused stand in the audit log for everybody who reads it: log pipelines, "
     "and controls of compliance baselines.",
     has_rules, leaves_the_log},
};

}  // namespace

std::span<const Check> rule_checks() { return kChecks; }

}  // namespace auditshift::migrate
