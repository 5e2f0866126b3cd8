// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/rule_cleanup.h"

#include <algorithm>
#include <map>

#include "auditd/normalize.h"
#include "auditd/paths.h"
#include "auditd/rule_identity.h"
#include "base/text.h"
#include "migrate/owner.h"

namespace auditshift::migrate::change {
namespace {

using auditd::Line;
using auditd::LineKind;
using auditd::RuleFile;
using base::Result;

/// Nothing is lost when the audit rules of this exclusion go.
bool settled(const ExclusionIntent& intent, bool leave_out) {
  if (intent.serves_user_rules) return false;
  if (!intent.consent_needed || intent.already_managed) return true;
  return leave_out;
}

/// Which lines go, by file.
using Removals = std::map<std::string, std::set<int>>;

class Cleaner {
 public:
  Cleaner(const Assessment& assessment, const CleanupOptions& options)
      : assessment_(assessment), layout_(assessment.facts.audit.layout), options_(options) {}

  Result<RuleCleanup> plan() {
    choose_exclusions();
    for (const RuleFile& file : layout_.rules_d) AUDITSHIFT_TRY_VOID(choose_lines(file));
    keep_what_skips_bad_lines();
    count_removed_texts();
    if (layout_.compiled) AUDITSHIFT_TRY_VOID(choose_compiled_lines(*layout_.compiled));
    if (layout_.other_rules) AUDITSHIFT_TRY_VOID(choose_compiled_lines(*layout_.other_rules));
    for (const RuleFile& file : layout_.rules_d) clean(file, result_.rules_d);
    clean_compiled();
    choose_live();
    choose_rate_limit();
    result_.boot_left = boot_rules();
    return std::move(result_);
  }

 private:
  static bool has_error(const RuleFile& file) { return !file.error.empty(); }

  void choose_exclusions() {
    for (const ExclusionIntent& intent : assessment_.exclusions) {
      if (settled(intent, options_.leave_exclusions_out)) continue;
      for (const Evidence& source : intent.sources) unsettled_files_.insert(source.file);
    }
  }

  bool is_whole(const RuleFile& file) const {
    switch (role_of(file)) {
      case FileRole::defender_rules:
      case FileRole::defender_managed:
        return true;
      case FileRole::support_tool:
        return !unsettled_files_.contains(file.path) &&
               std::all_of(file.lines.begin(), file.lines.end(), [](const Line& line) {
                 // "-D -k exclude" is the tool's own.
                 return line.kind != LineKind::statement || !line.rule ||
                        owner_of(*line.rule, FileRole::support_tool) != Owner::user;
               });
      case FileRole::ordinary:
        return false;
    }
    return false;
  }

  Result<void> choose_lines(const RuleFile& file) {
    if (has_error(file)) return {};
    if (!file.read_by_loader && !options_.leftovers) {
      // Not read, so not in force: it stays unless it is asked for.
      return {};
    }
    if (is_whole(file)) {
      whole_.insert(file.path);
      return {};
    }
    if (role_of(file) == FileRole::support_tool)
      result_.notes.push_back(file.path +
                              " stays: not each of its exclusions is settled, or it holds other rules");
    return choose(file, [](const Line& line) {
      return line.rule && owner_of(*line.rule, FileRole::ordinary) == Owner::defender;
    });
  }

  template <class Predicate>
  Result<void> choose(const RuleFile& file, Predicate goes) {
    std::set<int> chosen;
    std::set<int> others;
    for (const Line& line : file.lines)
      if (line.kind == LineKind::statement) (goes(line) ? chosen : others).insert(line.origin.line);
    for (const int number : chosen)
      if (others.contains(number))
        return base::Error(base::Errc::invalid, file.path + ":" + std::to_string(number) +
                                                    ": the line is longer than auditctl reads and holds a "
                                                    "rule of Defender's beside another one")
            .with_hint("break the line up by hand");
    if (!chosen.empty()) lines_[file.path] = std::move(chosen);
    return {};
  }

  bool goes(const auditd::Origin& origin) const {
    if (whole_.contains(origin.file)) return true;
    const auto lines = lines_.find(origin.file);
    return lines != lines_.end() && lines->second.contains(origin.line);
  }

  /// The layout as it is after the clean-up, as far as the next boot's load goes.
  auditd::Layout cleaned_layout() const {
    auditd::Layout layout = layout_;
    const auto gone = [&](const Line& line) { return goes(line.origin); };
    std::erase_if(layout.would_load, gone);
    if (layout.compiled) std::erase_if(layout.compiled->lines, gone);
    if (layout.other_rules) std::erase_if(layout.other_rules->lines, gone);
    return layout;
  }

  /// Files with Defender's header may hold `-c`; without it the first bad line ends the load.
  void keep_what_skips_bad_lines() {
    const auditd::Layout after = cleaned_layout();
    const auditd::BootLoad load = after.boot_load();
    const auditd::BootLoad before = layout_.boot_load();
    if (load.stopped_at == nullptr || before.stopped_at != nullptr || load.never_loaded.empty()) return;
    for (const RuleFile& file : layout_.rules_d) {
      if (!whole_.contains(file.path) || role_of(file) != FileRole::defender_managed) continue;
      const bool skips = std::any_of(file.lines.begin(), file.lines.end(), [](const Line& line) {
        return std::any_of(line.controls.begin(), line.controls.end(), [](const auditd::Control& control) {
          return control.kind == auditd::ControlKind::continue_on_error ||
                 control.kind == auditd::ControlKind::ignore_errors;
        });
      });
      if (!skips) continue;
      whole_.erase(file.path);
      result_.notes.push_back(file.path + " stays: without it the load would end at " +
                              load.stopped_at->origin.file + ":" +
                              std::to_string(load.stopped_at->origin.line) + ", before rules of your own");
    }
  }

  void count_removed_texts() {
    for (const RuleFile& file : layout_.rules_d) {
      if (!file.read_by_loader) continue;
      for (const Line& line : file.lines) {
        if (line.kind != LineKind::statement) continue;
        const std::string text(base::trim(line.text));
        if (goes(line.origin))
          ++removed_texts_[text];
        else
          ++kept_texts_[text];
      }
    }
  }

  /// Lines with Defender's keys, and what came from files that go: as many of equal lines as came from there.
  Result<void> choose_compiled_lines(const RuleFile& file) {
    if (has_error(file)) return {};
    std::map<std::string, int> there;
    for (const Line& line : file.lines)
      if (line.kind == LineKind::statement) ++there[std::string(base::trim(line.text))];
    std::map<std::string, int> left;
    for (const auto& [text, count] : removed_texts_) {
      const auto kept = kept_texts_.find(text);
      left[text] = std::min(count, there[text] - (kept == kept_texts_.end() ? 0 : kept->second));
    }
    return choose(file, [&](const Line& line) {
      if (line.rule && owner_of(*line.rule, FileRole::ordinary) == Owner::defender) return true;
      const auto from_removed = left.find(std::string(base::trim(line.text)));
      return from_removed != left.end() && from_removed->second-- > 0;
    });
  }

  void clean(const RuleFile& file, std::vector<FileCleanup>& cleanups) {
    if (std::any_of(cleanups.begin(), cleanups.end(),
                    [&](const FileCleanup& known) { return known.path == file.path; }))
      return;  // augenrules may read a file twice
    if (whole_.contains(file.path)) {
      cleanups.push_back({file.path, std::nullopt});
    } else if (const auto lines = lines_.find(file.path); lines != lines_.end()) {
      cleanups.push_back({file.path, without_lines(file.content, lines->second)});
    }
  }

  /// Where the compiled file was what augenrules writes, it becomes what augenrules would write now; one that
  /// was not loses Defender's lines alone.
  void clean_compiled() {
    if (layout_.other_rules) clean(*layout_.other_rules, result_.compiled);
    if (!layout_.compiled || has_error(*layout_.compiled)) return;
    const bool generated =
        layout_.loader == auditd::Loader::augenrules || layout_.loader == auditd::Loader::audit_rules_service;
    if (!generated || !layout_.rules_d_exists || layout_.compiled->content != layout_.would_compile) {
      clean(*layout_.compiled, result_.compiled);
      return;
    }
    result_.generated = true;
    std::vector<RuleFile> files;
    for (const RuleFile& file : layout_.rules_d) {
      if (!file.read_by_loader || whole_.contains(file.path)) continue;
      files.push_back(file);
      if (const auto lines = lines_.find(file.path); lines != lines_.end())
        files.back().content = without_lines(file.content, lines->second);
    }
    std::vector<const RuleFile*> pointers;
    pointers.reserve(files.size());
    for (const RuleFile& file : files) pointers.push_back(&file);
    std::string text;
    for (const auditd::CompiledLine& line :
         auditd::compile_rules(pointers, assessment_.facts.audit.version, layout_.awk_is_mawk))
      text += line.text + "\n";
    if (text != layout_.compiled->content) result_.compiled.push_back({layout_.compiled->path, text});
  }

  /// Those with Defender's keys; and what only files that go would load.
  void choose_live() {
    if (!assessment_.facts.audit.live.known) return;
    std::set<std::string> kept;
    std::set<std::string> removed;
    const auto sort = [&](const std::vector<Line>& lines) {
      for (const Line& line : lines)
        if (line.rule && line.rule->verb != auditd::RuleVerb::remove)
          (goes(line.origin) ? removed : kept).insert(auditd::identity_of(*line.rule));
    };
    for (const RuleFile& file : layout_.rules_d)
      if (file.read_by_loader) sort(file.lines);
    if (layout_.compiled) sort(layout_.compiled->lines);
    if (layout_.other_rules) sort(layout_.other_rules->lines);
    for (const auditd::Rule& rule : assessment_.facts.audit.live.rules) {
      const std::string identity = auditd::identity_of(rule);
      const bool defender = owner_of(rule, FileRole::ordinary) == Owner::defender;
      if (defender || (removed.contains(identity) && !kept.contains(identity)))
        result_.live.push_back(rule);
      else
        result_.live_left.push_back(base::to_utf8(rule.text));
    }
  }

  /// A limit that was set by hand since, or that a file of the user's sets as well, is the user's.
  void choose_rate_limit() {
    const auditd::BootLoad before = layout_.boot_load();
    const std::optional<std::uint32_t> now = assessment_.facts.audit.status.rate_limit;
    if (before.rate_limit_line == nullptr || !goes(before.rate_limit_line->origin)) return;
    if (!now || *now != before.rate_limit) return;
    const auditd::Layout layout = cleaned_layout();
    const std::uint32_t after = layout.boot_load().rate_limit;
    if (after != *now) result_.rate_limit = {.from = *now, .to = after};
  }

  std::vector<std::string> boot_rules() const {
    const auditd::Layout after = cleaned_layout();
    std::vector<auditd::Rule> rules;
    for (const Line* line : after.boot_load().rules) rules.push_back(*line->rule);
    std::vector<std::string> texts;
    for (const auditd::Rule& rule : auditd::kernel_order(rules))
      texts.push_back(base::to_utf8(
          auditd::normalize(rule, assessment_.facts.audit.version, assessment_.facts.host.architecture)));
    return texts;
  }

  const Assessment& assessment_;
  const auditd::Layout& layout_;
  CleanupOptions options_;
  std::set<std::string> unsettled_files_;
  std::set<std::string> whole_;
  Removals lines_;
  std::map<std::string, int> removed_texts_;
  std::map<std::string, int> kept_texts_;
  RuleCleanup result_;
};

}  // namespace

std::string without_lines(std::string_view text, const std::set<int>& lines) {
  std::string kept;
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t length = end == std::string_view::npos ? text.size() : end + 1;
    if (!lines.contains(++number)) kept += text.substr(0, length);
    text.remove_prefix(length);
  }
  return kept;
}

Result<RuleCleanup> plan_rule_cleanup(const Assessment& assessment, const CleanupOptions& options) {
  return Cleaner(assessment, options).plan();
}

}  // namespace auditshift::migrate::change
