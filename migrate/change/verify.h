// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

#include "migrate/change/transaction.h"
#include "migrate/facts.h"

namespace auditshift::migrate::change {

/// The ids of those checks that a program asks for.
namespace verified {
inline constexpr const char* kKernelRules = "kernel-rules";
inline constexpr const char* kRulesDirectory = "rules-d";
inline constexpr const char* kCompiledRules = "compiled-rules";
}  // namespace verified

struct VerifyOptions {
  /// What the host is held against; null: itself (what disk says the kernel should hold).
  const Plan* plan = nullptr;
  /// From when on no record with Defender's keys may have been written; nothing: that is not looked at.
  std::optional<base::WallTime> since;
  std::chrono::seconds patience{20};  ///< for the events of the probe process
  std::chrono::seconds settle{0};     ///< how long the agent may take until it answers and is on its provider
};

/// Looks whether a switch holds: Defender's rules gone from kernel, rules.d and the compiled file; every
/// other rule there, in its order, live and at the next boot, and the lock of audit as before; the agent on
/// eBPF with its events flowing and its exclusions in force; nothing new with Defender's keys in the audit
/// log. Changes nothing, at any time, with or without a transaction. Where Defender's rules came back, the
/// text names who wrote the file, as far as the host tells.
base::Result<Verification> verify_host(const Host& host, const VerifyOptions& options);

/// When the running kernel was booted.
base::WallTime booted_at(const base::Clock& clock);

/// Who wrote a file, as far as the host tells: records of the audit log, the package it belongs to, marks of
/// configuration management, and when.
std::string who_wrote(const Host& host, const Facts& facts, const std::string& path);

/// The number of records with Defender's keys in the audit log since then; nothing when there is no log.
std::optional<std::uint64_t> defender_records_since(const base::Sysroot& host, const std::string& log_file,
                                                    base::WallTime since);

}  // namespace auditshift::migrate::change
