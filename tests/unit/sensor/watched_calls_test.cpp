// SPDX-License-Identifier: Apache-2.0
#include "sensor/watched_calls.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <map>

#include "sensor/ebpf_options.h"

namespace auditshift::sensor {
namespace {

std::string_view name_of(Abi abi, int number) {
  const WatchedCall* call = find_watched_call(abi, number);
  return call == nullptr ? std::string_view() : call->name;
}

TEST(WatchedCalls, AreFoundByNumberInEachAbi) {
  EXPECT_EQ(name_of(Abi::x86_64, 82), "rename");
  EXPECT_EQ(name_of(Abi::i386, 38), "rename");
  EXPECT_EQ(name_of(Abi::arm64, 276), "renameat2");
  EXPECT_EQ(name_of(Abi::arm, 382), "renameat2");
  EXPECT_EQ(name_of(Abi::x32, 82), "rename");
  EXPECT_EQ(name_of(Abi::x32, 520), "execve");
  EXPECT_EQ(name_of(Abi::x32, 59), "") << "x32 has its own execve";
  EXPECT_EQ(name_of(Abi::arm64, 82), "") << "fsync is not watched";
  EXPECT_EQ(name_of(Abi::unknown, 82), "");
  EXPECT_EQ(name_of(Abi::x86_64, -1), "");
  EXPECT_EQ(name_of(Abi::x86_64, 1 << 20), "");
}

TEST(WatchedCalls, NoNumberOfAnAbiIsGivenTwice) {
  for (std::size_t abi = 0; abi < 5; ++abi) {
    std::map<int, std::string_view> seen;
    for (const WatchedCall& call : watched_calls()) {
      if (call.numbers[abi] == 0) continue;
      EXPECT_TRUE(seen.emplace(call.numbers[abi], call.name).second)
          << call.name << " and " << seen[call.numbers[abi]] << " are both " << call.numbers[abi];
    }
  }
}

TEST(WatchedCalls, NumbersAgreeWithTheHeadersOfThisMachine) {
#if defined(__x86_64__)
  EXPECT_EQ(name_of(Abi::x86_64, SYS_openat2), "openat2");
  EXPECT_EQ(name_of(Abi::x86_64, SYS_process_vm_writev), "process_vm_writev");
  EXPECT_EQ(name_of(Abi::x86_64, SYS_mount_setattr), "mount_setattr");
  EXPECT_EQ(name_of(Abi::x86_64, SYS_kexec_file_load), "kexec_file_load");
  EXPECT_EQ(name_of(Abi::x86_64, SYS_clock_adjtime), "clock_adjtime");
#endif
}

TEST(WatchedCalls, SayConsistentThings) {
  for (const WatchedCall& call : watched_calls()) {
    EXPECT_FALSE(kind_name(static_cast<EventKind>(call.call.kind)).empty()) << call.name;
    const CallShape& shape = call.call;
    for (const int argument : {int{shape.filter_argument}, int{shape.directory}, int{shape.path},
                               int{shape.second_path}, int{shape.text}, int{shape.socket}}) {
      EXPECT_LE(argument, AS_ARGUMENT_RESULT) << call.name;
    }
    EXPECT_LT(shape.address_argument, AS_ARGUMENTS) << call.name << ": its length must be an argument too";
    EXPECT_EQ(shape.address != AS_ADDRESS_NONE && shape.address != AS_ADDRESS_KERNEL,
              shape.address_argument != 0)
        << call.name;
    EXPECT_TRUE(shape.second_directory == 0 || shape.second_path != 0) << call.name;
  }
}

TEST(Socketcalls, AreThoseOfTheKernelsHeader) {
  EXPECT_EQ(find_socketcall(0), nullptr);
  EXPECT_EQ(find_socketcall(1)->name, "socket");
  EXPECT_EQ(find_socketcall(3)->name, "connect");
  EXPECT_EQ(find_socketcall(5)->name, "accept");
  EXPECT_EQ(find_socketcall(11)->name, "sendto");
  EXPECT_EQ(find_socketcall(14)->name, "setsockopt");
  EXPECT_EQ(find_socketcall(16)->name, "sendmsg");
  EXPECT_EQ(find_socketcall(18)->name, "accept4");
  EXPECT_EQ(find_socketcall(20)->name, "sendmmsg");
  EXPECT_EQ(find_socketcall(10), nullptr) << "recv";
  EXPECT_EQ(find_socketcall(1000), nullptr);
}

TEST(EbpfOptions, EveryPossibleKindHasASource) {
  // Three tracepoints, what a call turns out to be, and the provider's own.
  KindSet sources = {EventKind::exec,   EventKind::fork,  EventKind::exit,
                     EventKind::create, EventKind::rmdir, EventKind::loss};
  for (const WatchedCall& call : watched_calls()) sources.insert(static_cast<EventKind>(call.call.kind));
  EXPECT_EQ(sources, EbpfOptions::possible_kinds());
  EXPECT_FALSE(EbpfOptions::default_kinds().contains(EventKind::send));
}

}  // namespace
}  // namespace auditshift::sensor
