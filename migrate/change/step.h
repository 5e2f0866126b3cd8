// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "migrate/change/backup.h"
#include "migrate/change/host.h"

namespace auditshift::migrate::change {

/// A step as a plan and the journal hold it: enough to make the same step again after a crash.
struct StepSpec {
  std::string id;    ///< its place and purpose within the plan: "3-rules-d"
  std::string type;  ///< which Step: "write-file", "kernel-rules"; never renamed
  base::Json parameters = base::Json::object();

  bool operator==(const StepSpec&) const = default;
};

/// One change of a host, and the only way to make one.
///
/// The runner calls capture, writes its answer to the journal and syncs, then apply, then done. After a crash
/// it does not know how far apply or undo came, so both go on from any state in between: calling them twice
/// is as good as once.
class Step {
 public:
  virtual ~Step() = default;
  /// What it does, for a person: "remove /etc/audit/rules.d/mdatp.rules".
  virtual std::string describe() const = 0;
  /// What it would change: a unified diff for files, commands or lines in words for all else. Empty: nothing.
  virtual base::Result<std::string> diff(const Host& host) = 0;
  /// All that undo needs, beyond the step's own parameters. Changes nothing but the backup store.
  virtual base::Result<base::Json> capture(const Host& host, BackupStore& backups) = 0;
  virtual base::Result<void> apply(Host& host, const base::Json& captured) = 0;
  /// Whether a boot leaves the change, or its undoing, standing. What lives in the kernel alone, or is made
  /// at boot from what stood on disk then, is done or undone again after one.
  virtual bool survives_boot() const { return true; }
  /// Asks the system, not memory, whether the change stands.
  virtual base::Result<bool> done(const Host& host) = 0;
  /// What apply found out, for the journal and the outcome; null: nothing. A few kilobytes at most.
  virtual base::Json found() const { return nullptr; }
  /// Restores what capture saw. Refuses (Errc::busy, with the reason) to overwrite what a third party changed
  /// since apply.
  virtual base::Result<void> undo(Host& host, const base::Json& captured, const BackupStore& backups) = 0;
  /// Whether what undo brought back is not in force yet: a locked kernel takes it with its next boot.
  virtual bool waits_for_boot(const Host& /*host*/, const base::Json& /*captured*/) const { return false; }
};

/// Makes the step of a specification. Errors: a type or parameter that this version does not know.
base::Result<std::unique_ptr<Step>> make_step(const StepSpec& spec);

}  // namespace auditshift::migrate::change
