// SPDX-License-Identifier: Apache-2.0
#include "migrate/html.h"

#include "base/hash.h"
#include "base/text.h"
#include "migrate/report_style.h"

namespace auditshift::migrate {

Html& Html::text(std::string_view text) {
  for (const char c : base::printable(text)) {
    switch (c) {
      case '&':
        out_ += "&amp;";
        break;
      case '<':
        out_ += "&lt;";
        break;
      case '>':
        out_ += "&gt;";
        break;
      case '"':
        out_ += "&quot;";
        break;
      case '\'':
        out_ += "&#39;";
        break;
      default:
        out_ += c;
    }
  }
  return *this;
}

Html& Html::number(std::uint64_t number) {
  out_ += base::with_thousands(number);
  return *this;
}

Html& Html::element(Markup name, std::string_view content) {
  *this << "<" << name << ">";
  text(content);
  return *this << "</" << name << ">";
}

Html& Html::element(Markup name, Markup css_class, std::string_view content) {
  *this << "<" << name << " class=\"" << css_class << "\">";
  text(content);
  return *this << "</" << name << ">";
}

std::string html_document(std::string_view title, const Html& body, std::string_view more_style) {
  // The hash is over exactly what stands between <style> and </style> (CSP Level 3, 6.7.3.3).
  const std::string style = std::string(kReportStyle) + std::string(more_style);
  Html page;
  page << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-";
  page.text(base::base64(base::sha256_bytes(style)));
  page << "'; base-uri 'none'; form-action 'none'\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n"
          "<meta name=\"referrer\" content=\"no-referrer\">\n<title>";
  page.text(title) << "</title>\n<style>";
  std::string document = page.take() + style;
  Html rest;
  rest << "</style>\n</head>\n<body>\n";
  rest.append(body) << "</body>\n</html>\n";
  return document + rest.take();
}

}  // namespace auditshift::migrate
