// SPDX-License-Identifier: Apache-2.0
#include "migrate/exclusion_dangers.h"

#include <algorithm>

#include "base/text.h"

namespace auditshift::migrate {
namespace {

struct ProgramKind {
  std::string_view kind;
  std::string_view names;  ///< separated by blanks; a trailing * stands for a version or variant
};

/// Programs that do what somebody else tells them, or that everything on the host descends from.
constexpr ProgramKind kPrograms[] = {
    {"a shell", "sh bash dash ash zsh ksh* mksh fish csh tcsh rbash busybox toybox"},
    {"an interpreter",
     "python* perl* ruby* node nodejs php* lua* tclsh* expect gawk mawk awk original-awk java jshell pwsh "
     "osascript guile* Rscript"},
    {"a package manager",
     "apt apt-get aptitude dpkg dnf* yum rpm zypper snap snapd flatpak pip* npm gem cargo pacman apk "
     "unattended-upgrade* tdnf microdnf"},
    {"a way to log in",
     "sshd* ssh scp sftp sftp-server rsync telnetd in.telnetd login getty agetty dropbear"},
    {"a way to other users' rights", "sudo su doas pkexec runuser setpriv polkitd unix_chkpwd"},
    {"a container runtime",
     "dockerd docker containerd containerd-shim* runc crun youki podman crio conmon buildah nerdctl "
     "lxc-start "
     "lxd incusd kubelet systemd-nspawn"},
    {"a parent of all other programs", "systemd init cron crond anacron atd systemd-executor supervisord"},
    {"a program that runs others",
     "env find xargs nohup timeout nice setsid script screen tmux parallel make gdb strace ld-linux* ld.so "
     "vim* vi emacs* less git tar zip ed"},
    {"a way to fetch files", "curl wget nc nc.* ncat socat ftp tftp aria2c openssl"},
};

/// Directories whose exclusion covers a part of the system itself.
constexpr std::string_view kSystemFolders[] = {"/",
                                               "/usr",
                                               "/etc",
                                               "/home",
                                               "/tmp",
                                               "/var",
                                               "/root",
                                               "/bin",
                                               "/sbin",
                                               "/lib",
                                               "/lib64",
                                               "/boot",
                                               "/dev",
                                               "/proc",
                                               "/sys",
                                               "/run",
                                               "/opt",
                                               "/srv",
                                               "/mnt",
                                               "/media",
                                               "/usr/bin",
                                               "/usr/sbin",
                                               "/usr/lib",
                                               "/usr/lib64",
                                               "/usr/local",
                                               "/usr/local/bin",
                                               "/usr/local/sbin",
                                               "/usr/libexec",
                                               "/usr/share",
                                               "/var/lib",
                                               "/var/log",
                                               "/var/tmp",
                                               "/var/spool",
                                               "/var/cache",
                                               "/var/www"};

/// Below these, names come and go by other hands than root's, or decide how the host works.
constexpr std::string_view kFoldersOfOthers[] = {"/home",    "/tmp",      "/var/tmp",
                                                 "/dev/shm", "/run/user", "/run/lock"};
constexpr std::string_view kFoldersOfConfiguration[] = {"/etc", "/boot", "/root/.ssh", "/usr/lib/systemd",
                                                        "/var/spool/cron"};

bool name_matches(std::string_view name, std::string_view pattern) {
  if (!pattern.ends_with('*')) return name == pattern;
  pattern.remove_suffix(1);
  return name.starts_with(pattern);
}

void judge_program(const std::string& path, std::vector<std::string>& dangers) {
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  for (const ProgramKind& program : kPrograms) {
    const auto patterns = base::split(program.names, ' ');
    if (std::any_of(patterns.begin(), patterns.end(),
                    [&](std::string_view pattern) { return name_matches(name, pattern); }))
      dangers.push_back(path + " is " + std::string(program.kind) + ": whoever can start it works unseen");
  }
}

void judge_place(const ManagedExclusion& entry, std::vector<std::string>& dangers) {
  const std::string& path = entry.value;
  const bool folder = entry.kind == ManagedExclusion::Kind::folder;
  if (folder &&
      std::find(std::begin(kSystemFolders), std::end(kSystemFolders), path) != std::end(kSystemFolders)) {
    dangers.push_back(path + " is a folder of the system itself");
    return;
  }
  for (const std::string_view folder_of_others : kFoldersOfOthers)
    if (is_below(path, folder_of_others)) {
      dangers.push_back(path + " lies below " + std::string(folder_of_others) +
                        ", where users and programs put files");
      return;
    }
  if (entry.kind == ManagedExclusion::Kind::process_path) return;
  for (const std::string_view configuration : kFoldersOfConfiguration)
    if (is_below(path, configuration))
      dangers.push_back(path + " lies below " + std::string(configuration) +
                        ", which decides how the host works");
}

}  // namespace

std::vector<std::string> dangers_of(const ManagedExclusion& entry, const PathFacts* target) {
  std::vector<std::string> dangers;
  if (!entry.global()) return dangers;
  if (entry.kind == ManagedExclusion::Kind::process_path) judge_program(entry.value, dangers);
  judge_place(entry, dangers);
  if (target != nullptr && target->writable_by && !target->writable_by->empty())
    dangers.push_back("it can be changed by " + *target->writable_by);
  return dangers;
}

}  // namespace auditshift::migrate
