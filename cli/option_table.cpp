// SPDX-License-Identifier: Apache-2.0
#include "cli/option_table.h"

#include <CLI/CLI.hpp>

#include "base/text.h"

namespace auditshift::cli {
namespace {

std::string joined(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

bool has_optional_value(const CLI::Option& option) {
  return option.get_items_expected_min() == 0 && !choices_of(option).empty();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

std::string path_of(const CLI::App& verb) {
  return (verb.get_parent() == nullptr ? "" : path_of(*verb.get_parent()) + " ") + verb.get_name();
}

std::vector<const CLI::App*> shown_verbs(const CLI::App& verb) {
  return verb.get_subcommands(
      [](const CLI::App* below) { return !below->get_name().empty() && !below->get_group().empty(); });
}

std::vector<const CLI::Option*> shown_options(const CLI::App& verb) {
  return verb.get_options(
      [](const CLI::Option* option) { return option->nonpositional() && !option->get_group().empty(); });
}

std::vector<const CLI::Option*> positional_arguments(const CLI::App& verb) {
  return verb.get_options(
      [](const CLI::Option* option) { return option->get_positional() && !option->get_group().empty(); });
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_min() > 0; }

std::vector<std::string> choices_of(const CLI::Option& option) {
  // What CLI::IsMember says of itself: "TEXT:{auto,mdatp,native}".
  const std::string type = option.get_type_name();
  const std::size_t open = type.find(":{");
  const std::size_t close = type.find('}', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return {};
  std::vector<std::string> choices;
  std::istringstream in(type.substr(open + 2, close - open - 2));
  for (std::string choice; std::getline(in, choice, ',');) choices.push_back(choice);
  return choices;
}

std::string value_name_of(const CLI::Option& option) {
  if (!option.get_positional() && !takes_value(option)) return {};
  std::string type = option.get_type_name();
  type.resize(std::min(type.find(':'), type.size()));
  // The library's own name for any string says less than the list.
  const auto choices = choices_of(option);
  return type == "TEXT" && !choices.empty() ? joined(choices, "|") : type;
}

std::vector<std::string> spellings_of(const CLI::Option& option) {
  std::vector<std::string> names;
  const std::string value = value_name_of(option);
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  for (std::string& name : names) {
    if (!value.empty()) name += " " + value;
    if (has_optional_value(option)) name += "[=" + joined(choices_of(option), "|") + "]";
  }
  return names;
}

std::string arguments_of(const CLI::App& verb) {
  std::string text = "[OPTIONS]";
  for (const CLI::Option* each : positional_arguments(verb)) {
    const bool many = each->get_expected_max() >= CLI::detail::expected_max_vector_size;
    const std::string name = each->get_name(true) + (many ? "..." : "");
    text += each->get_required() ? " " + name : " [" + name + "]";
  }
  if (!shown_verbs(verb).empty()) text += verb.get_require_subcommand_min() == 0 ? " [VERB]" : " VERB";
  return text;
}

Description description_of(const CLI::App& verb) {
  Description description;
  std::string paragraph;
  const auto end_paragraph = [&] {
    if (paragraph.starts_with("Exit:"))
      description.exit = std::string(base::trim(std::string_view(paragraph).substr(5)));
    else if (!paragraph.empty())
      description.paragraphs.push_back(paragraph);
    paragraph.clear();
  };
  for (const std::string& line : lines_of(verb.get_description())) {
    if (description.summary.empty()) {
      description.summary = line;
    } else if (line.starts_with("  ")) {
      end_paragraph();
      description.examples.push_back(line.substr(2));
    } else if (line.empty()) {
      end_paragraph();
    } else {
      paragraph += (paragraph.empty() ? "" : " ") + line;
    }
  }
  end_paragraph();
  return description;
}

}  // namespace auditshift::cli
