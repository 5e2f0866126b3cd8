// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace auditshift::cli {

/// What may stand where the cursor is.
struct Completion {
  enum class Kind { words, files, directories };
  struct Word {
    std::string text;
    std::string description;  ///< one line, may be empty
  };
  Kind kind = Kind::words;
  std::vector<Word> words;  ///< only those that begin with what was typed

  /// What the shells read: the kind on the first line, then one word a line, its description after a tab.
  std::string lines() const;
};

/// `words`: what was typed after the program's name up to the cursor; the last is the one to complete,
/// perhaps empty.
Completion complete(const CLI::App& root, const std::vector<std::string>& words);

}  // namespace auditshift::cli
