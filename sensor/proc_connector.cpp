// SPDX-License-Identifier: Apache-2.0
#include "sensor/proc_connector.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cstring>

namespace auditshift::sensor {
namespace {

// struct cb_id, cn_msg (linux/connector.h): idx, val, seq, ack, len, flags.
constexpr std::size_t kConnectorHeader = 20;
constexpr std::uint32_t kProcessIndex = 1;  // CN_IDX_PROC
constexpr std::uint32_t kProcessValue = 1;  // CN_VAL_PROC
// struct proc_event: what, cpu, timestamp_ns, then the data of the kind.
constexpr std::size_t kEventHeader = 16;

template <class Number>
Number read(std::span<const std::byte> bytes, std::size_t at) {
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

/// Bytes of data a kind needs; 0 for a kind that is unknown.
std::size_t data_size(ProcMessage::What what) {
  using What = ProcMessage::What;
  switch (what) {
    case What::acknowledgement:
      return 4;
    case What::exec:
    case What::session:
    case What::core_dump:
      return 8;
    case What::fork:
    case What::uid:
    case What::gid:
    case What::ptrace:
    case What::exit:
      return 16;
    case What::name:
      return 24;
  }
  return 0;
}

/// False when the event is too short for its kind.
bool decode_event(std::span<const std::byte> bytes, ProcMessage& message, bool& known) {
  if (bytes.size() < kEventHeader) return false;
  message.what = static_cast<ProcMessage::What>(read<std::uint32_t>(bytes, 0));
  message.cpu = read<std::uint32_t>(bytes, 4);
  message.monotonic_ns = read<std::uint64_t>(bytes, 8);
  const std::size_t size = data_size(message.what);
  known = size != 0;
  if (!known) return true;
  const auto data = bytes.subspan(kEventHeader);
  if (data.size() < size) return false;
  if (message.what == ProcMessage::What::acknowledgement) {
    message.first = read<std::uint32_t>(data, 0);
    return true;
  }
  message.pid = read<std::uint32_t>(data, 0);
  message.tgid = read<std::uint32_t>(data, 4);
  if (message.what == ProcMessage::What::name) {
    std::memcpy(message.comm.data(), data.data() + 8, message.comm.size());
  } else if (size == 16) {
    message.first = read<std::uint32_t>(data, 8);
    message.second = read<std::uint32_t>(data, 12);
  }
  return true;
}

}  // namespace

std::string_view ProcMessage::comm_text() const {
  return {comm.data(), static_cast<std::size_t>(std::find(comm.begin(), comm.end(), '\0') - comm.begin())};
}

bool ProcDatagram::next(ProcMessage& message) {
  while (!rest_.empty()) {
    malformed_ = true;  // until this message has proven to be whole
    if (rest_.size() < NLMSG_HDRLEN) return false;
    const auto length = read<std::uint32_t>(rest_, offsetof(nlmsghdr, nlmsg_len));
    const auto type = read<std::uint16_t>(rest_, offsetof(nlmsghdr, nlmsg_type));
    if (length < NLMSG_HDRLEN || length > rest_.size()) return false;
    const auto payload = rest_.subspan(NLMSG_HDRLEN, length - NLMSG_HDRLEN);
    rest_ = rest_.subspan(std::min<std::size_t>(NLMSG_ALIGN(length), rest_.size()));
    if (type == NLMSG_NOOP || type == NLMSG_ERROR || type == NLMSG_OVERRUN) {
      malformed_ = false;
      continue;
    }
    if (payload.size() < kConnectorHeader) return false;
    const bool about_processes =
        read<std::uint32_t>(payload, 0) == kProcessIndex && read<std::uint32_t>(payload, 4) == kProcessValue;
    const auto data_length = read<std::uint16_t>(payload, 16);
    if (data_length > payload.size() - kConnectorHeader) return false;
    malformed_ = false;
    if (!about_processes) continue;
    message = ProcMessage{};
    message.sequence = read<std::uint32_t>(payload, 8);
    bool known = false;
    if (!decode_event(payload.subspan(kConnectorHeader, data_length), message, known)) {
      malformed_ = true;
      return false;
    }
    if (known) return true;
  }
  return false;
}

}  // namespace auditshift::sensor
