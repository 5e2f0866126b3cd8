// SPDX-License-Identifier: Apache-2.0
#include "migrate/fleet/pick_json.h"

#include <algorithm>

namespace auditshift::migrate::fleet {
namespace {

using base::Json;

constexpr std::size_t kDeepest = 32;

/// Follows the parser's events and builds the wanted part of the document.
class Picker final : public Json::json_sax_t {
 public:
  explicit Picker(const std::vector<WantedSection>& wanted) : wanted_(wanted) {}

  bool null() override { return value(Json()); }
  bool boolean(bool b) override { return value(Json(b)); }
  bool number_integer(number_integer_t n) override { return value(Json(n)); }
  bool number_unsigned(number_unsigned_t n) override { return value(Json(n)); }
  bool number_float(number_float_t n, const string_t&) override { return value(Json(n)); }
  bool string(string_t& text) override {
    if (left_out_depth_ != 0) return true;
    if (skip_next_) return skip_next_ = false, true;
    return value(Json(std::move(text)));
  }
  bool binary(binary_t&) override { return true; }  // exists in binary formats only

  bool key(string_t& key) override {
    if (left_out_depth_ != 0) return true;
    if (open_.size() == 1) {
      const auto section = std::find_if(wanted_.begin(), wanted_.end(),
                                        [&](const WantedSection& each) { return each.key == key; });
      section_ = section == wanted_.end() ? nullptr : &*section;
      skip_next_ = section_ == nullptr;
    } else {
      skip_next_ = is_record() && !section_->keys.empty() &&
                   std::find(section_->keys.begin(), section_->keys.end(), key) == section_->keys.end();
    }
    key_ = std::move(key);
    return true;
  }
  bool start_object(std::size_t) override { return start(Json::object()); }
  bool end_object() override { return end(); }
  bool start_array(std::size_t) override { return start(Json::array()); }
  bool end_array() override { return end(); }

  bool parse_error(std::size_t position, const std::string&, const Json::exception& error) override {
    position_ = position;
    why_ = error.what();
    // "[json.exception.parse_error.101] parse error at line 3, column 7: syntax error …"; the place is told
    // in this program's own way.
    const std::string_view before = position == 0 ? "] " : ": ";
    if (const std::size_t reason = why_.find(before); reason != std::string::npos)
      why_.erase(0, reason + before.size());
    constexpr std::size_t kLongest = 300;
    if (why_.size() > kLongest) why_ = why_.substr(0, kLongest) + " …";
    return false;
  }

  Json take() { return std::move(root_); }
  const std::string& why() const { return why_; }
  /// Bytes read up to the error; 0 when that is not known.
  std::size_t position() const { return position_; }

 private:
  /// The innermost open object holds the keys of a section: it is its value, or stands in its array.
  bool is_record() const { return open_.size() == 2 || (open_.size() == 3 && open_[1]->is_array()); }

  Json* put(Json&& value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    Json& place = parent[key_];
    place = std::move(value);
    return &place;
  }

  bool value(Json&& value) {
    if (left_out_depth_ != 0) return true;
    if (skip_next_) return skip_next_ = false, true;
    if (open_.empty()) {
      why_ = "not an object";
      return false;
    }
    put(std::move(value));
    return true;
  }

  bool start(Json&& container) {
    if (++depth_ > kDeepest) {
      why_ = "nested more than " + std::to_string(kDeepest) + " levels deep";
      return false;
    }
    if (left_out_depth_ != 0 || skip_next_) {
      ++left_out_depth_;
      skip_next_ = false;
      return true;
    }
    if (open_.empty() && !container.is_object()) {
      why_ = "not an object";
      return false;
    }
    open_.push_back(put(std::move(container)));
    return true;
  }

  bool end() {
    --depth_;
    if (left_out_depth_ != 0) {
      --left_out_depth_;
    } else {
      open_.pop_back();
    }
    return true;
  }

  const std::vector<WantedSection>& wanted_;
  Json root_;
  std::vector<Json*> open_;  // parents stay where they are while a child grows
  const WantedSection* section_ = nullptr;
  std::string key_;
  bool skip_next_ = false;
  std::size_t left_out_depth_ = 0;
  std::size_t depth_ = 0;
  std::string why_;
  std::size_t position_ = 0;
};

/// "LINE:COLUMN: " of a byte.
std::string place_of(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, std::min(at, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = 1 + before.size() - (newline == std::string_view::npos ? 0 : newline + 1);
  return std::to_string(line) + ":" + std::to_string(column) + ": ";
}

}  // namespace

base::Result<Json> pick_json(std::string_view text, std::string_view name,
                             const std::vector<WantedSection>& wanted) {
  Picker picker(wanted);
  if (Json::sax_parse(text, &picker)) return picker.take();
  std::string message = std::string(name) + ":";
  if (picker.position() != 0) {
    message += place_of(text, picker.position() - 1) + "not valid JSON: ";
  } else {
    message += " ";
  }
  return base::Error(base::Errc::invalid, message + picker.why());
}

}  // namespace auditshift::migrate::fleet
