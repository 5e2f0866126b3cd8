// SPDX-License-Identifier: Apache-2.0
#include "cli/complete.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/option_table.h"
#include "migrate/check.h"

namespace auditshift::cli {
namespace {

/// The option of this name, of the verb or of one above it, whose options hold below, too.
const CLI::Option* find_option(const CLI::App* verb, const std::string& name) {
  for (; verb != nullptr; verb = verb->get_parent())
    for (const CLI::Option* option : shown_options(*verb))
      if (option->check_name(name)) return option;
  return nullptr;
}

/// Where the cursor is: in which verb, and behind which of its positional arguments.
struct Place {
  const CLI::App* verb;
  const CLI::Option* awaits_value = nullptr;  ///< the word before was this option
  std::size_t positional = 0;
  bool only_positional = false;  ///< after "--"
};

Place walk(const CLI::App& root, const std::vector<std::string>& words) {
  Place place{&root};
  for (std::size_t at = 0; at + 1 < words.size(); ++at) {
    const std::string& word = words[at];
    if (place.awaits_value != nullptr) {
      place.awaits_value = nullptr;
    } else if (word == "--") {
      place.only_positional = true;
    } else if (!place.only_positional && word.starts_with('-')) {
      const CLI::Option* option = find_option(place.verb, word.substr(0, word.find('=')));
      if (option != nullptr && takes_value(*option) && word.find('=') == std::string::npos)
        place.awaits_value = option;
    } else {
      const auto below = shown_verbs(*place.verb);
      const auto found = std::find_if(below.begin(), below.end(),
                                      [&](const CLI::App* each) { return each->get_name() == word; });
      if (found != below.end())
        place.verb = *found;
      else
        ++place.positional;
    }
  }
  return place;
}

void offer(Completion& into, const std::string& typed, std::string word, std::string description = {}) {
  if (word.starts_with(typed)) into.words.push_back({std::move(word), std::move(description)});
}

/// Values of `option` that begin with `typed`, each behind `before` ("--format=").
Completion values(const CLI::Option& option, const std::string& typed, const std::string& before = {}) {
  Completion answer;
  const std::string type = option.get_type_name().substr(0, option.get_type_name().find(':'));
  if (type.starts_with("FILE") || type == "PATH" || type == "P" || option.get_name(true) == "PATH")
    answer.kind = Completion::Kind::files;
  else if (type.starts_with("DIR"))
    answer.kind = Completion::Kind::directories;
  for (const std::string& choice : choices_of(option)) offer(answer, before + typed, before + choice);
  if (type == "ID")
    for (const migrate::Check* check : migrate::all_checks())
      offer(answer, before + typed, before + std::string(check->id), std::string(check->title));
  return answer;
}

Completion option_names(const CLI::App* verb, const std::string& typed) {
  Completion answer;
  for (; verb != nullptr; verb = verb->get_parent()) {
    for (const CLI::Option* option : shown_options(*verb)) {
      const std::string& text = option->get_description();
      for (const std::string& name : option->get_snames()) offer(answer, typed, "-" + name, text);
      for (const std::string& name : option->get_lnames()) offer(answer, typed, "--" + name, text);
    }
  }
  // --help is in every table on the way up.
  std::vector<Completion::Word> once;
  for (Completion::Word& word : answer.words)
    if (std::none_of(once.begin(), once.end(), [&](const auto& each) { return each.text == word.text; }))
      once.push_back(std::move(word));
  answer.words = std::move(once);
  return answer;
}

}  // namespace

std::string Completion::lines() const {
  std::string text = kind == Kind::files         ? "files\n"
                     : kind == Kind::directories ? "directories\n"
                                                 : "words\n";
  for (const Word& word : words) text += word.text + "\t" + word.description + "\n";
  return text;
}

Completion complete(const CLI::App& root, const std::vector<std::string>& words) {
  const std::string typed = words.empty() ? std::string() : words.back();
  const Place place = walk(root, words);
  if (place.awaits_value != nullptr) return values(*place.awaits_value, typed);
  if (!place.only_positional && typed.starts_with('-')) {
    const std::size_t equals = typed.find('=');
    if (equals == std::string::npos) return option_names(place.verb, typed);
    const CLI::Option* option = find_option(place.verb, typed.substr(0, equals));
    return option == nullptr ? Completion()
                             : values(*option, typed.substr(equals + 1), typed.substr(0, equals + 1));
  }
  Completion answer;
  for (const CLI::App* below : shown_verbs(*place.verb))
    offer(answer, typed, below->get_name(), description_of(*below).summary);
  const auto arguments = positional_arguments(*place.verb);
  if (!answer.words.empty() || arguments.empty()) return answer;
  const bool last_is_many = arguments.back()->get_expected_max() >= CLI::detail::expected_max_vector_size;
  if (place.positional >= arguments.size() && !last_is_many) return answer;
  return values(*arguments[std::min(place.positional, arguments.size() - 1)], typed);
}

}  // namespace auditshift::cli
