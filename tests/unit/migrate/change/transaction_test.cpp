// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/transaction.h"

#include <gtest/gtest.h>

#include "migrate/change/file_steps.h"
#include "migrate/change/transaction_record.h"
#include "tests/unit/migrate/change/scenarios.h"
#include "tests/unit/migrate/change/test_steps.h"

namespace auditshift::migrate::change {
namespace {

using base::Errc;
using tests::FaultPoints;
using tests::FaultScenario;
using tests::SimulatedHost;
using Kind = Outcome::Kind;

constexpr const char* kMarker = "/var/lib/auditshift/resume-at-boot";

class Recorder final : public Announcer {
 public:
  base::Result<void> announce(const Announcement& announcement) override {
    kinds.push_back(announcement.kind);
    return {};
  }
  std::vector<Announced> kinds;
};

struct Bench {
  explicit Bench(FaultScenario chosen = tests::changeable_scenario()) : scenario(std::move(chosen)) {
    scenario.prepare(host);
    plan = scenario.plan(host);
    options.caller = "root (auditshift switch)";
    options.verify = scenario.verify;
    options.announcer = &recorder;
    before = picture();
  }
  std::string picture() { return tests::picture(host.tree(), host.world()); }
  bool marker() { return host.host().files->exists(kMarker); }
  Status status() { return *transactions.status(); }
  Outcome expect(base::Result<Outcome> outcome, State state, Kind kind) {
    EXPECT_TRUE(outcome.ok()) << outcome.error().message();
    if (!outcome) return {};
    EXPECT_EQ(to_string(outcome->state), to_string(state)) << outcome->message;
    EXPECT_EQ(outcome->kind, kind) << outcome->message;
    return *outcome;
  }

  FaultScenario scenario;
  SimulatedHost host{scenario.options};
  Plan plan;
  TransactionOptions options;
  Recorder recorder;
  Transactions transactions{host.host(), SimulatedHost::kState, tests::make_test_step};
  std::string before;
};

TEST(Transactions, BeforeTheFirstThereIsNothing) {
  Bench bench;
  EXPECT_EQ(bench.status().state, State::idle);
  EXPECT_TRUE(bench.transactions.history()->empty());
  bench.expect(bench.transactions.resume(bench.options), State::idle, Kind::done);
  EXPECT_EQ(bench.transactions.rollback(bench.options).error().code(), Errc::not_found);
  EXPECT_EQ(bench.transactions.commit(bench.options).error().code(), Errc::not_found);
  EXPECT_FALSE(bench.host.host().files->exists(SimulatedHost::kState)) << "asking changes nothing";
}

TEST(Transactions, SwitchThenRollBackBringsEverythingBack) {
  Bench bench;
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::switched, Kind::done);
  EXPECT_NE(bench.picture(), bench.before);
  EXPECT_EQ(bench.status().steps_done, bench.plan.steps.size());
  EXPECT_FALSE(bench.status().interrupted);
  EXPECT_TRUE(bench.status().verification->ok());
  EXPECT_EQ(bench.transactions.begin(bench.plan, bench.options).error().code(), Errc::exists);
  bench.expect(bench.transactions.rollback(bench.options), State::rolled_back, Kind::done);
  EXPECT_EQ(bench.picture(), bench.before);
  EXPECT_FALSE(bench.host.host().files->exists("/var/lib/auditshift/backups"));
  bench.expect(bench.transactions.rollback(bench.options), State::rolled_back, Kind::done);
  EXPECT_EQ(bench.recorder.kinds,
            (std::vector{Announced::begun, Announced::switched, Announced::rolled_back}));
}

TEST(Transactions, CommitEndsItAndTheNextOneHasAnIdOfItsOwn) {
  Bench bench;
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::switched, Kind::done);
  ASSERT_TRUE(bench.transactions.commit(bench.options).ok());
  EXPECT_TRUE(bench.transactions.commit(bench.options).ok());
  EXPECT_FALSE(bench.host.host().files->exists("/var/lib/auditshift/backups"));
  EXPECT_EQ(bench.transactions.rollback(bench.options).error().code(), Errc::not_found);
  Plan next = bench.plan;
  next.steps = {write_file("1", "/etc/another", "x")};
  next.before_reboot = 1;
  bench.expect(bench.transactions.begin(next, bench.options), State::switched, Kind::done);
  const auto history = bench.transactions.history();
  ASSERT_EQ(history->size(), 2U);
  EXPECT_EQ(history->at(0).id, "000001");
  EXPECT_EQ(history->at(0).state, State::committed);
  EXPECT_EQ(history->at(0).caller, "root (auditshift switch)");
  EXPECT_EQ(history->at(1).id, "000002");
  EXPECT_EQ(to_json(history->at(0).plan), to_json(bench.plan));
}

TEST(Transactions, AFailedStepRollsBack) {
  Bench bench;
  bench.plan.steps.push_back({.id = "9", .type = "test-refuses", .parameters = base::Json::object()});
  bench.plan.before_reboot = bench.plan.steps.size();
  const Outcome outcome = bench.expect(bench.transactions.begin(bench.plan, bench.options),
                                       State::rolled_back, Kind::rolled_back);
  EXPECT_NE(outcome.message.find("the agent did not answer"), std::string::npos) << outcome.message;
  EXPECT_EQ(bench.picture(), bench.before);
  EXPECT_TRUE(bench.transactions.begin(bench.plan, bench.options).ok()) << "it is over, another may begin";
}

TEST(Transactions, AThirdPartysChangeLeavesTheRollbackIncompleteAndIsNamed) {
  Bench bench;
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::switched, Kind::done);
  bench.host.file("/etc/audit/rules.d/mdatp.rules", "-w /by/somebody -p wa\n");
  const Outcome outcome =
      bench.expect(bench.transactions.rollback(bench.options), State::failed, Kind::rollback_incomplete);
  EXPECT_NE(outcome.message.find("/etc/audit/rules.d/mdatp.rules"), std::string::npos) << outcome.message;
  EXPECT_EQ(bench.host.world().subsystem, "auditd") << "all else is back";
  EXPECT_EQ(bench.status().state, State::failed);
  ASSERT_TRUE(bench.host.host().files->remove("/etc/audit/rules.d/mdatp.rules").ok());
  bench.expect(bench.transactions.rollback(bench.options), State::rolled_back, Kind::done);
  EXPECT_EQ(bench.picture(), bench.before);
}

TEST(Transactions, ASignalStopsAfterAWholeStepWhereverItComes) {
  for (int stop = 1;; ++stop) {
    ASSERT_LT(stop, 100);
    for (const bool back : {false, true}) {
      Bench bench;
      int asked = 0;
      bench.options.interrupted = [&] { return ++asked == stop; };
      const auto outcome = bench.transactions.begin(bench.plan, bench.options);
      ASSERT_TRUE(outcome.ok());
      if (outcome->kind != Kind::interrupted) {
        EXPECT_EQ(asked, static_cast<int>(bench.plan.steps.size()) + 1);
        return;
      }
      EXPECT_TRUE(bench.status().interrupted);
      EXPECT_EQ(bench.status().steps_done, static_cast<std::size_t>(stop - 1));
      if (back) {
        bench.expect(bench.transactions.rollback(bench.options), State::rolled_back, Kind::done);
        EXPECT_EQ(bench.picture(), bench.before);
      } else {
        bench.expect(bench.transactions.resume(bench.options), State::switched, Kind::done);
      }
    }
  }
}

TEST(Transactions, ASignalInARollbackStopsItAndItGoesOn) {
  Bench bench;
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::switched, Kind::done);
  int asked = 0;
  bench.options.interrupted = [&] { return ++asked == 3; };
  bench.expect(bench.transactions.rollback(bench.options), State::rolling_back, Kind::interrupted);
  bench.expect(bench.transactions.resume(bench.options), State::rolled_back, Kind::done);
  EXPECT_EQ(bench.picture(), bench.before);
}

TEST(Transactions, ALockedKernelWaitsForAnotherBoot) {
  Bench bench(tests::locked_scenario());
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::awaiting_reboot,
               Kind::reboot_needed);
  EXPECT_TRUE(bench.marker());
  EXPECT_EQ(bench.status().boot_id, "boot-2");
  EXPECT_EQ(bench.status().steps_done, bench.plan.before_reboot);
  bench.expect(bench.transactions.resume(bench.options), State::awaiting_reboot, Kind::reboot_needed);
  EXPECT_TRUE(bench.marker()) << "the same boot";
  bench.host.boot();
  bool marker_while_verifying = false;
  bench.options.verify = [&](const Host& host, const Plan& plan) {
    marker_while_verifying = bench.marker();
    return bench.scenario.verify(host, plan);
  };
  bench.expect(bench.transactions.resume(bench.options), State::switched, Kind::done);
  EXPECT_TRUE(marker_while_verifying) << "should the power fail now, the next boot goes on";
  EXPECT_FALSE(bench.marker());
}

TEST(Transactions, ARollbackBeforeTheRebootNeedsNone) {
  Bench bench(tests::locked_scenario());
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::awaiting_reboot,
               Kind::reboot_needed);
  bench.expect(bench.transactions.rollback(bench.options), State::rolled_back, Kind::done);
  EXPECT_FALSE(bench.marker());
  EXPECT_EQ(bench.picture(), bench.before);
}

TEST(Transactions, ARollbackAfterTheRebootOfALockedKernelNeedsAnother) {
  Bench bench(tests::locked_scenario());
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::awaiting_reboot,
               Kind::reboot_needed);
  bench.host.boot();
  bench.expect(bench.transactions.resume(bench.options), State::switched, Kind::done);
  bench.expect(bench.transactions.rollback(bench.options), State::awaiting_reboot, Kind::reboot_needed);
  EXPECT_TRUE(bench.status().rolling_back);
  EXPECT_TRUE(bench.marker());
  bench.expect(bench.transactions.rollback(bench.options), State::awaiting_reboot, Kind::reboot_needed);
  bench.host.boot();
  bench.expect(bench.transactions.resume(bench.options), State::rolled_back, Kind::done);
  EXPECT_FALSE(bench.marker());
  EXPECT_EQ(bench.picture(), bench.before);
}

TEST(Transactions, AVerificationThatFailsAfterTheRebootRollsBackThroughAnother) {
  Bench bench(tests::locked_scenario());
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::awaiting_reboot,
               Kind::reboot_needed);
  bench.host.boot();
  bench.options.verify = [](const Host&, const Plan&) {
    return base::Result<Verification>(Verification{{{.id = "flow", .ok = false, .text = "no events"}}});
  };
  bench.expect(bench.transactions.resume(bench.options), State::awaiting_reboot, Kind::reboot_needed);
  bench.host.boot();
  const auto outcome = bench.transactions.resume(bench.options);
  bench.expect(outcome, State::rolled_back, Kind::rolled_back);
  EXPECT_NE(outcome->message.find("no events"), std::string::npos) << outcome->message;
  EXPECT_NE(bench.status().message.find("no events"), std::string::npos) << bench.status().message;
  EXPECT_EQ(bench.picture(), bench.before);
}

TEST(Transactions, AVerificationThatFailsMayLeaveTheHostOnTheNewState) {
  Bench bench;
  bool ok = false;
  bench.options.rollback_on_failure = false;
  bench.options.verify = [&](const Host&, const Plan&) {
    return base::Result<Verification>(Verification{{{.id = "flow", .ok = ok, .text = "events"}}});
  };
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::verifying,
               Kind::verification_failed);
  EXPECT_EQ(bench.transactions.commit(bench.options).error().code(), Errc::invalid);
  ok = true;
  bench.expect(bench.transactions.resume(bench.options), State::switched, Kind::done);
}

TEST(Transactions, ARemedyIsTriedOnceAndUndoneWithTheRest) {
  Bench bench(tests::remedied(tests::changeable_scenario()));
  bench.options.remedy = bench.scenario.remedy;
  const std::size_t planned = bench.plan.steps.size();
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::switched, Kind::done);
  const Status status = bench.status();
  ASSERT_EQ(status.plan.steps.size(), planned + 2);
  EXPECT_EQ(status.steps_done, planned + 2);
  EXPECT_EQ(status.plan.steps.back().id, std::to_string(planned + 2) + "-more") << "ids stay unique";
  EXPECT_EQ(bench.recorder.kinds,
            (std::vector{Announced::begun, Announced::verification_failed, Announced::switched}));
  bench.expect(bench.transactions.rollback(bench.options), State::rolled_back, Kind::done);
  EXPECT_EQ(bench.picture(), bench.before);
}

TEST(Transactions, WhatARemedyDoesNotHelpIsRolledBackAndSaysSo) {
  Bench bench(tests::remedied(tests::changeable_scenario()));
  int asked = 0;
  bench.options.remedy = [&](const Host&, const Plan&, const Verification& verification) {
    ++asked;
    EXPECT_FALSE(verification.ok());
    Plan plan;
    plan.steps = {write_file("1-other", "/etc/other", "x")};
    plan.before_reboot = 1;
    return base::Result<std::optional<Plan>>(plan);
  };
  const Outcome outcome = bench.expect(bench.transactions.begin(bench.plan, bench.options),
                                       State::rolled_back, Kind::rolled_back);
  EXPECT_EQ(asked, 1);
  EXPECT_NE(outcome.message.find("again, after a remedy: late: what is late"), std::string::npos)
      << outcome.message;
  EXPECT_EQ(bench.picture(), bench.before);
}

TEST(Transactions, ARemedyOfALockedHostWaitsForAnotherBoot) {
  Bench bench(tests::remedied(tests::locked_scenario()));
  bench.options.remedy = bench.scenario.remedy;
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::awaiting_reboot,
               Kind::reboot_needed);
  bench.host.boot();
  bench.expect(bench.transactions.resume(bench.options), State::awaiting_reboot, Kind::reboot_needed);
  EXPECT_TRUE(bench.marker());
  bench.expect(bench.transactions.resume(bench.options), State::awaiting_reboot, Kind::reboot_needed);
  bench.host.boot();
  bench.expect(bench.transactions.resume(bench.options), State::switched, Kind::done);
}

TEST(Transactions, AnExtensionIsOneWithTheSwitch) {
  Bench bench(tests::extended(tests::changeable_scenario()));
  const Plan more = bench.scenario.extension(bench.host);
  EXPECT_EQ(bench.transactions.extend(more, bench.options).error().code(), Errc::invalid)
      << "there is nothing to extend";
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::switched, Kind::done);
  bench.expect(bench.transactions.extend(more, bench.options), State::switched, Kind::done);
  EXPECT_EQ(bench.transactions.history()->size(), 1U);
  EXPECT_EQ(bench.status().steps_done, bench.plan.steps.size() + more.steps.size());
  bench.expect(bench.transactions.rollback(bench.options), State::rolled_back, Kind::done);
  EXPECT_EQ(bench.picture(), bench.before);
  EXPECT_EQ(bench.transactions.extend(more, bench.options).error().code(), Errc::invalid);
}

TEST(Transactions, ARebootCanBeAllThatIsLeftToDo) {
  Bench bench(tests::locked_scenario());
  Plan plan = bench.plan;
  plan.steps.clear();
  plan.before_reboot = 0;
  bench.options.verify = nullptr;
  bench.expect(bench.transactions.begin(plan, bench.options), State::awaiting_reboot, Kind::reboot_needed);
  bench.expect(bench.transactions.resume(bench.options), State::awaiting_reboot, Kind::reboot_needed);
  bench.host.boot();
  bench.expect(bench.transactions.resume(bench.options), State::switched, Kind::done);
}

TEST(Transactions, AVerificationThatCannotBeDoneIsTriedThreeTimes) {
  Bench bench(tests::locked_scenario());
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::awaiting_reboot,
               Kind::reboot_needed);
  int tried = 0;
  bench.options.verify = [&](const Host&, const Plan&) -> base::Result<Verification> {
    ++tried;
    return base::Error(Errc::timeout, "the agent does not answer");
  };
  for (int attempt = 1; attempt < 3; ++attempt) {
    bench.host.boot();
    EXPECT_EQ(bench.transactions.resume(bench.options).error().code(), Errc::timeout);
    EXPECT_TRUE(bench.marker()) << "the next boot tries again";
  }
  bench.host.boot();
  bench.expect(bench.transactions.resume(bench.options), State::awaiting_reboot, Kind::reboot_needed);
  EXPECT_EQ(tried, 3);
  EXPECT_TRUE(bench.status().rolling_back);
}

TEST(Transactions, CrashesAfterTheRebootAreBoundedToo) {
  Bench bench(tests::locked_scenario());
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::awaiting_reboot,
               Kind::reboot_needed);
  bench.host.boot();
  bench.options.verify = [&](const Host&, const Plan&) -> base::Result<Verification> {
    throw tests::PowerCut{};
  };
  for (int attempt = 1; attempt <= 3; ++attempt) {
    EXPECT_THROW((void)bench.transactions.resume(bench.options), tests::PowerCut);
    EXPECT_TRUE(bench.marker()) << "the next boot goes on";
  }
  const auto outcome = bench.transactions.resume(bench.options);
  ASSERT_TRUE(outcome.ok());
  EXPECT_TRUE(bench.status().rolling_back) << outcome->message;
}

TEST(Transactions, ARollbackThatCrashesAfterTheLastAttemptDoesNotLoop) {
  Bench bench(tests::locked_scenario());
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::awaiting_reboot,
               Kind::reboot_needed);
  bench.host.boot();
  bench.options.verify = [&](const Host&, const Plan&) -> base::Result<Verification> {
    throw tests::PowerCut{};
  };
  for (int attempt = 1; attempt <= 3; ++attempt)
    EXPECT_THROW((void)bench.transactions.resume(bench.options), tests::PowerCut);
  bench.options.interrupted = []() -> bool { throw tests::PowerCut{}; };
  EXPECT_THROW((void)bench.transactions.resume(bench.options), tests::PowerCut);
  EXPECT_FALSE(bench.marker()) << "nobody tries a fifth time";
}

TEST(Transactions, ABootGoesOnWithWhatAPowerCutLeft) {
  Bench bench;
  bool marked = false;
  bench.options.interrupted = [&] {
    marked = bench.marker();
    return false;
  };
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::switched, Kind::done);
  EXPECT_TRUE(marked);
  EXPECT_FALSE(bench.marker());
  marked = false;
  bench.expect(bench.transactions.rollback(bench.options), State::rolled_back, Kind::done);
  EXPECT_TRUE(marked);
  EXPECT_FALSE(bench.marker());
}

TEST(Transactions, TheMarkerOfABeginThatWasCutOffIsRemoved) {
  Bench bench;
  const auto& files = *bench.host.host().files;
  ASSERT_TRUE(files.make_directories(SimulatedHost::kState, 0700));
  ASSERT_TRUE(files.write_atomic(kMarker, "0001\n", {.mode = 0600}));
  EXPECT_EQ(bench.transactions.rollback(bench.options).error().code(), Errc::not_found);
  EXPECT_TRUE(bench.marker()) << "that is for resume to do";
  bench.expect(bench.transactions.resume(bench.options), State::idle, Kind::done);
  EXPECT_FALSE(bench.marker());
}

TEST(Transactions, OneRunAtATimeAndTheHolderIsNamed) {
  Bench bench;
  bench.options.verify = [&](const Host& host, const Plan& plan) {
    Transactions other(bench.host.host(), SimulatedHost::kState, tests::make_test_step);
    const auto busy = other.rollback(bench.options);
    EXPECT_FALSE(busy.ok());
    EXPECT_EQ(busy.error().code(), Errc::busy);
    EXPECT_NE(
        busy.error().message().find("process " + std::to_string(::getpid()) + " (root (auditshift switch))"),
        std::string::npos)
        << busy.error().message();
    EXPECT_EQ(other.status()->state, State::verifying);
    EXPECT_FALSE(other.status()->interrupted);
    return bench.scenario.verify(host, plan);
  };
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::switched, Kind::done);
}

TEST(Transactions, AFullOrReadOnlyDiskIsRefusedBeforeTheFirstChange) {
  for (const FaultPoints::Kind kind : {FaultPoints::Kind::full, FaultPoints::Kind::read_only}) {
    Bench bench;
    bench.host.points().arm({.kind = kind, .at = 1});
    const auto refused = bench.transactions.begin(bench.plan, bench.options);
    ASSERT_FALSE(refused.ok());
    EXPECT_TRUE(refused.error().message().starts_with("nothing was changed: ")) << refused.error().message();
    bench.host.points().arm({});
    EXPECT_EQ(bench.picture(), bench.before);
    EXPECT_EQ(bench.status().state, State::idle);
  }
}

TEST(Transactions, ADamagedJournalIsRefusedAndLosesNothing) {
  Bench bench;
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::switched, Kind::done);
  const std::string path = "/var/lib/auditshift/journal/000001.journal";
  std::string text = *bench.host.host().files->read_file(path);
  text[text.size() / 2] ^= 1;
  bench.host.file(path, text, 0600);
  for (const auto& refused :
       {bench.transactions.rollback(bench.options), bench.transactions.resume(bench.options),
        bench.transactions.begin(bench.plan, bench.options)}) {
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message().find(path + ":"), std::string::npos) << refused.error().message();
  }
  EXPECT_FALSE(bench.transactions.status().ok());
  EXPECT_EQ(bench.transactions.history()->size(), 1U);
  EXPECT_EQ(*bench.host.host().files->read_file(path), text);
}

TEST(Transactions, TheStateFileIsDerivedAndMayGo) {
  Bench bench;
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::switched, Kind::done);
  const std::string path = "/var/lib/auditshift/state.json";
  const auto json = base::parse_json(*bench.host.host().files->read_file(path), path);
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->at("state"), "switched");
  EXPECT_EQ(bench.host.host().files->stat(path)->mode & 07777, 0600U);
  ASSERT_TRUE(bench.host.host().files->remove(path).ok());
  EXPECT_EQ(bench.status().state, State::switched);
  bench.expect(bench.transactions.rollback(bench.options), State::rolled_back, Kind::done);
}

TEST(Transactions, APlanThatCannotBeUndoneIsNotBegun) {
  Bench bench;
  EXPECT_EQ(bench.transactions.begin(Plan{}, bench.options).error().code(), Errc::invalid);
  bench.plan.steps.push_back({.id = "9", .type = "from-the-future", .parameters = base::Json::object()});
  EXPECT_EQ(bench.transactions.begin(bench.plan, bench.options).error().code(), Errc::unsupported);
  EXPECT_EQ(bench.picture(), bench.before);
  EXPECT_EQ(bench.status().state, State::idle);
}

}  // namespace
}  // namespace auditshift::migrate::change
