// SPDX-License-Identifier: Apache-2.0
#include "sensor/pipeline.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace auditshift::sensor {
namespace {

/// A batch is written when it has grown to this, however long it is, so that memory stays bounded.
constexpr std::size_t kBatchBytes = std::size_t{256} << 10;

std::uint64_t boot_ns(const base::Clock& clock) {
  return static_cast<std::uint64_t>(clock.since_boot().count());
}

}  // namespace

Pipeline::Pipeline(StreamIdentity stream, const base::Clock& clock)
    : stream_(std::move(stream)),
      clock_(&clock),
      own_pid_(static_cast<std::uint32_t>(::getpid())),
      last_drops_ns_(boot_ns(clock)) {}

void Pipeline::add_sink(Format format, Sink& sink) {
  auto output = std::find_if(outputs_.begin(), outputs_.end(),
                             [&](const Output& candidate) { return candidate.format == format; });
  if (output == outputs_.end()) {
    output =
        outputs_.insert(outputs_.end(), Output{format, std::make_unique<Formatter>(format, stream_), {}, {}});
  }
  output->sinks.push_back(&sink);
}

void Pipeline::remove_sink(Sink& sink) {
  for (Output& output : outputs_) std::erase(output.sinks, &sink);
}

void Pipeline::consume(const Event& event) {
  if (event.kind == EventKind::loss) {
    statistics_.lost += event.loss.count;
    return emit(event);
  }
  if (!kinds_.contains(event.kind)) {
    ++statistics_.unwanted;
    return;
  }
  if (event.process.id.pid == own_pid_ && event.kind != EventKind::running) {
    ++statistics_.own;
    return;
  }
  if (filter_ != nullptr && filter_->excluded(event)) {
    ++statistics_.excluded;
    return;
  }
  statistics_.last_boot_ns = std::max(statistics_.last_boot_ns, event.boot_ns);
  if (observer_ != nullptr) observer_->observe(event);
  emit(event);
}

void Pipeline::emit(const Event& event) {
  ++sequence_;
  ++statistics_.records;
  ++statistics_.by_kind[static_cast<std::size_t>(event.kind) % AS_KIND_LIMIT];
  for (Output& output : outputs_) {
    if (output.records == 0)
      output.wanted =
          std::any_of(output.sinks.begin(), output.sinks.end(), [](const Sink* s) { return s->wanted(); });
    if (!output.wanted) continue;
    output.formatter->append(output.buffer, event, provider_, sequence_);
    ++output.records;
    if (output.buffer.size() >= kBatchBytes) flush(output);
  }
}

void Pipeline::end_of_batch() {
  for (Output& output : outputs_) {
    if (output.records != 0) flush(output);
  }
}

bool Pipeline::wants_details() const {
  if (filter_ != nullptr && !filter_->empty()) return true;
  if (observer_ != nullptr && observer_->observes()) return true;
  return std::any_of(outputs_.begin(), outputs_.end(), [](const Output& output) {
    return std::any_of(output.sinks.begin(), output.sinks.end(),
                       [](const Sink* sink) { return sink->wanted(); });
  });
}

void Pipeline::flush(Output& output) {
  for (Sink* sink : output.sinks) {
    if (sink->wanted()) sink->write(output.buffer.view(), output.records);
  }
  output.buffer.clear();
  output.records = 0;
}

Event Pipeline::make_loss(const Loss& loss) const {
  Event event;
  event.kind = EventKind::loss;
  event.boot_ns = boot_ns(*clock_);
  event.wall_ns = clock_->now().time_since_epoch().count();
  event.loss = loss;
  return event;
}

void Pipeline::report_losses(const std::vector<DropCounter>& drops) {
  const std::uint64_t now = boot_ns(*clock_);
  for (const DropCounter& drop : drops) {
    auto known = last_drops_.find(drop.cause);
    if (known == last_drops_.end()) known = last_drops_.emplace(std::string(drop.cause), 0).first;
    // A counter that went back is that of a provider started anew.
    const std::uint64_t lost = drop.count >= known->second ? drop.count - known->second : drop.count;
    known->second = drop.count;
    if (lost == 0) continue;
    statistics_.lost += lost;
    emit(make_loss({drop.cause, lost, last_drops_ns_, now}));
  }
  last_drops_ns_ = now;
  end_of_batch();
}

LossLine Pipeline::loss_line(Format format) {
  // Its own formatter: a sink may ask for the line while the pipeline is between two of its own.
  auto formatter = std::make_shared<Formatter>(format, stream_);
  return [this, formatter](std::string& out, const Loss& loss) {
    TextBuffer line;
    formatter->append(line, make_loss(loss), provider_, 0);
    out += line.view();
  };
}

}  // namespace auditshift::sensor
