// SPDX-License-Identifier: Apache-2.0
// usage: bench_event_output [EVENTS] [FILE]
// CPU seconds per million events from the model to the file, for each format. A mixture as on a busy server:
// renames, opens, connections, now and then a process.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/clock.h"
#include "sensor/file_sink.h"
#include "sensor/pipeline.h"

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
  for (const Format format : {Format::ecs, Format::ocsf, Format::raw}) {
    Pipeline pipeline({"host.example", std::string(32, 'a'), std::string(36, 'b'), "6.1.0", "0.1.0"}, clock);
    auto sink = FileSink::open(options, pipeline.loss_line(format), clock);
    if (!sink.ok()) {
      std::fprintf(stderr, "error: %s\n", sink.error().message().c_str());
      return 1;
    }
    pipeline.add_sink(format, *sink);
    const double start = cpu_seconds();
    for (long i = 0; i < count; ++i) {
      pipeline.consume(events[static_cast<std::size_t>(i) % std::size(events)]);
      if (i % 256 == 255) pipeline.end_of_batch();
    }
    pipeline.end_of_batch();
    const double seconds = cpu_seconds() - start;
    const SinkStatus status = sink->status();
    std::printf("%-4s %.3f CPU s per million events, %.0f bytes each, %llu lost\n",
                std::string(format_name(format)).c_str(), seconds * 1e6 / static_cast<double>(count),
                static_cast<double>(status.bytes) / static_cast<double>(count),
                static_cast<unsigned long long>(status.lost));
    std::remove(options.path.c_str());
    std::remove((options.path + ".1").c_str());
  }
}
