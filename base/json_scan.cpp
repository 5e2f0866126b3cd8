// SPDX-License-Identifier: Apache-2.0
#include "base/json_scan.h"

#include <algorithm>

#include "base/json.h"

namespace auditshift::base {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr int kDepthLimit = 200;

/// Walks over text that is known to be valid JSON; only the depth can still be refused.
class Scanner {
 public:
  Scanner(std::string_view text, std::size_t at) : text_(text), at_(at) {}

  bool value(JsonSpan& to, int depth) {
    if (depth > kDepthLimit) return false;
    skip_blanks();
    to.begin = at_;
    switch (text_[at_]) {
      case '{':
      case '[':
        to.type = text_[at_] == '{' ? JsonSpan::Type::object : JsonSpan::Type::array;
        if (!elements(to, depth)) return false;
        break;
      case '"':
        to.type = JsonSpan::Type::string;
        to.text = string();
        break;
      default:
        at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
        break;
    }
    to.end = at_;
    return true;
  }

 private:
  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  std::string string() {
    const std::size_t begin = at_++;
    while (text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    return Json::parse(text_.substr(begin, ++at_ - begin)).get<std::string>();
  }

  bool elements(JsonSpan& to, int depth) {
    ++at_;
    for (skip_blanks(); text_[at_] != ']' && text_[at_] != '}'; skip_blanks()) {
      if (text_[at_] == ',') {
        ++at_;
        continue;
      }
      JsonSpan& child = to.children.emplace_back();
      if (to.type == JsonSpan::Type::object) {
        child.key_begin = at_;
        child.key = string();
        skip_blanks();
        ++at_;  // the colon
      }
      if (!value(child, depth + 1)) return false;
    }
    ++at_;
    return true;
  }

  std::string_view text_;
  std::size_t at_;
};

}  // namespace

std::vector<const JsonSpan*> JsonSpan::members(std::string_view name) const {
  std::vector<const JsonSpan*> found;
  if (type != Type::object) return found;
  for (const JsonSpan& child : children)
    if (child.key == name) found.push_back(&child);
  return found;
}

Result<JsonSpan> scan_json(std::string_view text, std::string_view name) {
  const std::size_t start = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  if (auto valid = parse_json(text.substr(start), name); !valid) return std::move(valid).error();
  JsonSpan root;
  if (!Scanner(text, start).value(root, 0))
    return Error(Errc::too_large,
                 std::string(name) + ": more than " + std::to_string(kDepthLimit) + " levels of brackets");
  return root;
}

std::string json_quoted(std::string_view text) {
  std::string quoted = dump_json(Json(std::string(text)), JsonStyle::compact);
  quoted.pop_back();  // the newline
  return quoted;
}

}  // namespace auditshift::base
