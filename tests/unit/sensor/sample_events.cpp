// SPDX-License-Identifier: Apache-2.0
#include "sample_events.h"

namespace auditshift::sensor {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kSecond = 1'000'000'000;

Path path(std::string_view text) {
  Path path;
  path.text = text;
  path.present = true;
  return path;
}

/// pid 4242, started at boot + 100 s, acting at boot + 200 s, which is 2026-11-21T08:00:00.123456789Z.
Event base_event(EventKind kind) {
  Event event;
  event.kind = kind;
  event.boot_ns = 200 * kSecond;
  event.wall_ns = 1'795'248'000'123'456'789;
  event.cpu = 1;
  Process& process = event.process;
  process.id = {4242, 100 * kSecond};
  process.tid = 4243;
  process.parent = {4000, 50 * kSecond};
  process.comm = "worker";
  process.executable = path("/usr/bin/worker");
  process.uid = process.euid = process.suid = process.fsuid = 1000;
  process.gid = process.egid = process.sgid = process.fsgid = 1000;
  process.auid = 1000;
  process.session = 7;
  process.cgroup_id = 5511;
  process.mount_namespace = 4026531841;
  return event;
}

Event with_syscall(EventKind kind, int number, std::string_view name, std::int64_t result) {
  Event event = base_event(kind);
  event.syscall.number = number;
  event.syscall.abi = Abi::x86_64;
  event.syscall.name = name;
  event.syscall.result = result;
  event.syscall.result_known = true;
  return event;
}

Address ipv4(std::uint8_t last, std::uint16_t port) {
  Address address;
  address.family = AddressFamily::ipv4;
  address.raw_family = 2;
  address.bytes = {192, 0, 2, last};
  address.port = port;
  return address;
}

Address ipv6(std::uint8_t last, std::uint16_t port) {
  Address address;
  address.family = AddressFamily::ipv6;
  address.raw_family = 10;
  address.bytes = {0x20, 0x01, 0x0d, 0xb8};
  address.bytes[15] = last;
  address.port = port;
  address.scope = 3;
  return address;
}

Address unix_address(std::string_view text, bool abstract_name) {
  Address address;
  address.family = AddressFamily::unix_socket;
  address.raw_family = 1;
  address.path = text;
  address.abstract_name = abstract_name;
  return address;
}

void add_process_events(std::vector<Event>& events) {
  Event exec = with_syscall(EventKind::exec, 59, "execve", 0);
  exec.path = path("./worker");
  exec.path.unresolved = true;
  exec.argv.text = "worker\0--name\0two words\0\"quoted\"\0"sv;
  exec.argv.present = true;
  exec.cwd = path("/srv/data");
  exec.process.container_id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  events.push_back(exec);

  Event failed = with_syscall(EventKind::exec, 322, "execveat", -13);
  failed.path = path("/root/secret");
  failed.argv.present = true;
  failed.argv.truncated = true;
  failed.argv.unreadable = true;
  events.push_back(failed);

  Event hostile = with_syscall(EventKind::exec, 59, "execve", 0);
  hostile.process.comm = "a\x1b[31m\"\\\n";
  hostile.process.executable = path("/tmp/\xff\xfe\\x41");
  hostile.argv.text = "\xc3\xa4 ok\0\x80\0\xe2\x80\xae txt\0"sv;
  hostile.argv.present = true;
  events.push_back(hostile);

  Event fork = base_event(EventKind::fork);
  fork.target = {4300, 200 * kSecond};
  fork.target_tid = 4300;
  fork.flags = 17;
  events.push_back(fork);
  fork.thread = true;
  fork.target = {4242, 100 * kSecond};
  events.push_back(fork);

  Event exit = base_event(EventKind::exit);
  exit.exit_code = 3;
  events.push_back(exit);
  exit.exit_code = -1;
  exit.exit_signal = 11;
  exit.core_dumped = true;
  events.push_back(exit);

  Event running = base_event(EventKind::running);
  running.argv.text = "worker"sv;
  running.argv.present = true;
  running.cwd = path("/");
  running.process.auid = kUnknownId;
  running.process.session = kUnknownId;
  events.push_back(running);

  events.push_back(with_syscall(EventKind::session, 112, "setsid", 4242));
  Event name = base_event(EventKind::name);
  name.process.comm = "kworker/fake";
  events.push_back(name);
  Event core = base_event(EventKind::core_dump);
  core.exit_signal = 6;
  events.push_back(core);
  Event uid = with_syscall(EventKind::uid_change, 105, "setuid", 0);
  uid.owner_uid = 0;
  uid.process.euid = 0;
  events.push_back(uid);
  Event gid = with_syscall(EventKind::gid_change, 106, "setgid", -1);
  gid.owner_gid = 0;
  events.push_back(gid);
  events.push_back(with_syscall(EventKind::groups_change, 116, "setgroups", 0));
  events.push_back(with_syscall(EventKind::capabilities_change, 126, "capset", 0));
}

void add_file_events(std::vector<Event>& events) {
  Event open = with_syscall(EventKind::open, 257, "openat", 5);
  open.path = path("/etc/shadow");
  open.flags = 02;
  open.descriptor = 5;
  open.syscall.arguments = {0xffffff9c, 0x7ffc0000, 2, 0, 0, 0};
  events.push_back(open);
  Event create = with_syscall(EventKind::create, 257, "openat", 6);
  create.path = path("/srv/data/report.tar.gz");
  create.flags = 0102;
  create.mode = 0100644;
  events.push_back(create);
  Event rename = with_syscall(EventKind::rename, 316, "renameat2", 0);
  rename.path = path("/srv/data/a.tmp");
  rename.second_path = path("/srv/data/a");
  rename.flags = 1;
  events.push_back(rename);
  Event unlink = with_syscall(EventKind::unlink, 263, "unlinkat", -2);
  unlink.path = path("/srv/\xc3\xa4\xff");
  unlink.path.truncated = true;
  events.push_back(unlink);
  Event rmdir = with_syscall(EventKind::rmdir, 84, "rmdir", 0);
  rmdir.path = path("old");
  rmdir.path.unresolved = true;
  events.push_back(rmdir);
  Event mkdir = with_syscall(EventKind::mkdir, 83, "mkdir", 0);
  mkdir.path = path("/srv/new");
  mkdir.mode = 0755;
  events.push_back(mkdir);
  Event link = with_syscall(EventKind::link, 86, "link", 0);
  link.path = path("/srv/a");
  link.second_path = path("/srv/b");
  events.push_back(link);
  Event symlink = with_syscall(EventKind::symlink, 88, "symlink", 0);
  symlink.path = path("/srv/c");
  symlink.text = "../target";
  symlink.text_present = true;
  events.push_back(symlink);
  Event mknod = with_syscall(EventKind::mknod, 133, "mknod", 0);
  mknod.path = path("/srv/null");
  mknod.mode = 020666;
  mknod.device = 259;
  events.push_back(mknod);
  Event truncate = with_syscall(EventKind::truncate, 76, "truncate", 0);
  truncate.path = path("/srv/a");
  truncate.size = 4096;
  events.push_back(truncate);
  Event chmod = with_syscall(EventKind::chmod, 90, "chmod", 0);
  chmod.path = path("/srv/a");
  chmod.mode = 04755;
  events.push_back(chmod);
  Event chown = with_syscall(EventKind::chown, 92, "chown", -1);
  chown.path.present = true;
  chown.path.unreadable = true;
  chown.owner_uid = 0;
  events.push_back(chown);
  Event xattr = with_syscall(EventKind::set_xattr, 188, "setxattr", 0);
  xattr.path = path("/srv/a");
  xattr.text = "user.note";
  xattr.text_present = true;
  xattr.text_truncated = true;
  xattr.size = 12;
  events.push_back(xattr);
  xattr.kind = EventKind::remove_xattr;
  events.push_back(xattr);
  Event mount = with_syscall(EventKind::mount, 165, "mount", 0);
  mount.path = path("/mnt");
  mount.second_path = path("/dev/sdb1");
  mount.text = "ext4";
  mount.text_present = true;
  mount.flags = 1;
  events.push_back(mount);
  Event unmount = with_syscall(EventKind::unmount, 166, "umount2", 0);
  unmount.path = path("/mnt");
  events.push_back(unmount);
}

void add_network_events(std::vector<Event>& events) {
  Event socket = with_syscall(EventKind::socket, 41, "socket", 4);
  socket.socket.family = 17;
  socket.socket.type = 3;
  socket.socket.protocol = 768;
  events.push_back(socket);
  Event connect = with_syscall(EventKind::connect, 42, "connect", -111);
  connect.socket = {2, 1, 6, ipv4(1, 40000), ipv4(80, 443)};
  events.push_back(connect);
  Event abstract_peer = with_syscall(EventKind::connect, 42, "connect", 0);
  abstract_peer.socket.family = 1;
  abstract_peer.socket.type = 1;
  abstract_peer.socket.remote = unix_address("bus\0name"sv, true);
  events.push_back(abstract_peer);
  Event bind = with_syscall(EventKind::bind, 49, "bind", 0);
  bind.socket = {10, 2, 0, ipv6(1, 53), {}};
  events.push_back(bind);
  Event listen = with_syscall(EventKind::listen, 50, "listen", 0);
  listen.socket = {1, 1, 0, unix_address("/run/x.sock", false), {}};
  events.push_back(listen);
  Event accept = with_syscall(EventKind::accept, 288, "accept4", 9);
  accept.socket = {10, 1, 6, ipv6(1, 22), ipv6(2, 50000)};
  events.push_back(accept);
  Event send = with_syscall(EventKind::send, 44, "sendto", 60);
  send.socket = {2, 2, 17, {}, ipv4(53, 53)};
  events.push_back(send);
  Event option = with_syscall(EventKind::set_socket_option, 54, "setsockopt", 0);
  option.level = 1;
  option.command = 2;
  option.descriptor = 4;
  events.push_back(option);
}

void add_system_events(std::vector<Event>& events) {
  Event ptrace = with_syscall(EventKind::ptrace, 101, "ptrace", 0);
  ptrace.target = {4300, 150 * kSecond};
  ptrace.target_tid = 4301;
  ptrace.command = 16;
  events.push_back(ptrace);
  ptrace.kind = EventKind::process_write;
  ptrace.command = -1;
  events.push_back(ptrace);
  Event bpf = with_syscall(EventKind::bpf, 321, "bpf", 7);
  bpf.command = 5;
  events.push_back(bpf);
  Event load = with_syscall(EventKind::module_load, 313, "finit_module", 0);
  load.path = path("/lib/modules/x.ko");
  load.text = "debug=1";
  load.text_present = true;
  events.push_back(load);
  Event unload = with_syscall(EventKind::module_unload, 176, "delete_module", -1);
  unload.text_present = true;
  unload.text_unreadable = true;
  events.push_back(unload);
  events.push_back(with_syscall(EventKind::kexec, 246, "kexec_load", -1));
  events.push_back(with_syscall(EventKind::time_change, 227, "clock_settime", 0));
  Event host = with_syscall(EventKind::host_name_change, 170, "sethostname", 0);
  host.text = "other";
  host.text_present = true;
  events.push_back(host);
  Event loss;
  loss.kind = EventKind::loss;
  loss.boot_ns = 201 * kSecond;
  loss.wall_ns = 1'795'248'001'000'000'000;
  loss.loss = {"ring buffer full", 17, 200 * kSecond, 201 * kSecond};
  events.push_back(loss);
}

}  // namespace

std::vector<Event> sample_events() {
  std::vector<Event> events;
  add_process_events(events);
  add_file_events(events);
  add_network_events(events);
  add_system_events(events);
  return events;
}

StreamIdentity sample_stream() {
  return {"host.example", "0123456789abcdef0123456789abcdef", "6e8b7f4a-1111-2222-3333-444455556666",
          "6.1.0-test", "0.1.0"};
}

}  // namespace auditshift::sensor
