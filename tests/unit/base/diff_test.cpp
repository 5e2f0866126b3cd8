// SPDX-License-Identifier: Apache-2.0
#include "base/diff.h"

#include <gtest/gtest.h>

#include <random>

#include "base/process.h"
#include "base/text.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::base {
namespace {

TEST(UnifiedDiff, EqualTextsGiveNothing) { EXPECT_EQ(unified_diff("a", "b", "x\ny\n", "x\ny\n"), ""); }

TEST(UnifiedDiff, ShowsAChangedLineInItsContext) {
  EXPECT_EQ(
      unified_diff("a/rules", "b/rules", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
      "--- a/rules\n+++ b/rules\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST(UnifiedDiff, ANewAndARemovedFile) {
  EXPECT_EQ(unified_diff("/dev/null", "b", "", "one\n"), "--- /dev/null\n+++ b\n@@ -0,0 +1 @@\n+one\n");
  EXPECT_EQ(unified_diff("a", "/dev/null", "one\ntwo", ""),
            "--- a\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n\\ No newline at end of file\n");
}

TEST(UnifiedDiff, BytesAreNotPrinted) {
  EXPECT_EQ(unified_diff("a", "b", "\xff", "x"), "Binary files a and b differ\n");
}

/// patch(1) is the judge: whatever two texts, old + difference = new.
TEST(UnifiedDiff, PatchMakesTheNewTextOfTheOldOne) {
  SystemProcessRunner runner;
  if (!runner.run({.argv = {"patch", "--version"}, .input = {}}).ok())
    GTEST_SKIP() << "there is no patch(1) here";
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same texts each time
  const tests::TemporaryTree tree;
  for (int round = 0; round < 60; ++round) {
    std::string texts[2];
    for (std::string& text : texts) {
      for (auto i = random() % 40; i > 0; --i)
        text += std::string(1, static_cast<char>('a' + random() % 4)) + "\n";
      if (random() % 4 == 0) text += "end without newline";
    }
    tree.file("/old", texts[0]);
    const std::string difference = unified_diff("old", "old", texts[0], texts[1]);
    if (difference.empty()) continue;
    const auto patched =
        runner.run({.argv = {"patch", "--fuzz=0", "-s", "-o", tree.real("/new"), tree.real("/old")},
                    .input = difference});
    ASSERT_TRUE(patched.ok());
    ASSERT_TRUE(patched->success()) << difference << patched->errors << patched->output;
    EXPECT_EQ(tree.read("/new"), texts[1]) << difference;
  }
}

TEST(Base64, GivesTheBytesBack) {
  for (const std::string& bytes : {std::string(), std::string("a"), std::string("\0\xff\n", 3)})
    EXPECT_EQ(from_base64(base64(bytes)), bytes);
  EXPECT_EQ(from_base64("a"), std::nullopt);
  EXPECT_EQ(from_base64("!!!!"), std::nullopt);
}

}  // namespace
}  // namespace auditshift::base
