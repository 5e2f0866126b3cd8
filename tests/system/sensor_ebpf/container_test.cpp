// SPDX-License-Identifier: Apache-2.0
// A process in a container's control group.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/system/sensor_ebpf/harness.h"

namespace auditshift::sensor::testing_support {
namespace {

using ContainerEvents = SensorSuite<Everything>;

/// The root of the cgroup v2 tree, or nothing.
std::string cgroup_root() {
  for (const std::string path : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    if (access((path + "/cgroup.controllers").c_str(), F_OK) == 0) return path;
  }
  return {};
}

TEST_F(ContainerEvents, CarryItsId) {
  SKIP_ON_LEGACY("a process is asked for its control group when it executes a program");
  const std::string root = cgroup_root();
  const std::string id(64, 'c');
  const std::string group = root + "/auditshift-test-docker-" + id + ".scope";
  if (root.empty() || mkdir(group.c_str(), 0755) != 0) GTEST_SKIP() << "no cgroup v2 group can be made here";
  const Events events = sensor_->observe([&](Self& self) {
    std::ofstream(group + "/cgroup.procs") << getpid() << std::flush;
    self.look();
    mkdir((directory_ / "d").c_str(), 0700);
  });
  const Event& event = only(events, EventKind::mkdir);
  EXPECT_EQ(event.process.container_id, id);
  expect_is(event, sensor_->self());
  EXPECT_EQ(rmdir(group.c_str()), 0);
  const Events outside = sensor_->observe([&](Self&) { mkdir((directory_ / "e").c_str(), 0700); });
  EXPECT_EQ(only(outside, EventKind::mkdir).process.container_id, "");
}

}  // namespace
}  // namespace auditshift::sensor::testing_support
