// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "sensor/kernel_programs.h"

namespace auditshift::sensor {
namespace {

using namespace std::string_view_literals;

TEST(ExecutableKey, HasTheNamesTurnedAroundAndZerosBehind) {
  const auto key = executable_key("/usr/bin/tool");
  ASSERT_TRUE(key.ok());
  const std::string_view bytes(key->components, sizeof key->components);
  EXPECT_EQ(bytes.substr(0, 13), "tool\0bin\0usr\0"sv);
  EXPECT_EQ(bytes.find_first_not_of('\0', 13), std::string_view::npos);
}

TEST(ExecutableKey, TakesPathsUpToItsSize) {
  const std::string longest = "/" + std::string(AS_EXCLUSION_SIZE - 1, 'x');
  EXPECT_TRUE(executable_key(longest).ok());
  const auto longer = executable_key(longest + "y");
  ASSERT_FALSE(longer.ok());
  EXPECT_EQ(longer.error().code(), base::Errc::too_large);
}

TEST(ExecutableKey, RefusesWhatTheKernelWouldNeverSay) {
  for (const std::string_view path :
       {"", "/", "tool", "/usr/../bin/tool", "/usr//bin", "/usr/bin/", "/./x"}) {
    const auto key = executable_key(path);
    ASSERT_FALSE(key.ok()) << path;
    EXPECT_EQ(key.error().code(), base::Errc::invalid) << path;
  }
}

}  // namespace
}  // namespace auditshift::sensor
