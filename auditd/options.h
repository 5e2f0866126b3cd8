// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auditd/tokens.h"

namespace auditshift::auditd {

/// One option as getopt_long(3) would return it.
struct Option {
  enum class Problem { none, unknown, ambiguous, missing_argument, unexpected_argument };

  char letter = 0;         ///< a short option, or 0
  std::string_view name;   ///< a long option in full, or empty
  std::string argument;    ///< empty without one
  std::size_t offset = 0;  ///< in the line: of the option
  std::size_t argument_offset = 0;
  Problem problem = Problem::none;
  std::string spelling;  ///< as written, for messages
};

/// The names of the long options, without dashes.
const std::vector<std::string_view>& long_option_names();

/// getopt_long(3) over auditctl's options, without its global state: attached and separate arguments,
/// clusters, unambiguous abbreviations, words in any order, `--`.
class OptionReader {
 public:
  explicit OptionReader(std::vector<Token> tokens);

  std::optional<Option> next();

  /// getopt's `optind`: 1 is the first word. Before the end of a cluster it still points at the cluster.
  std::size_t index() const { return index_; }
  /// argc: the words plus one.
  std::size_t count() const { return words_.size(); }
  /// The word at `index`, moved words included, or null behind the end.
  const Token* word(std::size_t index) const;

 private:
  bool is_option(std::size_t index) const;
  void gather_words();
  void move_words_behind_options();
  Option read_long(const Token& token);
  Option read_short();

  std::vector<Token> words_;  ///< [0] stands for the program's name
  std::size_t index_ = 1;
  std::size_t first_word_ = 1;
  std::size_t last_word_ = 1;
  std::size_t cluster_ = 0;  ///< the word whose letters are being read, 0 for none
  std::size_t letter_ = 0;   ///< position in it
};

}  // namespace auditshift::auditd
