// SPDX-License-Identifier: Apache-2.0
// What the tables of verbs and options say, in the form that help, completion and manual pages need. They are
// the one source of all three.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace auditshift::cli {

/// "auditshift rules list".
std::string path_of(const CLI::App& verb);

/// Verbs below this one that are not hidden, in the order in which they were added.
std::vector<const CLI::App*> shown_verbs(const CLI::App& verb);
/// Options (and flags) of this verb that are not hidden, without its positional arguments.
std::vector<const CLI::Option*> shown_options(const CLI::App& verb);
std::vector<const CLI::Option*> positional_arguments(const CLI::App& verb);

/// Whether the word after the option is its value. False for flags, those with an optional value
/// (--json=short) included.
bool takes_value(const CLI::Option& option);
/// The only values that it takes; empty when there is no such list.
std::vector<std::string> choices_of(const CLI::Option& option);
/// What stands for its value: "FILE", "text|json", "" for a flag.
std::string value_name_of(const CLI::Option& option);

/// Name by name, as a person would write it: {"-o FILE", "--output FILE"}.
std::vector<std::string> spellings_of(const CLI::Option& option);
/// What follows a verb's name: "[OPTIONS] KIND [PATH...]".
std::string arguments_of(const CLI::App& verb);

/// A verb's description, taken apart: its first line, the lines that begin with two blanks, and the
/// paragraphs after them.
struct Description {
  std::string summary;
  std::vector<std::string> paragraphs;  ///< of running text, but for the next two; lines joined
  std::vector<std::string> examples;    ///< without the blanks
  std::string exit;                     ///< after "Exit:"
};
Description description_of(const CLI::App& verb);

}  // namespace auditshift::cli
