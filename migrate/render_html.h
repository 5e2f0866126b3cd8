// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "migrate/assess.h"

namespace auditshift::migrate {

/// The report of one host as one HTML file: verdict and next step on top, then findings, rules, exclusions,
/// coverage and checks. It loads nothing and runs no script; see html_document.
std::string render_html(const Assessment& assessment);

}  // namespace auditshift::migrate
