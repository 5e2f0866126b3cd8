// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sysroot.h"
#include "migrate/managed_config.h"

namespace auditshift::migrate {

/// A managed configuration with exclusions added or removed.
struct ManagedEdit {
  std::string text;                  ///< the whole file
  std::vector<std::string> changes;  ///< in words; empty: the text is the one that came in
  std::vector<std::string> notes;    ///< oddities of the file that stay as they are
};

/// Adds exclusions to `exclusionSettings.exclusions`. An exclusion that is there with the wanted scope is not
/// added again; a scope that is missing becomes an entry of its own. Nothing else changes by a byte: keys,
/// order, indentation, line ends, unknown content, a byte order mark, repeated keys elsewhere. mergePolicy is
/// neither added nor changed. Empty text: a new file.
///
/// Refused, with the reason: text that is not strict JSON (comments, trailing commas), a repeated key on the
/// way to the list (it cannot be told which one the agent reads), something else where the object or list
/// should be.
base::Result<ManagedEdit> add_exclusions(std::string_view text, std::string_view path,
                                         const std::vector<ManagedExclusion>& wanted);

/// Removes exclusions of the same kind and value from `exclusionSettings.exclusions`, as far as their scopes
/// are among those of `unwanted`; an entry that keeps another scope stays with that.
base::Result<ManagedEdit> remove_exclusions(std::string_view text, std::string_view path,
                                            const std::vector<ManagedExclusion>& unwanted);

/// Sets `features.ebpfSupplementaryEventProvider` to "enabled" or "disabled", under the same rules.
base::Result<ManagedEdit> set_ebpf_provider(std::string_view text, std::string_view path, bool enabled);

/// True when both texts mean the same but for `exclusionSettings.exclusions`, order of keys included.
bool same_elsewhere(std::string_view before, std::string_view after);

/// Replaces the file on the host: atomically, owner, mode and extended attributes kept, directories made
/// where they are missing; read again and compared. REQUIRES: `path` was read as `before` (empty: was not
/// there); when it holds something else by now, nothing is written.
base::Result<void> write_managed(const base::Sysroot& host, const std::string& path, std::string_view before,
                                 std::string_view after);

}  // namespace auditshift::migrate
