// SPDX-License-Identifier: Apache-2.0
#include "sensor/reader_sink.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "sensor/unix_listener.h"
#include "temporary_directory.h"

namespace auditshift::sensor {
namespace {

struct Pair {
  base::Fd reader;
  base::Fd sink;
};

Pair make_pair() {
  std::array<int, 2> fds{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
  return {base::Fd(fds[0]), base::Fd(fds[1])};
}

std::string receive(const base::Fd& fd) {
  std::string text;
  char buffer[65536];
  ssize_t got = 0;
  while ((got = ::recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
    text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

class ReaderSinkTest : public testing::Test {
 protected:
  ReaderSink make(ReaderSink::Options options) {
    auto sink = ReaderSink::create(options, loss_line_, clock_);
    EXPECT_TRUE(sink.ok());
    return std::move(sink).value();
  }

  base::FixedClock clock_{base::WallTime(std::chrono::seconds(1'000'000))};
  LossLine loss_line_ = [](std::string& out, const Loss& loss) {
    out += "lost " + std::to_string(loss.count) + " " + std::string(loss.cause) + "\n";
  };
};

TEST_F(ReaderSinkTest, EveryReaderGetsEveryLine) {
  ReaderSink sink = make({});
  EXPECT_FALSE(sink.wanted());
  Pair first = make_pair();
  Pair second = make_pair();
  ASSERT_TRUE(sink.adopt(std::move(first.sink)).ok());
  sink.write("one\n", 1);
  ASSERT_TRUE(sink.adopt(std::move(second.sink)).ok());
  EXPECT_TRUE(sink.wanted());
  sink.write("two\n", 1);
  EXPECT_EQ(receive(first.reader), "one\ntwo\n");
  EXPECT_EQ(receive(second.reader), "two\n");
}

TEST_F(ReaderSinkTest, ASlowReaderLosesAloneAndIsTold) {
  ReaderSink::Options options;
  options.queue_bytes = 100'000;
  ReaderSink sink = make(options);
  Pair fast = make_pair();
  Pair slow = make_pair();
  ASSERT_TRUE(sink.adopt(std::move(fast.sink)).ok());
  ASSERT_TRUE(sink.adopt(std::move(slow.sink)).ok());
  const std::string line = std::string(999, 'x') + "\n";
  std::size_t fast_lines = 0;
  constexpr std::size_t kLines = 2000;
  for (std::size_t i = 0; i < kLines; ++i) {
    sink.write(line, 1);
    fast_lines += receive(fast.reader).size() / line.size();
  }
  EXPECT_EQ(fast_lines, kLines);
  const std::uint64_t lost = sink.status().lost;
  EXPECT_GT(lost, 0U);

  std::string got;
  for (std::string more = receive(slow.reader); !more.empty(); more = receive(slow.reader)) {
    got += more;
    sink.service();
  }
  sink.write("after\n", 1);
  got += receive(slow.reader);
  const std::string tail = "lost " + std::to_string(lost) + " reader too slow\nafter\n";
  ASSERT_GE(got.size(), tail.size());
  EXPECT_EQ(got.substr(got.size() - tail.size()), tail);
  EXPECT_EQ((got.size() - tail.size()) / line.size() + lost, kLines) << "each line is there or counted";
}

TEST_F(ReaderSinkTest, ForgetsAReaderThatIsGone) {
  ReaderSink sink = make({});
  Pair pair = make_pair();
  ASSERT_TRUE(sink.adopt(std::move(pair.sink)).ok());
  pair.reader.reset();
  pollfd ready{sink.descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&ready, 1, 1000), 1);
  sink.service();
  EXPECT_FALSE(sink.wanted());
}

TEST_F(ReaderSinkTest, AReaderMayCloseItsSendingSide) {
  ReaderSink sink = make({});
  Pair pair = make_pair();
  ASSERT_TRUE(sink.adopt(std::move(pair.sink)).ok());
  ::shutdown(pair.reader.get(), SHUT_WR);
  sink.service();
  sink.write("one\n", 1);
  EXPECT_EQ(receive(pair.reader), "one\n");
  pollfd ready{sink.descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&ready, 1, 0), 0) << "nothing that would keep the caller busy";
}

TEST_F(ReaderSinkTest, RefusesMoreReadersThanTheLimit) {
  ReaderSink::Options options;
  options.readers = 1;
  ReaderSink sink = make(options);
  Pair first = make_pair();
  Pair second = make_pair();
  ASSERT_TRUE(sink.adopt(std::move(first.sink)).ok());
  const auto refused = sink.adopt(std::move(second.sink));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), base::Errc::busy);
}

base::Fd connect_to(const std::string& path) {
  base::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

TEST(UnixListener, IsPrivateAndGoesWithItsOwner) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("s.sock");
  {
    auto listener = UnixListener::open(path);
    ASSERT_TRUE(listener.ok()) << listener.error().message();
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0600U);
    EXPECT_EQ(listener->accept().error().code(), base::Errc::busy);
    const base::Fd client = connect_to(path);
    EXPECT_TRUE(listener->accept().ok());
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(UnixListener, TakesOverFromTheDeadOnly) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("s.sock");
  {
    // What kill -9 leaves behind: a socket file without a listener.
    const base::Fd dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  auto listener = UnixListener::open(path);
  ASSERT_TRUE(listener.ok()) << listener.error().message();
  const auto second = UnixListener::open(path);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), base::Errc::busy);

  const std::string file = directory.file("file");
  write_all(file, "precious");
  EXPECT_FALSE(UnixListener::open(file).ok());
  EXPECT_EQ(read_all(file), "precious");
}

}  // namespace
}  // namespace auditshift::sensor
