// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/announcer.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <fstream>
#include <iterator>
#include <set>

#include "base/fd.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::migrate::change {
namespace {

TEST(Announcer, SpeaksJournaldsProtocol) {
  const tests::TemporaryTree tree;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  tree.real("/socket").copy(address.sun_path, sizeof address.sun_path - 1);
  const base::Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);

  const auto announcer = make_journald_announcer(tree.real("/socket"));
  const auto sent =
      announcer->announce({.kind = Announced::switched, .transaction = "000001", .text = "two\nlines"});
  ASSERT_TRUE(sent.ok()) << sent.error().message();
  char buffer[1024];
  const ssize_t size = ::recv(socket.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  ASSERT_GT(size, 0);
  EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(size)),
            std::string("MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\n", 26) +
                "MESSAGE_ID=" + std::string(message_id(Announced::switched)) +
                "\nPRIORITY=5\nSYSLOG_IDENTIFIER=auditshift\nAUDITSHIFT_TRANSACTION=000001\n");
}

TEST(Announcer, WithoutJournaldSaysSo) {
  EXPECT_EQ(make_journald_announcer("/nonexistent/socket")->announce({}).error().code(),
            base::Errc::not_found);
}

TEST(Announcer, EachKindHasAnIdOfItsOwnThatIsDocumented) {
  std::set<std::string_view> ids;
  std::ifstream page(std::string(AUDITSHIFT_SOURCE_DIR) + "/docs/journal.md");
  const std::string text{std::istreambuf_iterator<char>(page), {}};
  for (const Announced kind :
       {Announced::begun, Announced::reboot_awaited, Announced::switched, Announced::verification_failed,
        Announced::rolled_back, Announced::failed, Announced::committed}) {
    EXPECT_EQ(message_id(kind).size(), 32U);
    EXPECT_TRUE(ids.insert(message_id(kind)).second);
    EXPECT_NE(text.find("| `" + std::string(message_id(kind)) + "` |"), std::string::npos);
  }
}

}  // namespace
}  // namespace auditshift::migrate::change
