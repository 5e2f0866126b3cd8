// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "migrate/assess.h"
#include "migrate/html.h"

namespace auditshift::migrate {

/// The class that colours a badge or box.
Markup tone_of(Verdict verdict);
Markup tone_of(FindingSeverity severity);

void badge(Html& page, Markup tone, std::string_view text);

/// A section with a heading that the navigation leads to.
void begin_section(Html& page, Markup id, Markup title);
void end_section(Html& page);

/// A wide table scrolls by itself, for the keyboard too. The caption, the head and "<tbody>" are the
/// caller's.
void begin_table(Html& page, Markup label);
void end_table(Html& page);

}  // namespace auditshift::migrate
