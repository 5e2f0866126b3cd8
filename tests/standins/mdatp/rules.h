// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "state.h"

namespace standin {

/// Writes and loads the rules that the auditd provider needs.
void put_rules(const State& state);
/// Takes them away again, from the kernel and from the disk; nothing where audit is immutable, or the state
/// says cleans=no.
void clean_rules(const State& state);

}  // namespace standin
