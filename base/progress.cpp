// SPDX-License-Identifier: Apache-2.0
#include "base/progress.h"

#include <vector>

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

/// At most five lines in any second. Four are for steps and updates, so that the last word always has its
/// place; a step for which there is no room waits, and a later one takes its place.
class JsonProgress final : public Progress {
 public:
  explicit JsonProgress(int fd) : fd_(fd) {}
  ~JsonProgress() override {
    if (finished_) write({{"step", "done"}});
  }
  void step(std::string_view what) override {
    finished_ = false;
    what_ = what;
    limit_.reset();
    waiting_ = !write_if_room({{"step", what_}});
  }
  void update(std::uint64_t done, std::uint64_t total, std::string_view unit) override {
    if (!limit_.allow()) return;
    Json line = {{"step", what_}, {"done", done}};
    if (total != 0) line["total"] = total;
    line["unit"] = std::string(unit);
    if (write_if_room(line)) waiting_ = false;
  }
  void finish() override {
    if (waiting_ && write_if_room({{"step", what_}})) waiting_ = false;
    finished_ = true;
  }

 private:
  bool write_if_room(const Json& line) {
    const auto now = SteadyClock::now();
    std::erase_if(recent_,
                  [&](SteadyClock::time_point time) { return now - time > std::chrono::seconds(1); });
    if (recent_.size() >= 4) return false;
    recent_.push_back(now);
    write(line);
    return true;
  }
  void write(const Json& line) {
    // A reader that went away must not end the work it was watching.
    if (!broken_ && !write_all(fd_, dump_json(line, JsonStyle::compact), "progress")) broken_ = true;
  }

  int fd_;
  std::string what_;
  RateLimit limit_{std::chrono::milliseconds(200)};
  std::vector<SteadyClock::time_point> recent_;
  bool waiting_ = false;   ///< the step's own line is not written yet
  bool finished_ = false;  ///< nothing is under way
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
