// SPDX-License-Identifier: Apache-2.0
#include "cli/verb_exclusions.h"

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/verbs.h"
#include "migrate/collect.h"
#include "migrate/exclusion_report.h"
#include "migrate/rule_files.h"

namespace auditshift::cli {
namespace {

/// The host's facts; with paths, those rules instead of the host's own.
base::Result<migrate::Facts> gather(const ExclusionOptions& options, const Context& context,
                                    const migrate::World& world) {
  if (options.paths.empty()) return migrate::collect_facts(world, {options.log_days}, *context.progress());
  std::vector<std::string> paths;
  for (const std::string& path : options.paths)
    paths.push_back(options.root.directory.empty() ? absolute_path(path) : path);
  AUDITSHIFT_TRY(files, migrate::read_rule_files(world, paths, std::nullopt));
  migrate::Facts facts = migrate::facts_of(files);
  facts.host = migrate::collect_host(world);
  if (facts.host.architecture.empty()) facts.host.architecture = files.machine;
  facts.agent = migrate::collect_agent(world, facts.host);
  facts.paths =
      migrate::collect_paths(*world.host, migrate::exclusion_targets(migrate::take_inventory(facts)));
  return facts;
}

base::Result<void> check_accepted(const std::vector<std::string>& accepted,
                                  const std::vector<migrate::ExclusionIntent>& intents) {
  std::vector<std::string_view> known;
  known.reserve(intents.size());
  for (const migrate::ExclusionIntent& intent : intents) known.emplace_back(intent.id);
  for (const std::string& id : accepted) {
    if (std::find(known.begin(), known.end(), id) != known.end()) continue;
    base::Error error(base::Errc::invalid, "no exclusion has the id " + id);
    if (const auto meant = base::nearest(id, known))
      return std::move(error).with_hint("did you mean " + *meant + "?");
    return error;
  }
  return {};
}

base::Result<int> translate(const ExclusionOptions& options, const Context& context) {
  AUDITSHIFT_TRY(world, options.root.world());
  AUDITSHIFT_TRY(facts, gather(options, context, world));
  AUDITSHIFT_TRY(managed, open_managed(options, facts.agent));
  if (!options.managed.empty()) {
    facts.agent.managed =
        migrate::parse_managed_config(managed.text.empty() ? "{}" : managed.text, managed.path);
    facts.agent.managed.exists = !managed.text.empty();
  }
  const migrate::TranslationReport report =
      migrate::translate_exclusions(facts, managed.text, {options.accept.begin(), options.accept.end()});
  if (const auto checked = check_accepted(options.accept, report.intents); !checked) {
    cli::report(checked.error());
    return static_cast<int>(kUsage);
  }
  AUDITSHIFT_TRY_VOID(write_result("", options.json.wanted()
                                           ? options.json.dump(migrate::to_json(report))
                                           : migrate::render_text(report, context.text_options())));
  return static_cast<int>(report.needs_decision() ? kBlocked : kDone);
}

base::Result<int> list(const ExclusionOptions& options, const Context& context) {
  AUDITSHIFT_TRY(world, options.root.world());
  migrate::AgentFacts agent = migrate::collect_agent(world, migrate::collect_host(world));
  if (!options.managed.empty()) {
    AUDITSHIFT_TRY(managed, open_managed(options, agent));
    agent.managed = migrate::parse_managed_config(managed.text.empty() ? "{}" : managed.text, managed.path);
  }
  const auto rows = migrate::list_exclusions(agent);
  AUDITSHIFT_TRY_VOID(write_result("", options.json.wanted()
                                           ? options.json.dump(migrate::to_json(rows, agent))
                                           : migrate::render_text(rows, agent, context.text_options())));
  return static_cast<int>(agent.managed.error.empty() ? kDone : kBlocked);
}

using ExclusionAction = base::Result<int> (*)(const ExclusionOptions&, const Context&);

CLI::App* add_verb(CLI::App& verbs, const Context& context, Run& run, const char* name,
                   const char* description, const std::shared_ptr<ExclusionOptions>& options,
                   ExclusionAction action) {
  CLI::App* verb = verbs.add_subcommand(name, description);
  options->root.add_to(*verb);
  options->json.add_to(*verb);
  verb->add_option("--managed", options->managed, "this managed JSON instead of the agent's own")
      ->type_name("FILE");
  verb->callback([options, &context, &run, action] {
    run = [options, &context, action]() -> int {
      auto code = action(*options, context);
      return code ? *code : report(code.error());
    };
  });
  return verb;
}

void add_accept(CLI::App& verb, ExclusionOptions& options) {
  verb.add_option("--accept", options.accept, "accept the exclusion with this id")
      ->type_name("ID")
      ->expected(1)
      ->take_all();
}

void add_editing(CLI::App& verb, ExclusionOptions& options) {
  verb.add_option("KIND", options.kind, "folder, file or process")
      ->required()
      ->check(CLI::IsMember({"folder", "file", "process"}));
  verb.add_option("--path", options.path, "absolute path")->required()->type_name("P");
  verb.add_option("--scope", options.scope, "epp (antivirus only) or global (invisible to all)")
      ->check(CLI::IsMember({"epp", "global"}))
      ->capture_default_str();
  verb.add_flag("--yes", options.yes, "do not ask");
}

}  // namespace

base::Result<ManagedFile> open_managed(const ExclusionOptions& options, const migrate::AgentFacts& agent) {
  AUDITSHIFT_TRY(host, base::Sysroot::open(options.root.directory.empty() ? "/" : options.root.directory));
  std::string path = agent.managed.path;
  if (!options.managed.empty())
    path = options.root.directory.empty() ? absolute_path(options.managed) : options.managed;
  auto text = host.read_file(path, std::size_t{4} << 20);
  if (!text && text.error().code() != base::Errc::not_found) return std::move(text).error();
  return ManagedFile{std::move(host), std::move(path), text ? *std::move(text) : std::string()};
}

void add_exclusions(CLI::App& app, const Context& context, Run& run) {
  CLI::App* verbs =
      app.add_subcommand("exclusions",
                         "Exclusions: translate, list, add, remove, test.\n\n"
                         "  auditshift exclusions translate\n"
                         "  auditshift exclusions list\n"
                         "  auditshift exclusions test --exe /usr/sbin/named --path /var/log/named.log");
  verbs->require_subcommand(1);
  verbs->fallthrough();

  auto translation = std::make_shared<ExclusionOptions>();
  CLI::App* verb = add_verb(*verbs, context, run, "translate",
                            "What becomes of audit exclusions as global exclusions, and at which price.\n\n"
                            "  auditshift exclusions translate\n"
                            "  auditshift exclusions translate /etc/audit/rules.d/exclude.rules\n"
                            "  auditshift exclusions translate --accept process:/usr/sbin/named --json\n\n"
                            "Exit: 0 nothing to decide, 2 some need consent.",
                            translation, translate);
  verb->add_option("PATH", translation->paths, "rules files or directories; without one: this host's rules");
  add_accept(*verb, *translation);
  verb->add_option("--log-days", translation->log_days, "how far back the audit log is read; 0 leaves it out")
      ->check(CLI::Range(0, 36500))
      ->capture_default_str()
      ->type_name("N");

  add_verb(*verbs, context, run, "list",
           "The agent's exclusions: managed, attached, added on the host; and what wins.\n\n"
           "  auditshift exclusions list\n"
           "  auditshift exclusions list --json",
           std::make_shared<ExclusionOptions>(), list);

  auto addition = std::make_shared<ExclusionOptions>();
  verb = add_verb(*verbs, context, run, "add",
                  "Adds an exclusion to the managed JSON; every other byte of the file stays.\n\n"
                  "  auditshift exclusions add process --path /usr/sbin/named --scope global --yes\n"
                  "  auditshift exclusions add folder --path /srv/data --managed ./managed.json\n\n"
                  "Exit: 0 done or there already, 2 refused as dangerous (see --accept).",
                  addition, add_exclusion);
  add_editing(*verb, *addition);
  add_accept(*verb, *addition);

  auto removal = std::make_shared<ExclusionOptions>();
  verb = add_verb(*verbs, context, run, "remove",
                  "Removes an exclusion from the managed JSON; every other byte of the file stays.\n\n"
                  "  auditshift exclusions remove process --path /usr/sbin/named --scope global --yes",
                  removal, remove_exclusion);
  add_editing(*verb, *removal);

  auto question = std::make_shared<ExclusionOptions>();
  verb = add_verb(*verbs, context, run, "test",
                  "Would this event be kept out, and by which entry? Asks the sensor's own code.\n\n"
                  "  auditshift exclusions test --exe /usr/sbin/named\n"
                  "  auditshift exclusions test --path /srv/data/x --op rename --new-path /tmp/x\n\n"
                  "Exit: 0 no, 2 yes.",
                  question, test_exclusion);
  verb->add_option("--exe", question->executable, "the program, as the kernel names it")->type_name("E");
  verb->add_option("--path", question->path, "the file the event is about")->type_name("P");
  verb->add_option("--new-path", question->new_path, "the second name of a rename or link")->type_name("P");
  verb->add_option("--op", question->operation, "the kind of event: open, rename, exec, connect, …")
      ->type_name("OP");
}

}  // namespace auditshift::cli
