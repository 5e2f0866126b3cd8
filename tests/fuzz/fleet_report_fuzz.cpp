// SPDX-License-Identifier: Apache-2.0
// Any bytes as one host's assessment: it is refused or read, and what was read can be reported in every
// format.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "migrate/fleet/render.h"

using namespace auditshift::migrate::fleet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto report = parse_host_report(text, "fuzz.json");
  if (!report || !*report) return 0;
  FleetBuilder builder;
  builder.add(**report);
  builder.add(**std::move(report));
  const Fleet fleet = std::move(builder).finish({}, {});
  (void)auditshift::base::Json::parse(render_json(fleet, auditshift::base::JsonStyle::compact));
  (void)render_csv(fleet);
  (void)render_html(fleet);
  (void)render_text(fleet, {});
  return 0;
}
