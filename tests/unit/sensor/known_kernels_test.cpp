// SPDX-License-Identifier: Apache-2.0
#include "sensor/known_kernels.h"

#include <gtest/gtest.h>

namespace auditshift::sensor {
namespace {

TEST(KnownKernels, RefuseTheBadUnlessAcceptedByName) {
  const std::string bad = "5.15.0-0.30.20.el8uek.x86_64";
  EXPECT_EQ(known_bad_kernel(bad, {}),
            "kernel " + bad + " is known to be bad: it hangs or panics when system calls are traced");
  EXPECT_TRUE(known_bad_kernel("5.15.0-0.30.20.1.el8uek.x86_64", {bad})) << "only the one that was named";
  EXPECT_FALSE(known_bad_kernel(bad, {bad}));
  EXPECT_FALSE(known_bad_kernel("5.15.0-0.30.19.el8uek.x86_64", {})) << "one below";
  EXPECT_FALSE(known_bad_kernel("6.1.0-18-amd64", {}));
}

}  // namespace
}  // namespace auditshift::sensor
