// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace auditshift::cli {

/// What a page says beside what the table of its verb says.
struct ManualNotes {
  std::string version;                                          ///< of the program
  std::vector<std::pair<std::string, std::string>> exit_codes;  ///< instead of the description's "Exit:"
  std::vector<std::pair<std::string, std::string>> files;
  std::vector<std::string> see_also;  ///< names of pages of section 8
};

/// A manual page of section 8, in man(7): the verb, its arguments, and in sections of their own the verbs
/// below it that have no page. With `pages_below`, those have pages and are listed by name.
std::string manual_page(const CLI::App& verb, const ManualNotes& notes, bool pages_below = false);

/// "auditshift-rules": the page of a verb.
std::string manual_name(const CLI::App& verb);

}  // namespace auditshift::cli
