// SPDX-License-Identifier: Apache-2.0
#include "sensor/file_closer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <future>
#include <utility>

namespace auditshift::sensor {
namespace {

/// What reads it sees when the other end is closed.
struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    read = base::Fd(ends[0]);
    write = base::Fd(ends[1]);
  }
  bool closed(int timeout_ms) const {
    pollfd wait{read.get(), POLLIN, 0};
    return ::poll(&wait, 1, timeout_ms) == 1 && (wait.revents & POLLHUP) != 0;
  }
  base::Fd read, write;
};

TEST(FileCloserTest, ClosesWhatItIsGiven) {
  std::array<Pipe, 3> pipes;
  FileCloser closer(8);
  for (Pipe& pipe : pipes) closer.close(std::move(pipe.write));
  for (const Pipe& pipe : pipes) EXPECT_TRUE(pipe.closed(10'000));
}

TEST(FileCloserTest, ASlowDiskKeepsNobodyWaitingAndTheNumberThatWaitsIsBounded) {
  std::array<Pipe, 3> pipes;
  std::promise<void> freed;
  const std::shared_future<void> space = freed.get_future().share();
  {
    FileCloser closer(2, [space](base::Fd) { space.wait(); });
    for (Pipe& pipe : pipes) closer.close(std::move(pipe.write));
    EXPECT_FALSE(pipes[0].closed(0));
    EXPECT_FALSE(pipes[1].closed(0));
    EXPECT_TRUE(pipes[2].closed(0)) << "two wait: this one was the caller's turn";
    freed.set_value();
  }
  EXPECT_TRUE(pipes[0].closed(0) && pipes[1].closed(0)) << "the end waits for all";
}

TEST(FileCloserTest, NoFileIsNoWork) {
  FileCloser closer(1, [](base::Fd) { ADD_FAILURE() << "called"; });
  closer.close(base::Fd());
}

}  // namespace
}  // namespace auditshift::sensor
