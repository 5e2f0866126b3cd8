// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auditd/rule.h"

namespace auditshift::migrate {

/// What kind of thing a rule records.
enum class EventClass {
  exec,
  fork,
  exit,
  identity,     ///< uid, gid, groups, capabilities
  open,         ///< open, create, truncate
  file_change,  ///< unlink, rename, link, mkdir, mknod
  permission,   ///< mode and owner
  attribute,    ///< extended attributes, ACLs
  mount,
  network,
  process_access,  ///< ptrace, process_vm_*
  kernel,          ///< modules, kexec, bpf
  time,
  host_name,
  other,
};
std::string_view to_string(EventClass event_class);

/// How much of what a rule records an eBPF sensor can supply.
enum class Coverage { full, partial, none, not_applicable };
std::string_view to_string(Coverage coverage);  ///< full, partial, none, not-applicable

struct CoverageAnswer {
  std::vector<EventClass> classes;  ///< in the order of the enum, each once
  Coverage coverage = Coverage::not_applicable;
  std::string note;  ///< what is lost, or why the question does not arise
};

/// Judges one rule by the syscalls it names and by the conditions an eBPF sensor does not know.
/// `machine` is uname -m of the host.
CoverageAnswer coverage_of(const auditd::Rule& rule, std::string_view machine);

/// The classes of which the rule's mask holds every syscall of its ABI that libaudit knows.
std::vector<EventClass> whole_classes(const auditd::Rule& rule, std::string_view machine);

/// The class of one system call, by its name.
EventClass class_of(std::string_view syscall);

/// Names of the syscalls in the rule's mask for its arch; empty when it covers all of them.
std::vector<std::string> syscall_names(const auditd::Rule& rule, std::string_view machine);

}  // namespace auditshift::migrate
