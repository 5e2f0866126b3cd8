// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "auditd/normalize.h"
#include "base/text.h"
#include "cli/verbs.h"
#include "migrate/assessment_json.h"
#include "migrate/collect.h"
#include "migrate/rule_files.h"

namespace auditshift::cli {
namespace {

using auditd::Diagnostic;
using auditd::Severity;
using base::Json;

struct RulesOptions {
  RootOption root;
  JsonOption json;
  std::vector<std::string> paths;
  std::string audit_version;
  bool live = false;
  bool disk = false;
};

base::Result<migrate::RuleFiles> read_files(const RulesOptions& options, const migrate::World& world) {
  std::optional<auditd::AuditVersion> version;
  if (!options.audit_version.empty()) {
    version = auditd::AuditVersion::parse(options.audit_version);
    if (!version)
      return base::Error(base::Errc::invalid, "'" + options.audit_version + "' is no version")
          .with_hint("give it as 3.0.9");
  }
  std::vector<std::string> paths;
  // With --root a path is one of the captured host, else one of this directory.
  for (const std::string& path : options.paths)
    paths.push_back(options.root.directory.empty() ? absolute_path(path) : path);
  return migrate::read_rule_files(world, paths, version);
}

std::string_view word_of(Severity severity) {
  return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "note";
}

std::string diagnostic_line(const Diagnostic& diagnostic) {
  std::string text = base::printable(diagnostic.origin.file) + ":" + std::to_string(diagnostic.origin.line) +
                     ":" + std::to_string(diagnostic.column) + ": " +
                     std::string(word_of(diagnostic.severity)) + ": " + base::printable(diagnostic.message);
  if (!diagnostic.suggestion.empty())
    text += "; did you mean " + base::printable(diagnostic.suggestion) + "?";
  return text + "\n";
}

Json diagnostic_json(const Diagnostic& diagnostic) {
  return {
      {"file", base::to_utf8(diagnostic.origin.file)},
      {"line", diagnostic.origin.line},
      {"column", diagnostic.column},
      {"severity", word_of(diagnostic.severity)},
      {"message", base::to_utf8(diagnostic.message)},
      {"suggestion", diagnostic.suggestion.empty() ? Json() : Json(base::to_utf8(diagnostic.suggestion))}};
}

base::Result<int> check(const RulesOptions& options, const Context& context) {
  AUDITSHIFT_TRY(world, options.root.world());
  AUDITSHIFT_TRY(files, read_files(options, world));
  std::size_t lines = 0;
  std::size_t bad = 0;
  std::string text;
  Json diagnostics = Json::array();
  for (const auditd::RuleFile& file : files.files) {
    for (const auditd::Line& line : file.lines) {
      lines += line.kind == auditd::LineKind::statement ? 1U : 0U;
      bad += line.valid() ? 0U : 1U;
      for (const Diagnostic& diagnostic : line.diagnostics) {
        text += diagnostic_line(diagnostic);
        diagnostics.push_back(diagnostic_json(diagnostic));
      }
    }
  }
  if (options.json.wanted()) {
    text = options.json.dump({{"audit_version", files.version.to_string()},
                              {"checked", lines},
                              {"rejected", bad},
                              {"diagnostics", diagnostics}});
  } else if (!context.quiet) {
    text += base::count_of(lines, "line") + " checked against audit " + files.version.to_string() + ", " +
            (bad == 0 ? "none" : std::to_string(bad)) + " rejected\n";
  }
  AUDITSHIFT_TRY_VOID(write_result("", text));
  return static_cast<int>(bad == 0 ? kDone : kBlocked);
}

base::Result<int> normalize(const RulesOptions& options, const Context&) {
  AUDITSHIFT_TRY(world, options.root.world());
  AUDITSHIFT_TRY(files, read_files(options, world));
  std::string text;
  Json rules = Json::array();
  bool bad = false;
  for (const auditd::RuleFile& file : files.files)
    for (const auditd::Line& line : file.lines)
      for (const Diagnostic& diagnostic : line.diagnostics) {
        if (diagnostic.severity != Severity::error) continue;
        bad = true;
        std::fputs(diagnostic_line(diagnostic).c_str(), stderr);
      }
  for (const auditd::Rule& rule : migrate::loaded_rules(files.load_order)) {
    const std::string normal = auditd::normalize(rule, files.version, files.machine);
    text += base::printable(normal) + "\n";
    rules.push_back({{"file", base::to_utf8(rule.origin.file)},
                     {"line", rule.origin.line},
                     {"text", base::to_utf8(rule.text)},
                     {"normalized", base::to_utf8(normal)}});
  }
  if (options.json.wanted()) text = options.json.dump(rules);
  AUDITSHIFT_TRY_VOID(write_result("", text));
  return static_cast<int>(bad ? kBlocked : kDone);
}

base::Result<int> list(const RulesOptions& options, const Context& context) {
  AUDITSHIFT_TRY(world, options.root.world());
  std::vector<migrate::InventoryRule> rules;
  if (!options.paths.empty()) {
    AUDITSHIFT_TRY(files, read_files(options, world));
    rules = migrate::take_inventory(migrate::facts_of(files));
  } else {
    rules = migrate::take_inventory(migrate::collect_facts(world, {0}, *context.progress()));
  }
  std::erase_if(rules, [&](const migrate::InventoryRule& rule) {
    return (options.live && !rule.loaded.value_or(false)) ||
           (options.disk && rule.place == migrate::Place::kernel);
  });
  AUDITSHIFT_TRY_VOID(write_result("", options.json.wanted()
                                           ? options.json.dump(migrate::to_json(rules))
                                           : migrate::render_rules(rules, context.text_options())));
  return static_cast<int>(kDone);
}

using RulesAction = base::Result<int> (*)(const RulesOptions&, const Context&);

CLI::App* add_verb(CLI::App& rules, const Context& context, Run& run, const char* name,
                   const char* description, const std::shared_ptr<RulesOptions>& options,
                   RulesAction action) {
  CLI::App* verb = rules.add_subcommand(name, description);
  options->root.add_to(*verb);
  options->json.add_to(*verb);
  verb->add_option("PATH", options->paths, "rules files or directories; without one: this host's rules");
  verb->add_option("--audit-version", options->audit_version,
                   "the audit version to answer for (default: the host's)")
      ->type_name("V");
  verb->callback([options, &context, &run, action] {
    run = [options, &context, action]() -> int {
      auto code = action(*options, context);
      return code ? *code : report(code.error());
    };
  });
  return verb;
}

}  // namespace

void add_rules(CLI::App& app, const Context& context, Run& run) {
  CLI::App* rules = app.add_subcommand("rules",
                                       "Audit rules: list, check, normalize.\n\n"
                                       "  auditshift rules list\n"
                                       "  auditshift rules check /etc/audit/rules.d\n"
                                       "  auditshift rules normalize new.rules");
  rules->require_subcommand(1);
  rules->fallthrough();

  auto list_options = std::make_shared<RulesOptions>();
  CLI::App* list_verb = add_verb(*rules, context, run, "list",
                                 "Every rule with origin, owner, meaning and what eBPF sees of it.\n\n"
                                 "  auditshift rules list\n"
                                 "  auditshift rules list --live --json\n"
                                 "  auditshift rules list /etc/audit/rules.d/50-custom.rules",
                                 list_options, list);
  CLI::Option* live = list_verb->add_flag("--live", list_options->live, "only rules that are in the kernel");
  list_verb->add_flag("--disk", list_options->disk, "only rules that are in a file")->excludes(live);

  add_verb(*rules, context, run, "check",
           "What auditctl -R would say, for every line and not only up to the first bad one.\n\n"
           "  auditshift rules check /etc/audit/rules.d\n"
           "  auditshift rules check --audit-version 4.0.3 new.rules\n\n"
           "Exit: 0 all lines load, 2 some do not.",
           std::make_shared<RulesOptions>(), check);
  add_verb(*rules, context, run, "normalize",
           "Prints what auditctl -l would print after loading the rules.\n\n"
           "  auditshift rules normalize /etc/audit/rules.d",
           std::make_shared<RulesOptions>(), normalize);
}

}  // namespace auditshift::cli
