// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "bpf/record.h"
#include "sensor/event.h"

namespace auditshift::sensor {

/// Where an Event's fields come from: argument numbers, counted from 1; 0 is none.
struct ArgumentRoles {
  std::uint8_t flags = 0;
  std::uint8_t mode = 0;
  std::uint8_t uid = 0;
  std::uint8_t gid = 0;
  std::uint8_t device = 0;
  std::uint8_t size = 0;
  std::uint8_t size_high = 0;  ///< upper half of a size that 32-bit calls give in two
  std::uint8_t descriptor = 0;
  std::uint8_t command = 0;
  std::uint8_t level = 0;
  std::uint8_t target = 0;  ///< a pid
  bool narrow = false;      ///< 32-bit ABIs: uid and gid have 16 bits
};

/// What the kernel side does with a call: struct as_call, which see, with a default for every member.
struct CallShape {
  std::uint8_t kind = AS_KIND_NONE;
  std::uint8_t filter = AS_FILTER_NONE;
  std::uint8_t filter_argument = 0;
  std::uint8_t directory = 0;
  std::uint8_t path = 0;
  std::uint8_t second_directory = 0;
  std::uint8_t second_path = 0;
  std::uint8_t text = 0;
  std::uint8_t text_length = 0;
  std::uint8_t socket = 0;
  std::uint8_t address = AS_ADDRESS_NONE;
  std::uint8_t address_argument = 0;

  as_call for_kernel() const;
};

/// A system call that the sensor can watch: the one place that knows its numbers and its arguments.
struct WatchedCall {
  std::string_view name;
  /// x86_64, i386, arm64, arm (EABI), and x32 where that differs from x86_64; 0: the ABI has none. From the
  /// kernel's unistd headers and audit's tables; since 5.1 (number 424) all ABIs share their numbers.
  std::array<std::uint16_t, 5> numbers;
  CallShape call;
  ArgumentRoles roles;
};

/// All of them; the position is stable within a build.
std::span<const WatchedCall> watched_calls();

/// The call with this number, or nullptr. `number` is as the kernel counts, without x32's marker bit.
const WatchedCall* find_watched_call(Abi abi, int number);

/// What i386's socketcall(2) means by its first argument (include/uapi/linux/net.h), or nullptr.
const WatchedCall* find_socketcall(std::uint64_t number);

}  // namespace auditshift::sensor
