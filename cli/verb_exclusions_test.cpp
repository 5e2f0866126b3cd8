// SPDX-License-Identifier: Apache-2.0
#include "cli/verb_exclusions.h"
#include "base/text.h"
#include "migrate/collect.h"
#include "sensor/exclusions.h"
#include "sensor/kind_profile.h"

namespace auditshift::cli {
namespace {

sensor::Path known_path(const std::string& text) {
  sensor::Path path;
  path.text = text;
  path.present = !text.empty();
  return path;
}

/// Without --op: opening the path, or running the program.
base::Result<sensor::EventKind> kind_of(const ExclusionOptions& options) {
  if (options.operation.empty())
    return options.path.empty() ? sensor::EventKind::exec : sensor::EventKind::open;
  if (const auto kind = sensor::kind_from_name(options.operation)) return *kind;
  std::vector<std::string_view> names;
  for (const sensor::EventKind kind : sensor::all_kinds()) names.push_back(sensor::kind_name(kind));
  base::Error error(base::Errc::invalid, "no operation is called " + options.operation);
  if (const auto meant = base::nearest(options.operation, names))
    return std::move(error).with_hint("did you mean " + *meant + "?");
  return error;
}

}  // namespace

base::Result<int> test_exclusion(const ExclusionOptions& options, const Context& context) {
  const auto kind = kind_of(options);
  if (!kind || (options.executable.empty() && options.path.empty())) {
    report(kind ? base::Error(base::Errc::invalid, "give --exe, --path, or both") : kind.error());
    return static_cast<int>(kUsage);
  }
  AUDITSHIFT_TRY(world, options.root.world());
  AUDITSHIFT_TRY(managed, open_managed(options, migrate::collect_agent(world, migrate::collect_host(world))));
  sensor::ManagedSettings settings;
  if (!managed.text.empty()) {
    AUDITSHIFT_TRY(parsed, sensor::parse_managed(managed.text, managed.path, [&](const std::string& path) {
                     auto resolved = managed.host.resolve(path);
                     return resolved ? std::optional(*std::move(resolved)) : std::nullopt;
                   }));
    settings = std::move(parsed);
  }
  sensor::Event event;
  event.kind = *kind;
  event.process.executable = known_path(options.executable);
  event.path = known_path(options.path);
  event.second_path = known_path(options.new_path);
  const sensor::Exclusions exclusions(settings.exclusions);
  const sensor::Exclusion* entry = exclusions.match(event);
  std::string text;
  if (options.json.wanted()) {
    base::Json found;
    if (entry != nullptr)
      found = {{"kind", sensor::exclusion_kind_name(entry->kind)}, {"path", base::to_utf8(entry->path)}};
    text = options.json.dump({{"schema_version", "1.0"},
                              {"file", base::to_utf8(managed.path)},
                              {"operation", sensor::kind_name(*kind)},
                              {"excluded", entry != nullptr},
                              {"entry", std::move(found)},
                              {"problems", settings.problems}});
  } else if (!context.quiet) {
    for (const std::string& problem : settings.problems) text += "note: " + base::printable(problem) + "\n";
    text += entry == nullptr ? "not excluded\n"
                             : "excluded by " + std::string(sensor::exclusion_kind_name(entry->kind)) + " " +
                                   base::printable(entry->path) + "\n";
  }
  AUDITSHIFT_TRY_VOID(write_result("", text));
  return static_cast<int>(entry == nullptr ? kDone : kBlocked);
}

}  // namespace auditshift::cli
