// SPDX-License-Identifier: Apache-2.0
// Where a rule goes: -a -A -d with list and action, -w -W with a path.
#include <libaudit.h>
#include <linux/limits.h>

#include "auditd/statement.h"
#include "base/text.h"

namespace auditshift::auditd {
namespace {

const std::vector<std::string_view> kListWords{"task",       "exit",     "user",  "exclude",
                                               "filesystem", "io_uring", "never", "always"};

std::optional<Filter> list_of(const std::string& word, const AuditVersion& version) {
  const bool since_31 = version >= AuditVersion{3, 1, 0};
  const std::string name = since_31 ? base::to_lower(word) : word;
  if (name == "task") return Filter::task;
  if (name == "exit") return Filter::exit;
  if (name == "user") return Filter::user;
  if (name == "exclude") return Filter::exclude;
  if (name == "filesystem") return Filter::filesystem;
  if (name == "io_uring" && since_31) return Filter::io_uring;
  return std::nullopt;
}

std::optional<Action> action_of(const std::string& word) {
  if (word == "always") return Action::always;
  if (word == "never") return Action::never;
  if (word == "possible") return Action::possible;
  return std::nullopt;
}

enum class ListResult { taken, deprecated, bad };

/// auditctl's reading of LIST,ACTION: each half may be either; a list that is there already turns the second
/// half into the action.
ListResult read_list(const std::string& argument, const AuditVersion& version, std::optional<Filter>& list,
                     std::optional<Action>& action) {
  const std::size_t comma = argument.find(',');
  if (comma == std::string::npos || argument.find(',', comma + 1) != std::string::npos)
    return ListResult::bad;
  const std::string first = argument.substr(0, comma);
  const std::string second = argument.substr(comma + 1);
  if (const auto found = action_of(first)) {
    if (*found != Action::possible) action = found;
  } else {
    const auto filter = list_of(first, version);
    if (!filter) return ListResult::bad;
    list = filter;
  }
  if (!list) {
    list = list_of(second, version);
  } else {
    const auto found = action_of(second);
    if (!found) return ListResult::bad;
    if (*found == Action::possible) return ListResult::deprecated;
    action = found;
  }
  return list && action ? ListResult::taken : ListResult::bad;
}

/// The half of the argument that is neither list nor action, for a suggestion.
std::string suggest_list(const std::string& argument) {
  std::vector<std::string> halves;
  bool changed = false;
  for (const std::string_view half : base::split(argument, ',')) {
    const auto found = base::nearest(half, kListWords);
    changed = changed || (found && *found != half);
    halves.push_back(found.value_or(std::string(half)));
  }
  return changed && halves.size() == 2 ? base::join(halves, ",") : "";
}

std::string_view base_name(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

void Statement::take_list(const Option& option) {
  if (option.letter == 'd' && options_.version == AuditVersion{4, 0, 4}) {
    return fail(option.offset, "audit 4.0.4 does not know the option -d");
  }
  if (option.letter != 'd' && syscalls_given_ && option.argument.find("task") != std::string::npos) {
    return fail(option.argument_offset, "the task list takes no syscalls");
  }
  if (list_given_) return fail(option.offset, "a line takes one of -a, -A and -d only once");
  list_given_ = true;
  // Measured: from 4.0.4 to 4.1.0 -A removes the rule.
  const bool removes =
      option.letter == 'd' || (option.letter == 'A' && !older_than(4, 0, 4) && older_than(4, 1, 1));
  switch (read_list(option.argument, options_.version, removes ? remove_ : add_, action_)) {
    case ListResult::bad:
      return fail(option.argument_offset,
                  "\"" + option.argument + "\" is no pair of a list and an action, such as always,exit",
                  suggest_list(option.argument));
    case ListResult::deprecated:
      warn(option.argument_offset, "the action possible is deprecated; the line is passed over");
      status_ = Status::success;
      add_.reset();
      remove_.reset();
      ended_ = true;
      return;
    case ListResult::taken:
      break;
  }
  if (option.letter == 'A' && removes) {
    warn(option.offset, "-A removes the rule in audit " + options_.version.to_string() +
                            " instead of putting it first (repaired in 4.1.1)");
  }
  prepend_ = option.letter == 'A' && !removes;
  status_ = Status::rule;
}

void Statement::take_watch(const Option& option) {
  if (option.letter == 'w' && list()) {
    return fail(option.offset, "a watch must stand alone, without a list before it");
  }
  std::string path = option.argument;
  if (path.size() >= PATH_MAX) return fail(option.argument_offset, "the path is longer than 4095 bytes");
  if (path.empty() || path[0] != '/') {
    return fail(option.argument_offset,
                path.starts_with('"') || path.starts_with('\'')
                    ? "the path must begin with /; auditctl knows no quotes, a blank is "
                      "written as \"\\ \""
                    : "the path must begin with /");
  }
  if (base_name(path).size() > NAME_MAX) {
    return fail(option.argument_offset, "the last part of the path is longer than 255 bytes");
  }
  if (path.find("..") != std::string::npos)
    warn(option.argument_offset, "\"..\" in a path is taken literally");
  if (path.find_first_of("*?") != std::string::npos) {
    warn(option.argument_offset, "wildcards in a path are taken literally");
  }
  if (path.size() > 2) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
  }
  (option.letter == 'w' ? add_ : remove_) = Filter::exit;
  action_ = Action::always;
  syscalls_given_ = true;
  watch_ = true;
  if (!fields_.empty()) return fail(option.offset, "a watch must stand alone, without fields before it");
  const HostView& host = options_.host != nullptr ? *options_.host : no_host();
  const bool directory = host.kind_of(path) == PathKind::directory;
  const auto length = static_cast<std::uint32_t>(path.size());
  fields_.push_back(
      {directory ? std::uint32_t{AUDIT_DIR} : std::uint32_t{AUDIT_WATCH}, Op::equal, length, path});
  fields_.push_back(
      {AUDIT_PERM, Op::equal, AUDIT_PERM_READ | AUDIT_PERM_WRITE | AUDIT_PERM_EXEC | AUDIT_PERM_ATTR, ""});
  field_offsets_.assign(2, option.argument_offset);
  set_all(mask_);
  permission_given_ = true;
  status_ = Status::rule;
}

}  // namespace auditshift::auditd
