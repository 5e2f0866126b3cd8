// SPDX-License-Identifier: Apache-2.0
#include "bpf/tracepoint_format.h"

#include <gtest/gtest.h>

namespace auditshift::bpf {
namespace {

using Field = TracepointFormat::Field;

TEST(TracepointFormat, TellsWhereEachMemberIs) {
  const auto format = parse_tracepoint_format(
      "name: sched_process_exec\n"
      "ID: 365\n"
      "format:\n"
      "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
      "\n"
      "\tfield:__data_loc char[] filename;\toffset:8;\tsize:4;\tsigned:0;\n"
      "\tfield:pid_t old_pid;\toffset:16;\tsize:4;\tsigned:1;\n"
      "\tfield:unsigned long args[6];\toffset:24;\tsize:48;\tsigned:0;\n"
      "\tfield:const char * name;\toffset:72;\tsize:8;\tsigned:0;\n"
      "\n"
      "print fmt: \"filename=%s pid=%d old_pid=%d\", __get_str(filename), REC->pid, REC->old_pid\n");
  ASSERT_TRUE(format.ok()) << format.error().message();
  EXPECT_EQ(format->id, 365U);
  EXPECT_EQ(format->fields.size(), 5U);
  EXPECT_EQ(format->fields.at("filename"), (Field{8, 4, true}));
  EXPECT_EQ(format->fields.at("old_pid"), (Field{16, 4, false}));
  EXPECT_EQ(format->fields.at("args"), (Field{24, 48, false}));
  EXPECT_EQ(format->fields.at("name"), (Field{72, 8, false}));
}

TEST(TracepointFormat, OtherTextsAreNone) {
  EXPECT_FALSE(parse_tracepoint_format("").ok());
  EXPECT_FALSE(parse_tracepoint_format("ID: 12\n").ok());
  EXPECT_FALSE(parse_tracepoint_format("\tfield:int a;\toffset:x;\tsize:4;\n").ok());
}

}  // namespace
}  // namespace auditshift::bpf
