// SPDX-License-Identifier: Apache-2.0
#include "jail.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace auditshift::tests {
namespace {

std::string failed(const std::string& what) { return what + ": " + std::strerror(errno); }

/// Empty, or what went wrong.
std::string build_root(const std::string& place, const std::string& tools) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return failed("private mounts");
  if (::mount("jail", place.c_str(), "tmpfs", 0, "size=2g") != 0) return failed("tmpfs");
  const std::string root = place + "/root";
  for (const char* name : {"/upper", "/work", "/root"}) std::filesystem::create_directory(place + name);
  const std::string layers = "lowerdir=/,upperdir=" + place + "/upper,workdir=" + place + "/work";
  if (::mount("overlay", root.c_str(), "overlay", 0, layers.c_str()) != 0) return failed("overlay");
  if (std::filesystem::exists(tools))
    std::filesystem::copy(tools, root,
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing |
                              std::filesystem::copy_options::copy_symlinks);
  if (::mount("proc", (root + "/proc").c_str(), "proc", 0, nullptr) != 0) return failed("/proc");
  if (::mount("/dev", (root + "/dev").c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
    return failed("/dev");
  if (::mount("tmpfs", (root + "/run").c_str(), "tmpfs", 0, nullptr) != 0) return failed("/run");
  const std::string here = std::filesystem::current_path();
  if (::chroot(root.c_str()) != 0) return failed("chroot");
  if (::chdir(here.c_str()) != 0 && ::chdir("/") != 0) return failed("chdir");
  return {};
}

}  // namespace

int run_in_jail(const std::string& tools, const std::function<int(const std::string&)>& inside, Jail jail) {
  if (::geteuid() != 0) return inside("needs root");
  std::string place = "/tmp/auditshift-jail-XXXXXX";
  if (::mkdtemp(place.data()) == nullptr) return inside(failed(place));
  const int more = jail == Jail::whole ? CLONE_NEWPID | CLONE_NEWNET : 0;
  if (::unshare(CLONE_NEWNS | CLONE_NEWIPC | more) != 0) {
    ::rmdir(place.c_str());
    return inside(failed("namespaces"));
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int code = inside(build_root(place, tools));
    std::fflush(nullptr);
    ::_exit(code);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  ::umount2(place.c_str(), MNT_DETACH);
  ::rmdir(place.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace auditshift::tests
