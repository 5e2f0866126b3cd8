// SPDX-License-Identifier: Apache-2.0
#include "migrate/openmetrics.h"

#include <gtest/gtest.h>

namespace auditshift::migrate {
namespace {

TEST(Metrics, AreWrittenAsTheFormatAsks) {
  Metrics metrics;
  metrics.gauge("a_info", "What it is.");
  metrics.sample(1, {{"name", "a\"b\\c\nd"}, {"bytes", "\xff"}});
  metrics.gauge("b", "A number.");
  metrics.sample(1709272800);
  metrics.states("state", {"on", "off"}, "off");
  metrics.counter("c_total", "A sum.");
  metrics.sample(3);
  EXPECT_EQ(metrics.take(),
            "# HELP a_info What it is.\n# TYPE a_info gauge\n"
            "a_info{name=\"a\\\"b\\\\c\\nd\",bytes=\"\xef\xbf\xbd\"} 1\n"
            "# HELP b A number.\n# TYPE b gauge\nb 1709272800\n"
            "b{state=\"on\"} 0\nb{state=\"off\"} 1\n"
            "# HELP c_total A sum.\n# TYPE c_total counter\nc_total 3\n");
}

}  // namespace
}  // namespace auditshift::migrate
