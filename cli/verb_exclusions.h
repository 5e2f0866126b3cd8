// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/context.h"
#include "migrate/facts.h"

namespace auditshift::cli {

/// Options of all `exclusions` verbs; each uses some.
struct ExclusionOptions {
  RootOption root;
  JsonOption json;
  std::string managed;  ///< the managed JSON to read and write; empty: the agent's own
  std::vector<std::string> paths;
  std::vector<std::string> accept;
  int log_days = 30;
  std::string kind;
  std::string path;
  std::string scope = "global";
  bool yes = false;
  std::string executable;
  std::string new_path;
  std::string operation;
};

/// The managed configuration of the options, and its text ("" when there is no such file).
struct ManagedFile {
  base::Sysroot host;  ///< the tree that `path` is in
  std::string path;
  std::string text;
};
base::Result<ManagedFile> open_managed(const ExclusionOptions& options, const migrate::AgentFacts& agent);

base::Result<int> add_exclusion(const ExclusionOptions& options, const Context& context);
base::Result<int> remove_exclusion(const ExclusionOptions& options, const Context& context);
base::Result<int> test_exclusion(const ExclusionOptions& options, const Context& context);

}  // namespace auditshift::cli
