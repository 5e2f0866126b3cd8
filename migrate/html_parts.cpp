// SPDX-License-Identifier: Apache-2.0
#include "migrate/html_parts.h"

namespace auditshift::migrate {

Markup tone_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ready:
    case Verdict::already_switched:
      return "good";
    case Verdict::blocked:
      return "bad";
    default:
      return "warn";
  }
}

Markup tone_of(FindingSeverity severity) {
  switch (severity) {
    case FindingSeverity::high:
      return "bad";
    case FindingSeverity::medium:
      return "warn";
    default:
      return "plain";
  }
}

void badge(Html& page, Markup tone, std::string_view text) {
  page << "<span class=\"badge " << tone << "\">";
  page.text(text) << "</span>";
}

void begin_section(Html& page, Markup id, Markup title) {
  page << "<section aria-labelledby=\"" << id << "\">\n<h2 id=\"" << id << "\">" << title << "</h2>\n";
}
void end_section(Html& page) { page << "</section>\n"; }

void begin_table(Html& page, Markup label) {
  page << "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"" << label
       << ", a table\">\n<table>\n";
}
void end_table(Html& page) { page << "</tbody>\n</table>\n</div>\n"; }

}  // namespace auditshift::migrate
