// SPDX-License-Identifier: Apache-2.0
// usage: parity_workload DIRECTORY SEED ROUNDS: calls of every class that auditd's rules and the sensor both
// watch, in an order and with names that the seed decides; many of them fail. It changes nothing outside
// DIRECTORY and a namespace of its own, and what the calls return is of no interest: that is compared
// elsewhere.
#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#ifndef SYS_fchmodat2  // since 6.6, the same number everywhere
#define SYS_fchmodat2 452
#endif

namespace {

class Workload {
 public:
  Workload(std::string directory, unsigned seed) : directory_(std::move(directory)), random_(seed) {}

  void run(int rounds) {
    if (chdir(directory_.c_str()) != 0) _exit(2);
    mkdir("sub", 0755);
    sub_ = open("sub", O_RDONLY | O_DIRECTORY);
    std::vector<void (Workload::*)()> order;
    for (const auto& calls : kClasses) order.insert(order.end(), static_cast<std::size_t>(rounds), calls);
    std::shuffle(order.begin(), order.end(), random_);
    for (const auto& calls : order) (this->*calls)();
  }

 private:
  int number(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  bool chance() { return number(2) == 0; }

  /// One of a few names, so that a call sometimes finds what another one made; written in one of many ways.
  std::string plain() {
    static constexpr const char* kNames[] = {
        "a",     "b",     "two words", "quote\"d", "\xc3\xa4\xff", "line\nend",        "(null)",
        "sub/a", "sub/b", "missing/a", "d1",       "d2",           "0123456789abcdef", "a/under"};
    return kNames[number(std::size(kNames))];
  }
  std::string name() {
    switch (number(6)) {
      case 0:
        return directory_ + "/" + plain();
      case 1:
        return "./" + plain();
      case 2:
        return "sub/../" + plain();
      case 3:
        return directory_ + "//./" + plain();
      default:
        return plain();
    }
  }
  /// Where an *at call starts: the current directory, or another one.
  int start() { return chance() ? AT_FDCWD : sub_; }

  template <typename... Arguments>
  static long call(long which, Arguments... arguments) {
    return syscall(which, arguments...);
  }

  /// In a process of its own, whose end is waited for.
  template <typename Action>
  static void in_child(Action action) {
    const pid_t child = fork();
    if (child == 0) {
      action();
      _exit(0);
    }
    waitpid(child, nullptr, 0);
  }

  void opens() {
    static constexpr int kFlags[] = {O_WRONLY, O_RDWR, O_WRONLY | O_CREAT, O_RDWR | O_CREAT | O_EXCL,
                                     O_WRONLY | O_TRUNC};
    const int flags = kFlags[number(std::size(kFlags))];
    const std::string path = name();
    int fd = -1;
    switch (number(4)) {
#ifdef SYS_open
      case 0:
        fd = static_cast<int>(call(SYS_open, path.c_str(), flags, 0644));
        break;
      case 1:
        fd = static_cast<int>(call(SYS_creat, path.c_str(), 0600));
        break;
#endif
      case 2: {
        struct {
          unsigned long flags, mode, resolve;
        } how = {static_cast<unsigned long>(flags), (flags & O_CREAT) != 0 ? 0640UL : 0UL, 0};
        fd = static_cast<int>(call(SYS_openat2, start(), path.c_str(), &how, sizeof how));
        break;
      }
      default:
        fd = static_cast<int>(call(SYS_openat, start(), path.c_str(), flags, 0644));
        break;
    }
    if (fd >= 0) close(fd);
  }

  void renames() {
    const std::string from = name(), to = name();
    switch (number(4)) {
#ifdef SYS_rename
      case 0:
        call(SYS_rename, from.c_str(), to.c_str());
        break;
      case 1:
        call(SYS_renameat, start(), from.c_str(), start(), to.c_str());
        break;
#endif
      case 2:
        call(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), chance() ? 1U : 2U);
        break;
      default:
        call(SYS_renameat2, start(), from.c_str(), start(), to.c_str(), 0U);
        break;
    }
  }

  void removals() {
    const std::string path = name();
    switch (number(4)) {
#ifdef SYS_unlink
      case 0:
        call(SYS_unlink, path.c_str());
        break;
      case 1:
        call(SYS_rmdir, path.c_str());
        break;
#endif
      default:
        call(SYS_unlinkat, start(), path.c_str(), chance() ? AT_REMOVEDIR : 0);
        break;
    }
  }

  void makes() {
    const std::string path = name(), other = name();
    switch (number(8)) {
#ifdef SYS_mkdir
      case 0:
        call(SYS_mkdir, path.c_str(), 0755);
        break;
      case 1:
        call(SYS_link, path.c_str(), other.c_str());
        break;
      case 2:
        call(SYS_symlink, "../target of link", path.c_str());
        break;
      case 3:
        call(SYS_mknod, path.c_str(), S_IFREG | 0600, 0);
        break;
#endif
      case 4:
        call(SYS_linkat, start(), path.c_str(), start(), other.c_str(), 0);
        break;
      case 5:
        call(SYS_symlinkat, "nowhere", start(), path.c_str());
        break;
      case 6:
        call(SYS_mknodat, start(), path.c_str(), S_IFREG | 0600, 0);
        break;
      default:
        call(SYS_mkdirat, start(), path.c_str(), 0700);
        break;
    }
  }

  void modes_and_owners() {
    const std::string path = name();
    const int fd = open("held", O_RDWR | O_CREAT, 0600);
    switch (number(8)) {
#ifdef SYS_chmod
      case 0:
        call(SYS_chmod, path.c_str(), 0640);
        break;
      case 1:
        call(SYS_chown, path.c_str(), number(3), -1);
        break;
      case 2:
        call(SYS_lchown, path.c_str(), 0, number(3));
        break;
#endif
      case 3:
        call(SYS_fchmod, fd, 0600 + number(8));
        break;
      case 4:
        call(SYS_fchown, fd, number(3), 0);
        break;
      case 5:
        call(SYS_fchmodat, start(), path.c_str(), 0604);
        break;
      case 6:
        call(SYS_fchownat, start(), path.c_str(), 0, 1, AT_SYMLINK_NOFOLLOW);
        break;
      default:
        call(SYS_fchmodat2, start(), path.c_str(), 0700, 0);
        break;
    }
    close(fd);
  }

  void lengths_and_attributes() {
    const std::string path = name();
    const int fd = open("held", O_RDWR | O_CREAT, 0600);
    switch (number(6)) {
      case 0:
        call(SYS_truncate, path.c_str(), static_cast<long>(number(5000)));
        break;
      case 1:
        call(SYS_ftruncate, fd, static_cast<long>(number(5000)));
        break;
      case 2:
        call(SYS_setxattr, path.c_str(), "user.auditshift", "v", 1UL, 0);
        break;
      case 3:
        call(SYS_lsetxattr, path.c_str(), "user.auditshift", "v", 1UL, 0);
        break;
      case 4:
        call(SYS_fsetxattr, fd, "user.auditshift", "v", 1UL, 0);
        break;
      default:
        call(SYS_removexattr, path.c_str(), "user.auditshift");
        break;
    }
    close(fd);
  }

  void internet_sockets() {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* name = reinterpret_cast<sockaddr*>(&address);
    bind(listener, name, sizeof address);
    listen(listener, 1);
    socklen_t length = sizeof address;
    getsockname(listener, name, &length);
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    connect(client, name, sizeof address);
    sockaddr_in peer{};
    length = sizeof peer;
    const bool asked = chance();
    const int server =
        accept4(listener, asked ? reinterpret_cast<sockaddr*>(&peer) : nullptr, asked ? &length : nullptr, 0);
    for (const int fd : {server, client, listener}) close(fd);
    const int refused = socket(AF_INET, SOCK_STREAM, 0);
    connect(refused, name, sizeof address);
    bind(refused, name, 3);
    close(refused);
  }

  void datagrams() {
    const int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = IN6ADDR_LOOPBACK_INIT;
    address.sin6_port = htons(static_cast<std::uint16_t>(20'000 + number(100)));
    auto* name = reinterpret_cast<sockaddr*>(&address);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sendto(fd, "x", 1, 0, name, sizeof address);
    msghdr message{};
    message.msg_name = name;
    message.msg_namelen = sizeof address;
    sendmsg(fd, &message, 0);
    connect(fd, name, sizeof address);
    close(fd);
  }

  void unix_sockets() {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = chance() ? directory_ + "/socket" : "gone/socket";
    std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
    if (chance()) address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
    const auto* name = reinterpret_cast<const sockaddr*>(&address);
    if (chance()) {
      bind(fd, name, length);
      listen(fd, 3);
    } else {
      connect(fd, name, length);
    }
    close(fd);
    close(socket(AF_PACKET, SOCK_RAW, 0));
  }

  void processes() {
    const std::string code = std::to_string(number(200));
    in_child([&] {
      execl("/proc/self/exe", "workload", "exit", code.c_str(), "\xc3\xa4 \"", static_cast<char*>(nullptr));
      _exit(1);
    });
    in_child([&] {
      const std::string path = name();
      char* const argv[] = {const_cast<char*>("no"), nullptr};
      call(SYS_execve, path.c_str(), argv, nullptr);
      call(SYS_execveat, sub_, "nonesuch", argv, nullptr, 0);
      _exit(number(256));
    });
    call(SYS_clone, static_cast<unsigned long>(CLONE_THREAD), 0, 0, 0, 0);
    const pid_t child = vfork();
    if (child == 0) _exit(7);
    waitpid(child, nullptr, 0);
    in_child([] { raise(SIGKILL); });
  }

  void identities() {
    in_child([&] {
      setsid();
      const gid_t group = 7;
      call(SYS_setgroups, 1UL, &group);
      call(SYS_setgid, number(9));
      call(SYS_setregid, -1, number(9));
      call(SYS_setresgid, -1, number(9), -1);
      call(SYS_setfsgid, number(9));
      call(SYS_setfsuid, number(9));
      call(SYS_setresuid, -1, 5, -1);
      call(SYS_setreuid, -1, 0);
      call(SYS_setuid, 4);
      call(SYS_setuid, 0);
      __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
      __user_cap_data_struct data[2] = {};
      call(SYS_capset, &header, data);
    });
  }

  void others() {
    in_child([] { ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); });
    char target = 0, source = 1;
    iovec to{&target, 1}, from{&source, 1};
    process_vm_writev(getpid(), &from, 1, &to, 1, 0);
    bpf_attr attributes{};
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = 4;
    attributes.value_size = 8;
    attributes.max_entries = chance() ? 1 : 0;
    const long map = call(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
    if (map >= 0) close(static_cast<int>(map));
    call(SYS_delete_module, "auditshift_nonesuch", O_NONBLOCK);
  }

  void mounts() {
    in_child([&] {
      if (unshare(CLONE_NEWNS | CLONE_NEWUTS) != 0) return;
      if (call(SYS_mount, nullptr, "/", nullptr, static_cast<unsigned long>(MS_REC | MS_PRIVATE), nullptr) !=
          0)
        return;
      call(SYS_mount, "some source", "sub", "tmpfs", 0UL, nullptr);
      call(SYS_mount, directory_.c_str(), "sub", nullptr, static_cast<unsigned long>(MS_BIND), nullptr);
      call(SYS_umount2, "sub", MNT_DETACH);
      call(SYS_umount2, name().c_str(), 0);
      call(SYS_sethostname, "parity", 6UL);
    });
  }

  static constexpr void (Workload::*kClasses[])() = {&Workload::opens,
                                                     &Workload::renames,
                                                     &Workload::removals,
                                                     &Workload::makes,
                                                     &Workload::modes_and_owners,
                                                     &Workload::lengths_and_attributes,
                                                     &Workload::internet_sockets,
                                                     &Workload::datagrams,
                                                     &Workload::unix_sockets,
                                                     &Workload::processes,
                                                     &Workload::identities,
                                                     &Workload::others,
                                                     &Workload::mounts};

  std::string directory_;
  std::mt19937 random_;
  int sub_ = -1;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 3 && std::strcmp(argv[1], "exit") == 0) _exit(std::atoi(argv[2]));
  if (argc != 4) _exit(64);
  Workload(argv[1], static_cast<unsigned>(std::atoi(argv[2]))).run(std::atoi(argv[3]));
  _exit(0);
}
