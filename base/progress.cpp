// SPDX-License-Identifier: Apache-2.0
#include "base/progress.h"

#include "base/json.h"
#include "base/sysroot.h"
#include "base/text.h"

namespace auditshift::base {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Lets one update through per interval.
class RateLimit {
 public:
  explicit RateLimit(std::chrono::milliseconds interval) : interval_(interval) {}
  bool allow() {
    const auto now = SteadyClock::now();
    if (last_ && now - *last_ < interval_) return false;
    last_ = now;
    return true;
  }
  void reset() { last_.reset(); }

 private:
  std::chrono::milliseconds interval_;
  std::optional<SteadyClock::time_point> last_;
};

std::string amount(std::uint64_t done, std::uint64_t total, std::string_view unit) {
  const auto show = [&](std::uint64_t n) {
    return unit == "bytes" ? human_bytes(n) : with_thousands(n) + " " + std::string(unit);
  };
  if (total == 0) return show(done);
  return std::to_string(done * 100 / total) + "% of " + show(total);
}

class TerminalProgress final : public Progress {
 public:
  explicit TerminalProgress(std::FILE* stream) : stream_(stream) {}
  ~TerminalProgress() override { finish(); }
  void step(std::string_view what) override {
    what_ = printable(what);
    limit_.reset();
    draw(what_ + " …");
  }
  void update(std::uint64_t done, std::uint64_t total, std::string_view unit) override {
    if (limit_.allow()) draw(what_ + ": " + amount(done, total, unit));
  }
  void finish() override {
    if (drawn_) std::fputs("\r\033[K", stream_);
    drawn_ = false;
    std::fflush(stream_);
  }

 private:
  void draw(const std::string& line) {
    std::fprintf(stream_, "\r\033[K%s", line.c_str());
    std::fflush(stream_);
    drawn_ = true;
  }

  std::FILE* stream_;
  std::string what_;
  RateLimit limit_{std::chrono::milliseconds(100)};
  bool drawn_ = false;
};

class LineProgress final : public Progress {
 public:
  explicit LineProgress(std::FILE* stream) : stream_(stream) {}
  void step(std::string_view what) override {
    std::fprintf(stream_, "%s\n", printable(what).c_str());
    std::fflush(stream_);
  }
  void update(std::uint64_t, std::uint64_t, std::string_view) override {}
  void finish() override {}

 private:
  std::FILE* stream_;
};

class JsonProgress final : public Progress {
 public:
  explicit JsonProgress(int fd) : fd_(fd) {}
  void step(std::string_view what) override {
    what_ = what;
    limit_.reset();
    write({{"step", what_}});
  }
  void update(std::uint64_t done, std::uint64_t total, std::string_view unit) override {
    if (!limit_.allow()) return;
    Json line = {{"step", what_}, {"done", done}};
    if (total != 0) line["total"] = total;
    line["unit"] = std::string(unit);
    write(line);
  }
  void finish() override { write({{"step", "done"}}); }

 private:
  void write(const Json& line) {
    // A reader that went away must not end the work it was watching.
    if (!broken_ && !write_all(fd_, dump_json(line, JsonStyle::compact), "progress")) broken_ = true;
  }

  int fd_;
  std::string what_;
  RateLimit limit_{std::chrono::milliseconds(200)};
  bool broken_ = false;
};

}  // namespace

std::unique_ptr<Progress> make_terminal_progress(std::FILE* stream) {
  return std::make_unique<TerminalProgress>(stream);
}
std::unique_ptr<Progress> make_line_progress(std::FILE* stream) {
  return std::make_unique<LineProgress>(stream);
}
std::unique_ptr<Progress> make_json_progress(int fd) { return std::make_unique<JsonProgress>(fd); }

}  // namespace auditshift::base
