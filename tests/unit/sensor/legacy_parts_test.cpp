// SPDX-License-Identifier: Apache-2.0
// What tier legacy is made of on the user side, as far as it needs no kernel.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "sensor/program_file.h"
#include "sensor/raw_record.h"
#include "sensor/task_layout.h"
#include "tests/unit/sensor/temporary_directory.h"

namespace auditshift::sensor {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

TEST(Components, AreNamesFromTheLastToTheFirst) {
  EXPECT_EQ(components_of("/a/bc/d"), "d\0bc\0a\0"sv);
  EXPECT_EQ(components_of("/"), "");
  EXPECT_EQ(components_of("//a/"), "a\0"sv);
}

TEST(RawRecord, GivesBackWhatItWasMadeOfAndWhatWasPutIn) {
  as_record fixed{};
  fixed.texts[AS_TEXT_PATH] = {3, AS_TEXT_PRESENT, 0};
  fixed.result = -2;
  fixed.arguments[1] = 7;
  std::vector<std::byte> bytes(sizeof fixed + 3);
  std::memcpy(bytes.data(), &fixed, sizeof fixed);
  std::memcpy(bytes.data() + sizeof fixed, "x/y", 3);
  RawRecord record;
  ASSERT_TRUE(record.parse(bytes));
  EXPECT_EQ(record.text(AS_TEXT_PATH), "x/y");
  EXPECT_EQ(record.argument(2), 7U);
  EXPECT_EQ(record.argument(0), 0U);
  EXPECT_EQ(static_cast<std::int64_t>(record.argument(AS_ARGUMENT_RESULT)), -2);
  record.set_text(AS_TEXT_EXECUTABLE, "sh\0bin\0"sv, 0);
  const auto whole = record.bytes();
  RawRecord again;
  ASSERT_TRUE(again.parse(whole));
  EXPECT_EQ(again.fixed.size, whole.size());
  EXPECT_EQ(again.text(AS_TEXT_EXECUTABLE), "sh\0bin\0"sv);
  EXPECT_EQ(again.text(AS_TEXT_PATH), "x/y");
}

TEST(RawRecord, LengthsThatDoNotAddUpAreRefused) {
  as_record fixed{};
  fixed.texts[AS_TEXT_TEXT].length = 1;
  std::array<std::byte, sizeof fixed> bytes{};
  std::memcpy(bytes.data(), &fixed, sizeof fixed);
  RawRecord record;
  EXPECT_FALSE(record.parse(bytes));
  EXPECT_FALSE(record.parse(std::span(bytes).first(8)));
}

TEST(MarkedWord, IsTheFirstThatGoesAlong) {
  const auto copy = [](std::initializer_list<std::uint32_t> words) {
    std::vector<std::byte> bytes(words.size() * 4);
    std::memcpy(bytes.data(), words.begin(), bytes.size());
    return bytes;
  };
  // The first word has the bit always, the second never, the third by turns but once.
  const std::vector<std::vector<std::byte>> native = {copy({2, 0, 0, 1, 0}), copy({2, 0, 2, 5, 0})};
  const std::vector<std::vector<std::byte>> compat = {copy({2, 0, 2, 3, 2}), copy({2, 0, 2, 7, 2})};
  const std::vector<std::span<const std::byte>> natives(native.begin(), native.end());
  const std::vector<std::span<const std::byte>> compats(compat.begin(), compat.end());
  EXPECT_EQ(find_marked_word(natives, compats, 2), 12U);
  EXPECT_EQ(find_marked_word(natives, natives, 2), std::nullopt);
  EXPECT_EQ(find_marked_word({}, compats, 2), std::nullopt);
}

TEST(Program, OfAScriptIsItsInterpreterWithTheArgumentsThatItGets) {
  const TemporaryDirectory directory;
  const auto write = [&](const std::string& name, std::string_view text) {
    std::ofstream(directory.file("") + name) << text;
    return directory.file("") + name;
  };
  const auto host = *base::Sysroot::open("/");
  const std::string binary = write("binary",
                                   "\x7f"
                                   "ELF");
  const std::string script = write("script", "#! " + binary + "  -e  x \nbody\n");
  const std::string outer = write("outer", "#!" + script + "\n");
  std::filesystem::create_symlink(binary, directory.file("link"));

  EXPECT_EQ(program_of(host, binary, "./binary", "b\0x\0"s).path, binary);
  EXPECT_EQ(program_of(host, directory.file("link"), "link", "b\0"s).path, binary) << "links are followed";
  const Program one = program_of(host, script, "./script", "given\0x\0"s);
  EXPECT_EQ(one.path, binary);
  EXPECT_EQ(one.argv, binary + "\0-e  x\0./script\0x\0"s);
  const Program two = program_of(host, outer, "outer", "given\0x\0"s);
  EXPECT_EQ(two.path, binary);
  EXPECT_EQ(two.argv, binary + "\0-e  x\0"s + script + "\0outer\0x\0"s);
  EXPECT_EQ(program_of(host, directory.file("none"), "none", "n\0"s).path, "");
  EXPECT_EQ(program_of(host, write("odd", "#!relative\n"), "odd", "n\0"s).path, "");
}

}  // namespace
}  // namespace auditshift::sensor
