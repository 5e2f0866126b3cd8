// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/sysroot.h"
#include "bpf/probe.h"
#include "sensor/ebpf_provider.h"

/// Runs real calls in a child process and gives the events they caused.
namespace auditshift::sensor::testing_support {

/// An event that owns its texts.
class OwnedEvent {
 public:
  explicit OwnedEvent(const Event& event);
  const Event* operator->() const { return &event_; }
  const Event& operator*() const { return event_; }

 private:
  void own(std::string_view& view);

  Event event_;
  std::shared_ptr<std::deque<std::string>> texts_;
};

using Events = std::vector<OwnedEvent>;

/// What the child knows about itself; lies in memory that parent and child share.
struct Self {
  std::uint32_t pid = 0, tid = 0, parent = 0;
  std::uint64_t start_ticks = 0;  ///< field 22 of /proc/self/stat
  std::array<char, 16> comm{};
  std::array<char, 4096> executable{};
  std::uint32_t uid = 0, gid = 0, euid = 0, egid = 0, suid = 0, sgid = 0, fsuid = 0, fsgid = 0;
  std::uint32_t auid = 0, session = 0;
  std::uint32_t mount_namespace = 0;
  std::uint64_t cgroup_id = 0;  ///< 0: there is no cgroup v2
  std::uint64_t boot_ns_before = 0, boot_ns_after = 0;
  std::array<std::int64_t, 8> results{};  ///< for the action to leave numbers in
  std::array<char, 8192> note{};          ///< and a text
  std::atomic<bool> may_end = false;      ///< what had to be asked of /proc was asked, see Sensor::observe()

  /// Reads it all again, after the process has changed itself.
  void look();
};

/// One running sensor.
class Sensor {
 public:
  /// REQUIRES: have_privilege().
  explicit Sensor(const EbpfOptions& options);

  using Action = std::function<void(Self&)>;
  /// Forks, runs `action` in the child, waits for its exit event. The events of the child and of its
  /// descendants, in order. After this, `self` is what the child wrote. Tier legacy asks /proc, so there the
  /// child lives on after its action until its events were read.
  Events observe(const Action& action);

  const Self& self() const { return *self_; }
  Provider& provider() { return *provider_; }
  /// REQUIRES: the tier under test is core.
  EbpfProvider& core() { return dynamic_cast<EbpfProvider&>(*provider_); }

 private:
  base::SystemClock clock_;
  base::Sysroot host_;
  std::unique_ptr<Provider> provider_;
  Self* self_;  ///< shared with the children; lives as long as the process
};

/// The kinds the programs can supply, everything by option included, failures too.
EbpfOptions everything();

/// Which kernel side the program tests: AUDITSHIFT_TEST_TIER, "core" unless set.
bpf::Tier tier_under_test();
inline bool is_legacy() { return tier_under_test() == bpf::Tier::legacy; }

/// Whether it is attached through perf events: AUDITSHIFT_TEST_PERF_EVENTS is set.
bool on_perf_events();

/// A provider of the tier under test, not started. `clock` and `host` outlive it.
std::unique_ptr<Provider> make_provider(EbpfOptions options, const base::Sysroot& host,
                                        const base::Clock& clock);

/// The kind of an open() that made its file: tier legacy knows that only where the call says so (O_EXCL).
inline EventKind kind_of_a_made_file() { return is_legacy() ? EventKind::open : EventKind::create; }

/// For tests of what only tier core can do, or does otherwise; `why` is printed.
#define SKIP_ON_LEGACY(why) \
  if (is_legacy()) GTEST_SKIP() << "tier legacy: " << (why)

/// Empty when this process may load the programs of the tier, else why not.
std::string lacking_privilege();

/// The only event of the kind; a test failure and an empty event when there is none or several.
const Event& only(const Events& events, EventKind kind);
std::vector<const Event*> all_of(const Events& events, EventKind kind);
std::string describe(const Events& events);

/// Compares everything an event says about its process with what the process said about itself.
void expect_is(const Event& event, const Self& self);

/// A directory of the test's own, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// A suite with one sensor for all its tests. `Options` has a static function EbpfOptions get().
template <class Options>
class SensorSuite : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (lacking_privilege().empty()) sensor_ = std::make_unique<Sensor>(Options::get());
  }
  static void TearDownTestSuite() { sensor_.reset(); }
  void SetUp() override {
    if (const std::string lacking = lacking_privilege(); !lacking.empty()) GTEST_SKIP() << lacking;
    previous_mask_ = ::umask(0);
  }
  void TearDown() override { ::umask(previous_mask_); }

  static std::unique_ptr<Sensor> sensor_;
  TemporaryDirectory directory_;
  mode_t previous_mask_ = 0;
};
template <class Options>
std::unique_ptr<Sensor> SensorSuite<Options>::sensor_;

struct Everything {
  static EbpfOptions get() { return everything(); }
};
struct Defaults {
  static EbpfOptions get() { return {}; }
};

}  // namespace auditshift::sensor::testing_support
