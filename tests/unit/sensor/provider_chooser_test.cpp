// SPDX-License-Identifier: Apache-2.0
#include "sensor/provider_chooser.h"

#include <gtest/gtest.h>

namespace auditshift::sensor {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

/// What a fake does next, and what was done to it; outlives the fakes made from it.
struct Script {
  explicit Script(std::string its_name) : name(std::move(its_name)) {}

  std::string name;
  std::string start_error;  ///< empty: starts
  std::string poll_error;   ///< empty: works
  std::uint64_t drops = 0;
  bool tells_losses = false;  ///< in its events, when it is asked to
  int starts = 0;
  int running = 0;
  std::vector<Exclusion> excluded;
};

class FakeProvider final : public Provider {
 public:
  explicit FakeProvider(Script& script) : script_(script) {}
  ~FakeProvider() override { FakeProvider::stop(); }

  base::Result<void> start() override {
    ++script_.starts;
    if (!script_.start_error.empty()) return base::Error(base::Errc::unsupported, script_.start_error);
    ++script_.running;
    running_ = true;
    return {};
  }
  base::Result<std::size_t> poll(milliseconds, Consumer& consumer) override {
    if (!script_.poll_error.empty()) return base::Error(base::Errc::io, script_.poll_error);
    Event event;
    event.kind = EventKind::exec;
    event.process.comm = script_.name;
    consumer.consume(event);
    return std::size_t{1};
  }
  int descriptor() const override { return -1; }
  base::Result<void> exclude(std::span<const Exclusion> entries) override {
    script_.excluded.assign(entries.begin(), entries.end());
    return {};
  }
  void tell_losses(Consumer& consumer) override {
    if (!script_.tells_losses) return;
    const std::string text = script_.name + "-lost-" + std::to_string(script_.drops);
    Event event;
    event.kind = EventKind::loss;
    event.process.comm = text;
    consumer.consume(event);
  }
  void stop() override {
    if (running_) --script_.running;
    running_ = false;
  }
  std::vector<DropCounter> drops() const override { return {{"cause", script_.drops, {script_.drops}}}; }
  KindSet kinds() const override {
    KindSet kinds = {EventKind::exec};
    if (script_.tells_losses) kinds.insert(EventKind::loss);
    return kinds;
  }
  ProviderDescription describe() const override { return {script_.name, "", {}}; }

 private:
  Script& script_;
  bool running_ = false;
};

class Names final : public Consumer {
 public:
  void consume(const Event& event) override { names.emplace_back(event.process.comm); }
  void end_of_batch() override {}
  std::vector<std::string> names;
};

class ProviderChooserTest : public testing::Test {
 protected:
  ProviderFactory factory(Script& script) {
    return {script.name, [&script]() -> base::Result<std::unique_ptr<Provider>> {
              return std::unique_ptr<Provider>(std::make_unique<FakeProvider>(script));
            }};
  }
  std::string poll() {
    names_.names.clear();
    const auto polled = chooser_.poll(milliseconds(0), names_);
    if (!polled.ok()) return "error: " + polled.error().message();
    std::string text;
    for (const std::string& name : names_.names) text += (text.empty() ? "" : " ") + name;
    return text;
  }

  base::FixedClock clock_{base::WallTime(std::chrono::seconds(1'000'000))};
  Script best_{"ebpf"};
  Script good_{"netlink"};
  Script last_{"auditd"};
  Names names_;
  ProviderChooser chooser_{{factory(best_), factory(good_), factory(last_)}, clock_};
};

TEST_F(ProviderChooserTest, TakesTheFirstThatStarts) {
  ASSERT_TRUE(chooser_.start().ok());
  EXPECT_EQ(chooser_.current_name(), "ebpf");
  EXPECT_EQ(poll(), "ebpf");
  EXPECT_EQ(good_.starts, 0);
  EXPECT_TRUE(chooser_.refusals().empty());
}

TEST_F(ProviderChooserTest, KeepsTheReasonForEachStepDown) {
  best_.start_error = "the kernel has no BTF";
  good_.start_error = "not permitted";
  ASSERT_TRUE(chooser_.start().ok());
  EXPECT_EQ(chooser_.current_name(), "auditd");
  ASSERT_EQ(chooser_.changes().size(), 1U);
  EXPECT_EQ(chooser_.changes()[0].to, "auditd");
  EXPECT_EQ(chooser_.changes()[0].reason, "ebpf: the kernel has no BTF; netlink: not permitted");
  const auto details = chooser_.describe().details;
  ASSERT_EQ(details.size(), 2U);
  EXPECT_EQ(details[0].first, "not ebpf");
  EXPECT_EQ(details[0].second, "the kernel has no BTF");
}

TEST_F(ProviderChooserTest, SaysEveryReasonWhenNothingStarts) {
  best_.start_error = "a";
  good_.start_error = "b";
  last_.start_error = "c";
  const auto started = chooser_.start();
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().message(), "no event provider works here: ebpf: a; netlink: b; auditd: c");
}

TEST_F(ProviderChooserTest, FallsBackWhenTheOneInUseFails) {
  ASSERT_TRUE(chooser_.start().ok());
  std::vector<std::string> heard;
  chooser_.on_change([&](const ProviderChange& change) { heard.push_back(change.from + ">" + change.to); });
  best_.poll_error = "map is gone";
  best_.drops = 3;
  EXPECT_EQ(poll(), "netlink") << "the same poll already delivers";
  EXPECT_EQ(heard, std::vector<std::string>{"ebpf>netlink"});
  EXPECT_EQ(chooser_.changes().back().reason, "ebpf: failed while running: map is gone");
  EXPECT_EQ(best_.running, 0) << "nothing of it stays behind";
  good_.drops = 4;
  EXPECT_EQ(chooser_.drops()[0].count, 7U) << "losses of both count";
}

TEST_F(ProviderChooserTest, WhatWasSetAsideIsNotTriedAgain) {
  ASSERT_TRUE(chooser_.start().ok());
  ASSERT_TRUE(chooser_.set_aside(base::Error(base::Errc::timeout, "no events"), names_).ok());
  EXPECT_EQ(chooser_.current_name(), "netlink");
  EXPECT_EQ(chooser_.changes().back().reason, "ebpf: no events");
  EXPECT_EQ(best_.running, 0);
  clock_.advance(std::chrono::hours(3));
  EXPECT_EQ(poll(), "netlink");
  EXPECT_EQ(best_.starts, 1);
  good_.poll_error = "gone";
  EXPECT_EQ(poll(), "auditd");
  EXPECT_EQ(best_.starts, 1);
}

TEST_F(ProviderChooserTest, TheLastOneIsNotSetAside) {
  best_.start_error = good_.start_error = "not here";
  ASSERT_TRUE(chooser_.start().ok());
  const auto aside = chooser_.set_aside(base::Error(base::Errc::timeout, "no events"), names_);
  ASSERT_FALSE(aside.ok());
  EXPECT_EQ(aside.error().message(), "no events");
  EXPECT_EQ(poll(), "auditd");
}

TEST_F(ProviderChooserTest, TriesTheBetterOneAgainWithGrowingPatience) {
  best_.start_error = "busy";
  ASSERT_TRUE(chooser_.start().ok());
  EXPECT_EQ(best_.starts, 1);
  const auto starts_after = [&](minutes wait) {
    clock_.advance(wait);
    poll();
    return best_.starts;
  };
  EXPECT_EQ(starts_after(minutes(0)), 1);
  EXPECT_EQ(starts_after(minutes(1)), 2);
  EXPECT_EQ(starts_after(minutes(1)), 2) << "now it waits two minutes";
  EXPECT_EQ(starts_after(minutes(1)), 3);
  EXPECT_EQ(starts_after(minutes(3)), 3);
  EXPECT_EQ(starts_after(minutes(1)), 4);
  EXPECT_EQ(starts_after(minutes(600)), 5);
  EXPECT_EQ(starts_after(minutes(60)), 6) << "never longer than the limit";
  EXPECT_EQ(good_.running, 1);
  EXPECT_EQ(good_.starts, 1) << "the one in use was not disturbed";

  best_.start_error.clear();
  clock_.advance(minutes(60));
  EXPECT_EQ(poll(), "netlink ebpf") << "the old one is emptied, then the better one delivers";
  EXPECT_EQ(chooser_.current_name(), "ebpf");
  EXPECT_EQ(chooser_.changes().back().reason, "ebpf works again");
  EXPECT_EQ(good_.running, 0);
  EXPECT_TRUE(chooser_.refusals().empty());
}

TEST_F(ProviderChooserTest, ComesBackToTheOnlyOneThatStarts) {
  good_.start_error = "b";
  last_.start_error = "c";
  ASSERT_TRUE(chooser_.start().ok());
  best_.poll_error = "hiccup";
  EXPECT_EQ(poll(), "error: hiccup") << "started anew, it fails again";
  best_.poll_error.clear();
  EXPECT_EQ(poll(), "ebpf");
  best_.poll_error = "end";
  best_.start_error = "refused";
  EXPECT_EQ(poll(), "error: no event provider works any more: ebpf: failed while running: end");
  EXPECT_EQ(best_.running, 0);
}

TEST_F(ProviderChooserTest, ExclusionsGoWithWhoeverTakesOver) {
  const std::vector<Exclusion> paths = {{ExclusionKind::process, "/usr/sbin/named"},
                                        {ExclusionKind::folder, "/srv"}};
  ASSERT_TRUE(chooser_.start().ok());
  ASSERT_TRUE(chooser_.exclude(paths).ok());
  EXPECT_EQ(best_.excluded, paths);
  best_.poll_error = "gone";
  EXPECT_EQ(poll(), "netlink");
  EXPECT_EQ(good_.excluded, paths);
}

TEST_F(ProviderChooserTest, WhoeverGoesTellsItsLossesFirst) {
  best_.tells_losses = true;
  ASSERT_TRUE(chooser_.start().ok());
  best_.drops = 3;
  best_.poll_error = "gone";
  EXPECT_EQ(poll(), "ebpf-lost-3 netlink");
  good_.tells_losses = true;
  good_.drops = 4;
  best_.poll_error.clear();
  clock_.advance(minutes(1));
  EXPECT_EQ(poll(), "netlink netlink-lost-4 ebpf");
  names_.names.clear();
  ASSERT_TRUE(chooser_.set_aside(base::Error(base::Errc::timeout, "no events"), names_).ok());
  EXPECT_EQ(names_.names, std::vector<std::string>{"ebpf-lost-3"});
  chooser_.tell_losses(names_);
  EXPECT_EQ(names_.names.back(), "netlink-lost-4");
}

TEST_F(ProviderChooserTest, LeavesOutOfTheUntoldLossesWhatAProviderTellsItself) {
  best_.tells_losses = true;
  ASSERT_TRUE(chooser_.start().ok());
  best_.drops = 3;
  EXPECT_TRUE(chooser_.untold_drops().empty());
  best_.poll_error = "gone";
  poll();
  good_.drops = 4;
  EXPECT_EQ(chooser_.drops()[0].count, 7U);
  ASSERT_EQ(chooser_.untold_drops().size(), 1U);
  EXPECT_EQ(chooser_.untold_drops()[0].count, 4U);
  best_.poll_error.clear();
  clock_.advance(minutes(1));
  EXPECT_EQ(poll(), "netlink ebpf");
  EXPECT_EQ(chooser_.untold_drops()[0].count, 4U) << "still to be told when ebpf is in use";
}

TEST_F(ProviderChooserTest, StopsWhatItStarted) {
  ASSERT_TRUE(chooser_.start().ok());
  EXPECT_EQ(best_.running, 1);
  chooser_.stop();
  EXPECT_EQ(best_.running, 0);
  EXPECT_EQ(chooser_.current_name(), "");
}

}  // namespace
}  // namespace auditshift::sensor
