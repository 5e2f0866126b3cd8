// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "migrate/facts.h"
#include "migrate/world.h"

namespace auditshift::migrate {

/// One entry of a capture.
struct CaptureEntry {
  enum class Kind { file, directory, symlink } kind = Kind::file;
  std::string content;  ///< of a file; the target of a symlink
  unsigned mode = 0644;
};

/// A captured host: absolute path → entry, links of the way included.
using Capture = std::map<std::string, CaptureEntry>;

/// Takes what the assessment reads: audit's and the agent's configuration, service links, release files, and
/// the kernel's answers as text under /auditshift-capture. Left out or blanked: password hashes and comments
/// of /etc/passwd, credentials in URLs, all log content (statistics of the audit log are kept, and the
/// agent's complaint about locked audit). Programs and directories that rules name are captured as empty
/// entries.
Capture take_capture(const World& world, const Facts& facts, base::Progress& progress);

/// The capture as a gzip-compressed tar archive; the same capture gives the same bytes.
base::Result<std::string> pack_capture(const Capture& capture);

/// Replaces user:password in URLs by "***".
std::string without_credentials(std::string_view text);

}  // namespace auditshift::migrate
