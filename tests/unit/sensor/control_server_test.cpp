// SPDX-License-Identifier: Apache-2.0
#include "sensor/control_server.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "sensor/notify.h"
#include "temporary_directory.h"

namespace auditshift::sensor {
namespace {

using std::chrono::milliseconds;

class ControlServerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto server = ControlServer::open(path_, [this](const base::Json& request, ControlPeer peer) {
      const std::string name = request["request"];
      if (name == "echo") return peer.reply(request["value"]);
      if (name == "stream") {
        const base::Fd fd = peer.release();
        EXPECT_EQ(::send(fd.get(), "one\ntwo\n", 8, MSG_NOSIGNAL), 8);
        return;
      }
      if (name == "later") {
        waiting_.push_back(std::move(peer));
        return;
      }
      peer.fail(base::Error(base::Errc::invalid, "no such request: " + name).with_hint("echo"));
    });
    ASSERT_TRUE(server.ok()) << server.error().message();
    server_.emplace(std::move(*server));
    thread_ = std::thread([this] {
      while (!stop_) {
        pollfd ready{server_->descriptor(), POLLIN, 0};
        if (::poll(&ready, 1, 10) == 1) server_->service();
        for (ControlPeer& peer : waiting_) peer.reply("late");
        waiting_.clear();
      }
    });
  }
  void TearDown() override {
    stop_ = true;
    thread_.join();
  }
  base::Result<base::Json> ask(const base::Json& request) {
    return ask_sensor(path_, request, milliseconds(2000));
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.file("control.sock");
  std::optional<ControlServer> server_;
  std::vector<ControlPeer> waiting_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

TEST_F(ControlServerTest, AnswersNowOrLater) {
  const auto answer = ask({{"request", "echo"}, {"value", "\xc3\xa4"}});
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_EQ(*answer, "\xc3\xa4");
  EXPECT_EQ(*ask({{"request", "later"}}), "late");
}

TEST_F(ControlServerTest, SaysWhatIsWrong) {
  const auto unknown = ask({{"request", "nonesuch"}});
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().message(), "no such request: nonesuch");
  EXPECT_EQ(unknown.error().hint(), "echo");
  EXPECT_FALSE(ask(base::Json::array()).ok());
  EXPECT_FALSE(ask({{"request", 3}}).ok());
  EXPECT_FALSE(ask({{"request", "echo"}, {"value", std::string(100'000, 'x')}}).ok()) << "over the limit";
  EXPECT_TRUE(ask({{"request", "echo"}, {"value", 1}}).ok()) << "and serves the next all the same";
}

TEST_F(ControlServerTest, GivesAConnectionAwayForAStream) {
  const auto stream = open_sensor_stream(path_, {{"request", "stream"}}, milliseconds(2000));
  ASSERT_TRUE(stream.ok()) << stream.error().message();
  char text[9] = {};
  EXPECT_EQ(::recv(stream->get(), text, 8, MSG_WAITALL), 8);
  EXPECT_STREQ(text, "one\ntwo\n");
}

TEST(AskSensor, SaysThatNoSensorRuns) {
  const TemporaryDirectory directory;
  const auto answer = ask_sensor(directory.file("none.sock"), {{"request", "x"}}, milliseconds(100));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), base::Errc::not_found);
}

TEST(ServiceNotifier, SendsToTheManagersSocket) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("notify");
  const base::Fd manager(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(::bind(manager.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  ::unsetenv("WATCHDOG_PID");
  const ServiceNotifier notifier = ServiceNotifier::from_environment();
  EXPECT_EQ(::getenv("NOTIFY_SOCKET"), nullptr) << "no child shall speak for this process";
  EXPECT_EQ(notifier.watchdog_interval(), std::chrono::microseconds(1'500'000));
  notifier.send("READY=1\nSTATUS=x");
  char text[64] = {};
  EXPECT_GT(::recv(manager.get(), text, sizeof text, MSG_DONTWAIT), 0);
  EXPECT_STREQ(text, "READY=1\nSTATUS=x");
}

TEST(ServiceNotifier, IsSilentWithoutAManager) {
  ::unsetenv("NOTIFY_SOCKET");
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  const ServiceNotifier notifier = ServiceNotifier::from_environment();
  notifier.send("READY=1");
  EXPECT_EQ(notifier.watchdog_interval(), std::nullopt) << "another process's watchdog";
}

}  // namespace
}  // namespace auditshift::sensor
