// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace auditshift::tests {

/// Thrown where the process or the machine ends. Nothing catches it but the harness.
struct PowerCut {};

/// Counts every place at which a run can be hurt, and hurts it at one of them. Two equal runs have the same
/// points in the same order.
class FaultPoints {
 public:
  enum class Kind : std::uint8_t {
    none,
    error,      ///< this one call fails
    full,       ///< from this call on, the disk is full
    read_only,  ///< from this call on, the disk is read-only
    cut,        ///< the run ends before this call
  };
  struct Fault {
    Kind kind = Kind::none;
    std::size_t at = 0;  ///< which point, from 1
    int error = EIO;     ///< of Kind::error
  };

  /// Counts anew.
  void arm(const Fault& fault) {
    fault_ = fault;
    count_ = 0;
    cut_ = false;
  }
  std::size_t count() const { return count_; }
  bool fired() const { return fault_.kind != Kind::none && count_ >= fault_.at; }
  bool is_full() const { return fault_.kind == Kind::full && fired(); }
  bool is_read_only() const { return fault_.kind == Kind::read_only && fired(); }

  /// One more point; an errno to fail with, or 0. Throws PowerCut.
  int pass() {
    if (cut_) return EIO;  // destructors that still run must not reach the disk
    ++count_;
    if (count_ != fault_.at) return 0;
    if (fault_.kind == Kind::cut) {
      cut_ = true;
      throw PowerCut{};
    }
    return fault_.kind == Kind::error ? fault_.error : 0;
  }

 private:
  Fault fault_;
  std::size_t count_ = 0;
  bool cut_ = false;
};

}  // namespace auditshift::tests
