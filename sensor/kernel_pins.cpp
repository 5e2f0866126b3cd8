// SPDX-License-Identifier: Apache-2.0
// The part of KernelPrograms that lets them outlive a process: pins on a BPF file system.
#include <bpf/bpf.h>
#include <dirent.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/ownership.h"
#include "sensor/kernel_programs.h"

namespace auditshift::sensor {
namespace {

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Where pins are made until all are there. A BPF file system takes no dot in names (kernel/bpf/inode.c).
std::string unfinished(const std::string& directory) { return directory + "_new"; }

base::Result<void> check_file_system(const std::string& directory) {
  struct statfs info {};
  const std::string parent = parent_of(directory);
  if (statfs(parent.c_str(), &info) != 0) return base::Error::from_errno(errno, parent);
  if (info.f_type != BPF_FS_MAGIC) {
    return base::Error(base::Errc::unsupported, parent + " is no BPF file system")
        .with_hint("mount one: mount -t bpf bpf /sys/fs/bpf");
  }
  return {};
}

base::Result<base::Fd> open_pin(const std::string& path) {
  base::Fd fd(bpf_obj_get(path.c_str()));
  if (!fd) return base::Error::from_errno(errno, path);
  return fd;
}

// Links hold their programs, but a program can be reached through its link by CAP_SYS_ADMIN alone: both are
// pinned.
constexpr std::string_view kLink = "link_", kProgram = "program_", kHandlers = "handlers_";

/// Names of the pins that begin so, without that.
std::vector<std::string> pinned_names(const std::string& directory, std::string_view prefix) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(directory.c_str()), closedir);
  while (const dirent* entry = listing == nullptr ? nullptr : readdir(listing.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with(prefix)) names.emplace_back(name.substr(prefix.size()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

base::Result<void> KernelPrograms::pin(const std::string& directory) const {
  AUDITSHIFT_TRY_VOID(check_file_system(directory));
  const std::string fresh = unfinished(directory);
  unpin(fresh);
  if (mkdir(fresh.c_str(), 0700) != 0) return base::Error::from_errno(errno, fresh);
  const auto pin_one = [&](const base::Fd& fd, std::string_view name) -> base::Result<void> {
    const std::string path = fresh + "/" + std::string(name);
    if (bpf_obj_pin(fd.get(), path.c_str()) != 0) return base::Error::from_errno(errno, path);
    return {};
  };
  base::Result<void> pinned;
  for (const auto& [name, fd] : const_cast<KernelPrograms*>(this)->maps()) {
    if (pinned.ok()) pinned = pin_one(*fd, name);
  }
  for (const Program& program : programs_) {
    if (pinned.ok()) pinned = pin_one(program.program, std::string(kProgram) + program.name);
    if (pinned.ok()) pinned = pin_one(program.link, std::string(kLink) + program.name);
  }
  for (std::size_t i = 0; i < handlers_.size(); ++i) {
    if (pinned.ok()) pinned = pin_one(handlers_[i], std::string(kHandlers) + std::to_string(i));
  }
  if (pinned.ok()) {
    unpin(directory);
    if (rename(fresh.c_str(), directory.c_str()) != 0) pinned = base::Error::from_errno(errno, directory);
  }
  if (!pinned.ok()) unpin(fresh);
  return pinned;
}

base::Result<std::optional<KernelPrograms>> KernelPrograms::adopt(const std::string& directory) {
  struct stat info {};
  if (lstat(directory.c_str(), &info) != 0) {
    if (errno == ENOENT) return std::optional<KernelPrograms>();
    return base::Error::from_errno(errno, directory);
  }
  // Everybody may write to a BPF file system that was mounted without a mode: who pinned a ring there would
  // tell the events.
  if (!S_ISDIR(info.st_mode) || base::strangers_may_write(info.st_uid, info.st_gid, info.st_mode))
    return base::Error(base::Errc::permission, directory + ": other users may change what is pinned there");
  KernelPrograms result;
  for (const auto& [name, fd] : result.maps()) {
    AUDITSHIFT_TRY(opened, open_pin(directory + "/" + name));
    *fd = std::move(opened);
  }
  AUDITSHIFT_TRY_VOID(result.map_memory());
  // All pins were made before the directory got its name: what is there is whole.
  for (std::string& name : pinned_names(directory, kLink)) {
    AUDITSHIFT_TRY(program, open_pin(directory + "/" + std::string(kProgram) + name));
    AUDITSHIFT_TRY(link, open_pin(directory + "/" + std::string(kLink) + name));
    result.programs_.push_back({std::move(name), std::move(program), std::move(link)});
  }
  for (const std::string& name : pinned_names(directory, kHandlers)) {
    AUDITSHIFT_TRY(handlers, open_pin(directory + "/" + std::string(kHandlers) + name));
    result.handlers_.push_back(std::move(handlers));
  }
  return std::optional<KernelPrograms>(std::move(result));
}

void KernelPrograms::unpin(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(directory.c_str()), closedir);
  if (listing == nullptr) return;
  while (const dirent* entry = readdir(listing.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") unlink((directory + "/" + name).c_str());
  }
  rmdir(directory.c_str());
}

}  // namespace auditshift::sensor
