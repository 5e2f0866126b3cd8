// SPDX-License-Identifier: Apache-2.0
#include "base/progress.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <string>

#include "base/fd.h"

namespace auditshift::base {
namespace {

/// A FILE whose content can be looked at.
class Stream {
 public:
  Stream() : file_(std::tmpfile()) {}
  ~Stream() { std::fclose(file_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  std::FILE* get() { return file_; }
  std::string text() {
    std::fflush(file_);
    std::rewind(file_);
    std::string all;
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) all += static_cast<char>(c);
    return all;
  }

 private:
  std::FILE* file_;
};

TEST(LineProgress, WritesOneLinePerStep) {
  Stream stream;
  const auto progress = make_line_progress(stream.get());
  progress->step("reading audit logs");
  for (std::uint64_t i = 0; i < 100; ++i) progress->update(i, 100, "bytes");
  progress->step("probing\x1b[2J");
  progress->finish();
  EXPECT_EQ(stream.text(), "reading audit logs\nprobing\\x1b[2J\n");
}

TEST(TerminalProgress, RedrawsItsLineAndTakesItBack) {
  Stream stream;
  {
    const auto progress = make_terminal_progress(stream.get());
    progress->step("reading");
    progress->update(512, 1024, "bytes");
    progress->update(600, 1024, "bytes");  // too soon for another drawing
  }
  EXPECT_EQ(stream.text(), "\r\033[Kreading …\r\033[Kreading: 50% of 1.0 KiB\r\033[K");
}

TEST(JsonProgress, WritesJsonLinesAndLimitsTheirRate) {
  Stream stream;
  {
    const auto progress = make_json_progress(::fileno(stream.get()));
    progress->step("reading");
    for (std::uint64_t i = 1; i <= 1000; ++i) progress->update(i, 1000, "bytes");
    progress->step("rules");
    progress->update(3, 0, "rules");
    progress->finish();
  }
  EXPECT_EQ(stream.text(),
            "{\"step\":\"reading\"}\n"
            "{\"step\":\"reading\",\"done\":1,\"total\":1000,\"unit\":\"bytes\"}\n"
            "{\"step\":\"rules\"}\n"
            "{\"step\":\"rules\",\"done\":3,\"unit\":\"rules\"}\n"
            "{\"step\":\"done\"}\n");
}

TEST(JsonProgress, ManyQuickStepsAreFiveLinesAndTheLastOneSaysDone) {
  Stream stream;
  {
    const auto progress = make_json_progress(::fileno(stream.get()));
    for (const char* step : {"one", "two", "three", "four", "five", "six"}) progress->step(step);
    progress->finish();  // a part of the work is done
    progress->step("seven");
    progress->finish();
  }
  EXPECT_EQ(stream.text(),
            "{\"step\":\"one\"}\n{\"step\":\"two\"}\n{\"step\":\"three\"}\n{\"step\":\"four\"}\n"
            "{\"step\":\"done\"}\n");
}

TEST(JsonProgress, AReaderThatWentAwayDoesNotEndTheWork) {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &before);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  const Fd write_end(ends[1]);
  const auto progress = make_json_progress(write_end.get());
  progress->step("reading");
  progress->finish();
  ::sigaction(SIGPIPE, &before, nullptr);
}

}  // namespace
}  // namespace auditshift::base
