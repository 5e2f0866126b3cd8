// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/sysroot.h"
#include "sensor/process_table.h"
#include "sensor/provider.h"

namespace auditshift::sensor {

struct NetlinkOptions {
  int receive_buffer_bytes = 16 << 20;  ///< what the kernel may queue while the reader is away
  bool threads = false;                 ///< also report new threads
};

/// Process events from the kernel's process connector (CONFIG_PROC_EVENTS), enriched from /proc: exec, fork,
/// exit, user and group ids, session, name, ptrace, core dump, and at the start the processes that run. No
/// files, no sockets, no failed calls; of ptrace only attaching, not PTRACE_TRACEME. A process that ends
/// before /proc was read stays without details.
///
/// When the kernel's queue for this socket overruns, the loss is counted by the gaps in each CPU's sequence
/// numbers, from the first message of that CPU on, and the table of processes is compared with /proc anew.
///
/// Needs CAP_NET_ADMIN in the initial user namespace, and the initial network and pid namespaces: elsewhere
/// the kernel accepts the subscription and sends nothing, which start() finds out by the missing
/// acknowledgement.
class NetlinkProvider final : public Provider {
 public:
  /// REQUIRES: `host` is the live host; both outlive this.
  NetlinkProvider(const base::Sysroot& host, const base::Clock& clock, NetlinkOptions options = {});
  ~NetlinkProvider() override;

  base::Result<void> start() override;
  base::Result<std::size_t> poll(std::chrono::milliseconds timeout, Consumer& consumer) override;
  int descriptor() const override { return socket_.get(); }
  void stop() override;
  std::vector<DropCounter> drops() const override;
  KindSet kinds() const override;
  ProviderDescription describe() const override;

  /// How often the kernel's queue overran.
  std::uint64_t overruns() const { return overruns_; }

 private:
  base::Result<void> subscribe(bool listen);
  base::Result<void> await_acknowledgement();
  /// One round of reading. False when nothing was there.
  base::Result<bool> receive(Consumer& consumer);
  void accept(const ProcMessage& message, Consumer& consumer);
  void synchronise(Consumer& consumer);

  const base::Clock* clock_;
  NetlinkOptions options_;
  base::Fd socket_;
  ProcReader reader_;
  std::optional<ProcessTable> table_;
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
  ClockOffsets clocks_;
  bool synchronise_ = true;
  std::uint64_t overruns_ = 0;
  std::uint64_t malformed_ = 0;
  std::vector<std::optional<std::uint32_t>> last_sequence_;  ///< by CPU
  std::vector<std::uint64_t> lost_;                          ///< by CPU
};

}  // namespace auditshift::sensor
