// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "migrate/exclusion.h"
#include "migrate/exclusion_intents.h"
#include "migrate/rule_order.h"

/// The meaning of both sides. Everything that is called exact, broader or narrower follows from here.
///
/// The events compared are those that audit could have reported of this host: system calls, by a process, on
/// zero or more files. (What audit cannot see at all is not part of either set: x32 calls, work done by
/// io_uring threads, deaths by signal.)
///
/// A group of `never` rules on the exit list keeps out a call when, for one of its rules,
///  - calls:   the number is in the rule's mask and the ABI is the rule's (no arch: the number in every ABI);
///  - subject: every condition holds. `exe=P`: the process runs the file that P named when the rule was
///             loaded, by inode: under any of its names, in any mount namespace; never when the last name of
///             P is a symbolic link, or P is a script. `path=F`, `dir=D`: one of the call's files is that
///             file, or lies in that tree, by inode, reached by whatever name; not in a file system that was
///             mounted below D later;
///  - order:   no rule asked before it takes the call: the first that matches decides, and one that records
///             does record.
///
/// A global exclusion keeps out
///  - process P: every event of a process whose executable the kernel names P (all calls of all ABIs, of that
///             program only: what it starts is seen again once it runs another program), in containers too,
///             not below a root that was changed by chroot(2);
///  - folder D, file F: every event that is about a file, by any process, when the name it gives, made
///             absolute without following links, is F, is D, or lies below D; with two names (rename, link)
///             only when both do. In containers too, not below a root that was changed by chroot(2). Events
///             that are not about a file are seen: running a program from there, entering a directory.
namespace auditshift::migrate {

/// What lies in one set and not in the other, in words. Both empty: the sets are equal.
struct Difference {
  std::vector<std::string> only_entry;
  std::vector<std::string> only_rules;

  Translation translation() const;
};

/// Compares what a group's rules keep out with what its entry would. REQUIRES: the group is about a process,
/// a folder or a file that exists.
Difference compare_sets(const Facts& facts, const RuleOrder& order, const IntentGroup& group);

/// Classes of events that the entry of such a group keeps out and no rule of the group does.
std::vector<EventClass> classes_only_in_entry(const Facts& facts, const IntentGroup& group);

/// True when the group's rules name every system call of every ABI of the host, and ask for no permission.
bool keeps_out_every_call(const IntentGroup& group);

/// Why a rule keeps nothing out on this host; empty when it may.
std::string why_dead(const Facts& facts, const RuleOrder& order, const InventoryRule& rule);

}  // namespace auditshift::migrate
