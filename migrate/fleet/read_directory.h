// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "base/sysroot.h"
#include "migrate/fleet/host_report.h"

namespace auditshift::migrate::fleet {

/// A file that could not be used, and why.
struct SkippedFile {
  std::string file;
  std::string reason;
};

/// What a directory of assessments gave.
struct DirectoryReading {
  std::size_t files = 0;             ///< *.json found
  std::size_t assessments = 0;       ///< of these, assessments
  std::size_t other_documents = 0;   ///< valid JSON that is something else
  std::size_t known = 0;             ///< left alone because `known` said so
  std::vector<SkippedFile> damaged;  ///< by name; files, and directories that could not be read
};

struct ReadOptions {
  /// 0: as many as the machine has processors, at most 8.
  unsigned threads = 0;
  /// When set, every file is hashed, and one whose hash is known is not parsed. Called from several threads.
  std::function<bool(const std::string& sha256)> known;
};

/// Takes one report; an error ends the reading. Never called by two threads at a time; the order of calls is
/// by chance.
using TakeReport = std::function<base::Result<void>(HostReport)>;

/// Reads every *.json below the directory, any levels deep: one file at a time per thread, so that memory
/// does not grow with the fleet. A symbolic link to a file is followed inside the directory, one to a
/// directory is not. Files over 64 MiB are skipped. What is wrong with a file never ends the reading.
base::Result<DirectoryReading> read_directory(const base::Sysroot& directory, const ReadOptions& options,
                                              const TakeReport& take, base::Progress& progress);

}  // namespace auditshift::migrate::fleet
