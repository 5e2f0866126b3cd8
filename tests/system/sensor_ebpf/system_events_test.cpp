// SPDX-License-Identifier: Apache-2.0
// Calls that change the system: mounts, modules, time, names, BPF; and calls of the 32-bit ABI.
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "tests/system/sensor_ebpf/harness.h"

// <sys/mount.h> and <linux/mount.h> cannot both be included (glibc bug 29375).
extern "C" int mount(const char*, const char*, const char*, unsigned long, const void*) noexcept;
extern "C" int umount2(const char*, int) noexcept;

namespace auditshift::sensor::testing_support {
namespace {

void must(bool condition) {
  if (!condition) _exit(1);
}

int file_descriptor(long result) { return static_cast<int>(result); }

class SystemEvents : public SensorSuite<Everything> {
 protected:
  static void private_mounts() {
    must(unshare(CLONE_NEWNS) == 0 &&
         mount(nullptr, "/", nullptr, 0x44000 /* MS_REC | MS_PRIVATE */, nullptr) == 0);
  }
};

TEST_F(SystemEvents, MountAndUnmount) {
  const Events events = sensor_->observe([&](Self& self) {
    private_mounts();
    must(mount("a name", directory_.path().c_str(), "tmpfs", MS_NOSUID, "size=64k") == 0);
    must(umount2(directory_.path().c_str(), 2 /* MNT_DETACH */) == 0);
    must(chdir(directory_.path().c_str()) == 0 && mkdirat(AT_FDCWD, "from", 0700) == 0 &&
         mkdirat(AT_FDCWD, "to", 0700) == 0);
    must(mount("from", "to", nullptr, MS_BIND, nullptr) == 0);
    self.look();
  });
  const auto mounts = all_of(events, EventKind::mount);
  ASSERT_EQ(mounts.size(), 3U) << describe(events);
  EXPECT_EQ(mounts[0]->path.text, "/");
  EXPECT_FALSE(mounts[0]->second_path.present) << "a mount need not have a source";
  expect_is(*mounts[1], sensor_->self());
  EXPECT_EQ(mounts[1]->path.text, directory_.path());
  EXPECT_EQ(mounts[1]->second_path.text, "a name");
  EXPECT_EQ(mounts[1]->text, "tmpfs");
  EXPECT_EQ(mounts[1]->flags, static_cast<unsigned>(MS_NOSUID));
  EXPECT_EQ(mounts[2]->path.text, directory_ / "to");
  EXPECT_EQ(mounts[2]->second_path.text, directory_ / "from");
  const Event& unmount = only(events, EventKind::unmount);
  EXPECT_EQ(unmount.path.text, directory_.path());
  EXPECT_EQ(unmount.flags, 2U);
}

TEST_F(SystemEvents, TheNewMountCalls) {
  const Events events = sensor_->observe([&](Self& self) {
    private_mounts();
    const int context = file_descriptor(syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC));
    must(syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0);
    const int tree = file_descriptor(syscall(SYS_fsmount, context, 0, MOUNT_ATTR_NOEXEC));
    self.results[0] = tree;
    must(syscall(SYS_move_mount, tree, "", AT_FDCWD, directory_.path().c_str(), MOVE_MOUNT_F_EMPTY_PATH) ==
         0);
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    // Fails before 5.12, and is told all the same.
    syscall(SYS_mount_setattr, AT_FDCWD, directory_.path().c_str(), 0, &attributes, sizeof attributes);
    must(syscall(SYS_open_tree, AT_FDCWD, directory_.path().c_str(), 0) >= 0);
    must(syscall(SYS_open_tree, AT_FDCWD, directory_.path().c_str(), OPEN_TREE_CLONE) >= 0);
  });
  const auto mounts = all_of(events, EventKind::mount);
  ASSERT_EQ(mounts.size(), 6U) << describe(events);  // the first makes the namespace's mounts private
  EXPECT_EQ(mounts[1]->syscall.name, "fsopen");
  EXPECT_EQ(mounts[1]->text, "tmpfs");
  EXPECT_EQ(mounts[2]->syscall.name, "fsmount");
  EXPECT_EQ(mounts[2]->syscall.result, sensor_->self().results[0]);
  EXPECT_EQ(mounts[3]->syscall.name, "move_mount");
  EXPECT_EQ(mounts[3]->path.text, directory_.path());
  EXPECT_EQ(mounts[4]->syscall.name, "mount_setattr");
  EXPECT_EQ(mounts[4]->path.text, directory_.path());
  EXPECT_EQ(mounts[5]->syscall.name, "open_tree");
  EXPECT_EQ(mounts[5]->flags & OPEN_TREE_CLONE, static_cast<unsigned>(OPEN_TREE_CLONE))
      << "the other only looks";
}

TEST_F(SystemEvents, HostAndDomainName) {
  const Events events = sensor_->observe([](Self&) {
    must(unshare(CLONE_NEWUTS) == 0);
    must(sethostname("a.new.name-and-more", 10) == 0);
    must(setdomainname("domain", 6) == 0);
  });
  const auto names = all_of(events, EventKind::host_name_change);
  ASSERT_EQ(names.size(), 2U);
  EXPECT_EQ(names[0]->text, "a.new.name") << "as many bytes as the call said, there is no NUL";
  EXPECT_EQ(names[0]->syscall.name, "sethostname");
  EXPECT_EQ(names[1]->text, "domain");
  EXPECT_EQ(names[1]->syscall.name, "setdomainname");
}

TEST_F(SystemEvents, SettingTheTimeButNotAskingForIt) {
  const Events events = sensor_->observe([](Self&) {
    timex state{};
    must(syscall(SYS_adjtimex, &state) >= 0);
    timex same{};
    same.modes = ADJ_ESTERROR;
    same.esterror = state.esterror;
    must(syscall(SYS_adjtimex, &same) >= 0);
    const timespec now{};
    must(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &now) != 0);
  });
  const auto changes = all_of(events, EventKind::time_change);
  ASSERT_EQ(changes.size(), 2U) << describe(events);
  EXPECT_EQ(changes[0]->syscall.name, "adjtimex");
  EXPECT_GE(changes[0]->syscall.result, 0);
  EXPECT_EQ(changes[1]->syscall.error(), EINVAL);
  EXPECT_EQ(changes[1]->command, CLOCK_MONOTONIC);
}

TEST_F(SystemEvents, BpfThatCreatesButNotBpfThatReads) {
  const Events events = sensor_->observe([](Self& self) {
    bpf_attr create{};
    create.map_type = BPF_MAP_TYPE_ARRAY;
    create.key_size = 4;
    create.value_size = 4;
    create.max_entries = 1;
    const int map = file_descriptor(syscall(SYS_bpf, BPF_MAP_CREATE, &create, sizeof create));
    self.results[0] = map;
    std::uint32_t key = 0, value = 0;
    bpf_attr look{};
    look.map_fd = static_cast<std::uint32_t>(map);
    look.key = reinterpret_cast<std::uintptr_t>(&key);
    look.value = reinterpret_cast<std::uintptr_t>(&value);
    must(syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &look, sizeof look) == 0);
  });
  const Event& event = only(events, EventKind::bpf);
  EXPECT_EQ(event.command, BPF_MAP_CREATE);
  EXPECT_EQ(event.syscall.result, sensor_->self().results[0]);
  expect_is(event, sensor_->self());
}

TEST_F(SystemEvents, ModulesAndKexecEvenWhereTheyFail) {
  const Events events = sensor_->observe([](Self&) {
    // On the stack: a constant's page may not be in memory, and a kernel that fails at once does not fetch
    // it.
    const std::string parameter = "parameter=1", other = "p=2", name = "auditshift_nonesuch";
    must(syscall(SYS_init_module, "no module", 9UL, parameter.c_str()) != 0);
    must(syscall(SYS_finit_module, open("/etc/passwd", O_RDONLY), other.c_str(), 0) != 0);
    must(syscall(SYS_delete_module, name.c_str(), O_NONBLOCK) != 0);
    must(syscall(SYS_kexec_load, 0UL, 1UL, nullptr, 0xffffUL) != 0);
  });
  const auto loads = all_of(events, EventKind::module_load);
  ASSERT_EQ(loads.size(), 2U) << describe(events);
  EXPECT_EQ(loads[0]->text, "parameter=1");
  EXPECT_EQ(loads[0]->size, 9U);
  EXPECT_EQ(loads[1]->path.text, "/etc/passwd");
  EXPECT_EQ(loads[1]->text, "p=2");
  EXPECT_EQ(only(events, EventKind::module_unload).text, "auditshift_nonesuch");
  EXPECT_EQ(only(events, EventKind::kexec).flags, 0xffffU);
}

#if defined(__x86_64__)

long int80(long number, long first = 0, long second = 0, long third = 0, long fourth = 0) {
  long result = 0;
  asm volatile("int $0x80"
               : "=a"(result)
               : "a"(number), "b"(first), "c"(second), "d"(third), "S"(fourth)
               : "memory", "r8", "r9", "r10", "r11");
  return result;
}

/// Memory that 32-bit pointers reach.
struct LowMemory {
  LowMemory() {
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    must(page != MAP_FAILED);
    bytes = static_cast<char*>(page);
  }
  long put(const void* data, std::size_t size) {
    std::memcpy(bytes + used, data, size);
    const long address = reinterpret_cast<long>(bytes + used);
    used += (size + 7) / 8 * 8;
    return address;
  }
  long put(const char* text) { return put(text, std::strlen(text) + 1); }
  char* bytes = nullptr;
  std::size_t used = 0;
};

template <class Options>
class Calls32BitSuite : public SensorSuite<Options> {
 protected:
  using SensorSuite<Options>::sensor_;
  void SetUp() override {
    SensorSuite<Options>::SetUp();
    if (this->IsSkipped()) return;
    // getpid is 20; where the kernel has no 32-bit calls, this is a segmentation fault in the child.
    const Events events = sensor_->observe([](Self& self) { self.results[0] = int80(20); });
    if (sensor_->self().results[0] != sensor_->self().pid)
      GTEST_SKIP() << "this kernel takes no 32-bit calls";
  }
};
using Calls32Bit = Calls32BitSuite<Everything>;

TEST_F(Calls32Bit, AreMappedToTheSameKinds) {
  const Events events = sensor_->observe([&](Self& self) {
    must(chdir(directory_.path().c_str()) == 0);
    LowMemory memory;
    const long a = memory.put("a"), b = memory.put("b");
    self.results[0] = int80(5, a, O_CREAT | O_WRONLY, 0600);  // open
    must(int80(38, a, b) == 0);                               // rename
    must(int80(193, b, 0x10, 0x1) == 0);                      // truncate64: low and high half
    must(int80(182, b, 0xffff, 7) == 0);                      // chown with 16 bits
    must(int80(301, AT_FDCWD, b, 0) == 0);                    // unlinkat
    must(int80(208, -1, 3, -1) == 0);                         // setresuid32
    self.look();
  });
  const Event& create = only(events, kind_of_a_made_file());
  EXPECT_EQ(create.syscall.abi, Abi::i386);
  EXPECT_EQ(create.syscall.number, 5);
  EXPECT_EQ(create.syscall.name, "open");
  EXPECT_EQ(create.path.text, directory_ / "a");
  EXPECT_EQ(create.descriptor, sensor_->self().results[0]);
  const Event& rename = only(events, EventKind::rename);
  EXPECT_EQ(rename.path.text, directory_ / "a");
  EXPECT_EQ(rename.second_path.text, directory_ / "b");
  EXPECT_EQ(only(events, EventKind::truncate).size, 0x1'0000'0010U);
  EXPECT_EQ(only(events, EventKind::chown).owner_uid, kUnknownId);
  EXPECT_EQ(only(events, EventKind::chown).owner_gid, 7U);
  EXPECT_EQ(only(events, EventKind::unlink).path.text, directory_ / "b");
  const Event& uid = only(events, EventKind::uid_change);
  EXPECT_EQ(uid.syscall.name, "setresuid32");
  EXPECT_EQ(uid.owner_uid, 3U);
  expect_is(uid, sensor_->self());
}

TEST_F(Calls32Bit, SocketcallIsUnfolded) {
  const Events events = sensor_->observe([](Self& self) {
    LowMemory memory;
    const std::array<std::uint32_t, 3> make = {2 /* AF_INET */, 1 /* SOCK_STREAM */, 0};
    const long socket_fd = int80(102, 1, memory.put(make.data(), sizeof make));
    const unsigned char name[16] = {2, 0, 0, 1, 127, 0, 0, 1};  // 127.0.0.1, port 1
    const std::array<std::uint32_t, 3> connect = {
        static_cast<std::uint32_t>(socket_fd), static_cast<std::uint32_t>(memory.put(name, sizeof name)), 16};
    self.results[0] = int80(102, 3, memory.put(connect.data(), sizeof connect));
    self.results[1] = socket_fd;
  });
  EXPECT_EQ(all_of(events, EventKind::socket).size(), 0U) << "neither raw nor packet";
  const Event& event = only(events, EventKind::connect);
  EXPECT_EQ(event.syscall.name, "socketcall");
  EXPECT_EQ(event.syscall.abi, Abi::i386);
  EXPECT_EQ(event.syscall.result, sensor_->self().results[0]);
  EXPECT_EQ(event.descriptor, sensor_->self().results[1]);
  EXPECT_EQ(event.socket.remote.port, 1);
  EXPECT_EQ(event.socket.remote.bytes[0], 127);
}

using DefaultCalls32Bit = Calls32BitSuite<Defaults>;

TEST_F(DefaultCalls32Bit, AConnectionOnItsWayIsNoFailure) {
  const Events events = sensor_->observe([](Self& self) {
    LowMemory memory;
    const std::array<std::uint32_t, 3> make = {2 /* AF_INET */, 1 | 04000 /* SOCK_STREAM, SOCK_NONBLOCK */,
                                               0};
    const long socket_fd = int80(102, 1, memory.put(make.data(), sizeof make));
    const unsigned char name[16] = {2, 0, 0, 1, 127, 0, 0, 1};  // 127.0.0.1, port 1
    const std::array<std::uint32_t, 3> connect = {
        static_cast<std::uint32_t>(socket_fd), static_cast<std::uint32_t>(memory.put(name, sizeof name)), 16};
    // Twice: the answer to the first is worked off once the kernel lets go of the socket.
    self.results[0] = int80(102, 3, memory.put(connect.data(), sizeof connect));
    self.results[1] = int80(102, 3, memory.put(connect.data(), sizeof connect));
  });
  ASSERT_EQ(sensor_->self().results[0], -EINPROGRESS);
  ASSERT_EQ(sensor_->self().results[1], -ECONNREFUSED);
  const Event& event = only(events, EventKind::connect);
  EXPECT_EQ(event.syscall.name, "socketcall");
  EXPECT_EQ(event.syscall.error(), EINPROGRESS);
  EXPECT_EQ(event.socket.remote.port, 1);
}

#endif

}  // namespace
}  // namespace auditshift::sensor::testing_support
