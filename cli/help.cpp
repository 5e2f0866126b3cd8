// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include "cli/option_table.h"

namespace auditshift::cli {

std::string HelpFormatter::make_usage(const CLI::App* verb, std::string) const {
  return "\nUsage: " + path_of(*verb) + " " + arguments_of(*verb) + "\n";
}

std::string HelpFormatter::make_subcommand(const CLI::App* verb) const {
  std::stringstream out;
  CLI::detail::format_help(out, verb->get_name(), description_of(*verb).summary, get_column_width());
  return out.str();
}

std::string HelpFormatter::make_option_name(const CLI::Option* option, bool positional) const {
  if (positional) return option->get_name(true);
  std::string text;
  const auto spellings = spellings_of(*option);
  for (const std::string& spelling : spellings) {
    // The value stands behind the last name alone.
    const bool last = &spelling == &spellings.back();
    text += (text.empty() ? "" : ", ") + (last ? spelling : spelling.substr(0, spelling.find(' ')));
  }
  return text;
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  std::string text;
  if (option->get_positional()) {
    const auto name = value_name_of(*option);
    if (!choices_of(*option).empty()) text += " " + name;
  } else if (!option->get_default_str().empty()) {
    text += " (" + option->get_default_str() + ")";
  }
  if (option->get_required()) text += ", required";
  return text;
}

}  // namespace auditshift::cli
