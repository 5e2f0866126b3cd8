// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace auditshift::migrate::outside {

/// A process that does what an agent must report: it renames a file to and fro, in a directory of its own,
/// and starts a program whose first argument is the marker. It ends, and its directory goes, with this
/// object.
class FlowProbe {
 public:
  /// How it goes about it.
  enum class Pace {
    flood,  ///< as many renames as it can, to be among the busiest
    calm,   ///< a rename and a program start a few times a second
  };

  /// `parent` is a directory that no exclusion covers; it is made when it is not there.
  static base::Result<FlowProbe> start(const std::string& parent, Pace pace);
  FlowProbe(FlowProbe&& other) noexcept;
  FlowProbe& operator=(FlowProbe&&) = delete;
  FlowProbe(const FlowProbe&) = delete;
  ~FlowProbe();

  /// Stands in the path of what it renames, and is the first argument of what it starts.
  const std::string& marker() const { return marker_; }
  const std::string& directory() const { return directory_; }
  /// The executable it runs as.
  const std::string& executable() const { return executable_; }
  pid_t pid() const { return pid_; }

 private:
  FlowProbe() = default;

  std::string directory_;
  std::string marker_;
  std::string executable_;
  pid_t pid_ = -1;
};

}  // namespace auditshift::migrate::outside
