// SPDX-License-Identifier: Apache-2.0
#include "auditd/parser.h"

#include <algorithm>

#include "auditd/remarks.h"
#include "auditd/statement.h"
#include "auditd/tokens.h"

namespace auditshift::auditd {
namespace {

class NoHost final : public HostView {
 public:
  std::optional<std::uint32_t> uid_of(std::string_view) const override { return std::nullopt; }
  std::optional<std::uint32_t> gid_of(std::string_view) const override { return std::nullopt; }
  PathKind kind_of(std::string_view) const override { return PathKind::unknown; }
};

void report_dropped_words(Line& line, const Tokens& tokens, const ParseOptions& options) {
  if (tokens.dropped == 0) return;
  const bool refused = options.version >= AuditVersion{4, 2, 0};
  line.diagnostics.push_back(
      {line.origin,
       1,
       refused ? Severity::error : Severity::warning,
       refused ? "the line has too many words for its length"
               : "the line has too many words for its length; auditctl passes over the last " +
                     std::to_string(tokens.dropped),
       {}});
}

Line parse_piece(std::string_view text, const Origin& origin, std::size_t column, bool cut,
                 const ParseOptions& options) {
  Line line;
  line.origin = origin;
  line.text = text;
  line.cut = cut;
  line.kind = kind_of_line(text);
  for (Diagnostic& remark : remarks_on_bytes(line)) {
    remark.column += static_cast<int>(column);
    line.diagnostics.push_back(std::move(remark));
  }
  if (line.kind != LineKind::statement) return line;
  Tokens tokens = split_tokens(text);
  report_dropped_words(line, tokens, options);
  Statement(options, line, column).read(std::move(tokens.tokens));
  // Errors first, so that the reason stands before what made it likely.
  std::stable_partition(line.diagnostics.begin(), line.diagnostics.end(),
                        [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::error; });
  return line;
}

}  // namespace

const HostView& no_host() {
  static const NoHost host;
  return host;
}

std::vector<Line> parse_rules(std::string_view text, std::string_view file, const ParseOptions& options) {
  std::vector<Line> lines;
  for (const RawLine& raw : split_lines(text)) {
    lines.push_back(parse_piece(raw.text, {std::string(file), raw.number}, raw.column, raw.cut, options));
  }
  return lines;
}

Line parse_line(std::string_view text, const Origin& origin, const ParseOptions& options) {
  return parse_piece(text, origin, 0, false, options);
}

}  // namespace auditshift::auditd
