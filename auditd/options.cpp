// SPDX-License-Identifier: Apache-2.0
#include "auditd/options.h"

#include <algorithm>

namespace auditshift::auditd {
namespace {

// auditctl's option string; a colon follows the letters that take an argument.
constexpr std::string_view kShortOptions = "hicslDvtC:e:f:r:b:a:A:d:S:F:m:R:w:W:k:p:q:";

struct LongOption {
  std::string_view name;
  bool takes_argument;
};
constexpr LongOption kLongOptions[] = {
    {"loginuid-immutable", false},
    {"backlog_wait_time", true},
    {"reset-lost", false},
    {"reset_backlog_wait_time_actual", false},
    {"signal", true},
};

}  // namespace

const std::vector<std::string_view>& long_option_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> list;
    for (const LongOption& option : kLongOptions) list.push_back(option.name);
    return list;
  }();
  return names;
}

OptionReader::OptionReader(std::vector<Token> tokens) : words_(std::move(tokens)) {
  words_.insert(words_.begin(), Token{"auditctl", 0});
}

const Token* OptionReader::word(std::size_t index) const {
  return index < words_.size() ? &words_[index] : nullptr;
}

bool OptionReader::is_option(std::size_t index) const {
  const std::string& text = words_[index].text;
  return text.size() > 1 && text[0] == '-';
}

void OptionReader::move_words_behind_options() {
  const auto at = [&](std::size_t index) { return words_.begin() + static_cast<std::ptrdiff_t>(index); };
  std::rotate(at(first_word_), at(last_word_), at(index_));
  first_word_ += index_ - last_word_;
  last_word_ = index_;
}

/// Puts the words passed over so far behind the options read since, then passes over the next words.
void OptionReader::gather_words() {
  if (first_word_ != last_word_ && last_word_ != index_) {
    move_words_behind_options();
  } else if (last_word_ != index_) {
    first_word_ = index_;
  }
  while (index_ < words_.size() && !is_option(index_)) ++index_;
  last_word_ = index_;
}

std::optional<Option> OptionReader::next() {
  if (cluster_ != 0) return read_short();
  gather_words();
  if (index_ < words_.size() && words_[index_].text == "--") {
    ++index_;
    if (first_word_ != last_word_ && last_word_ != index_) {
      move_words_behind_options();
    } else if (first_word_ == last_word_) {
      first_word_ = index_;
    }
    last_word_ = index_ = words_.size();
  }
  if (index_ == words_.size()) {
    if (first_word_ != last_word_) index_ = first_word_;
    return std::nullopt;
  }
  if (words_[index_].text[1] == '-') return read_long(words_[index_]);
  cluster_ = index_;
  letter_ = 1;
  return read_short();
}

Option OptionReader::read_long(const Token& token) {
  ++index_;
  Option option;
  option.offset = token.offset;
  option.spelling = token.text;
  const std::string_view text = std::string_view(token.text).substr(2);
  const std::size_t sign = text.find('=');
  const std::string_view name = text.substr(0, sign);
  const LongOption* match = nullptr;
  for (const LongOption& candidate : kLongOptions) {
    if (!candidate.name.starts_with(name)) continue;
    if (match != nullptr) option.problem = Option::Problem::ambiguous;
    match = &candidate;
    if (candidate.name == name) {
      option.problem = Option::Problem::none;
      break;
    }
  }
  if (match == nullptr) option.problem = Option::Problem::unknown;
  if (option.problem != Option::Problem::none) return option;

  option.name = match->name;
  if (sign != std::string_view::npos) {
    if (!match->takes_argument) option.problem = Option::Problem::unexpected_argument;
    option.argument = text.substr(sign + 1);
    option.argument_offset = token.offset + 2 + sign + 1;
  } else if (match->takes_argument) {
    if (index_ == words_.size()) {
      option.problem = Option::Problem::missing_argument;
    } else {
      option.argument = words_[index_].text;
      option.argument_offset = words_[index_++].offset;
    }
  }
  return option;
}

Option OptionReader::read_short() {
  const Token& token = words_[cluster_];
  Option option;
  option.letter = token.text[letter_];
  option.offset = token.offset + (letter_ > 1 ? letter_ : 0);
  option.spelling = std::string("-") + option.letter;
  const bool last = ++letter_ == token.text.size();
  if (last) {
    ++index_;
    cluster_ = 0;
  }
  const std::size_t known = kShortOptions.find(option.letter);
  if (known == std::string_view::npos || option.letter == ':') {
    option.problem = Option::Problem::unknown;
    return option;
  }
  if (known + 1 == kShortOptions.size() || kShortOptions[known + 1] != ':') return option;
  if (!last) {
    option.argument = token.text.substr(letter_);
    option.argument_offset = token.offset + letter_;
    ++index_;
    cluster_ = 0;
  } else if (index_ == words_.size()) {
    option.problem = Option::Problem::missing_argument;
  } else {
    option.argument = words_[index_].text;
    option.argument_offset = words_[index_++].offset;
  }
  return option;
}

}  // namespace auditshift::auditd
