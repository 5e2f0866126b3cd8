// SPDX-License-Identifier: Apache-2.0
#include "sensor/record_decoder.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "tests/unit/sensor/record_builder.h"

namespace auditshift::sensor {
namespace {

using namespace std::string_view_literals;

class RecordDecoderTest : public testing::Test {
 protected:
  /// REQUIRES: the record is well-formed.
  const Event& decode(const RecordBuilder& builder) {
    bytes_ = builder.bytes();
    const Event* event = decoder_.decode(bytes_);
    EXPECT_NE(event, nullptr);
    static const Event none;
    return event == nullptr ? none : *event;
  }

  RecordDecoder decoder_;
  std::vector<std::byte> bytes_;
};

TEST_F(RecordDecoderTest, WhoAndWhen) {
  RecordBuilder record(AS_KIND_MKDIR);
  record.record.boot_ns = 1'000;
  record.record.cpu = 3;
  record.record.parent_pid = 7;
  record.record.parent_start_ns = 4;
  record.record.uid = 1000;
  record.record.euid = 0;
  record.record.auid = 1001;
  record.record.session = 12;
  record.record.cgroup_id = 99;
  record.record.mount_namespace = 4026531832;
  std::memcpy(record.record.comm, "sixteen-bytes-xx",
              16);  // no NUL: the kernel always writes one, trust it not
  record.syscall(AS_ABI_X86_64, 83).argument(2, 0755);
  record.text(AS_TEXT_EXECUTABLE, "mkdir\0bin\0usr\0"sv).text(AS_TEXT_PATH, "/tmp/new");
  decoder_.set_wall_offset(1'700'000'000'000'000'000);
  const Event& event = decode(record);
  EXPECT_EQ(event.kind, EventKind::mkdir);
  EXPECT_EQ(event.boot_ns, 1'000U);
  EXPECT_EQ(event.wall_ns, 1'700'000'000'000'001'000);
  EXPECT_EQ(event.cpu, 3U);
  EXPECT_EQ(event.process.id, (ProcessIdentity{100, 5}));
  EXPECT_EQ(event.process.tid, 101U);
  EXPECT_EQ(event.process.parent, (ProcessIdentity{7, 4}));
  EXPECT_EQ(event.process.comm, "sixteen-bytes-xx");
  EXPECT_EQ(event.process.executable.text, "/usr/bin/mkdir");
  EXPECT_TRUE(event.process.executable.from_kernel);
  EXPECT_EQ(event.process.uid, 1000U);
  EXPECT_EQ(event.process.auid, 1001U);
  EXPECT_EQ(event.process.session, 12U);
  EXPECT_EQ(event.process.cgroup_id, 99U);
  EXPECT_EQ(event.process.mount_namespace, 4026531832U);
  EXPECT_EQ(event.syscall.name, "mkdir");
  EXPECT_EQ(event.syscall.abi, Abi::x86_64);
  EXPECT_TRUE(event.syscall.result_known);
  EXPECT_EQ(event.mode, 0755U);
  EXPECT_EQ(event.path.text, "/tmp/new");
  EXPECT_FALSE(event.second_path.present);
  EXPECT_FALSE(event.cwd.present);
}

TEST_F(RecordDecoderTest, WithoutDetailsItTellsWhatHappenedAndWho) {
  RecordBuilder record(AS_KIND_OPEN);
  record.syscall(AS_ABI_X86_64, 257).argument(3, O_TMPFILE | O_RDWR);
  record.text(AS_TEXT_EXECUTABLE, "a\0"sv).text(AS_TEXT_PATH, "/tmp");
  bytes_ = record.bytes();
  const Event* event = decoder_.decode(bytes_, false);
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(event->kind, EventKind::create);
  EXPECT_EQ(event->process.id, (ProcessIdentity{100, 5}));
  EXPECT_FALSE(event->path.present);
  EXPECT_FALSE(event->process.executable.present);
  EXPECT_EQ(decode(record).path.text, "/tmp");
}

TEST_F(RecordDecoderTest, BothPathsOfARenameStartAtTheSameDirectory) {
  const Event& event = decode(RecordBuilder(AS_KIND_RENAME)
                                  .syscall(AS_ABI_X86_64, 82)
                                  .text(AS_TEXT_EXECUTABLE, "mv\0bin\0"sv)
                                  .text(AS_TEXT_PATH, "old")
                                  .text(AS_TEXT_DIRECTORY, "d\0tmp\0"sv)
                                  .text(AS_TEXT_SECOND_PATH, "../new")
                                  .text(AS_TEXT_SECOND_DIRECTORY, "", AS_TEXT_SAME));
  EXPECT_EQ(event.path.text, "/tmp/d/old");
  EXPECT_EQ(event.second_path.text, "/tmp/new");
}

TEST_F(RecordDecoderTest, FlagsOfAPathComeThrough) {
  const RecordBuilder base = RecordBuilder(AS_KIND_UNLINK).syscall(AS_ABI_X86_64, 87);
  Path path = decode(RecordBuilder(base).text(AS_TEXT_PATH, "", AS_TEXT_UNREADABLE)).path;
  EXPECT_TRUE(path.present && path.unreadable);
  EXPECT_EQ(path.text, "");
  path = decode(RecordBuilder(base).text(AS_TEXT_PATH, "x").text(AS_TEXT_DIRECTORY, "", AS_TEXT_UNRESOLVED))
             .path;
  EXPECT_TRUE(path.unresolved);
  EXPECT_EQ(path.text, "x");
  path = decode(RecordBuilder(base).text(AS_TEXT_PATH, "x").text(AS_TEXT_DIRECTORY, "d\0"sv, AS_TEXT_DELETED))
             .path;
  EXPECT_TRUE(path.deleted);
  EXPECT_EQ(path.text, "/d/x");
  path = decode(RecordBuilder(base).text(AS_TEXT_PATH, "/x", AS_TEXT_CHROOT)).path;
  EXPECT_TRUE(path.chroot_relative);
  path =
      decode(RecordBuilder(base).text(AS_TEXT_PATH, "x").text(AS_TEXT_DIRECTORY, "d\0"sv, AS_TEXT_TRUNCATED))
          .path;
  EXPECT_TRUE(path.truncated);
  EXPECT_EQ(path.text, "d/x") << "the front is missing: no leading slash";
}

TEST_F(RecordDecoderTest, ADescriptorNamesTheObjectItself) {
  const Event& event = decode(RecordBuilder(AS_KIND_CHMOD)
                                  .syscall(AS_ABI_X86_64, 91)
                                  .argument(1, 5)
                                  .argument(2, 0600)
                                  .text(AS_TEXT_DIRECTORY, "file\0tmp\0"sv));
  EXPECT_EQ(event.path.text, "/tmp/file");
  EXPECT_TRUE(event.path.from_kernel);
  EXPECT_EQ(event.descriptor, 5);
  EXPECT_EQ(event.mode, 0600U);
}

TEST_F(RecordDecoderTest, OpenTellsFlagsFromItsThreeForms) {
  const Event& openat = decode(RecordBuilder(AS_KIND_OPEN)
                                   .syscall(AS_ABI_X86_64, 257, 4)
                                   .argument(3, O_WRONLY)
                                   .text(AS_TEXT_PATH, "/f"));
  EXPECT_EQ(openat.flags, static_cast<unsigned>(O_WRONLY));
  EXPECT_EQ(openat.descriptor, 4);
  RecordBuilder openat2(AS_KIND_CREATE);
  openat2.syscall(AS_ABI_X86_64, 437, -13).text(AS_TEXT_PATH, "/f");
  openat2.record.details[0] = O_CREAT | O_RDWR;
  openat2.record.details[1] = 0640;
  EXPECT_EQ(decode(openat2).flags, static_cast<unsigned>(O_CREAT | O_RDWR));
  EXPECT_EQ(decode(openat2).mode, 0640U);
  EXPECT_EQ(decode(openat2).syscall.error(), 13);
  EXPECT_EQ(decode(openat2).descriptor, -1);
  const Event& creat = decode(
      RecordBuilder(AS_KIND_CREATE).syscall(AS_ABI_X86_64, 85, 3).argument(2, 0644).text(AS_TEXT_PATH, "/f"));
  EXPECT_EQ(creat.flags, static_cast<unsigned>(O_CREAT | O_WRONLY | O_TRUNC));
  EXPECT_EQ(creat.mode, 0644U);
}

TEST_F(RecordDecoderTest, UnlinkatOfADirectoryIsRmdir) {
  const auto unlinkat = RecordBuilder(AS_KIND_UNLINK).syscall(AS_ABI_X86_64, 263).text(AS_TEXT_PATH, "/d");
  EXPECT_EQ(decode(unlinkat).kind, EventKind::unlink);
  EXPECT_EQ(decode(RecordBuilder(unlinkat).argument(3, AT_REMOVEDIR)).kind, EventKind::rmdir);
}

TEST_F(RecordDecoderTest, SixteenBitIdsOfOldCallsAreWidened) {
  const auto chown16 =
      RecordBuilder(AS_KIND_CHOWN).syscall(AS_ABI_I386, 182).argument(2, 0xffff).argument(3, 7);
  EXPECT_EQ(decode(chown16).owner_uid, kUnknownId);
  EXPECT_EQ(decode(chown16).owner_gid, 7U);
  const auto chown = RecordBuilder(AS_KIND_CHOWN).syscall(AS_ABI_X86_64, 92).argument(2, 0xffff);
  EXPECT_EQ(decode(chown).owner_uid, 0xffffU);
}

TEST_F(RecordDecoderTest, ExecHasArgumentsCwdAndTheFormerThread) {
  const Event& event = decode(RecordBuilder(AS_KIND_EXEC)
                                  .syscall(AS_ABI_X86_64, 59)
                                  .text(AS_TEXT_EXECUTABLE, "dash\0bin\0usr\0"sv)
                                  .text(AS_TEXT_PATH, "./script")
                                  .text(AS_TEXT_DIRECTORY, "me\0home\0"sv)
                                  .text(AS_TEXT_TEXT, "sh\0./script\0"sv, AS_TEXT_TRUNCATED));
  EXPECT_EQ(event.process.executable.text, "/usr/bin/dash");
  EXPECT_EQ(event.path.text, "/home/me/script");
  EXPECT_EQ(event.cwd.text, "/home/me");
  EXPECT_EQ(event.argv.text, "sh\0./script\0"sv);
  EXPECT_TRUE(event.argv.truncated);
  EXPECT_FALSE(event.text_present);
}

TEST_F(RecordDecoderTest, AFailedExecHasNoArguments) {
  const Event& event =
      decode(RecordBuilder(AS_KIND_EXEC).syscall(AS_ABI_X86_64, 59, -2).text(AS_TEXT_PATH, "/nonesuch"));
  EXPECT_EQ(event.syscall.error(), 2);
  EXPECT_EQ(event.path.text, "/nonesuch");
  EXPECT_FALSE(event.argv.present);
  EXPECT_FALSE(event.cwd.present);
}

TEST_F(RecordDecoderTest, ForkNamesTheChildAndExitTheWaitStatus) {
  RecordBuilder fork(AS_KIND_FORK);
  fork.syscall(AS_ABI_X86_64, 56, 201);
  fork.record.target_pid = 201;
  fork.record.target_tid = 201;
  fork.record.target_start_ns = 77;
  EXPECT_EQ(decode(fork).target, (ProcessIdentity{201, 77}));
  EXPECT_FALSE(decode(fork).thread);

  RecordBuilder exit(AS_KIND_EXIT);
  exit.record.flags = 0;
  exit.record.result = 3 << 8;
  EXPECT_EQ(decode(exit).exit_code, 3);
  EXPECT_EQ(decode(exit).exit_signal, 0);
  EXPECT_FALSE(decode(exit).syscall.result_known);
  exit.record.result = 11 | 0x80;
  EXPECT_EQ(decode(exit).exit_code, -1);
  EXPECT_EQ(decode(exit).exit_signal, 11);
  EXPECT_TRUE(decode(exit).core_dumped);
}

TEST_F(RecordDecoderTest, TheSourceOfAMountIsAPathOnlyWhenItIsOne) {
  const auto mount = RecordBuilder(AS_KIND_MOUNT)
                         .syscall(AS_ABI_X86_64, 165)
                         .text(AS_TEXT_PATH, "/mnt")
                         .text(AS_TEXT_SECOND_PATH, "tmpfs")
                         .text(AS_TEXT_SECOND_DIRECTORY, "home\0"sv)
                         .text(AS_TEXT_TEXT, "tmpfs");
  EXPECT_EQ(decode(mount).second_path.text, "tmpfs");
  EXPECT_EQ(decode(mount).text, "tmpfs");
  EXPECT_EQ(decode(RecordBuilder(mount).argument(4, 0x1000)).second_path.text, "/home/tmpfs");
}

TEST_F(RecordDecoderTest, SocketcallIsTheCallItStandsFor) {
  RecordBuilder record(AS_KIND_LISTEN);
  record.syscall(AS_ABI_I386, 102).argument(1, 6).argument(2, 128);
  record.record.details[0] = 4;
  const Event& event = decode(record);
  EXPECT_EQ(event.syscall.name, "socketcall");
  EXPECT_EQ(event.descriptor, 6);
  EXPECT_EQ(event.size, 128U);
}

TEST_F(RecordDecoderTest, SocketAddressesOfEveryFamily) {
  const auto connect = RecordBuilder(AS_KIND_CONNECT).syscall(AS_ABI_X86_64, 42);
  Address address =
      decode(RecordBuilder(connect).text(AS_TEXT_REMOTE, "\x02\0\x01\xbb\x7f\0\0\x01\0\0\0\0\0\0\0\0"sv))
          .socket.remote;
  EXPECT_EQ(address.family, AddressFamily::ipv4);
  EXPECT_EQ(address.port, 443);
  EXPECT_EQ(address.bytes[0], 127);
  EXPECT_EQ(address.bytes[3], 1);
  address =
      decode(RecordBuilder(connect).text(
                 AS_TEXT_REMOTE, "\x0a\0\0\x50\0\0\0\0\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x02\0\0\0"sv))
          .socket.remote;
  EXPECT_EQ(address.family, AddressFamily::ipv6);
  EXPECT_EQ(address.port, 80);
  EXPECT_EQ(address.bytes[0], 0xfe);
  EXPECT_EQ(address.scope, 2U);
  address = decode(RecordBuilder(connect).text(AS_TEXT_REMOTE, "\x01\0/run/x\0junk"sv)).socket.remote;
  EXPECT_EQ(address.family, AddressFamily::unix_socket);
  EXPECT_EQ(address.path, "/run/x");
  EXPECT_FALSE(address.abstract_name);
  address = decode(RecordBuilder(connect).text(AS_TEXT_REMOTE, "\x01\0\0a\0b"sv)).socket.remote;
  EXPECT_TRUE(address.abstract_name);
  EXPECT_EQ(address.path, "a\0b"sv);
  address =
      decode(RecordBuilder(connect).text(AS_TEXT_REMOTE, "\x10\0\0\0\x05\0\0\0\0\0\0\0"sv)).socket.remote;
  EXPECT_EQ(address.family, AddressFamily::netlink);
  EXPECT_EQ(address.scope, 5U);
  address = decode(RecordBuilder(connect).text(AS_TEXT_REMOTE, "\x02"sv)).socket.remote;
  EXPECT_FALSE(address.present());
  EXPECT_FALSE(decode(connect).socket.local.present());
}

TEST_F(RecordDecoderTest, RefusesWhatDoesNotAddUp) {
  const auto good = RecordBuilder(AS_KIND_UNLINK).text(AS_TEXT_PATH, "/f").bytes();
  const auto refuses = [&](std::vector<std::byte> bytes) { return decoder_.decode(bytes) == nullptr; };
  EXPECT_FALSE(refuses(good));
  EXPECT_TRUE(refuses({}));
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_TRUE(refuses({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length)})) << length;
  }
  auto lying = RecordBuilder(AS_KIND_UNLINK).text(AS_TEXT_PATH, "/f");
  lying.record.texts[AS_TEXT_REMOTE].length = 0xffff;
  EXPECT_TRUE(refuses(lying.bytes()));
  EXPECT_TRUE(refuses(RecordBuilder(static_cast<as_kind>(63)).bytes())) << "a kind of a later version";
}

}  // namespace
}  // namespace auditshift::sensor
