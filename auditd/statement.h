// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "auditd/fields.h"
#include "auditd/options.h"
#include "auditd/parser.h"
#include "auditd/syscalls.h"

namespace auditshift::auditd {

/// Carries out the options of one line in the order in which getopt gives them, with the state that auditctl
/// keeps while it does. What it would have sent goes into the Line; the first error ends the line.
class Statement {
 public:
  /// `column` bytes of the physical line come before the text of `line`.
  Statement(const ParseOptions& options, Line& line, std::size_t column);
  void read(std::vector<Token> tokens);

 private:
  /// What the options so far came to; auditctl goes on only after the first two.
  enum class Status { reply, rule, error, success };

  void take(const Option& option);
  void take_invalid(const Option& option);
  bool take_rule_option(const Option& option);
  void take_control(const Option& option);
  void take_long_control(const Option& option);

  void take_list(const Option& option);
  void take_watch(const Option& option);
  void take_syscalls(const Option& option);
  void take_field(const Option& option);
  void add_field(std::uint32_t id, const FieldText& text, const Option& option);
  void take_comparison(const Option& option);
  void take_permissions(const Option& option);
  void take_key(const std::string& key, std::size_t offset);
  void warn_of_abi_mismatch(const Option& option);
  void note_number_quirks(std::uint32_t id, const std::string& value, std::size_t offset);

  void take_delete_all(const Option& option);
  void take_status(const Option& option);
  void take_listing(const Option& option);
  void take_choice(const Option& option, ControlKind kind);
  void take_limit(const Option& option, ControlKind kind);
  void take_wait_time(const Option& option);
  void take_message(const Option& option);
  void take_equivalence(const Option& option);
  void take_signal(const Option& option);

  void finish();
  void report_stray_words();
  void append_key_field();
  void build_rule();
  void check_kernel_limits();

  void add_control(ControlKind kind, const Option& option, std::uint64_t number = 0);
  void fail(std::size_t offset, const std::string& message, const std::string& suggestion = {});
  void warn(std::size_t offset, const std::string& message, Severity severity = Severity::warning);
  std::optional<Filter> list() const;
  FieldPlace place() const;
  bool older_than(int major, int minor, int patch) const;

  const ParseOptions& options_;
  Line& line_;
  std::size_t column_;
  std::optional<OptionReader> reader_;
  std::size_t count_ = 0;  ///< argc, less the words an option has eaten by hand

  Status status_ = Status::reply;
  bool ended_ = false;  ///< auditctl left the line at once; its closing checks do not happen
  bool listing_ = false;

  std::optional<Filter> add_;
  std::optional<Filter> remove_;
  std::optional<Action> action_;
  bool prepend_ = false;
  bool list_given_ = false;

  std::uint32_t arch_ = 0;  ///< AUDIT_ARCH_* that names syscalls, 0 until it matters
  bool arch_given_ = false;
  bool syscalls_given_ = false;
  bool permission_given_ = false;
  bool exe_given_ = false;
  bool filesystem_given_ = false;
  bool watch_ = false;
  std::string key_;
  std::size_t key_offset_ = 0;
  std::vector<Field> fields_;
  std::vector<std::size_t> field_offsets_;
  SyscallMask mask_{};
};

}  // namespace auditshift::auditd
