// SPDX-License-Identifier: Apache-2.0
#include "migrate/outside/command_text.h"

#include <vector>

#include "base/text.h"

namespace auditshift::migrate::outside {
namespace {

std::vector<std::string> last_lines(std::string_view text, std::size_t count) {
  std::vector<std::string> lines;
  for (const std::string_view line : base::split(text, '\n'))
    if (const std::string_view trimmed = base::trim(line); !trimmed.empty())
      lines.push_back(base::printable(trimmed));
  if (lines.size() > count) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
  return lines;
}

}  // namespace

std::string last_words(const base::Completed& done, std::size_t lines) {
  auto words = last_lines(done.errors, lines);
  if (words.empty()) words = last_lines(done.output, lines);
  return base::join(words, "; ");
}

std::string end_of(const base::Completed& done) {
  return done.signal != 0 ? "killed by signal " + std::to_string(done.signal)
                          : "exit status " + std::to_string(done.exit_code);
}

base::Error failure_of(const base::Completed& done, std::string_view what, base::Errc code) {
  const std::string words = last_words(done);
  return base::Error(code, std::string(what) + ": " + (words.empty() ? end_of(done) : words));
}

}  // namespace auditshift::migrate::outside
