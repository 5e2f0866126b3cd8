// SPDX-License-Identifier: Apache-2.0
#include "auditd/statement.h"

#include <libaudit.h>

#include <algorithm>

#include "auditd/kernel_limits.h"
#include "auditd/remarks.h"
#include "base/text.h"

namespace auditshift::auditd {
namespace {

static_assert(kMostFields == AUDIT_MAX_FIELDS - 1);

/// The option whose letter or name is nearest to what was written.
std::string nearest_option(const std::string& spelling) {
  if (!spelling.starts_with("--")) return {};
  const auto found = base::nearest(spelling.substr(2), long_option_names());
  return found ? "--" + *found : "";
}

}  // namespace

Statement::Statement(const ParseOptions& options, Line& line, std::size_t column)
    : options_(options), line_(line), column_(column) {}

void Statement::read(std::vector<Token> tokens) {
  reader_.emplace(std::move(tokens));
  count_ = reader_->count();
  while (!ended_ && (status_ == Status::reply || status_ == Status::rule)) {
    const std::optional<Option> option = reader_->next();
    if (!option) break;
    take(*option);
  }
  finish();
}

void Statement::take(const Option& option) {
  if (option.problem != Option::Problem::none) return take_invalid(option);
  if (!option.name.empty()) return take_long_control(option);
  if (!take_rule_option(option)) take_control(option);
}

void Statement::take_invalid(const Option& option) {
  switch (option.problem) {
    case Option::Problem::missing_argument:
      return fail(option.offset, "the option " + option.spelling + " needs a value");
    case Option::Problem::ambiguous:
      return fail(option.offset, "the option " + option.spelling + " is ambiguous");
    case Option::Problem::unexpected_argument:
      return fail(option.offset, "the option " + option.spelling + " takes no value");
    default:
      return fail(option.offset, "there is no option " + option.spelling, nearest_option(option.spelling));
  }
}

void Statement::finish() {
  if (!ended_) {
    report_stray_words();
    if (!key_.empty() && !listing_) append_key_field();
  }
  if (status_ == Status::reply && syscalls_given_) fail(0, "syscalls are given, but no list (-a, -A or -d)");
  if (status_ == Status::rule) {
    build_rule();
  } else if (status_ == Status::success && (add_ || remove_)) {
    warn(0, "the rule of this line is not loaded: another option ends it");
  }
}

void Statement::report_stray_words() {
  if (reader_->index() == 1) {
    // A word before any option; or -i, -c and the like in front of other letters (-is), which auditctl
    // refuses.
    if (status_ == Status::error) return;
    const Token* word = reader_->word(1);
    if (word == nullptr) return fail(0, "a line must begin with an option, and this one holds no word");
    if (word->text.size() > 1 && word->text[0] == '-') {
      return fail(word->offset,
                  "\"" + word->text + "\" joins an option that must stand alone with other letters");
    }
    return fail(word->offset, "a line must begin with an option, not \"" + word->text + "\"");
  }
  if (reader_->index() >= count_ || status_ == Status::error) return;
  const Token* word = reader_->word(reader_->index());
  std::string message = "\"" + word->text + "\" belongs to no option";
  if (word->text.starts_with('#')) message += "; comments must have a line of their own";
  if (word->text == "\\") message += "; lines cannot be continued";
  if (word->text.starts_with("\xe2\x80\x93") || word->text.starts_with("\xe2\x80\x94")) {
    message += "; it begins with a typographic dash, not with -";
  }
  fail(word->offset, message);
}

void Statement::append_key_field() {
  if (fields_.size() >= kMostFields)
    return fail(key_offset_, "a rule holds at most 63 fields, the key included");
  // auditctl reads the key once more as key=VALUE, and looks for != before =.
  const std::string pair = "key=" + key_;
  const std::optional<FieldText> text = split_field(pair);
  if (text->name != "key") {
    return fail(key_offset_, "a key must not contain " + std::string(to_string(text->op)));
  }
  if (const auto error = check_field_place(AUDIT_FILTERKEY, *text, place(), options_.version)) {
    return fail(key_offset_, error->message, error->suggestion);
  }
  fields_.push_back({AUDIT_FILTERKEY, Op::equal, static_cast<std::uint32_t>(key_.size()), key_});
  field_offsets_.push_back(key_offset_);
}

void Statement::build_rule() {
  if (!add_ && !remove_) return;
  Rule rule;
  rule.origin = line_.origin;
  rule.text = line_.text;
  rule.verb = !add_ ? RuleVerb::remove : prepend_ ? RuleVerb::prepend : RuleVerb::append;
  rule.filter = add_ ? *add_ : *remove_;
  rule.action = action_.value_or(Action::always);
  rule.watch = watch_;
  rule.fields = std::move(fields_);
  if (rule.filter != Filter::task && !syscalls_given_) set_all(mask_);
  rule.syscalls = mask_;
  line_.rule = std::move(rule);
  check_kernel_limits();
  if (status_ != Status::rule) return;
  for (Diagnostic& remark : remarks_on(*line_.rule, field_offsets_, options_)) {
    remark.column += static_cast<int>(column_);
    line_.diagnostics.push_back(std::move(remark));
  }
}

void Statement::check_kernel_limits() {
  const auto refusal = kernel_refusal(*line_.rule);
  if (!refusal) return;
  fail(field_offsets_[refusal->field], "the kernel refuses the rule: " + refusal->reason);
  line_.rule.reset();
}

void Statement::add_control(ControlKind kind, const Option& option, std::uint64_t number) {
  line_.controls.push_back({kind, number, option.argument});
}

void Statement::fail(std::size_t offset, const std::string& message, const std::string& suggestion) {
  status_ = Status::error;
  line_.diagnostics.push_back({line_.origin, static_cast<int>(column_ + offset + 1), Severity::error,
                               base::printable(message), base::printable(suggestion)});
}

void Statement::warn(std::size_t offset, const std::string& message, Severity severity) {
  line_.diagnostics.push_back(
      {line_.origin, static_cast<int>(column_ + offset + 1), severity, base::printable(message), {}});
}

std::optional<Filter> Statement::list() const { return add_ ? add_ : remove_; }

FieldPlace Statement::place() const {
  return {list(), syscalls_given_, syscalls_given_ || permission_given_ || exe_given_ || filesystem_given_};
}

bool Statement::older_than(int major, int minor, int patch) const {
  return options_.version < AuditVersion{major, minor, patch};
}

}  // namespace auditshift::auditd
