// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "migrate/change/transaction.h"

namespace auditshift::migrate::change {

/// What helps a switch whose verification failed: where Defender's rules came back (configuration management,
/// an old build), the vendor's remedy, which takes them out once more (make_remedy). Nothing for any other
/// failure, and for a transaction that is not about rules. TransactionOptions::remedy.
base::Result<std::optional<Plan>> find_remedy(const Host& host, const Plan& plan,
                                              const Verification& verification);

}  // namespace auditshift::migrate::change
