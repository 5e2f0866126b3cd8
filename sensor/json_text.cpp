// SPDX-License-Identifier: Apache-2.0
#include "sensor/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/utf8.h"

namespace auditshift::sensor {
namespace {

constexpr char kHex[] = "0123456789abcdef";

/// Bytes that stand for themselves in a JSON string.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

void append_unicode_escape(TextBuffer& out, std::uint32_t c) {
  if (c > 0xffff) {  // a surrogate pair (RFC 8259, section 7)
    append_unicode_escape(out, 0xd800 + ((c - 0x10000) >> 10));
    return append_unicode_escape(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
  }
  const char escape[6] = {'\\',         'u', kHex[c >> 12 & 0xf], kHex[c >> 8 & 0xf], kHex[c >> 4 & 0xf],
                          kHex[c & 0xf]};
  out.put({escape, sizeof escape});
}

void append_ascii_escape(TextBuffer& out, char c) {
  switch (c) {
    case '"':
      out.put("\\\"");
      return;
    case '\\':
      out.put("\\\\");
      return;
    case '\n':
      out.put("\\n");
      return;
    case '\t':
      out.put("\\t");
      return;
    case '\r':
      out.put("\\r");
      return;
    default:
      append_unicode_escape(out, static_cast<unsigned char>(c));
  }
}

/// Whether one of eight bytes does not stand for itself; see kPlain.
bool needs_a_look(std::uint64_t bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  const auto holds = [&](std::uint64_t byte) {
    const std::uint64_t zero = bytes ^ (kOnes * byte);  // where that byte is
    return (zero - kOnes) & ~zero;
  };
  const std::uint64_t controls = (bytes - kOnes * 0x20) & ~bytes;
  return ((bytes | controls | holds('"') | holds('\\') | holds(0x7f)) & kHighs) != 0;
}

/// Copies up to the first byte that needs a look; how many.
std::size_t append_plain(TextBuffer& out, std::string_view text) {
  char* to = out.reserve(text.size());
  std::size_t length = 0;
  for (std::uint64_t bytes = 0; text.size() - length >= sizeof bytes; length += sizeof bytes) {
    std::memcpy(&bytes, text.data() + length, sizeof bytes);
    if (needs_a_look(bytes)) break;
    std::memcpy(to + length, &bytes, sizeof bytes);
  }
  for (; length < text.size() && kPlain[static_cast<unsigned char>(text[length])]; ++length)
    to[length] = text[length];
  out.add(length);
  return length;
}

/// What follows the opening quote. False as soon as a byte is no UTF-8, unless `escape_bytes`.
bool append_content(TextBuffer& out, std::string_view text, bool escape_bytes) {
  while (true) {
    text.remove_prefix(append_plain(out, text));
    if (text.empty()) return true;
    const base::CodePoint c = base::decode_utf8(text);
    if (c.length == 0) {
      if (!escape_bytes) return false;
      const auto byte = static_cast<unsigned char>(text[0]);
      const char escape[5] = {'\\', '\\', 'x', kHex[byte >> 4], kHex[byte & 0xf]};
      out.put({escape, sizeof escape});
    } else if (c.length == 1) {
      append_ascii_escape(out, text[0]);
      if (escape_bytes && text[0] == '\\') out.put("\\\\");
    } else if (base::is_unsafe(c.value)) {
      append_unicode_escape(out, c.value);
    } else {
      out.put(text.substr(0, c.length));
    }
    text.remove_prefix(std::max<std::size_t>(c.length, 1));
  }
}

template <class Number>
void append_decimal(TextBuffer& out, Number number) {
  constexpr std::size_t kLongest = 20;  // -9223372036854775808
  char* at = out.reserve(kLongest);
  out.add(static_cast<std::size_t>(std::to_chars(at, at + kLongest, number).ptr - at));
}

/// "00" to "99", one behind the other.
constexpr auto kPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    pairs[i] = static_cast<char>('0' + i / 20);
    pairs[i + 1] = static_cast<char>('0' + i / 2 % 10);
  }
  return pairs;
}();

void put_digits(char* at, unsigned number, int digits) {
  for (; digits >= 2; digits -= 2) {
    std::memcpy(at + digits - 2, &kPairs[std::size_t{number} % 100 * 2], 2);
    number /= 100;
  }
  if (digits == 1) *at = static_cast<char>('0' + number % 10);
}

}  // namespace

void TextBuffer::grow(std::size_t count) {
  std::size_t capacity = std::max<std::size_t>(2 * capacity_, 4096);
  while (capacity - size_ < count) capacity *= 2;
  auto data = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ != 0) std::memcpy(data.get(), data_.get(), size_);
  data_ = std::move(data);
  capacity_ = capacity;
}

bool append_json_string(TextBuffer& out, std::string_view text) {
  out.put('"');
  const std::size_t start = out.size();
  bool escaped = false;
  if (!append_content(out, text, false)) {
    escaped = true;
    out.truncate(start);
    append_content(out, text, true);
  }
  out.put('"');
  return escaped;
}

void append_number(TextBuffer& out, std::uint64_t number) { append_decimal(out, number); }
void append_number(TextBuffer& out, std::int64_t number) { append_decimal(out, number); }

void TimeText::append(TextBuffer& out, std::int64_t wall_ns) {
  using namespace std::chrono;
  const auto second = floor<seconds>(std::chrono::nanoseconds(wall_ns));
  if (second.count() != second_) {
    second_ = second.count();
    const sys_seconds time(second);
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(time - day);
    std::memcpy(text_, "0000-00-00T00:00:00.", sizeof text_);
    put_digits(text_, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    put_digits(text_ + 5, static_cast<unsigned>(date.month()), 2);
    put_digits(text_ + 8, static_cast<unsigned>(date.day()), 2);
    put_digits(text_ + 11, static_cast<unsigned>(clock.hours().count()), 2);
    put_digits(text_ + 14, static_cast<unsigned>(clock.minutes().count()), 2);
    put_digits(text_ + 17, static_cast<unsigned>(clock.seconds().count()), 2);
  }
  char fraction[10];
  put_digits(fraction, static_cast<unsigned>(wall_ns - second_ * 1'000'000'000), 9);
  fraction[9] = 'Z';
  out.put({text_, sizeof text_});
  out.put({fraction, sizeof fraction});
}

}  // namespace auditshift::sensor
