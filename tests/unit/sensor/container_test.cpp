// SPDX-License-Identifier: Apache-2.0
#include "sensor/container.h"

#include <gtest/gtest.h>

namespace auditshift::sensor {
namespace {

const std::string kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

TEST(ContainerId, IsFoundInThePathsOfEachEngine) {
  for (const std::string& path : {
           "/docker/" + kId,
           "/system.slice/docker-" + kId + ".scope",
           "/machine.slice/libpod-" + kId + ".scope/container",
           "/kubepods/burstable/pod1f0c7b1e-8f6a-4a5b-9d0e-111111111111/" + kId,
           "/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + kId + ".scope",
           "/kubepods.slice/crio-" + kId + ".scope",
       }) {
    EXPECT_EQ(container_id_of(path), kId) << path;
  }
}

TEST(ContainerId, TheInnermostCounts) {
  const std::string inner(64, 'f');
  EXPECT_EQ(container_id_of("/docker/" + kId + "/docker/" + inner), inner);
}

TEST(ContainerId, IsExactly64Digits) {
  EXPECT_EQ(container_id_of(""), "");
  EXPECT_EQ(container_id_of("/"), "");
  EXPECT_EQ(container_id_of("/user.slice/user-1000.slice/session-3.scope"), "");
  EXPECT_EQ(container_id_of("/docker/" + kId + "0"), "");
  EXPECT_EQ(container_id_of("/docker/" + kId.substr(1)), "");
}

}  // namespace
}  // namespace auditshift::sensor
