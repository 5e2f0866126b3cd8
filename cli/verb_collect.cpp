// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/sysroot.h"
#include "base/text.h"
#include "cli/verbs.h"
#include "migrate/capture.h"
#include "migrate/collect.h"

namespace auditshift::cli {
namespace {

struct CollectOptions {
  RootOption root;
  std::string output;
  int log_days = 30;
};

base::Result<int> collect(const CollectOptions& options, const Context& context) {
  AUDITSHIFT_TRY(world, options.root.world());
  const auto progress = context.progress();
  const migrate::Facts facts = migrate::collect_facts(world, {options.log_days}, *progress);
  const migrate::Capture capture = migrate::take_capture(world, facts, *progress);
  AUDITSHIFT_TRY(archive, migrate::pack_capture(capture));
  if (options.output == "-") {
    AUDITSHIFT_TRY_VOID(write_result("-", archive));
    return static_cast<int>(kDone);
  }
  // Configuration of a host is nobody else's business.
  AUDITSHIFT_TRY_VOID(
      base::write_file_atomic(options.output, archive, {.mode = 0600}).context("cannot write the capture"));
  if (!context.quiet)
    std::fprintf(stderr, "%s, %s. Unpack it and run: auditshift assess --root DIRECTORY\n",
                 base::count_of(capture.size(), "entry", "entries").c_str(),
                 base::human_bytes(archive.size()).c_str());
  if (world.host->is_live() && ::geteuid() != 0)
    std::fprintf(
        stderr,
        "warning: not root: the capture lacks the kernel's rules and whatever this user cannot read\n");
  return static_cast<int>(kDone);
}

}  // namespace

void add_collect(CLI::App& app, const Context& context, Run& run) {
  auto options = std::make_shared<CollectOptions>();
  CLI::App* verb =
      app.add_subcommand("collect",
                         "Captures what assess reads, to assess this host elsewhere. Leaves out secrets.\n\n"
                         "  auditshift collect -o host.tar.gz\n"
                         "  mkdir host && tar -xzf host.tar.gz -C host && auditshift assess --root host");
  options->root.add_to(*verb);
  verb->add_option("-o,--output", options->output, "the archive to write, - for standard output")
      ->required()
      ->type_name("FILE.tar.gz");
  verb->add_option("--log-days", options->log_days, "how far back the audit log is counted; 0 leaves it out")
      ->check(CLI::Range(0, 36500))
      ->capture_default_str()
      ->type_name("N");
  verb->callback([options, &context, &run] {
    run = [options, &context]() -> int {
      auto code = collect(*options, context);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace auditshift::cli
