// SPDX-License-Identifier: Apache-2.0
// A rules file, hostile or broken: it is read to its end, and what it loads survives the way to the kernel.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "auditd/kernel.h"
#include "auditd/normalize.h"
#include "auditd/parser.h"

namespace {

using namespace auditshift::auditd;  // NOLINT: one purpose

void require(bool condition) {
  if (!condition) std::abort();
}

/// Every byte of the file is in exactly one line, or ends one.
void check_text(const std::vector<Line>& lines, const std::string& text) {
  std::string joined;
  for (const Line& line : lines) joined += line.cut ? line.text : line.text + "\n";
  if (!joined.empty() && (text.empty() || text.back() != '\n')) joined.pop_back();
  require(joined == text);
}

void check_rule(const Rule& rule, const ParseOptions& options) {
  const std::vector<unsigned char> bytes = to_kernel(rule);
  std::vector<std::uint64_t> aligned((bytes.size() + 7) / 8);
  std::memcpy(aligned.data(), bytes.data(), bytes.size());
  const auto back = from_kernel(reinterpret_cast<const audit_rule_data*>(aligned.data()), bytes.size());
  require(back.ok());
  require(rule.verb == RuleVerb::remove || back->verb == rule.verb);
  require(same_in_kernel(*back, rule));
  require(normalize(*back, options.version, options.machine) ==
          normalize(rule, options.version, options.machine));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr AuditVersion kVersions[] = {{3, 0, 9}, {2, 8, 5}, {3, 1, 5}, {4, 0, 4}, {4, 2, 1}};
  static constexpr const char* kMachines[] = {"x86_64", "aarch64", "ppc64le", "i686", "unheard-of"};
  if (size == 0) return 0;
  const ParseOptions options{kVersions[data[0] % 5], kMachines[data[0] / 5 % 5], nullptr};
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::vector<Line> lines = parse_rules(text, "fuzz.rules", options);
  check_text(lines, text);
  std::vector<Rule> rules;
  for (const Line& line : lines) {
    for (const Diagnostic& diagnostic : line.diagnostics)
      require(diagnostic.column >= 1 && !diagnostic.message.empty());
    if (!line.rule || !line.valid()) continue;
    check_rule(*line.rule, options);
    if (rules.size() < 50) rules.push_back(*line.rule);
  }
  (void)kernel_order(rules);
  // The same text as a listing.
  (void)CapturedKernelAudit(text, text, options).rules();
  (void)format_status(parse_status(text));
  return 0;
}
