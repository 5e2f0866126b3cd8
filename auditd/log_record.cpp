// SPDX-License-Identifier: Apache-2.0
#include "auditd/log_record.h"

#include <charconv>
#include <cstring>

namespace auditshift::auditd {
namespace {

/// Reads digits at the front of `text` and takes them off; false when there are none or too many.
template <class Number>
bool take_number(std::string_view& text, Number& number, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// A value begins after "name="; it ends at its closing quote, or before a blank or the quote of msg='…'.
std::string_view value_at(std::string_view text) {
  if (text.starts_with('"')) {
    const std::size_t quote = text.find('"', 1);
    return text.substr(0, quote == std::string_view::npos ? quote : quote + 1);
  }
  return text.substr(0, text.find_first_of(" '"));
}

std::string_view field_forward(std::string_view raw, std::string_view name) {
  for (std::size_t at = raw.find(name); at != std::string_view::npos; at = raw.find(name, at + 1))
    if (at == 0 || raw[at - 1] == ' ') return raw.substr(at + name.size());
  return {};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::optional<RecordHead> parse_record_head(std::string_view line) {
  RecordHead head;
  if (take(line, "node=")) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    head.node = line.substr(0, space);
    line.remove_prefix(space + 1);
  }
  if (!take(line, "type=")) return std::nullopt;
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0 || space > 64) return std::nullopt;
  head.type = line.substr(0, space);
  line.remove_prefix(space + 1);
  if (!take(line, "msg=audit(")) return std::nullopt;
  const std::size_t close = line.substr(0, 64).find(')');
  if (close == std::string_view::npos) return std::nullopt;
  head.stamp = line.substr(0, close + 1);
  line.remove_prefix(close + 1);
  take(line, ":");
  head.body = line;
  return head;
}

std::optional<EventStamp> parse_event_stamp(std::string_view stamp) {
  EventStamp event;
  if (!take_number(stamp, event.seconds) || !take(stamp, ".") || !take_number(stamp, event.millis) ||
      !take(stamp, ":") || !take_number(stamp, event.serial) || stamp != ")")
    return std::nullopt;
  return event;
}

std::string_view raw_body(std::string_view body) { return body.substr(0, body.find('\x1d')); }

SyscallNumber parse_syscall_number(std::string_view raw) {
  SyscallNumber found;
  std::string_view rest = field_forward(raw, "arch=");
  take_number(rest, found.arch, 16);
  // The kernel writes them next to each other (audit_log_exit in kernel/auditsc.c).
  if (!take(rest, " syscall=")) rest = field_forward(raw, "syscall=");
  if (!take_number(rest, found.number) || found.number < 0) found.number = -1;
  return found;
}

ExeAndKey find_exe_and_key(std::string_view raw, bool with_key) {
  ExeAndKey found;
  const char* begin = raw.data();
  std::size_t end = raw.size();
  bool key_seen = !with_key;
  while (end > 0) {
    const void* space = ::memrchr(begin, ' ', end);
    const std::size_t start =
        space == nullptr ? 0 : static_cast<std::size_t>(static_cast<const char*>(space) - begin) + 1;
    std::string_view word = raw.substr(start, end - start);
    take(word, "msg='");
    if (!key_seen && take(word, "key=")) {
      found.key = value_at(word);
      key_seen = true;
    } else if (take(word, "exe=")) {
      found.exe = value_at(word);
      if (key_seen) break;
    }
    if (start == 0) break;
    end = start - 1;
  }
  return found;
}

std::string_view decode_value(std::string_view value, std::string& buffer) {
  if (value.starts_with('"')) {
    value.remove_prefix(1);
    if (value.ends_with('"')) value.remove_suffix(1);
    return value == "?" ? std::string_view() : value;
  }
  if (value.empty() || value == "(null)" || value == "?") return {};
  if (value.size() % 2 != 0) return value;
  buffer.clear();
  for (std::size_t i = 0; i < value.size(); i += 2) {
    const int high = hex_digit(value[i]);
    const int low = hex_digit(value[i + 1]);
    if (high < 0 || low < 0) return value;
    buffer += static_cast<char>(high * 16 + low);
  }
  return buffer;
}

}  // namespace auditshift::auditd
