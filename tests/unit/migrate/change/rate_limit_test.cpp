// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/change/backup_directory.h"
#include "migrate/change/plan_steps.h"
#include "tests/unit/migrate/change/fakes.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::migrate::change {
namespace {

struct Bench {
  tests::TemporaryTree tree;
  std::shared_ptr<tests::FakeKernel> kernel = std::make_shared<tests::FakeKernel>();
  Host host;
  BackupDirectory backups;
  std::unique_ptr<Step> step;

  Bench() : backups(std::make_shared<base::Sysroot>(tree.open()), "/backups") {
    kernel->rate_limit = 2500;
    host.audit = kernel;
    auto made = make_step(rate_limit("1", 2500, 100));
    EXPECT_TRUE(made.ok());
    step = *std::move(made);
  }
  base::Result<void> apply() { return step->apply(host, base::Json::object()); }
  base::Result<void> undo() { return step->undo(host, base::Json::object(), backups); }
};

TEST(RateLimitStep, GoesThereAndBack) {
  Bench bench;
  EXPECT_EQ(*bench.step->diff(bench.host), "-rate_limit 2500\n+rate_limit 100\n");
  ASSERT_TRUE(bench.step->capture(bench.host, bench.backups).ok());
  EXPECT_FALSE(*bench.step->done(bench.host));
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_TRUE(bench.apply().ok());
    EXPECT_EQ(bench.kernel->rate_limit, 100U);
    EXPECT_TRUE(*bench.step->done(bench.host));
  }
  EXPECT_EQ(bench.kernel->requests, 1) << "nothing is asked for twice";
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_TRUE(bench.undo().ok());
    EXPECT_EQ(bench.kernel->rate_limit, 2500U);
  }
}

TEST(RateLimitStep, WhatSomebodySetMeanwhileIsTheirs) {
  Bench bench;
  ASSERT_TRUE(bench.apply().ok());
  bench.kernel->rate_limit = 7;
  const auto refused = bench.undo();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), base::Errc::busy);
  EXPECT_THAT(refused.error().message(), ::testing::HasSubstr("7 records a second"));
  EXPECT_EQ(bench.kernel->rate_limit, 7U);
  EXPECT_FALSE(bench.step->capture(bench.host, bench.backups).ok());
}

TEST(RateLimitStep, ALockedKernelTakesItFromDiskWithItsNextBoot) {
  Bench bench;
  bench.kernel->enabled = 2;
  EXPECT_FALSE(bench.apply().ok());
  EXPECT_TRUE(bench.undo().ok());
}

}  // namespace
}  // namespace auditshift::migrate::change
