// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <libaudit.h>

#include <algorithm>

#include "base/fd.h"

namespace auditshift::testing {

/// The audit system switched on while this lives, with room for many records, and then as it was before. On
/// and off are the only states it ever asks for.
///
/// Without room, whoever causes records waits until some are read, and may not be woken before others come.
class AuditOn {
 public:
  AuditOn() : socket_(audit_open()) {
    if (!read_status() || before_.enabled > 1) return;
    on_ = audit_set_backlog_limit(socket_.get(), std::max(before_.backlog_limit, kBacklog)) > 0 &&
          (before_.enabled == 1 || audit_set_enabled(socket_.get(), 1) > 0);
  }
  ~AuditOn() {
    if (!on_) return;
    EXPECT_GT(audit_set_backlog_limit(socket_.get(), before_.backlog_limit), 0);
    if (before_.enabled == 0) {
      EXPECT_GT(audit_set_enabled(socket_.get(), 0), 0);
    }
  }
  AuditOn(const AuditOn&) = delete;
  AuditOn& operator=(const AuditOn&) = delete;
  bool on() const { return on_; }

 private:
  static constexpr std::uint32_t kBacklog = 8192;

  bool read_status() {
    if (!socket_ || audit_request_status(socket_.get()) <= 0) return false;
    audit_reply reply{};
    do {  // the acknowledgement may come first
      if (audit_get_reply(socket_.get(), &reply, GET_REPLY_BLOCKING, 0) <= 0) return false;
    } while (reply.type != AUDIT_GET);
    before_ = *reply.status;
    return true;
  }

  base::Fd socket_;
  audit_status before_{};
  bool on_ = false;
};

}  // namespace auditshift::testing
