// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "auditd/rule.h"
#include "base/text.h"
#include "migrate/exclusion.h"
#include "migrate/render_text.h"

namespace auditshift::migrate {

enum class Style { plain, bold, dim, red, yellow, green };

/// Builds the page line by line; every text from the host passes printable().
class Page {
 public:
  explicit Page(const TextOptions& options) : options_(options) {}

  std::string styled(std::string_view text, Style style) const {
    static constexpr const char* kCodes[] = {"", "\033[1m", "\033[2m", "\033[31m", "\033[33m", "\033[32m"};
    if (!options_.color || style == Style::plain) return std::string(text);
    return kCodes[static_cast<std::size_t>(style)] + std::string(text) + "\033[0m";
  }

  void line(std::string_view text = {}) { (out_ += text) += '\n'; }
  void heading(std::string_view text) {
    line();
    line(styled(text, Style::bold));
  }
  /// Wrapped text behind a label; later lines align under the first word.
  void paragraph(std::string_view label, std::string_view text) {
    const std::size_t indent = label.size();
    line(std::string(label) + base::wrap(text, options_.width, indent));
  }
  void pair(std::string_view name, std::string_view value) {
    std::string label = "  " + std::string(name);
    label.resize(std::max<std::size_t>(label.size() + 1, 14), ' ');
    paragraph(label, value);
  }
  std::string take() { return std::move(out_); }

 private:
  const TextOptions& options_;
  std::string out_;
};

/// "/etc/audit/rules.d/x.rules:3", or "kernel".
std::string place_of(const auditd::Origin& origin);

/// What becomes of each exclusion.
void render_intents(const std::vector<ExclusionIntent>& intents, Page& page);

}  // namespace auditshift::migrate
