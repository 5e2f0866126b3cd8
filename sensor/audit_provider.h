// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/fd.h"
#include "sensor/audit_assembler.h"
#include "sensor/audit_event.h"
#include "sensor/provider.h"

namespace auditshift::sensor {

/// Events that the kernel's audit system reports anyway, read from its read-only multicast group
/// (AUDIT_NLGRP_READLOG, Linux 3.16): auditd, if it runs, stays what it is, and no rule is touched. What is
/// seen depends on the rules that are loaded; without rules, next to nothing.
///
/// Audit records do not tell: start times of processes, the directory of a path relative to a descriptor, the
/// name of what unlink, rename and the like did not find.
///
/// Needs CAP_AUDIT_READ. With CAP_AUDIT_CONTROL start() also finds out when the audit system is switched off.
class AuditProvider final : public Provider {
 public:
  /// With `unknown_calls`, calls that the sensor has no kind for come too, as kind `none`: for whoever counts
  /// what the rules record. REQUIRES: `clock` outlives this.
  explicit AuditProvider(const base::Clock& clock, bool unknown_calls = false);
  ~AuditProvider() override;

  base::Result<void> start() override;
  base::Result<std::size_t> poll(std::chrono::milliseconds timeout, Consumer& consumer) override;
  int descriptor() const override { return socket_.get(); }
  void stop() override { socket_.reset(); }
  std::vector<DropCounter> drops() const override;
  KindSet kinds() const override;
  ProviderDescription describe() const override;

 private:
  void receive(std::string_view datagram);

  const base::Clock* clock_;
  base::Fd socket_;
  std::unique_ptr<char[]> buffer_;
  AuditDecoder decoder_;
  AuditAssembler assembler_;
  Consumer* consumer_ = nullptr;  ///< while poll() runs
  std::size_t handed_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t passed_over_ = 0;  ///< events that are no call of the sensor's table
  std::uint64_t overruns_ = 0;
  std::uint64_t malformed_ = 0;
};

}  // namespace auditshift::sensor
