// SPDX-License-Identifier: Apache-2.0
#include "auditd/options.h"

#include <getopt.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace auditshift::auditd {
namespace {

/// "letter=argument@index" for each option, then the words left and where they begin.
std::string read(const std::string& line) {
  OptionReader reader(split_tokens(line).tokens);
  std::string result;
  while (const auto option = reader.next()) {
    if (option->problem != Option::Problem::none) {
      result += "?";
    } else if (option->letter != 0) {
      result += option->letter;
    } else {
      result += option->name;
    }
    if (!option->argument.empty() && option->problem == Option::Problem::none)
      result += "=" + option->argument;
    result += "@" + std::to_string(reader.index()) + " ";
  }
  result += "end@" + std::to_string(reader.index());
  for (std::size_t i = 1; i < reader.count(); ++i) result += " " + reader.word(i)->text;
  return result;
}

/// The same through the C library's getopt_long.
std::string read_with_getopt(const std::string& line) {
  static const option kLong[] = {{"loginuid-immutable", 0, nullptr, 1},
                                 {"backlog_wait_time", 1, nullptr, 2},
                                 {"reset-lost", 0, nullptr, 3},
                                 {"reset_backlog_wait_time_actual", 0, nullptr, 4},
                                 {"signal", 1, nullptr, 5},
                                 {nullptr, 0, nullptr, 0}};
  std::vector<std::string> words{"auditctl"};
  for (const Token& token : split_tokens(line).tokens) words.push_back(token.text);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int argc = static_cast<int>(words.size());
  std::string result;
  optind = 0;
  opterr = 0;
  int found = 0;
  while ((found = getopt_long(argc, argv.data(), "hicslDvtC:e:f:r:b:a:A:d:S:F:m:R:w:W:k:p:q:", kLong,
                              nullptr)) != -1) {
    if (found < 10) {
      result += kLong[found - 1].name;
    } else {
      result += static_cast<char>(found);
    }
    if (found != '?' && optarg != nullptr && *optarg != 0) result += "=" + std::string(optarg);
    result += "@" + std::to_string(optind) + " ";
  }
  result += "end@" + std::to_string(optind);
  for (int i = 1; i < argc; ++i) result += std::string(" ") + argv[static_cast<std::size_t>(i)];
  return result;
}

TEST(OptionReader, ReadsWhatGetoptReads) {
  for (const char* line : {"-D",
                           "-D -k x",
                           "-w /etc/passwd -p wa -k id",
                           "-w/etc/passwd -pwa -kid",
                           "-a always,exit -Farch=b64 -S open",
                           "word -D",
                           "-D word",
                           "-b 64 word -f 1 other",
                           "a b c",
                           "-b 64 -- -f 1",
                           "-- -D",
                           "x -- y -D",
                           "-is",
                           "-si x",
                           "-vt",
                           "-Dk x",
                           "-z",
                           "-:",
                           "-;",
                           "-zD",
                           "-b",
                           "-k -k",
                           "-F",
                           "-",
                           "- s",
                           "--",
                           "-w=/x",
                           "--signal TERM",
                           "--signal=TERM",
                           "--sig HUP",
                           "--signal",
                           "--reset",
                           "--reset-",
                           "--reset_",
                           "--reset-lost=1",
                           "--backlog 60000",
                           "--backlog_wait_time=",
                           "--b",
                           "--l",
                           "--nonsense",
                           "--=x",
                           "-",
                           "a -b 1 c -r 2 d -- e f",
                           "a -- b",
                           "-b 1 a b -r 2",
                           "-D-",
                           "-lk x",
                           "-skx",
                           "one -v two -v three",
                           "-S a -S b c -S d e f -k g h"}) {
    EXPECT_EQ(read(line), read_with_getopt(line)) << line;
  }
}

TEST(OptionReader, AgreesWithGetoptOnAllShortLines) {
  // Every line of up to four of these words.
  const std::vector<std::string> kWords{"-D", "-b", "1", "x", "--", "-vb", "-b1", "--signal", "-"};
  std::vector<std::string> lines{""};
  for (int length = 0; length < 4; ++length) {
    std::vector<std::string> longer;
    for (const std::string& line : lines) {
      for (const std::string& word : kWords) longer.push_back(line + " " + word);
    }
    for (const std::string& line : longer)
      ASSERT_EQ(read("pad" + line), read_with_getopt("pad" + line)) << line;
    for (const std::string& line : longer)
      ASSERT_EQ(read("-v" + line), read_with_getopt("-v" + line)) << line;
    lines = std::move(longer);
  }
}

}  // namespace
}  // namespace auditshift::auditd
