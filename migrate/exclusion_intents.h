// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "migrate/facts.h"
#include "migrate/inventory.h"
#include "migrate/managed_config.h"

namespace auditshift::migrate {

/// Lines that one person wrote for one purpose.
struct IntentGroup {
  enum class About {
    process,     ///< what one program does
    folder,      ///< what is accessed below one directory
    file,        ///< accesses to one file
    conditions,  ///< other conditions, or several
    syscalls,    ///< system calls of every process
    other_list,  ///< the task, user, exclude, filesystem or io_uring list
    control,     ///< a rate limit, skipping of faulty rules
  };
  About about = About::conditions;
  std::string id;                           ///< "process:/usr/sbin/named", "exit pid=4711"
  std::string path;                         ///< as first written; of process, folder and file
  std::vector<const InventoryRule*> rules;  ///< one at least; into the inventory
};

/// The intents behind the exclusion rules of an inventory, in its order. One intent are: all lines about one
/// program, directory or file (the support tool's three, one per ABI, two spellings of one path); lines with
/// the same list and the same other conditions; lines about system calls alone that share their key, or
/// follow one another in a file.
std::vector<IntentGroup> group_intents(const Facts& facts, const std::vector<InventoryRule>& inventory);

/// The conditions that say whom or what a rule is about: all but arch, keys and permissions.
std::vector<const auditd::Field*> subject_fields(const auditd::Rule& rule);

/// "auid!=0", "msgtype=CWD".
std::string field_text(const auditd::Field& field);

}  // namespace auditshift::migrate
