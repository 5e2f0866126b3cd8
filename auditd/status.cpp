// SPDX-License-Identifier: Apache-2.0
// The text of `auditctl -s`.
#include <array>

#include "auditd/kernel.h"
#include "base/text.h"

namespace auditshift::auditd {
namespace {

struct Entry {
  std::string_view name;
  std::optional<std::uint32_t> AuditStatus::*member;
};
constexpr std::array kEntries{
    Entry{"enabled", &AuditStatus::enabled},
    Entry{"failure", &AuditStatus::failure},
    Entry{"pid", &AuditStatus::pid},
    Entry{"rate_limit", &AuditStatus::rate_limit},
    Entry{"backlog_limit", &AuditStatus::backlog_limit},
    Entry{"lost", &AuditStatus::lost},
    Entry{"backlog", &AuditStatus::backlog},
    Entry{"backlog_wait_time", &AuditStatus::backlog_wait_time},
    Entry{"backlog_wait_time_actual", &AuditStatus::backlog_wait_time_actual},
};

/// Words that `auditctl -s -i` prints for numbers; 3.0.9 misspells one.
std::optional<std::uint32_t> word_value(std::string_view word) {
  if (word == "disabled" || word == "disable" || word == "silent") return 0;
  if (word == "enabled" || word == "printk") return 1;
  if (word == "enabled+immutable" || word == "enabl;ed+immutable" || word == "panic") return 2;
  return std::nullopt;
}

std::optional<std::uint32_t> value_of(std::string_view word) {
  if (const auto number = base::parse_decimal(word); number && *number <= 0xffffffff) {
    return static_cast<std::uint32_t>(*number);
  }
  return word_value(word);
}

void assign(AuditStatus& status, std::string_view name, std::string_view value) {
  if (name == "flag") name = "failure";  // its name in the one-line form
  for (const Entry& entry : kEntries) {
    if (entry.name == name) status.*entry.member = value_of(value);
  }
}

AuditState state_of(const AuditStatus& status) {
  switch (status.enabled.value_or(3)) {
    case 0:
      return AuditState::disabled;
    case 1:
      return AuditState::changeable;
    case 2:
      return AuditState::immutable;
    default:
      return AuditState::unknown;
  }
}

}  // namespace

std::string_view to_string(AuditState state) {
  switch (state) {
    case AuditState::changeable:
      return "mutable";
    case AuditState::immutable:
      return "immutable";
    case AuditState::disabled:
      return "disabled";
    case AuditState::absent:
      return "absent";
    case AuditState::unknown:
      break;
  }
  return "unknown";
}

AuditStatus parse_status(std::string_view text) {
  AuditStatus status;
  if (text.find("audit support not in kernel") != std::string_view::npos) {
    status.state = AuditState::absent;
    status.reason = "auditctl said: audit support not in kernel";
    return status;
  }
  for (std::string_view line : base::split(text, '\n')) {
    line = base::trim(line);
    if (line.starts_with("AUDIT_STATUS:")) {
      for (const std::string_view word : base::split(line.substr(line.find(':') + 1), ' ')) {
        const std::size_t sign = word.find('=');
        if (sign != std::string_view::npos) assign(status, word.substr(0, sign), word.substr(sign + 1));
      }
      continue;
    }
    const std::size_t blank = line.find(' ');
    if (blank != std::string_view::npos)
      assign(status, line.substr(0, blank), base::trim(line.substr(blank + 1)));
  }
  status.state = state_of(status);
  if (status.state == AuditState::unknown) {
    status.reason = base::trim(text).empty()
                        ? "auditctl printed nothing, as it does inside a container; look at the host itself"
                        : "the text of auditctl -s has no line \"enabled\"";
  }
  return status;
}

std::string format_status(const AuditStatus& status) {
  std::string text;
  for (const Entry& entry : kEntries) {
    if (!(status.*entry.member)) continue;
    text += std::string(entry.name) + " " + std::to_string(*(status.*entry.member)) + "\n";
  }
  return text;
}

}  // namespace auditshift::auditd
