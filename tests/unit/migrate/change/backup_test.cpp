// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/hash.h"
#include "migrate/change/backup_directory.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::migrate::change {
namespace {

struct Store {
  tests::TemporaryTree tree;
  std::shared_ptr<const base::Sysroot> files = std::make_shared<base::Sysroot>(tree.open());
  BackupDirectory backups{files, "/var/lib/auditshift/backups"};
};

TEST(BackupDirectory, KeepsAContentByItsHashForRootAlone) {
  Store store;
  const auto kept = store.backups.keep(std::string_view("-D\n\0x", 5));
  ASSERT_TRUE(kept.ok()) << kept.error().message();
  EXPECT_EQ(*kept, base::sha256(std::string_view("-D\n\0x", 5)));
  EXPECT_EQ(*store.backups.read(*kept), std::string("-D\n\0x", 5));
  EXPECT_EQ(store.files->stat("/var/lib/auditshift/backups/" + *kept)->mode & 07777, 0600U);
  EXPECT_EQ(store.files->stat("/var/lib/auditshift/backups")->mode & 07777, 0700U);
  EXPECT_EQ(*store.backups.keep(std::string_view("-D\n\0x", 5)), *kept);
}

TEST(BackupDirectory, ADamagedBackupIsRefusedAndReplacedWhenItIsKeptAgain) {
  Store store;
  const std::string hash = *store.backups.keep("precious");
  store.tree.file("/var/lib/auditshift/backups/" + hash, "Precious");
  const auto read = store.backups.read(hash);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code(), base::Errc::invalid);
  ASSERT_TRUE(store.backups.keep("precious").ok());
  EXPECT_EQ(*store.backups.read(hash), "precious");
}

TEST(BackupDirectory, RemoveAllLeavesNothing) {
  Store store;
  EXPECT_TRUE(store.backups.remove_all().ok());
  ASSERT_TRUE(store.backups.keep("a").ok());
  ASSERT_TRUE(store.backups.keep("b").ok());
  EXPECT_TRUE(store.backups.remove_all().ok());
  EXPECT_FALSE(store.files->exists("/var/lib/auditshift/backups"));
}

}  // namespace
}  // namespace auditshift::migrate::change
