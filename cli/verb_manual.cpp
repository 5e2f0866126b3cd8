// SPDX-License-Identifier: Apache-2.0
// Writes the manual pages; run when packages are made.
#include <CLI/CLI.hpp>
#include <memory>

#include "base/sysroot.h"
#include "cli/manual.h"
#include "cli/option_table.h"
#include "cli/verbs.h"
#include "migrate/version.h"

namespace auditshift::cli {
namespace {

ManualNotes notes_for_all() {
  ManualNotes notes;
  notes.version = migrate::kToolVersion;
  notes.see_also = {"auditshift-sensord", "auditctl", "auditd", "auditshift"};
  return notes;
}

ManualNotes notes_for_the_tool() {
  ManualNotes notes = notes_for_all();
  notes.exit_codes = {{"0", "done, nothing to do, or nothing blocks"},
                      {"1", "the tool failed"},
                      {"2", "something blocks, or differences exist"},
                      {"3", "good so far, a reboot is needed to go on"},
                      {"4", "verification failed, the host was left on the new state"},
                      {"5", "failed, and rolled back cleanly"},
                      {"6", "rollback incomplete, a person is needed"},
                      {"64", "usage"},
                      {"75", "another run holds the lock, try again"},
                      {"77", "root is needed"},
                      {"130", "interrupted"}};
  notes.files = {
      {"/etc/auditshift/managed.json", "managed configuration of the sensor: exclusions, choice of provider"},
      {"/etc/opt/microsoft/mdatp/managed/mdatp_managed.json", "managed configuration of Defender"},
      {"/var/lib/auditshift", "journal, backups and state of switches"},
      {"/var/log/auditshift/events.ndjson", "events of the sensor"},
      {"/run/auditshift/sensord.sock", "control socket of the sensor"},
      {"/usr/share/doc/auditshift", "the documents"}};
  notes.see_also = {"auditshift-assess", "auditshift-switch", "auditshift-sensord", "auditctl", "auditd"};
  return notes;
}

base::Result<void> write_pages(const CLI::App& app, const std::string& directory) {
  const auto write = [&](const CLI::App& verb, const std::string& text) {
    return write_result(directory + "/" + manual_name(verb) + ".8", text);
  };
  AUDITSHIFT_TRY_VOID(write(app, manual_page(app, notes_for_the_tool(), true)));
  for (const CLI::App* verb : shown_verbs(app))
    AUDITSHIFT_TRY_VOID(write(*verb, manual_page(*verb, notes_for_all())));
  return {};
}

}  // namespace

void add_manual(CLI::App& app, const Context&, Run& run) {
  auto directory = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("manual", "Writes the manual pages into a directory.");
  verb->group("");  // hidden
  verb->add_option("DIRECTORY", *directory, "where to")->required();
  verb->callback([directory, &app, &run] {
    run = [directory, &app]() -> int {
      const auto written = write_pages(app, absolute_path(*directory));
      return written ? kDone : report(written.error());
    };
  });
}

}  // namespace auditshift::cli
