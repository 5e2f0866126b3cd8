// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace auditshift::sensor {

/// Builds paths in a block of its own, without allocating: first where it starts, then what is added to it,
/// lexically: "." and empty names vanish, ".." takes the last name away and stops at the root.
///
/// Lexical means that "link/.." is the directory that holds the link, where the kernel may have gone
/// elsewhere.
class PathBuilder {
 public:
  /// The longest path it holds, in bytes: a start and an addition of PATH_MAX each. What is longer is cut.
  static constexpr std::size_t kLimit = 9216;

  void start_at_root();
  /// Starts at the directory whose names, the last one first and each ended by NUL, are `components`.
  /// With `rootless` the result has no leading "/": the way up to the root is not known.
  void start_at_components(std::string_view components, bool rootless);
  /// Adds a path; an absolute one too is added below the start.
  void add(std::string_view path);

  /// Valid until the next change. "/" for the root; empty when rootless and nothing was added.
  std::string_view text() const;
  /// Something did not fit.
  bool cut() const { return cut_; }

 private:
  void push(std::string_view name);
  void pop();

  std::array<char, kLimit> buffer_{};
  std::size_t size_ = 0;
  bool rootless_ = false;
  bool cut_ = false;
};

}  // namespace auditshift::sensor
