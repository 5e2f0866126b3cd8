// SPDX-License-Identifier: Apache-2.0
// What the script augenrules does (init.d/augenrules of the audit sources), byte for byte.
#include <fnmatch.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "auditd/layout.h"
#include "auditd/paths.h"

namespace auditshift::auditd {
namespace {

constexpr AuditVersion kStripsCarriageReturn{3, 1, 1};
constexpr AuditVersion kQuotesNames{3, 1, 3};
constexpr AuditVersion kSortsByGlob{4, 2, 0};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Length of `name` without the suffix that the natural order looks at last: (\.[A-Za-z~][A-Za-z0-9~]*)*$.
std::size_t prefix_length(std::string_view name) {
  std::size_t prefix = 0;
  for (std::size_t i = 0; i < name.size();) {
    prefix = ++i;
    while (i + 1 < name.size() && name[i] == '.' && (is_alpha(name[i + 1]) || name[i + 1] == '~'))
      for (i += 2; i < name.size() && (is_alpha(name[i]) || is_digit(name[i]) || name[i] == '~');) ++i;
  }
  return prefix;
}

/// Rank of one byte outside numbers: the end before digits, letters, all else; `~` before everything.
int rank(std::string_view name, std::size_t at) {
  if (at >= name.size()) return -1;
  const char c = name[at];
  if (is_digit(c)) return 0;
  if (is_alpha(c)) return c;
  if (c == '~') return -2;
  return static_cast<unsigned char>(c) + 256;
}

/// Runs of digits compare as numbers, all else byte by byte (verrevcmp of GNU gnulib's filevercmp).
int compare_natural(std::string_view a, std::string_view b) {
  std::size_t i = 0;
  std::size_t k = 0;
  while (i < a.size() || k < b.size()) {
    while ((i < a.size() && !is_digit(a[i])) || (k < b.size() && !is_digit(b[k]))) {
      const int difference = rank(a, i) - rank(b, k);
      if (difference != 0) return difference;
      ++i;
      ++k;
    }
    while (i < a.size() && a[i] == '0') ++i;
    while (k < b.size() && b[k] == '0') ++k;
    int first_difference = 0;
    for (; i < a.size() && k < b.size() && is_digit(a[i]) && is_digit(b[k]); ++i, ++k)
      if (first_difference == 0) first_difference = a[i] - b[k];
    if (i < a.size() && is_digit(a[i])) return 1;
    if (k < b.size() && is_digit(b[k])) return -1;
    if (first_difference != 0) return first_difference;
  }
  return 0;
}

/// mawk takes `\s` for the letter s; other awks for white space.
bool is_blank(char c, bool mawk) { return mawk ? c == 's' : c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view without_blanks(std::string_view line, bool mawk) {
  while (!line.empty() && is_blank(line.front(), mawk)) line.remove_prefix(1);
  return line;
}

/// The pattern ^\s*-D\s*$
bool is_delete_all(std::string_view directive, bool mawk) {
  return directive.starts_with("-D") && without_blanks(directive.substr(2), mawk).empty();
}

/// The lines of all files, joined as `cat` joins them.
std::vector<CompiledLine> joined_lines(const std::vector<const RuleFile*>& files) {
  std::vector<CompiledLine> lines;
  bool open = false;  // the last line has no newline yet
  for (const RuleFile* file : files) {
    std::string_view rest = file->content;
    for (int number = 1; !rest.empty(); ++number) {
      const std::size_t end = rest.find('\n');
      if (open) {
        lines.back().text += rest.substr(0, end);
      } else {
        lines.push_back({std::string(rest.substr(0, end)), {file->path, number}});
      }
      open = end == std::string_view::npos;
      rest.remove_prefix(open ? rest.size() : end + 1);
    }
  }
  return lines;
}

/// What `cat rules.d/$piece` reads. Where the script does not quote it, the piece is a pattern, and itself
/// when the pattern matches nothing.
std::vector<std::string> files_of_piece(const std::string& piece, const std::set<std::string>& present,
                                        const AuditVersion& version) {
  std::vector<std::string> files;
  if (version < kQuotesNames && piece.find_first_of("*?[") != std::string::npos)
    for (const std::string& name : present)
      if (::fnmatch(piece.c_str(), name.c_str(), FNM_PERIOD) == 0) files.push_back(name);
  if (files.empty() && present.contains(piece)) files.push_back(piece);
  return files;
}

}  // namespace

bool augenrules_before(const std::string& a, const std::string& b) {
  const bool a_hidden = a.starts_with('.');
  if (a_hidden != b.starts_with('.')) return a_hidden;
  const std::string_view a_view = a;
  const std::string_view b_view = b;
  int order = compare_natural(a_view.substr(0, prefix_length(a)), b_view.substr(0, prefix_length(b)));
  if (order == 0) order = compare_natural(a_view, b_view);
  return order != 0 ? order < 0 : a < b;
}

std::vector<std::string> augenrules_reads(std::vector<std::string> names, const AuditVersion& version) {
  std::sort(names.begin(), names.end(), augenrules_before);
  const std::set<std::string> present(names.begin(), names.end());
  std::vector<std::string> reads;
  for (const std::string& name : names) {
    if (name.starts_with('.') || !name.ends_with(".rules")) continue;
    if (version >= kSortsByGlob) {
      reads.push_back(name);
      continue;
    }
    // The shell breaks the list of names at white space.
    for (std::size_t at = 0; at < name.size();) {
      const std::size_t begin = std::min(name.find_first_not_of(" \t\n", at), name.size());
      const std::size_t end = std::min(name.find_first_of(" \t\n", begin), name.size());
      const std::string piece = name.substr(begin, end - begin);
      const std::vector<std::string> files = files_of_piece(piece, present, version);
      reads.insert(reads.end(), files.begin(), files.end());
      at = end;
    }
  }
  return reads;
}

std::vector<CompiledLine> compile_rules(const std::vector<const RuleFile*>& files,
                                        const AuditVersion& version, bool mawk) {
  const bool strip = version >= kStripsCarriageReturn;
  CompiledLine delete_all;
  CompiledLine backlog;
  CompiledLine failure;
  CompiledLine enabled;
  std::vector<CompiledLine> rest;
  for (CompiledLine& line : joined_lines(files)) {
    if (strip && line.text.ends_with('\r')) line.text.pop_back();
    if (line.text.empty()) continue;
    const std::string_view directive = without_blanks(line.text, mawk);
    if (directive.starts_with('#')) continue;
    if (directive.starts_with("-e")) {
      enabled = std::move(line);
    } else if (is_delete_all(directive, mawk)) {
      delete_all = std::move(line);
    } else if (directive.starts_with("-f")) {
      failure = std::move(line);
    } else if (directive.starts_with("-b")) {
      backlog = std::move(line);
    } else {
      rest.push_back(std::move(line));
    }
  }
  std::vector<CompiledLine> compiled;
  compiled.push_back(
      {std::string("## This file is automatically generated from ") + paths::kRulesDirectory, {}});
  for (CompiledLine* line : {&delete_all, &backlog, &failure}) compiled.push_back(std::move(*line));
  for (CompiledLine& line : rest) compiled.push_back(std::move(line));
  compiled.push_back(std::move(enabled));
  return compiled;
}

std::vector<Line> parse_compiled(const std::vector<CompiledLine>& compiled, const ParseOptions& options) {
  // As a whole, so that lines are cut as auditctl cuts them; then each gets back the place it came from.
  std::string text;
  for (const CompiledLine& line : compiled) text += line.text + "\n";
  std::vector<Line> lines = parse_rules(text, paths::kCompiledRules, options);
  for (Line& line : lines) {
    const int number = line.origin.line;
    if (number < 1 || static_cast<std::size_t>(number) > compiled.size()) continue;
    const Origin& origin = compiled[static_cast<std::size_t>(number) - 1].origin;
    if (origin.file.empty()) continue;
    line.origin = origin;
    if (line.rule) line.rule->origin = origin;
    for (Diagnostic& diagnostic : line.diagnostics) diagnostic.origin = origin;
  }
  return lines;
}

}  // namespace auditshift::auditd
