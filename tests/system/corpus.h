// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "auditd/rule.h"

namespace auditshift::testing {

/// What one auditctl said to a line.
struct RecordedAnswer {
  bool accepted = false;
  std::string normal;            ///< what its listing printed; empty when nothing was loaded
  bool depends_on_host = false;  ///< refused for a path, rule or label that the recording host did not have
};

struct RecordedRule {
  std::string text;
  std::optional<RecordedAnswer> answer;  ///< of 3.0.9
  std::vector<std::pair<auditd::AuditVersion, RecordedAnswer>> versions;
};

/// Rule lines of public rule files with recorded answers. It is not part of the project: the folder is named
/// by AUDITSHIFT_CORPUS_DIR, or lies beside the source tree as ../shared/corpus.
class Corpus {
 public:
  static std::optional<Corpus> find();
  static std::string hint();

  const std::vector<RecordedRule>& rules() const { return rules_; }
  /// Users that were there when the answers were recorded.
  const std::vector<std::pair<std::string, std::uint32_t>>& users() const { return users_; }

 private:
  std::vector<RecordedRule> rules_;
  std::vector<std::pair<std::string, std::uint32_t>> users_{{"root", 0}};
};

}  // namespace auditshift::testing
