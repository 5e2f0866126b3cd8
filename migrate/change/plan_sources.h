// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/sysroot.h"
#include "migrate/assess.h"
#include "migrate/change/backup.h"
#include "migrate/change/package_rollback.h"

namespace auditshift::migrate::change {

/// What a plan needs beside the assessment: the very bytes of files that it may change.
struct PlanSources {
  struct File {
    std::string content;
    FileState state;  ///< exists is false where there is none; of what a link leads to
    FileState own;    ///< the same, of a link itself: what goes when the file is removed
  };
  std::map<std::string, File> files;  ///< the managed configuration, rules files, plugins
  /// The agent's package, where a rollback to an older build holds it and a newer one is on offer, or none at
  /// all. The assessment must then be one of the host with the build that plan_package_forward comes to.
  std::optional<PackageFacts> held_package;

  /// REQUIRES: the path was read.
  const File& at(const std::string& path) const { return files.at(path); }
};

/// Reads them. Errc::busy when a file is not what the assessment saw any more.
base::Result<PlanSources> read_plan_sources(const base::Sysroot& host, const Assessment& assessment);

}  // namespace auditshift::migrate::change
