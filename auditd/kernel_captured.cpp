// SPDX-License-Identifier: Apache-2.0
// The text of `auditctl -l`, read back. It has no escapes, so that blanks in paths and keys are told from the
// options by what follows them.
#include <linux/audit.h>

#include "auditd/kernel.h"
#include "auditd/machine.h"
#include "auditd/statement.h"
#include "base/text.h"

namespace auditshift::auditd {
namespace {

// As auditctl before 3.1 names the io_uring list.
constexpr std::string_view kUnnamedList = ",(null)";

/// True when an option of a listing begins at `at`.
bool option_at(std::string_view text, std::size_t at) {
  return at + 3 < text.size() && text[at] == '-' &&
         std::string_view("aSFCwpk").find(text[at + 1]) != std::string_view::npos && text[at + 2] == ' ';
}

/// Splits a listed rule into options and whole values.
std::vector<Token> split_listing(std::string_view text) {
  std::vector<Token> tokens;
  std::size_t at = text.find_first_not_of(' ');
  while (at != std::string_view::npos && at < text.size()) {
    if (!option_at(text, at)) {
      tokens.push_back({std::string(text.substr(at)), at});
      break;
    }
    tokens.push_back({std::string(text.substr(at, 2)), at});
    const std::size_t begin = at + 3;
    std::size_t end = begin;
    // A permission before a path is printed without a blank between: " -p x-w /usr/bin/yum".
    const bool permission = text[at + 1] == 'p';
    while (end < text.size() && !(text[end] == ' ' && option_at(text, end + 1)) &&
           !(permission && end > begin && option_at(text, end))) {
      ++end;
    }
    tokens.push_back({std::string(text.substr(begin, end - begin)), begin});
    at = end < text.size() && text[end] == ' ' ? end + 1 : end;
  }
  return tokens;
}

bool is_watch(const std::vector<Token>& tokens) {
  for (std::size_t i = 0; i < tokens.size(); i += 2) {
    if (tokens[i].text != "-w" && tokens[i].text != "-p" && tokens[i].text != "-k") return false;
  }
  return !tokens.empty() && tokens.size() % 2 == 0;
}

/// A listed watch in its long form, in which the order of the fields and a directory's slash are kept.
std::vector<Token> in_long_form(const std::vector<Token>& tokens, const HostView& host) {
  std::vector<Token> result{{"-a", 0}, {"always,exit", 0}, {"-S", 0}, {"all", 0}};
  for (std::size_t i = 0; i + 1 < tokens.size(); i += 2) {
    const std::string& value = tokens[i + 1].text;
    std::string field = tokens[i].text == "-p" ? "perm=" : tokens[i].text == "-k" ? "key=" : "path=";
    if (field == "path=" && (value.ends_with('/') || host.kind_of(value) == PathKind::directory))
      field = "dir=";
    result.push_back({"-F", tokens[i].offset});
    result.push_back({field + value, tokens[i + 1].offset});
  }
  return result;
}

/// Puts an arch in front of a rule that has none: the listing names syscalls after the arch of the rule above
/// it when a rule has no arch of its own.
class ListingReader {
 public:
  explicit ListingReader(const ParseOptions& options)
      : options_(options), host_(options.host != nullptr ? *options.host : no_host()) {}

  base::Result<Rule> read(std::string_view text) {
    std::vector<Token> tokens = split_listing(text);
    const bool watch = is_watch(tokens);
    if (watch) tokens = in_long_form(tokens, host_);
    const bool unnamed = name_list(tokens);
    const bool borrowed = borrow_arch(tokens);
    Line line;
    line.text = text;
    line.kind = LineKind::statement;
    Statement(options_, line, 0).read(std::move(tokens));
    if (!line.valid() || !line.rule) {
      const std::string why = line.diagnostics.empty() ? "it is no rule" : line.diagnostics.front().message;
      return base::Error(base::Errc::invalid, why);
    }
    if (borrowed) std::erase_if(line.rule->fields, [](const Field& field) { return field.id == AUDIT_ARCH; });
    if (unnamed) line.rule->filter = Filter::io_uring;
    for (const Field& field : line.rule->fields) {
      if (field.id == AUDIT_ARCH) last_arch_ = field.value;
    }
    line.rule->origin = {};
    line.rule->watch = watch;
    return std::move(*line.rule);
  }

 private:
  static bool name_list(std::vector<Token>& tokens) {
    if (tokens.size() < 2 || !tokens[1].text.ends_with(kUnnamedList)) return false;
    tokens[1].text.replace(tokens[1].text.size() - kUnnamedList.size(), std::string::npos, ",exit");
    return true;
  }

  bool borrow_arch(std::vector<Token>& tokens) const {
    if (last_arch_ == 0 || tokens.size() < 2) return false;
    bool named = false;
    for (std::size_t i = 0; i + 1 < tokens.size(); i += 2) {
      if (tokens[i].text == "-F" && tokens[i + 1].text.starts_with("arch")) return false;
      named = named || (tokens[i].text == "-S" && tokens[i + 1].text != "all");
    }
    if (!named) return false;
    tokens.insert(tokens.begin() + 2, {{"-F", 0}, {"arch=" + std::to_string(last_arch_), 0}});
    return true;
  }

  const ParseOptions& options_;
  const HostView& host_;
  std::uint32_t last_arch_ = 0;
};

}  // namespace

AuditStatus CapturedKernelAudit::status() {
  if (status_text_) return parse_status(*status_text_);
  AuditStatus status;
  status.reason = "the capture has no text of auditctl -s";
  return status;
}

LiveRules CapturedKernelAudit::rules() {
  LiveRules live;
  if (!rules_text_) {
    live.reason = "the capture has no text of auditctl -l";
    return live;
  }
  if (base::trim(*rules_text_).empty()) {
    live.reason = "auditctl printed nothing, as it does inside a container; look at the host itself";
    return live;
  }
  ListingReader reader(options_);
  int number = 0;
  for (const std::string_view line : base::split(*rules_text_, '\n')) {
    ++number;
    if (line.empty() || line == "No rules") continue;
    base::Result<Rule> rule = reader.read(line);
    if (!rule.ok()) {
      live.rules.clear();
      live.reason = "line " + std::to_string(number) +
                    " of the captured rules cannot be read: " + rule.error().message();
      return live;
    }
    live.rules.push_back(std::move(*rule));
  }
  live.known = true;
  return live;
}

}  // namespace auditshift::auditd
