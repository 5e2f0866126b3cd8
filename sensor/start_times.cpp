// SPDX-License-Identifier: Apache-2.0
#include "sensor/start_times.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "bpf/libbpf_log.h"
#include "bpf/record.h"
#include "skeletons/tasks.skel.h"

namespace auditshift::sensor {
namespace {

struct DestroyTasks {
  void operator()(tasks_bpf* skeleton) const { tasks_bpf::destroy(skeleton); }
};

base::Error failure(int number) {
  return base::Error::from_errno(number, "cannot list the start times of running processes");
}

}  // namespace

base::Result<StartTimeList> StartTimeList::open() {
  bpf::route_libbpf_messages();
  const std::unique_ptr<tasks_bpf, DestroyTasks> skeleton(tasks_bpf::open_and_load());
  if (skeleton == nullptr || tasks_bpf::attach(skeleton.get()) != 0) return failure(errno);
  // The skeleton ends here; the link lives on through a descriptor of its own.
  StartTimeList list;
  list.link_.reset(fcntl(bpf_link__fd(skeleton->links.list_tasks), F_DUPFD_CLOEXEC, 0));
  if (!list.link_) return failure(errno);
  return list;
}

base::Result<StartTimes> StartTimeList::read() const {
  const base::Fd listing(bpf_iter_create(link_.get()));
  if (!listing) return failure(errno);
  StartTimes times;
  std::array<as_task_start, 512> buffer{};
  // A read gives whole records: the kernel's buffer is a page, and they fill it without a rest.
  static_assert(4096 % sizeof(as_task_start) == 0);
  for (;;) {
    const ssize_t bytes = ::read(listing.get(), buffer.data(), sizeof buffer);
    if (bytes < 0 && errno == EAGAIN)
      continue;  // the kernel lists so many tasks, then asks to be asked again
    if (bytes < 0) return failure(errno);
    if (bytes == 0) return times;
    for (std::size_t i = 0; i < static_cast<std::size_t>(bytes) / sizeof buffer[0]; ++i)
      times[buffer[i].pid] = buffer[i].start_ns;
  }
}

}  // namespace auditshift::sensor
