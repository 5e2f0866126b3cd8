// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace auditshift::migrate {

/// Markup that this program brings itself: it can be made from a string literal only, so that no text of a
/// host is ever taken for it.
class Markup {
 public:
  template <std::size_t N>
  consteval Markup(const char (&literal)[N]) : text_(literal, N - 1) {}
  constexpr std::string_view view() const { return text_; }

 private:
  std::string_view text_;
};

/// Grows an HTML document. Everything that is no literal is escaped: control and bidirectional characters are
/// made visible (base::printable), and what means something to HTML becomes a character reference, for
/// element content and for quoted attribute values alike (HTML Living Standard, 13.1.4 and 13.1.2.3).
class Html {
 public:
  Html& operator<<(Markup markup) {
    out_ += markup.view();
    return *this;
  }
  Html& text(std::string_view text);
  Html& number(std::uint64_t number);

  /// "<name>text</name>" with `name` a literal.
  Html& element(Markup name, std::string_view content);
  /// The same with a class.
  Html& element(Markup name, Markup css_class, std::string_view content);
  /// Takes over what another one grew.
  Html& append(const Html& part) {
    out_ += part.out_;
    return *this;
  }

  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

/// One file that needs nothing else: style inside, no script, and a content security policy that lets nothing
/// in but that style (by its hash). `title` is escaped; `more_style` stands behind the reports' own style.
std::string html_document(std::string_view title, const Html& body, std::string_view more_style = {});

}  // namespace auditshift::migrate
