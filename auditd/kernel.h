// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/audit.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auditd/parser.h"
#include "auditd/rule.h"
#include "base/result.h"

namespace auditshift::auditd {

/// The audit system's state as a person speaks of it.
enum class AuditState {
  changeable,  ///< rules can be loaded and removed ("mutable"; enabled or not)
  immutable,   ///< enabled 2: locked until the kernel boots again
  disabled,    ///< enabled 0: no syscall records are made
  absent,      ///< no audit in this kernel, or audit=0 on its command line
  unknown,     ///< could not be told, see `reason`
};
std::string_view to_string(AuditState state);  ///< mutable, immutable, disabled, absent, unknown

/// The reply to AUDIT_GET, with what it means. Numbers the kernel did not report are absent.
struct AuditStatus {
  AuditState state = AuditState::unknown;
  std::string reason;  ///< why unknown or absent, and what to do about it
  std::optional<std::uint32_t> enabled;
  std::optional<std::uint32_t> failure;
  std::optional<std::uint32_t> pid;  ///< the registered audit daemon, 0 for none
  std::optional<std::uint32_t> rate_limit;
  std::optional<std::uint32_t> backlog_limit;
  std::optional<std::uint32_t> lost;
  std::optional<std::uint32_t> backlog;
  std::optional<std::uint32_t> backlog_wait_time;  ///< jiffies
  std::optional<std::uint32_t> backlog_wait_time_actual;
};

/// The rules in the kernel, in its order; or why they are unknown.
struct LiveRules {
  bool known = false;
  std::string reason;
  std::vector<Rule> rules;  ///< `text` is the normal form
};

/// The kernel's audit system.
class KernelAudit {
 public:
  virtual ~KernelAudit() = default;
  virtual AuditStatus status() = 0;
  virtual LiveRules rules() = 0;
};

/// The kernel's audit system, with the right to change its rules one by one. In immutable mode every change
/// is Errc::permission.
class KernelAuditControl : public KernelAudit {
 public:
  /// Puts the rule behind those of its list, or in front of them when it was written with -A. Errc::exists
  /// when the kernel holds it already (not for -A: the kernel takes such a rule twice).
  virtual base::Result<void> add(const Rule& rule) = 0;
  /// Deletes exactly this rule, the first of its kind (AUDIT_DEL_RULE); Errc::not_found when there is none.
  virtual base::Result<void> remove(const Rule& rule) = 0;
  /// From now on the kernel makes at most so many records a second; 0: as many as there are (`auditctl -r`).
  virtual base::Result<void> set_rate_limit(std::uint32_t records) = 0;
};

/// The running kernel, through libaudit's netlink calls. Reading needs CAP_AUDIT_CONTROL in the initial user
/// and pid namespaces; without it the answer is unknown.
class LiveKernelAudit final : public KernelAuditControl {
 public:
  /// `options` gives version and machine for the normal form of the rules.
  explicit LiveKernelAudit(ParseOptions options) : options_(std::move(options)) {}
  AuditStatus status() override;
  LiveRules rules() override;
  base::Result<void> add(const Rule& rule) override;
  base::Result<void> remove(const Rule& rule) override;
  base::Result<void> set_rate_limit(std::uint32_t records) override;

 private:
  ParseOptions options_;
};

/// What `auditctl -s` and `auditctl -l` printed on a captured host. Absent text: unknown.
class CapturedKernelAudit final : public KernelAudit {
 public:
  CapturedKernelAudit(std::optional<std::string> status_text, std::optional<std::string> rules_text,
                      ParseOptions options)
      : status_text_(std::move(status_text)),
        rules_text_(std::move(rules_text)),
        options_(std::move(options)) {}
  AuditStatus status() override;
  LiveRules rules() override;

 private:
  std::optional<std::string> status_text_;
  std::optional<std::string> rules_text_;
  ParseOptions options_;
};

/// Text of `auditctl -s`: `name value` lines, or the single `AUDIT_STATUS:` line of old versions.
AuditStatus parse_status(std::string_view text);
/// The same layout, for `collect`.
std::string format_status(const AuditStatus& status);

/// Decodes one rule of the kernel; `size` bytes are readable at `data`. A malformed one is an error.
base::Result<Rule> from_kernel(const audit_rule_data* data, std::size_t size);
/// The bytes auditctl would send for this rule: a struct audit_rule_data with its text buffer.
std::vector<unsigned char> to_kernel(const Rule& rule);

}  // namespace auditshift::auditd
