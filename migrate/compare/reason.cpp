// SPDX-License-Identifier: Apache-2.0
#include "migrate/compare/reason.h"

#include <fcntl.h>
#include <libaudit.h>
#include <linux/audit.h>
#include <sys/socket.h>

#include <cerrno>

#include "sensor/watched_calls.h"

namespace auditshift::migrate::compare {
namespace {

using sensor::Event;
using sensor::EventKind;

Why by_default(std::string detail) { return {Reason::by_default, std::move(detail)}; }

/// Requests that change another process or take hold of it (bpf/sensor.bpf.c).
bool takes_hold(int request) {
  constexpr std::uint64_t kRequests = 0x1a071;
  constexpr int kSetRegisterSet = 0x4205, kSeize = 0x4206;
  if (request >= 0 && request < 64) return ((kRequests >> request) & 1) != 0;
  return request == kSetRegisterSet || request == kSeize;
}

bool is_raw(const sensor::Socket& socket) {
  return socket.family == AF_PACKET || socket.type == SOCK_RAW || socket.type == SOCK_PACKET;
}

std::optional<Why> failure_withheld(const Event& event, const sensor::EbpfOptions& options) {
  const int error = event.syscall.error();
  if (error == 0 || (error == EINPROGRESS && event.kind == EventKind::connect)) return std::nullopt;
  const bool access = error == EACCES || error == EPERM;
  if (access ? options.failed_access : options.failed_other) return std::nullopt;
  return by_default(access ? "calls that are refused" : "calls that fail for another reason than a refusal");
}

std::optional<Why> argument_withheld(const Event& event, const sensor::EbpfOptions& options) {
  constexpr std::uint64_t kWrites = O_ACCMODE | O_CREAT | O_TRUNC;
  switch (event.kind) {
    case EventKind::open:
      if (!options.reads && ((event.flags & kWrites) == 0 || (event.flags & O_PATH) != 0))
        return by_default("opens that only read");
      break;
    case EventKind::fork:
      if (event.thread && !options.threads) return by_default("new threads of a process");
      break;
    case EventKind::socket:
      if (!options.all_sockets && !is_raw(event.socket))
        return by_default("sockets that are not raw; connect, bind and accept tell of the others");
      break;
    case EventKind::ptrace:
      if (!options.all_ptrace && !takes_hold(event.command))
        return by_default("ptrace requests that only look");
      break;
    case EventKind::bpf:
      if (event.command >= 0 && event.command < 64 && ((options.bpf_commands >> event.command) & 1) == 0)
        return by_default("bpf commands that neither create nor load nor attach");
      break;
    default:
      break;
  }
  return std::nullopt;
}

std::string call_name(const Event& event) {
  if (!event.syscall.name.empty()) return std::string(event.syscall.name);
  const bool narrow = event.syscall.abi == sensor::Abi::i386 || event.syscall.abi == sensor::Abi::arm;
  int machine = audit_detect_machine();
  if (narrow) machine = machine == MACH_86_64 ? static_cast<int>(MACH_X86) : static_cast<int>(MACH_ARM);
  const char* name = audit_syscall_to_name(event.syscall.number, machine);
  return name != nullptr ? name : "call " + std::to_string(event.syscall.number);
}

}  // namespace

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::excluded:
      return "excluded";
    case Reason::switched_off:
      return "switched-off";
    case Reason::lost:
      return "lost-by-sensor";
    case Reason::unexplained:
      return "unexplained";
    case Reason::by_default:
      return "left-out-by-default";
    case Reason::not_covered:
      return "not-covered";
    case Reason::began_before:
      return "began-before";
    case Reason::not_compared:
      return "not-compared";
    case Reason::audit_lost:
      return "lost-by-audit";
    case Reason::audit_daemon:
      return "audit-daemon";
    case Reason::no_record:
      return "no-record";
  }
  return "unknown";
}

std::string_view describe(Reason reason) {
  switch (reason) {
    case Reason::excluded:
      return "an exclusion keeps it back";
    case Reason::switched_off:
      return "this kind of event is switched off in the sensor";
    case Reason::lost:
      return "the sensor counted losses meanwhile";
    case Reason::unexplained:
      return "the sensor should have told it and did not";
    case Reason::by_default:
      return "the sensor leaves it out unless told otherwise";
    case Reason::not_covered:
      return "the sensor has no event for it";
    case Reason::began_before:
      return "the call began before the comparison did";
    case Reason::not_compared:
      return "what the sensor told of it may be among the events that were given up";
    case Reason::audit_lost:
      return "records were lost on audit's side";
    case Reason::audit_daemon:
      return "the audit daemon is not audited";
    case Reason::no_record:
      return "the rule asks for it, and there is no record";
  }
  return "unknown";
}

bool is_missed(Reason reason) {
  return reason == Reason::excluded || reason == Reason::switched_off || reason == Reason::lost ||
         reason == Reason::unexplained;
}

std::optional<Why> withheld(const Event& event, const SensorSettings& settings) {
  if (const sensor::Exclusion* entry = settings.exclusions.match(event))
    return Why{Reason::excluded, std::string(exclusion_kind_name(entry->kind)) + " " + entry->path};
  if (!settings.options.kinds.contains(event.kind)) {
    const bool usual = sensor::EbpfOptions::default_kinds().contains(event.kind);
    return Why{usual ? Reason::switched_off : Reason::by_default,
               "events of kind " + std::string(kind_name(event.kind))};
  }
  if (auto why = failure_withheld(event, settings.options)) return why;
  return argument_withheld(event, settings.options);
}

std::optional<Why> outside_the_sensor(const Event& audit) {
  const auto not_covered = [](std::string detail) { return Why{Reason::not_covered, std::move(detail)}; };
  if (audit.kind == EventKind::none) return not_covered(call_name(audit));
  const sensor::WatchedCall* call = sensor::find_watched_call(audit.syscall.abi, audit.syscall.number);
  if (call == nullptr) return not_covered(call_name(audit));
  switch (call->call.filter) {
    case AS_FILTER_TIME_MODES:
      return not_covered(call_name(audit) + " that only asks for the time");
    case AS_FILTER_CLONE_FLAG:
      if ((audit.syscall.arguments[call->call.filter_argument - 1U] & 1) == 0)
        return not_covered(call_name(audit) + " that copies nothing");
      break;
    case AS_FILTER_SEND_ADDRESS:
      return not_covered(call_name(audit) + " on a socket that is connected");
    default:
      break;
  }
  // exit_group ends a process, exit a thread of it, whose end is no event unless it is the last one.
  if (audit.kind == EventKind::exit && call->name == "exit") return not_covered("the end of a thread");
  return std::nullopt;
}

}  // namespace auditshift::migrate::compare
