// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/file.h>

#include "base/fd.h"

namespace auditshift::testing {

/// Held by every test that loads audit rules or changes the audit status of the running kernel, across
/// processes. Waits for the holder.
class KernelLock {
 public:
  KernelLock() : file_(::open("/run/lock/auditshift-test-audit.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    held_ = file_.valid() && ::flock(file_.get(), LOCK_EX) == 0;
  }
  bool held() const { return held_; }

 private:
  base::Fd file_;
  bool held_ = false;
};

}  // namespace auditshift::testing
