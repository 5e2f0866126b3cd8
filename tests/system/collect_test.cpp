// SPDX-License-Identifier: Apache-2.0
// A capture is assessed elsewhere as the host itself is: collect, unpack with tar, assess --root.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/system/kernel_lock.h"
#include "tests/system/tool.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using tests::TemporaryTree;

/// Unpacks an archive as a person does; the directory it is in now.
std::string unpack(const TemporaryTree& tree, const std::string& archive) {
  const std::string to = tree.real("/unpacked");
  fs::create_directory(to);
  const Outcome done = run_program({"tar", "-xzf", archive, "-C", to});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(done.err, "");
  return to;
}

mode_t mode_of(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 ? st.st_mode & 07777 : 0;
}

/// Everything below a directory in one text: names, link targets and contents.
std::string everything_below(const std::string& root) {
  std::string all;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    all += entry.path().native() + "\n";
    if (entry.is_symlink()) all += fs::read_symlink(entry.path()).native() + "\n";
    if (!entry.is_regular_file() || entry.is_symlink()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    all.append(std::istreambuf_iterator<char>(in), {});
  }
  return all;
}

class SampleHost : public ::testing::TestWithParam<std::string> {};

TEST_P(SampleHost, IsAssessedTheSameFromItsCapture) {
  const std::string host = AUDITSHIFT_FIXTURES "/hosts/" + GetParam();
  const TemporaryTree tree;
  const std::string archive = tree.real("/host.tar.gz");
  const Outcome collected = run_tool({"collect", "--root", host, "-o", archive});
  ASSERT_EQ(collected.exit_code, 0) << collected.err;
  EXPECT_EQ(collected.out, "");
  EXPECT_EQ(mode_of(archive), 0600U);
  const std::string copy = unpack(tree, archive);

  const Outcome original = run_tool({"-q", "assess", "--json", "--root", host});
  const Outcome again = run_tool({"-q", "assess", "--json", "--root", copy});
  EXPECT_EQ(again.exit_code, original.exit_code);
  EXPECT_EQ(again.out, original.out);
  EXPECT_EQ(run_tool({"rules", "list", "--root", copy}).out, run_tool({"rules", "list", "--root", host}).out);
}

std::vector<std::string> sample_hosts() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(AUDITSHIFT_FIXTURES "/hosts"))
    names.push_back(entry.path().filename().native());
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, SampleHost, ::testing::ValuesIn(sample_hosts()), [](const auto& host) {
  std::string name = host.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
});

TEST(Collect, TheLiveHostIsAssessedTheSameFromItsCapture) {
  const KernelLock lock;  // audit must hold still between the two looks
  if (::geteuid() == 0) {
    ASSERT_TRUE(lock.held());
  }
  const TemporaryTree tree;
  const std::string archive = tree.real("/host.tar.gz");
  const Outcome collected = run_tool({"-q", "collect", "-o", archive});
  ASSERT_EQ(collected.exit_code, 0) << collected.err;
  const Outcome live = run_tool({"-q", "assess", "--json"});
  EXPECT_EQ(mode_of(archive), 0600U);
  const std::string copy = unpack(tree, archive);
  const Outcome captured = run_tool({"-q", "assess", "--json", "--root", copy});
  EXPECT_EQ(captured.exit_code, live.exit_code);

  base::Json expected = json_of(live.out);
  base::Json actual = json_of(captured.out);
  EXPECT_TRUE(expected["host"]["live"].get<bool>());
  EXPECT_FALSE(actual["host"]["live"].get<bool>());
  // What was another moment or another place; the numbers of a working queue move by themselves.
  for (base::Json* document : {&expected, &actual}) {
    document->erase("generated_at");
    (*document)["host"].erase("live");
    (*document)["audit"].erase("backlog");
    (*document)["audit"].erase("lost");
    (*document)["audit"].erase("state_reason");
  }
  for (const auto& [name, value] : expected.items()) EXPECT_EQ(actual[name].dump(1), value.dump(1)) << name;
}

TEST(Collect, TakesNoSecretsAlong) {
  const TemporaryTree tree;
  const std::string host = tree.real("/host");
  fs::copy(AUDITSHIFT_FIXTURES "/hosts/ubuntu-20.04-auditd-era", host,
           fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  const std::string secret = "S3cr3t-";
  tree.file("/host/etc/shadow", "root:$6$" + secret + "hash:1::::::\n");
  tree.file("/host/etc/passwd", "root:" + secret + "x:0:0:" + secret + "name:/" + secret + ":/bin/sh\n");
  tree.file("/host/etc/ssh/ssh_host_ed25519_key", secret);
  tree.file("/host/root/.ssh/id_ed25519", secret);
  tree.link("/host/etc/audit/plugins.d/link.conf", "/etc/shadow");
  tree.link("/host/etc/audit/rules.d/99-link.rules", "../../../root/.ssh/id_ed25519");
  tree.file("/host/var/log/audit/audit.log",
            "type=EXECVE msg=audit(1717390800.001:1): argc=2 a0=\"mysql\" a1=\"-p" + secret +
                "\"\n"
                "type=USER_TTY msg=audit(1717390800.002:2): data=" +
                secret + "\n");
  tree.file("/host/etc/opt/microsoft/mdatp/mdatp_onboard.json", "{\"onboarding\": \"" + secret + "\"}");
  tree.file("/host/etc/opt/microsoft/mdatp/managed/mdatp_managed.json",
            "{\"cloudService\": {\"proxy\": \"http://user:" + secret + "@proxy.example:3128/\"}}");
  tree.file("/host/var/log/microsoft/mdatp/microsoft_defender_core_err.log",
            "token " + secret + "\nauditd is in lockdown mode\n");
  const Outcome done = run_tool({"collect", "--root", host, "-o", tree.real("/host.tar.gz")});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(everything_below(unpack(tree, tree.real("/host.tar.gz"))), Not(HasSubstr(secret)));
}

TEST(Collect, ToStandardOutputIsTheSameArchive) {
  const TemporaryTree tree;
  const std::string host = AUDITSHIFT_FIXTURES "/hosts/sles-12";
  EXPECT_EQ(run_tool({"collect", "--root", host, "-o", tree.real("/a.tar.gz")}).exit_code, 0);
  const Outcome piped = run_tool({"collect", "--root", host, "-o", "-"});
  EXPECT_EQ(piped.exit_code, 0);
  EXPECT_EQ(piped.out, tree.read("/a.tar.gz"));
}

}  // namespace
}  // namespace auditshift::testing
