// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sensor/ebpf_options.h"
#include "sensor/exclusions.h"

namespace auditshift::migrate::compare {

/// Why one side told of an event and the other did not.
enum class Reason {
  // told by audit alone
  excluded,      ///< an entry of the managed configuration keeps it back
  switched_off,  ///< this sensor does not watch a kind that it watches by default
  lost,          ///< the sensor counted losses meanwhile
  unexplained,   ///< it should have been told
  by_default,    ///< the sensor leaves such calls out unless told otherwise
  not_covered,   ///< no event of the sensor's stands for such a call
  began_before,  ///< the call began before both looked
  not_compared,  ///< too many events waited, and its counterpart may be among those that were given up
  // told by the sensor alone
  audit_lost,    ///< records were lost on audit's side
  audit_daemon,  ///< the audit daemon is not audited
  no_record,     ///< a rule asks for it, and there is no record
};

/// "excluded", "switched-off", …: the name in JSON.
std::string_view to_string(Reason reason);
/// In words.
std::string_view describe(Reason reason);
/// True where something that the sensor covers was missed.
bool is_missed(Reason reason);

struct Why {
  Reason reason = Reason::unexplained;
  std::string detail;  ///< which entry, which option, which call
};

/// What the sensor of this host is told to report: the programs of a comparison see more.
struct SensorSettings {
  sensor::EbpfOptions options;
  sensor::Exclusions exclusions;
};

/// Why a sensor with these settings would keep an event that was seen to itself; nothing when it tells it.
std::optional<Why> withheld(const sensor::Event& event, const SensorSettings& settings);

/// Why no event of the sensor's stands for a call of the audit stream, by its nature; nothing when one
/// should.
std::optional<Why> outside_the_sensor(const sensor::Event& audit);

}  // namespace auditshift::migrate::compare
