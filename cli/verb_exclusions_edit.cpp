// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "base/text.h"
#include "cli/verb_exclusions.h"
#include "migrate/collect.h"
#include "migrate/exclusion.h"
#include "migrate/exclusion_dangers.h"
#include "migrate/managed_edit.h"

namespace auditshift::cli {
namespace {

using migrate::ManagedExclusion;

ManagedExclusion exclusion_of(const ExclusionOptions& options) {
  const auto kind = options.kind == "folder" ? ManagedExclusion::Kind::folder
                    : options.kind == "file" ? ManagedExclusion::Kind::file
                                             : ManagedExclusion::Kind::process_path;
  std::string path = options.path;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return {kind, path, {options.scope}, "exclusionSettings"};
}

/// What a global exclusion cannot hold; a link is followed.
base::Result<void> fit_global(ManagedExclusion& exclusion, const migrate::PathFacts& target) {
  const auto refuse = [&](const std::string& why) {
    return base::Error(base::Errc::invalid, exclusion.value + " " + why);
  };
  if (exclusion.value.find_first_of("*?[") != std::string::npos)
    return refuse("has wildcards, which global exclusions do not take")
        .with_hint("name the paths that are meant, one entry each");
  if (!target.resolved)
    return refuse("does not exist on this host").with_hint("global exclusions are for what is there");
  const bool folder = exclusion.kind == ManagedExclusion::Kind::folder;
  if (target.is_directory != folder)
    return refuse(folder ? "is no directory" : "is a directory").with_hint("see `exclusions add --help`");
  exclusion.value = *target.resolved;
  return {};
}

/// Says why, and which id accepts it.
bool refused_as_dangerous(const ExclusionOptions& options, const ManagedExclusion& exclusion,
                          const migrate::PathFacts& target) {
  const std::vector<std::string> dangers = migrate::dangers_of(exclusion, &target);
  const std::string id = std::string(to_string(exclusion.kind)) + ":" + exclusion.value;
  if (dangers.empty() || std::find(options.accept.begin(), options.accept.end(), id) != options.accept.end())
    return false;
  report(base::Error(base::Errc::invalid, "refused: " + base::join(dangers, "; "))
             .with_hint("if it must be: --accept " + id));
  return true;
}

/// The agent's own file is a change of the host: root, and a yes.
std::optional<int> not_allowed(const ExclusionOptions& options, const std::string& path,
                               const std::string& host_name) {
  if (!options.managed.empty() || !options.root.directory.empty()) return std::nullopt;
  if (::geteuid() != 0) {
    report(base::Error(base::Errc::permission, path + ": root is needed to change it")
               .with_hint("try it on a copy with --managed FILE"));
    return kRootNeeded;
  }
  if (options.yes) return std::nullopt;
  if (::isatty(STDIN_FILENO) == 0) {
    report(base::Error(base::Errc::invalid, "changing " + path + " needs --yes"));
    return kUsage;
  }
  std::cerr << "Change " << base::printable(path) << " on " << base::printable(host_name) << "? [y/N] ";
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "yes") return std::nullopt;
  std::cerr << "nothing was changed\n";
  return kUsage;
}

base::Result<int> write(const ExclusionOptions& options, const ManagedFile& managed,
                        const migrate::ManagedEdit& edit, const Context& context) {
  if (!edit.changes.empty())
    AUDITSHIFT_TRY_VOID(migrate::write_managed(managed.host, managed.path, managed.text, edit.text));
  std::string text;
  if (options.json.wanted()) {
    text = options.json.dump({{"schema_version", "1.0"},
                              {"file", base::to_utf8(managed.path)},
                              {"changed", !edit.changes.empty()},
                              {"changes", edit.changes},
                              {"notes", edit.notes}});
  } else if (!context.quiet) {
    for (const std::string& change : edit.changes) text += base::printable(change) + "\n";
    for (const std::string& note : edit.notes) text += "note: " + base::printable(note) + "\n";
    text += edit.changes.empty() ? "nothing to do in " : "written: ";
    text += base::printable(managed.path) + "\n";
  }
  AUDITSHIFT_TRY_VOID(write_result("", text));
  return static_cast<int>(kDone);
}

}  // namespace

base::Result<int> add_exclusion(const ExclusionOptions& options, const Context& context) {
  AUDITSHIFT_TRY(world, options.root.world());
  const migrate::HostFacts host = migrate::collect_host(world);
  const migrate::AgentFacts agent = migrate::collect_agent(world, host);
  ManagedExclusion exclusion = exclusion_of(options);
  if (!exclusion.value.starts_with("/")) {
    report(base::Error(base::Errc::invalid, "--path needs an absolute path"));
    return static_cast<int>(kUsage);
  }
  if (exclusion.global()) {
    const auto support = migrate::global_exclusion_support(agent);
    if (options.managed.empty() && support.answer == migrate::GlobalExclusionSupport::Answer::no) {
      report(base::Error(base::Errc::unsupported, support.text).with_hint("update the agent first"));
      return static_cast<int>(kBlocked);
    }
    const migrate::PathFacts target =
        migrate::collect_paths(*world.host, {exclusion.value}).at(exclusion.value);
    if (const auto fits = fit_global(exclusion, target); !fits) {
      report(fits.error());
      return static_cast<int>(kUsage);
    }
    if (refused_as_dangerous(options, exclusion, target)) return static_cast<int>(kBlocked);
  }
  AUDITSHIFT_TRY(managed, open_managed(options, agent));
  AUDITSHIFT_TRY(edit, migrate::add_exclusions(managed.text, managed.path, {exclusion}));
  if (const auto code = not_allowed(options, managed.path, host.hostname)) return *code;
  return write(options, managed, edit, context);
}

base::Result<int> remove_exclusion(const ExclusionOptions& options, const Context& context) {
  AUDITSHIFT_TRY(world, options.root.world());
  const migrate::HostFacts host = migrate::collect_host(world);
  const migrate::AgentFacts agent = migrate::collect_agent(world, host);
  AUDITSHIFT_TRY(managed, open_managed(options, agent));
  AUDITSHIFT_TRY(edit, migrate::remove_exclusions(managed.text, managed.path, {exclusion_of(options)}));
  if (const auto code = not_allowed(options, managed.path, host.hostname)) return *code;
  return write(options, managed, edit, context);
}

}  // namespace auditshift::cli
