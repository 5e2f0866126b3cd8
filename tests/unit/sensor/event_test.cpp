// SPDX-License-Identifier: Apache-2.0
#include "sensor/event.h"

#include <gtest/gtest.h>

#include <set>

namespace auditshift::sensor {
namespace {

TEST(EventKind, EachHasOneNameThatLeadsBackToIt) {
  std::set<std::string_view> names;
  for (const EventKind kind : all_kinds()) {
    const std::string_view name = kind_name(kind);
    ASSERT_FALSE(name.empty()) << static_cast<int>(kind);
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(kind_from_name(name), kind);
  }
  EXPECT_EQ(kind_name(EventKind::none), "");
  EXPECT_EQ(kind_name(static_cast<EventKind>(255)), "");
  EXPECT_EQ(kind_from_name("nonesuch"), std::nullopt);
}

TEST(KindSet, HoldsWhatWasPutIn) {
  KindSet set{EventKind::exec, EventKind::rename};
  EXPECT_TRUE(set.contains(EventKind::exec));
  EXPECT_FALSE(set.contains(EventKind::exit));
  set.erase(EventKind::exec);
  EXPECT_EQ(set, KindSet{EventKind::rename});
  EXPECT_TRUE(KindSet::all().contains(EventKind::loss));
  EXPECT_FALSE(KindSet::all().contains(EventKind::none));
}

TEST(Syscall, OnlyKernelErrnoValuesAreFailures) {
  Syscall call;
  call.result = -13;
  EXPECT_FALSE(call.failed()) << "a result that is not known is no failure";
  call.result_known = true;
  EXPECT_TRUE(call.failed());
  EXPECT_EQ(call.error(), 13);
  call.result = -5000;  // an address near the end of the address space
  EXPECT_FALSE(call.failed());
}

}  // namespace
}  // namespace auditshift::sensor
