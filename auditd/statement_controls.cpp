// SPDX-License-Identifier: Apache-2.0
// The options that steer the audit system instead of building a rule.
#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "auditd/statement.h"
#include "base/text.h"

namespace auditshift::auditd {
namespace {

// The kernel takes at most ten minutes, in ticks; a tick is 1/100 to 1/1000 s, by the kernel's configuration.
constexpr std::uint64_t kWaitLimitAt100Hz = 60'000;
constexpr std::uint64_t kWaitLimitAt1000Hz = 600'000;

bool starts_with_digit(std::string_view text) { return !text.empty() && text[0] >= '0' && text[0] <= '9'; }

/// Digits as auditctl reads them: strtoul in base 0, low 32 bits, trailing text ignored.
std::optional<std::uint64_t> limit_of(const std::string& text) {
  errno = 0;
  const unsigned long number = std::strtoul(text.c_str(), nullptr, 0);
  if (errno != 0) return std::nullopt;
  return static_cast<std::uint32_t>(number);
}

bool is_plain_decimal(const std::string& text) {
  return base::parse_decimal(text).has_value() && (text.size() == 1 || text[0] != '0');
}

}  // namespace

void Statement::take_control(const Option& option) {
  switch (option.letter) {
    case 'D':
      return take_delete_all(option);
    case 'e':
      return take_choice(option, ControlKind::enabled);
    case 'f':
      return take_choice(option, ControlKind::failure_mode);
    case 'b':
      return take_limit(option, ControlKind::backlog_limit);
    case 'r':
      return take_limit(option, ControlKind::rate_limit);
    case 's':
      return take_status(option);
    case 'l':
      return take_listing(option);
    case 'm':
      return take_message(option);
    case 'q':
      return take_equivalence(option);
    case 't':
      add_control(ControlKind::trim, option);
      status_ = Status::success;
      ended_ = true;
      return;
    case 'i':
    case 'c':
      add_control(option.letter == 'i' ? ControlKind::ignore_errors : ControlKind::continue_on_error, option);
      status_ = Status::success;
      return;
    case 'v':
      add_control(ControlKind::version, option);
      status_ = Status::success;
      return;
    case 'R':
      return fail(option.offset, "a rules file cannot read another one");
    default:  // -h
      if (older_than(4, 1, 4)) return fail(option.offset, "-h prints the usage and counts as an error");
      add_control(ControlKind::help, option);
      status_ = Status::success;
  }
}

void Statement::take_long_control(const Option& option) {
  if (option.name == "backlog_wait_time") return take_wait_time(option);
  if (option.name == "signal") return take_signal(option);
  if (option.name == "loginuid-immutable") {
    add_control(ControlKind::loginuid_immutable, option);
    warn(option.offset, "this cannot be undone before the next boot", Severity::note);
  } else {
    add_control(option.name == "reset-lost" ? ControlKind::reset_lost : ControlKind::reset_wait_time_sum,
                option);
  }
  status_ = Status::success;
  ended_ = true;
}

void Statement::take_delete_all(const Option& option) {
  Option whole = option;
  if (count_ == 3 || count_ > 4) return fail(option.offset, "-D stands alone, or as -D -k KEY");
  if (count_ == 4) {
    const Token* next = reader_->word(reader_->index());
    const Token* key = reader_->word(3);
    if (next == nullptr || next->text != "-k") return fail(option.offset, "-D stands alone, or as -D -k KEY");
    whole.argument = key->text;
    warn(key->offset, "-D -k removes every rule whose key contains this text", Severity::note);
    count_ -= 2;
  }
  add_control(ControlKind::delete_all, whole);
  status_ = Status::success;
}

void Statement::take_status(const Option& option) {
  if (count_ > 3) return fail(option.offset, "-s stands alone, or as -s -i");
  if (reader_->index() == 2 && count_ == 3) {
    if (reader_->word(2)->text != "-i") return fail(option.offset, "-s stands alone, or as -s -i");
    --count_;
  }
  add_control(ControlKind::status, option);
  status_ = Status::success;
}

void Statement::take_listing(const Option& option) {
  const Token* next = reader_->word(reader_->index());
  Option whole = option;
  if (count_ == 3) {
    if (next == nullptr || next->text != "-i")
      return fail(option.offset, "-l stands alone, or as -l -i or -l -k KEY");
    --count_;
  } else if (count_ == 4) {
    if (next == nullptr || next->text != "-k")
      return fail(option.offset, "-l stands alone, or as -l -i or -l -k KEY");
    whole.argument = reader_->word(3)->text;
    count_ -= 2;
  } else if (count_ > 4) {
    return fail(option.offset, "-l stands alone, or as -l -i or -l -k KEY");
  }
  listing_ = true;
  add_control(ControlKind::list, whole);
  status_ = Status::success;
}

void Statement::take_choice(const Option& option, ControlKind kind) {
  const std::string& value = option.argument;
  if (value != "0" && value != "1" && value != "2") {
    return fail(option.argument_offset, "the value of " + option.spelling + " must be 0, 1 or 2");
  }
  add_control(kind, option, static_cast<std::uint64_t>(value[0] - '0'));
  if (kind == ControlKind::enabled && value == "2") {
    warn(option.offset, "-e 2 locks the audit system until the next boot", Severity::note);
  }
}

void Statement::take_limit(const Option& option, ControlKind kind) {
  const std::optional<std::uint64_t> number =
      starts_with_digit(option.argument) ? limit_of(option.argument) : std::nullopt;
  if (!number) return fail(option.argument_offset, "the value of " + option.spelling + " must be a number");
  if (!is_plain_decimal(option.argument)) {
    warn(option.argument_offset, "auditctl reads this number as " + std::to_string(*number));
  }
  add_control(kind, option, *number);
}

void Statement::take_wait_time(const Option& option) {
  const std::optional<std::uint64_t> number =
      starts_with_digit(option.argument) ? limit_of(option.argument) : std::nullopt;
  if (!number) return fail(option.argument_offset, "the value of --backlog_wait_time must be a number");
  if (*number > kWaitLimitAt1000Hz) {
    return fail(option.argument_offset,
                "the kernel refuses the value: it is more than ten minutes on every kernel");
  }
  if (*number > kWaitLimitAt100Hz) {
    warn(option.argument_offset,
         "the value counts ticks of the kernel's clock; whether it is within the limit of ten minutes "
         "depends on "
         "the kernel's HZ");
  }
  add_control(ControlKind::backlog_wait_time, option, *number);
}

void Statement::take_message(const Option& option) {
  if (count_ > 3) return fail(option.offset, "-m takes one word and stands alone");
  ended_ = true;
  const auto control = [](char c) { return static_cast<signed char>(c) < 0x20; };
  if (std::any_of(option.argument.begin(), option.argument.end(), control)) {
    return fail(option.argument_offset, "the message has a byte that is not printable ASCII");
  }
  add_control(ControlKind::user_message, option);
  status_ = Status::success;
}

void Statement::take_equivalence(const Option& option) {
  if (syscalls_given_) return fail(option.offset, "-q takes no syscalls");
  const std::vector<std::string_view> parts = base::split(option.argument, ',');
  if (parts.size() != 2 || parts[1].empty()) {
    return fail(option.argument_offset, "-q takes a mount point and a subtree, joined with a comma");
  }
  if (parts[0].empty()) return fail(option.argument_offset, "the kernel refuses an empty mount point");
  const HostView& host = options_.host != nullptr ? *options_.host : no_host();
  for (const std::string_view part : parts) {
    const PathKind kind = host.kind_of(part);
    if (kind == PathKind::missing || kind == PathKind::missing_parent) {
      warn(option.argument_offset,
           "\"" + std::string(part) + "\" does not exist, so the kernel would refuse this now");
    }
  }
  add_control(ControlKind::make_equivalent, option);
  status_ = Status::success;
  ended_ = true;
}

void Statement::take_signal(const Option& option) {
  static const std::vector<std::string_view> kOld{"term", "hup", "usr1", "usr2", "cont"};
  static const std::vector<std::string_view> kAll{"term", "hup",    "usr1",   "usr2",   "cont",
                                                  "stop", "reload", "rotate", "resume", "state"};
  const std::vector<std::string_view>& known = older_than(3, 1, 1) ? kOld : kAll;
  const std::string name = base::to_lower(option.argument);
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    return fail(option.argument_offset, "\"" + option.argument + "\" is no signal that auditctl sends",
                base::nearest(name, known).value_or(""));
  }
  add_control(ControlKind::signal, option);
  status_ = Status::success;
}

}  // namespace auditshift::auditd
