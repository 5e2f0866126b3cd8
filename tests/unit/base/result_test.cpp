// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

namespace auditshift::base {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error(Errc::invalid, std::to_string(number) + ": odd");
  return number / 2;
}

Result<int> quarter(int number) {
  AUDITSHIFT_TRY(once, half(number));
  AUDITSHIFT_TRY(twice, half(once));
  return twice;
}

Result<void> check_both(int a, int b) {
  AUDITSHIFT_TRY_VOID(half(a));
  AUDITSHIFT_TRY_VOID(half(b).context("second"));
  return {};
}

TEST(Error, KeepsTheErrnoAndGrowsOutwards) {
  Error error = Error::from_errno(EACCES, "/etc/shadow").context("cannot read").with_hint("become root");
  EXPECT_EQ(error.message(), "cannot read: /etc/shadow: Permission denied");
  EXPECT_EQ(error.hint(), "become root");
  EXPECT_EQ(error.system_errno(), EACCES);
  EXPECT_EQ(error.code(), Errc::permission);
}

TEST(Error, SortsErrnoValuesByWhatACallerCanDo) {
  const std::pair<int, Errc> cases[] = {
      {ENOENT, Errc::not_found},  {ENOTDIR, Errc::not_found}, {EPERM, Errc::permission},
      {EROFS, Errc::permission},  {EINVAL, Errc::invalid},    {ENOSYS, Errc::unsupported},
      {ETIMEDOUT, Errc::timeout}, {EINTR, Errc::interrupted}, {EBUSY, Errc::busy},
      {ENOSPC, Errc::no_space},   {EDQUOT, Errc::no_space},   {EEXIST, Errc::exists},
      {EFBIG, Errc::too_large},   {ELOOP, Errc::loop},        {EIO, Errc::io}};
  for (const auto& [number, code] : cases) EXPECT_EQ(Error::from_errno(number, "x").code(), code) << number;
}

TEST(Result, HandsErrorsUp) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message(), "3: odd");
  EXPECT_EQ(quarter(5).error().message(), "5: odd");
  EXPECT_EQ(half(3).value_or(7), 7);
  EXPECT_EQ(half(4).value_or(7), 2);
}

TEST(Result, OfNothingHandsErrorsUpToo) {
  EXPECT_TRUE(check_both(2, 4).ok());
  EXPECT_EQ(check_both(1, 4).error().message(), "1: odd");
  EXPECT_EQ(check_both(2, 3).error().message(), "second: 3: odd");
  EXPECT_EQ(check_both(2, 3).context("outer").error().message(), "outer: second: 3: odd");
}

TEST(Result, HoldsValuesThatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(5));
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 5);
}

}  // namespace
}  // namespace auditshift::base
