// SPDX-License-Identifier: Apache-2.0
#include "migrate/event_class.h"

#include <libaudit.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/text.h"

namespace auditshift::migrate {
namespace {

using auditd::Field;
using auditd::Filter;
using auditd::Rule;

constexpr std::string_view kClassNames[] = {
    "exec",  "fork",    "exit",           "identity", "open", "file_change", "permission", "attribute",
    "mount", "network", "process_access", "kernel",   "time", "host_name",   "other"};

struct ClassOfSyscalls {
  EventClass event_class;
  std::string_view names;  ///< separated by blanks, in the spelling of libaudit's tables
};

/// The syscalls of each class, all ABIs together (the class table of the coverage documentation).
constexpr ClassOfSyscalls kClasses[] = {
    {EventClass::exec, "execve execveat"},
    {EventClass::fork, "fork vfork clone clone3"},
    {EventClass::exit, "exit exit_group"},
    {EventClass::identity,
     "setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups capset setuid32 "
     "setgid32 "
     "setreuid32 setregid32 setresuid32 setresgid32 setfsuid32 setfsgid32 setgroups32"},
    {EventClass::open,
     "open creat openat openat2 open_by_handle_at truncate ftruncate truncate64 ftruncate64"},
    {EventClass::file_change,
     "unlink unlinkat rmdir rename renameat renameat2 link linkat symlink symlinkat mkdir mkdirat mknod "
     "mknodat"},
    {EventClass::permission,
     "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat chown32 fchown32 lchown32"},
    {EventClass::attribute,
     "setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr setxattrat removexattrat "
     "file_setattr"},
    {EventClass::mount,
     "mount umount umount2 fsmount move_mount pivot_root fsopen fsconfig open_tree mount_setattr"},
    {EventClass::network,
     "socket connect accept accept4 bind listen sendto sendmsg recvfrom recvmsg setsockopt socketcall "
     "socketpair"},
    {EventClass::process_access, "ptrace process_vm_readv process_vm_writev pidfd_getfd"},
    {EventClass::kernel,
     "init_module finit_module delete_module kexec_load kexec_file_load sys_kexec_load bpf"},
    {EventClass::time,
     "adjtimex settimeofday clock_settime clock_adjtime stime clock_settime64 clock_adjtime64"},
    {EventClass::host_name, "sethostname setdomainname"},
};

int machine_of(const Rule& rule, std::string_view machine) {
  const int native = audit_name_to_machine(std::string(machine).c_str());
  if (const Field* arch = rule.find(AUDIT_ARCH); arch != nullptr && arch->op == auditd::Op::equal) {
    const int named = audit_elf_to_machine(arch->value);
    if (named >= 0) return named;
  }
  return native;
}

/// Classes of a permission filter, by the kernel's own test (kernel/auditsc.c, audit_match_perm).
void add_permission_classes(std::uint32_t bits, std::set<EventClass>& classes) {
  if ((bits & AUDIT_PERM_EXEC) != 0) classes.insert(EventClass::exec);
  if ((bits & AUDIT_PERM_WRITE) != 0) classes.insert({EventClass::open, EventClass::file_change});
  if ((bits & AUDIT_PERM_READ) != 0) classes.insert(EventClass::open);
  if ((bits & AUDIT_PERM_ATTR) != 0) classes.insert({EventClass::permission, EventClass::attribute});
}

/// What a set of classes loses with an eBPF sensor, worst first.
void judge_classes(const std::set<EventClass>& classes, CoverageAnswer& answer,
                   std::vector<std::string>& notes) {
  static const std::set<EventClass> kSeldom = {EventClass::attribute, EventClass::time, EventClass::host_name,
                                               EventClass::other};
  std::size_t seldom = 0;
  std::vector<std::string> names;
  for (const EventClass event_class : classes) {
    if (!kSeldom.contains(event_class)) continue;
    ++seldom;
    names.emplace_back(to_string(event_class));
  }
  answer.coverage = seldom == 0                ? Coverage::full
                    : seldom == classes.size() ? Coverage::none
                                               : Coverage::partial;
  if (seldom != 0) notes.push_back("seldom collected by eBPF sensors: " + base::join(names, ", "));
}

/// Conditions whose subject an eBPF sensor does not export, or that only exist in audit.
void judge_fields(const Rule& rule, CoverageAnswer& answer, std::vector<std::string>& notes) {
  const auto lower = [&](Coverage to, std::string note) {
    if (answer.coverage == Coverage::full || (answer.coverage == Coverage::partial && to == Coverage::none))
      answer.coverage = to;
    if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(std::move(note));
  };
  const Field* permission = rule.find(AUDIT_PERM);
  if (permission != nullptr && (permission->value & AUDIT_PERM_READ) != 0)
    lower(Coverage::partial, "plain reads are usually not collected");
  for (const Field& field : rule.fields) {
    switch (field.id) {
      case AUDIT_EXIT:
      case AUDIT_SUCCESS:
        lower(Coverage::partial, "failed calls are usually not collected");
        break;
      case AUDIT_FILETYPE:
      case AUDIT_DEVMAJOR:
      case AUDIT_DEVMINOR:
      case AUDIT_INODE:
      case AUDIT_OBJ_UID:
      case AUDIT_OBJ_GID:
        lower(Coverage::partial, "file type, device, inode and object owner are not part of eBPF events");
        break;
      case AUDIT_SUBJ_USER:
      case AUDIT_SUBJ_ROLE:
      case AUDIT_SUBJ_TYPE:
      case AUDIT_SUBJ_SEN:
      case AUDIT_SUBJ_CLR:
      case AUDIT_OBJ_USER:
      case AUDIT_OBJ_ROLE:
      case AUDIT_OBJ_TYPE:
      case AUDIT_OBJ_LEV_LOW:
      case AUDIT_OBJ_LEV_HIGH:
        lower(Coverage::partial, "security labels are not part of eBPF events");
        break;
      case AUDIT_SADDR_FAM:
        lower(Coverage::partial, "address families other than IPv4, IPv6 and unix are not collected");
        break;
      default:
        break;
    }
  }
}

CoverageAnswer outside_syscalls(const Rule& rule) {
  CoverageAnswer answer;
  switch (rule.filter) {
    case Filter::user:
      answer.note = "filters messages of user space (logins, sudo, …), which no eBPF sensor sees";
      break;
    case Filter::exclude:
      answer.note = "drops audit records by type; eBPF events have no record types";
      break;
    case Filter::task:
      answer.note = "decides which new processes audit follows";
      break;
    case Filter::filesystem:
      answer.note = "drops path records of a file system type";
      break;
    default:
      answer.coverage = Coverage::none;
      answer.note = "io_uring operations are no syscalls; tracepoint sensors do not see them";
      break;
  }
  return answer;
}

}  // namespace

std::string_view to_string(EventClass event_class) {
  return kClassNames[static_cast<std::size_t>(event_class)];
}

std::string_view to_string(Coverage coverage) {
  switch (coverage) {
    case Coverage::full:
      return "full";
    case Coverage::partial:
      return "partial";
    case Coverage::none:
      return "none";
    case Coverage::not_applicable:
      return "not-applicable";
  }
  return "unknown";
}

EventClass class_of(std::string_view syscall) {
  for (const ClassOfSyscalls& entry : kClasses) {
    for (const std::string_view name : base::split(entry.names, ' '))
      if (name == syscall) return entry.event_class;
  }
  return EventClass::other;
}

std::vector<EventClass> whole_classes(const Rule& rule, std::string_view machine) {
  const int table = machine_of(rule, machine);
  std::vector<EventClass> whole;
  for (const ClassOfSyscalls& entry : kClasses) {
    const auto names = base::split(entry.names, ' ');
    const bool all = std::all_of(names.begin(), names.end(), [&](std::string_view name) {
      const int number = audit_name_to_syscall(std::string(name).c_str(), table);
      return number < 0 || rule.has_syscall(static_cast<unsigned>(number));
    });
    if (all) whole.push_back(entry.event_class);
  }
  return whole;
}

std::vector<std::string> syscall_names(const Rule& rule, std::string_view machine) {
  std::vector<std::string> names;
  if (rule.all_syscalls()) return names;
  const int table = machine_of(rule, machine);
  for (unsigned number = 0; number < 2032; ++number) {
    if (!rule.has_syscall(number)) continue;
    const char* name = audit_syscall_to_name(static_cast<int>(number), table);
    names.push_back(name != nullptr ? name : std::to_string(number));
  }
  return names;
}

CoverageAnswer coverage_of(const Rule& rule, std::string_view machine) {
  if (rule.filter != Filter::exit) return outside_syscalls(rule);
  std::set<EventClass> classes;
  const Field* permission = rule.find(AUDIT_PERM);
  if (permission != nullptr) add_permission_classes(permission->value, classes);
  // A permission filter says more about the intent than the syscalls it was expanded to.
  if (permission == nullptr)
    for (const std::string& name : syscall_names(rule, machine)) classes.insert(class_of(name));

  CoverageAnswer answer;
  answer.classes.assign(classes.begin(), classes.end());
  std::vector<std::string> notes;
  if (rule.action == auditd::Action::never) {
    answer.note = "keeps events out; see the exclusions";
    return answer;
  }
  if (classes.empty()) {
    answer.coverage = Coverage::partial;
    notes.emplace_back("records every syscall; eBPF sensors collect chosen ones");
  } else {
    judge_classes(classes, answer, notes);
  }
  judge_fields(rule, answer, notes);
  answer.note = base::join(notes, "; ");
  return answer;
}

}  // namespace auditshift::migrate
