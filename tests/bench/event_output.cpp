// SPDX-License-Identifier: Apache-2.0
// usage: bench_event_output [EVENTS] [FILE]
// CPU seconds per million events, first of renames from the kernel side's record through the pipeline,
// without a sink and with a file, then from the model to the file for each format and a mixture as on a busy
// server: renames, opens, connections, now and then a process.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "sensor/file_sink.h"
#include "sensor/pipeline.h"
#include "sensor/record_decoder.h"

namespace {

using namespace auditshift;
using namespace auditshift::sensor;

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

Event make_event(EventKind kind) {
  Event event;
  event.kind = kind;
  event.boot_ns = 200'000'000'000;
  event.wall_ns = 1'795'248'000'123'456'789;
  Process& process = event.process;
  process.id = {4242, 100'000'000'000};
  process.tid = 4242;
  process.parent = {4000, 50'000'000'000};
  process.comm = "worker";
  process.executable.text = "/usr/lib/worker/bin/worker";
  process.uid = process.euid = process.suid = process.fsuid = 1000;
  process.gid = process.egid = process.sgid = process.fsgid = 1000;
  process.auid = 1000;
  process.session = 7;
  process.cgroup_id = 5511;
  process.mount_namespace = 4026531841;
  event.syscall = {82, Abi::x86_64, "rename", 0, true, {1, 2, 3, 4, 5, 6}};
  event.path.text = "/var/lib/worker/spool/incoming/0123456789.tmp";
  event.second_path.text = "/var/lib/worker/spool/incoming/0123456789";
  event.argv = {"worker\0--config\0/etc/worker.conf\0", true, false, false};
  event.cwd.text = "/var/lib/worker";
  event.socket.family = 2;
  event.socket.type = 1;
  event.socket.protocol = 6;
  event.socket.remote.family = AddressFamily::ipv4;
  event.socket.remote.bytes = {192, 0, 2, 7};
  event.socket.remote.port = 443;
  return event;
}

/// As the kernel side writes one of a rename with absolute paths.
std::vector<std::byte> make_record() {
  as_record record{};
  record.kind = AS_KIND_RENAME;
  record.abi = AS_ABI_X86_64;
  record.flags = AS_RECORD_RESULT;
  record.boot_ns = 200'000'000'000;
  record.syscall = 264;
  record.pid = record.tid = 4242;
  record.parent_pid = 4000;
  record.mount_namespace = 4026531841;
  record.start_ns = 100'000'000'000;
  record.parent_start_ns = 50'000'000'000;
  record.auid = 1000;
  record.session = 7;
  record.cgroup_id = 5511;
  std::memcpy(record.comm, "worker", 6);
  std::fill(std::begin(record.arguments), std::end(record.arguments), 0x7ffd'1234'5678);
  std::string texts;
  const auto add = [&](as_text_slot slot, std::string_view text) {
    record.texts[slot] = {static_cast<__u16>(text.size()), AS_TEXT_PRESENT, 0};
    texts += text;
  };
  add(AS_TEXT_EXECUTABLE, std::string_view("worker\0bin\0worker\0lib\0usr\0", 26));
  add(AS_TEXT_PATH, "/tmp/auditshift-bench-aaaaaa/a");
  add(AS_TEXT_SECOND_PATH, "/tmp/auditshift-bench-aaaaaa/b");
  texts.resize((texts.size() + 7) / 8 * 8);
  record.size = static_cast<__u32>(sizeof record + texts.size());
  std::vector<std::byte> bytes(record.size);
  std::memcpy(bytes.data(), &record, sizeof record);
  std::memcpy(bytes.data() + sizeof record, texts.data(), texts.size());
  return bytes;
}

void print(const char* name, double seconds, long count, const SinkStatus& status) {
  std::printf("%-26s %.3f CPU s per million events, %.0f bytes each, %llu lost\n", name,
              seconds * 1e6 / static_cast<double>(count),
              static_cast<double>(status.bytes) / static_cast<double>(count),
              static_cast<unsigned long long>(status.lost));
}

void measure_records(Pipeline& pipeline, long count, const char* name, const FileSink* sink) {
  RecordDecoder decoder;
  const std::vector<std::byte> record = make_record();
  const double start = cpu_seconds();
  for (long i = 0; i < count; ++i) {
    if (const Event* event = decoder.decode(record, pipeline.wants_details())) pipeline.consume(*event);
    if (i % 256 == 255) pipeline.end_of_batch();
  }
  pipeline.end_of_batch();
  print(name, cpu_seconds() - start, count, sink != nullptr ? sink->status() : SinkStatus{});
}

}  // namespace

int main(int argc, char** argv) {
  const long count = argc > 1 ? std::atol(argv[1]) : 1'000'000;
  FileSinkOptions options;
  options.path = argc > 2 ? argv[2] : "/tmp/auditshift-bench-events.ndjson";
  options.rotate_count = 1;
  options.sync = SyncPolicy::never;
  const base::SystemClock clock;
  const Event events[] = {make_event(EventKind::rename),  make_event(EventKind::open),
                          make_event(EventKind::connect), make_event(EventKind::unlink),
                          make_event(EventKind::rename),  make_event(EventKind::open),
                          make_event(EventKind::create),  make_event(EventKind::exec)};
  const StreamIdentity stream = {"host.example", std::string(32, 'a'), std::string(36, 'b'), "6.1.0",
                                 "0.1.0"};
  Pipeline without(stream, clock);
  measure_records(without, count, "records, no sink", nullptr);
  for (const bool with_records : {true, false})
    for (const Format format : {Format::ecs, Format::ocsf, Format::raw}) {
      if (with_records && format != Format::ecs) continue;
      Pipeline pipeline(stream, clock);
      auto sink = FileSink::open(options, pipeline.loss_line(format), clock);
      if (!sink.ok()) {
        std::fprintf(stderr, "error: %s\n", sink.error().message().c_str());
        return 1;
      }
      pipeline.add_sink(format, *sink);
      if (with_records) {
        measure_records(pipeline, count, "records, file (ecs)", &*sink);
        continue;
      }
      const double start = cpu_seconds();
      for (long i = 0; i < count; ++i) {
        pipeline.consume(events[static_cast<std::size_t>(i) % std::size(events)]);
        if (i % 256 == 255) pipeline.end_of_batch();
      }
      pipeline.end_of_batch();
      const double seconds = cpu_seconds() - start;
      print(std::string(format_name(format)).c_str(), seconds, count, sink->status());
      std::remove(options.path.c_str());
      std::remove((options.path + ".1").c_str());
    }
}
