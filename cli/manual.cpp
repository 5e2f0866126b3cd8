// SPDX-License-Identifier: Apache-2.0
#include "cli/manual.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/option_table.h"

namespace auditshift::cli {
namespace {

/// Text as troff shows it: nothing in it is a request, and a hyphen is one that can be searched for and
/// copied.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool starts_line = out.empty() || out.back() == '\n';
    if (starts_line && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '\'')
      out += "\\(aq";
    else if (c == '~')
      out += "\\(ti";
    else if (c == '^')
      out += "\\(ha";
    else
      out += c;
  }
  return out;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

std::string heading(const std::string& text) { return ".SH " + text + "\n"; }

std::string item(const std::string& tag, const std::string& text) {
  return ".TP\n\\fB" + escaped(tag) + "\\fR\n" + escaped(text) + "\n";
}

std::string examples(const Description& description) {
  std::string text = ".nf\n";
  for (const std::string& line : description.examples) text += escaped(line) + "\n";
  return text + ".fi\n";
}

std::string options(const CLI::App& verb) {
  std::string text;
  for (const CLI::Option* option : positional_arguments(verb)) {
    const auto name = value_name_of(*option);
    text += item(option->get_name(true) + (choices_of(*option).empty() ? "" : ": " + name),
                 option->get_description());
  }
  for (const CLI::Option* option : shown_options(verb)) {
    std::string tag;
    for (const std::string& spelling : spellings_of(*option)) tag += (tag.empty() ? "" : ", ") + spelling;
    const std::string preset = option->get_default_str();
    text += item(tag, option->get_description() + (preset.empty() ? "" : " (default: " + preset + ")") +
                          (option->get_required() ? " (required)" : ""));
  }
  return text;
}

/// A verb as a section of the page of the verb above it.
std::string section(const CLI::App& verb) {
  const Description description = description_of(verb);
  std::string text = ".SS " + escaped(path_of(verb)) + " " + escaped(arguments_of(verb)) + "\n";
  text += escaped(description.summary) + "\n";
  for (const std::string& paragraph : description.paragraphs) text += ".PP\n" + escaped(paragraph) + "\n";
  if (!description.examples.empty()) text += ".PP\n" + examples(description);
  if (!description.exit.empty()) text += ".PP\nExit: " + escaped(description.exit) + "\n";
  text += options(verb);
  for (const CLI::App* below : shown_verbs(verb)) text += section(*below);
  return text;
}

std::string list(const std::string& title, const std::vector<std::pair<std::string, std::string>>& entries) {
  if (entries.empty()) return {};
  std::string text = heading(title);
  for (const auto& [name, meaning] : entries) text += item(name, meaning);
  return text;
}

}  // namespace

std::string manual_name(const CLI::App& verb) {
  std::string name = path_of(verb);
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

std::string manual_page(const CLI::App& verb, const ManualNotes& notes, bool pages_below) {
  const Description description = description_of(verb);
  const std::string name = manual_name(verb);
  std::string text = ".\\\" Made from the program's own table of options.\n";
  text += ".TH " + escaped(upper(name)) + " 8 \"\" \"auditshift " + notes.version + "\" \"auditshift\"\n";
  text += ".nh\n.ad l\n";
  text += heading("NAME") + name + " \\- " + escaped(description.summary) + "\n";
  text +=
      heading("SYNOPSIS") + "\\fB" + escaped(path_of(verb)) + "\\fR " + escaped(arguments_of(verb)) + "\n";
  if (!description.examples.empty()) text += heading("EXAMPLES") + examples(description);
  if (!description.paragraphs.empty()) {
    text += heading("DESCRIPTION");
    for (const std::string& paragraph : description.paragraphs) text += ".PP\n" + escaped(paragraph) + "\n";
  }
  text += heading("OPTIONS") + options(verb);
  const auto below = shown_verbs(verb);
  if (!below.empty()) {
    text += heading("VERBS");
    for (const CLI::App* each : below)
      text += pages_below ? item(manual_name(*each) + "(8)", description_of(*each).summary) : section(*each);
  }
  if (notes.exit_codes.empty() && !description.exit.empty())
    text += heading("\"EXIT STATUS\"") + escaped(description.exit) + "\n";
  text += list("\"EXIT STATUS\"", notes.exit_codes) + list("FILES", notes.files);
  text += heading("\"SEE ALSO\"");
  for (const std::string& page : notes.see_also)
    if (page != name)
      text += ".BR " + escaped(page) + " (8)" + (&page == &notes.see_also.back() ? "\n" : ",\n");
  return text;
}

}  // namespace auditshift::cli
