// SPDX-License-Identifier: Apache-2.0
#include "sensor/proc_connector.h"

#include <gtest/gtest.h>

#include "proc_messages.h"

namespace auditshift::sensor {
namespace {

using What = ProcMessage::What;

TEST(ProcDatagram, DecodesAMessageOfEachKind) {
  ProcMessage message;
  const auto decode = [&](What what, const std::vector<std::uint32_t>& data) {
    const auto bytes = make_datagram(what, 1, 9, 77, data);
    ProcDatagram datagram(bytes);
    const bool got = datagram.next(message);
    ProcMessage none;
    EXPECT_FALSE(datagram.next(none));
    EXPECT_FALSE(datagram.malformed());
    return got && message.what == what && message.cpu == 1 && message.sequence == 9 &&
           message.monotonic_ns == 77;
  };
  EXPECT_TRUE(decode(What::acknowledgement, {13}));
  EXPECT_EQ(message.first, 13U);
  EXPECT_TRUE(decode(What::fork, {10, 11, 12, 13}));
  EXPECT_EQ(message.pid, 10U);
  EXPECT_EQ(message.tgid, 11U);
  EXPECT_EQ(message.first, 12U);
  EXPECT_EQ(message.second, 13U);
  EXPECT_TRUE(decode(What::exec, {10, 10}));
  EXPECT_TRUE(decode(What::uid, {10, 10, 1000, 0}));
  EXPECT_EQ(message.first, 1000U);
  EXPECT_TRUE(decode(What::gid, {10, 10, 1000, 0}));
  EXPECT_TRUE(decode(What::session, {10, 10}));
  EXPECT_TRUE(decode(What::ptrace, {10, 10, 20, 21}));
  EXPECT_EQ(message.second, 21U);
  EXPECT_TRUE(decode(What::core_dump, {10, 10, 1, 1}));
  EXPECT_TRUE(decode(What::exit, {10, 10, 0x300, 17, 1, 1}));
  EXPECT_EQ(message.first, 0x300U);
  EXPECT_TRUE(decode(What::name, {10, 10, 0x6b726f77, 0x00007265, 0, 0}));
  EXPECT_EQ(message.comm_text(), "worker");
  EXPECT_TRUE(decode(What::name, {10, 10, 0x61616161, 0x61616161, 0x61616161, 0x61616161}));
  EXPECT_EQ(message.comm_text(), "aaaaaaaaaaaaaaaa") << "a name without its NUL ends with the field";
}

TEST(ProcDatagram, PassesOverWhatItDoesNotKnow) {
  auto bytes = make_datagram(static_cast<What>(0x1000), 0, 1, 1, {});
  const auto exec = make_datagram(What::exec, 0, 2, 1, {10, 10});
  bytes.insert(bytes.end(), exec.begin(), exec.end());
  auto other = make_datagram(What::exec, 0, 3, 1, {11, 11});
  other[16] = std::byte{7};  // another connector
  bytes.insert(bytes.end(), other.begin(), other.end());
  ProcDatagram datagram(bytes);
  ProcMessage message;
  ASSERT_TRUE(datagram.next(message));
  EXPECT_EQ(message.pid, 10U);
  EXPECT_FALSE(datagram.next(message));
  EXPECT_FALSE(datagram.malformed());
}

TEST(ProcDatagram, StopsAtWhatMakesNoSense) {
  const auto good = make_datagram(What::fork, 0, 1, 1, {10, 10, 11, 11});
  for (std::size_t length = 1; length < good.size(); ++length) {
    ProcDatagram datagram(std::span<const std::byte>(good).first(length));
    ProcMessage message;
    EXPECT_FALSE(datagram.next(message)) << length;
    EXPECT_TRUE(datagram.malformed()) << length;
  }
  auto long_payload = good;
  long_payload[32] = std::byte{0xff};  // cn_msg.len beyond the datagram
  ProcDatagram datagram(long_payload);
  ProcMessage message;
  EXPECT_FALSE(datagram.next(message));
  EXPECT_TRUE(datagram.malformed());
}

}  // namespace
}  // namespace auditshift::sensor
