// SPDX-License-Identifier: Apache-2.0
// The verbs that talk to the daemon, run as programs against the real daemon on the running kernel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "base/process.h"
#include "base/text.h"
#include "sensor_process.h"

namespace auditshift::sensor {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

base::Completed run(const std::vector<std::string>& argv) {
  base::Command command;
  command.argv = argv;
  command.timeout = 120s;
  const auto ended = base::SystemProcessRunner().run(command);
  EXPECT_TRUE(ended.ok()) << ended.error().message();
  return ended.ok() ? *ended : base::Completed();
}

class SensorVerbsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = obstacle("ebpf"); !reason.empty()) GTEST_SKIP() << "ebpf: " << reason;
  }
  void start(const std::string& provider = "ebpf") {
    ASSERT_TRUE(sensor_.start({"--provider", provider})) << sensor_.log();
  }
  std::vector<std::string> command(const std::vector<std::string>& arguments) const {
    std::vector<std::string> argv = {std::string(AUDITSHIFT_BINARY_DIR) + "/cli/auditshift"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    argv.insert(argv.end(), {"--socket", sensor_.socket()});
    return argv;
  }
  base::Completed verb(const std::vector<std::string>& arguments) const { return run(command(arguments)); }
  base::Json json(const std::vector<std::string>& arguments) const {
    const auto ended = verb(arguments);
    EXPECT_EQ(ended.exit_code, 0) << ended.errors;
    return base::Json::parse(ended.output, nullptr, false);
  }

  SensorProcess sensor_;
};

TEST_F(SensorVerbsTest, SayWhichSensorDoesNotAnswer) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"health"},
           {"config", "ebpf-supplementary-event-provider", "--value", "enabled"},
           {"diagnostic", "ebpf-statistics"},
           {"diagnostic", "event-provider-statistics"},
           {"events", "--follow"}}) {
    const auto ended = verb(arguments);
    EXPECT_EQ(ended.exit_code, 1) << arguments[0];
    EXPECT_EQ(ended.output, "");
    EXPECT_EQ(ended.errors, "error: the sensor does not run (nobody listens on " + sensor_.socket() +
                                ")\nhint: systemctl start auditshift-sensord\n");
  }
}

TEST_F(SensorVerbsTest, ShowHealthAsDefenderDoes) {
  start();
  const auto shown = verb({"health"});
  const bool well = shown.output.starts_with("healthy                                     : true\n");
  EXPECT_EQ(shown.exit_code, well ? 0 : 2) << shown.output << shown.errors;
  EXPECT_THAT(shown.output, HasSubstr("\nsupplementary_events_subsystem              : \"ebpf\"\n"));
  for (const std::string_view line : base::split(base::trim(shown.output), '\n'))
    EXPECT_EQ(line.substr(44, 2), ": ") << line;

  EXPECT_EQ(verb({"health", "--field", "supplementary_events_subsystem"}).output, "\"ebpf\"\n");
  const auto unknown = verb({"health", "--field", "helthy"});
  EXPECT_EQ(unknown.exit_code, 64);
  EXPECT_THAT(unknown.errors, HasSubstr("did you mean healthy?"));

  const auto document = base::Json::parse(verb({"health", "--json"}).output, nullptr, false);
  EXPECT_EQ(document["supplementary_events_subsystem"], "ebpf");
  EXPECT_EQ(base::split(verb({"health", "--json=short"}).output, '\n').size(), 2U) << "one line";
  const base::Json details = json({"health", "--details", "ebpf", "--json"});
  EXPECT_EQ(details["provider"], "ebpf");
  EXPECT_TRUE(details.contains("outputs")) << details;
  EXPECT_EQ(verb({"health", "--details", "nonesuch"}).exit_code, 64);
  const base::Json features = json({"health", "--details", "features", "--json"});
  EXPECT_EQ(features["ebpf_supplementary_event_provider"], "enabled");
  EXPECT_THAT(features["kernel: btf_tracepoint"].dump(), StartsWith("\"yes"));
}

TEST_F(SensorVerbsTest, ShowWhatAilsTheSensor) {
  start();
  std::ofstream(sensor_.file("managed.json")) << "{";
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  base::Completed shown;
  do {
    shown = verb({"health"});
  } while (shown.output.find("managed.json") == std::string::npos &&
           std::chrono::steady_clock::now() < deadline);
  EXPECT_EQ(shown.exit_code, 2);
  EXPECT_THAT(shown.output, StartsWith("healthy                                     : false\n"));
  EXPECT_THAT(shown.output, HasSubstr("managed.json"));
}

TEST_F(SensorVerbsTest, SwitchTheProviderLive) {
  if (const std::string reason = obstacle("netlink"); !reason.empty()) GTEST_SKIP() << "netlink: " << reason;
  start("auto");
  const auto set = [&](const std::string& value) {
    return verb({"config", "ebpf-supplementary-event-provider", "--value", value});
  };
  const auto subsystem = [&] { return verb({"health", "--field", "supplementary_events_subsystem"}).output; };
  EXPECT_EQ(subsystem(), "\"ebpf\"\n");
  const auto off = set("disabled");
  EXPECT_EQ(off.exit_code, 0);
  EXPECT_EQ(off.output, "Configuration property updated.\n");
  EXPECT_EQ(off.errors, "events come from netlink\n");
  EXPECT_EQ(subsystem(), "\"netlink\"\n");
  EXPECT_THAT(verb({"diagnostic", "ebpf-statistics", "--time", "1"}).errors,
              HasSubstr("warning: events come from netlink"));
  EXPECT_EQ(set("enabled").output, "Configuration property updated.\n");
  EXPECT_EQ(subsystem(), "\"ebpf\"\n");

  std::ofstream(sensor_.file("managed.json"))
      << R"({"features": {"ebpfSupplementaryEventProvider": "disabled"}})";
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (subsystem() != "\"netlink\"\n" && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(50ms);
  const auto overruled = set("enabled");
  EXPECT_EQ(overruled.exit_code, 0);
  EXPECT_EQ(overruled.output, "Configuration property updated.\n" + sensor_.file("managed.json") +
                                  " sets features.ebpfSupplementaryEventProvider to \"disabled\", which wins "
                                  "over this.\n");
  EXPECT_EQ(subsystem(), "\"netlink\"\n");
  EXPECT_THAT(verb({"health"}).output,
              HasSubstr("ebpf_supplementary_event_provider           : \"disabled\" [managed]\n"));
  EXPECT_EQ(set("on").exit_code, 64);
}

TEST_F(SensorVerbsTest, AskForRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  start();
  const auto as_nobody = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> argv = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    const auto words = command(arguments);
    argv.insert(argv.end(), words.begin(), words.end());
    return run(argv);
  };
  if (as_nobody({"--version"}).exit_code != 0) GTEST_SKIP() << "nobody cannot run the program where it is";
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"config", "ebpf-supplementary-event-provider", "--value", "enabled"},
           {"diagnostic", "create", "--path", sensor_.file("bundles")},
           {"diagnostic", "ebpf-statistics"},
           {"health"}}) {
    const auto ended = as_nobody(arguments);
    EXPECT_EQ(ended.exit_code, 77) << arguments[0];
    EXPECT_THAT(ended.errors, HasSubstr("hint: run this as root"));
  }
}

TEST_F(SensorVerbsTest, NameTheBusiest) {
  start();
  const std::string from = sensor_.file("renamed.a");
  const std::string to = sensor_.file("renamed.b");
  std::ofstream(from) << "x";
  std::atomic<bool> stop = false;
  std::thread worker([&] {
    while (!stop) {
      std::rename(from.c_str(), to.c_str());
      std::rename(to.c_str(), from.c_str());
      std::this_thread::sleep_for(200us);  // the busiest of this host, and the daemon still keeps up
    }
  });
  const auto text = verb({"diagnostic", "ebpf-statistics", "--time", "3"});
  const base::Json top = json({"diagnostic", "ebpf-statistics", "--time", "2", "--top", "3", "--json"});
  stop = true;
  worker.join();
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.errors, StartsWith("monitoring for 3 seconds\n"));
  EXPECT_THAT(text.output, StartsWith("Monitor 3 seconds\nTop file paths:\n"));
  EXPECT_THAT(text.output, HasSubstr(from + " : "));
  EXPECT_THAT(text.output, HasSubstr("\nTop initiator paths:\n"));
  EXPECT_LE(top["top_file_paths"].size(), 3U);
  const std::string busiest = top["top_file_paths"][0]["path"];
  EXPECT_TRUE(busiest == from || busiest == to) << top;
  EXPECT_EQ(top["top_initiator_paths"][0]["path"], std::filesystem::read_symlink("/proc/self/exe").string());
#if defined(__x86_64__)
  EXPECT_THAT(text.output, HasSubstr("\nTop syscall ids:\n82 : "));
  EXPECT_EQ(top["top_syscall_ids"][0]["id"], 82);
#endif

  const auto more = verb({"diagnostic", "ebpf-statistics", "--time", "1", "--cpu", "--advice"});
  EXPECT_EQ(more.exit_code, 0) << more.errors;
  EXPECT_THAT(more.output, HasSubstr("\nTop initiators by CPU milliseconds"));
  EXPECT_THAT(more.output, HasSubstr("\nExclusions that would remove most:\n"));

  const auto counters = verb({"diagnostic", "event-provider-statistics"});
  EXPECT_EQ(counters.exit_code, 0);
  EXPECT_THAT(counters.output, StartsWith("records written : "));
  EXPECT_GT(json({"diagnostic", "event-provider-statistics", "--json"})["rename events"], 0);
}

TEST_F(SensorVerbsTest, PackWhatSupportNeeds) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  start();
  const std::string directory = sensor_.file("bundles/new");
  const auto made = verb({"diagnostic", "create", "--path", directory, "--quiet"});
  ASSERT_EQ(made.exit_code, 0) << made.errors;
  const std::string begin = "Diagnostic file created: \"" + directory + "/auditshift-diagnostic-";
  ASSERT_THAT(made.output, StartsWith(begin));
  ASSERT_TRUE(made.output.ends_with(".tar.gz\"\n")) << made.output;
  const std::string file =
      made.output.substr(made.output.find('"') + 1, made.output.rfind('"') - made.output.find('"') - 1);
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  ASSERT_EQ(::stat(directory.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);

  const auto listed = run({"tar", "-tzf", file});
  EXPECT_EQ(listed.exit_code, 0) << listed.errors;
  for (const char* entry : {"auditshift-diagnostic/health.json", "auditshift-diagnostic/health-ebpf.json",
                            "auditshift-diagnostic/statistics.json", "auditshift-diagnostic/versions",
                            "auditshift-capture/uname", "etc/machine-id"})
    EXPECT_THAT(listed.output, HasSubstr(std::string(entry) + "\n"));
  EXPECT_EQ(listed.output.find("shadow"), std::string::npos);
  const auto health = run({"tar", "-xzOf", file, "auditshift-diagnostic/health.json"});
  EXPECT_EQ(base::Json::parse(health.output, nullptr, false)["supplementary_events_subsystem"], "ebpf");
  const auto accounts = run({"tar", "-xzOf", file, "etc/passwd"});
  EXPECT_THAT(accounts.output, HasSubstr("root:x:0:0:::\n")) << "names and numbers, nothing else";

  // It is wanted most when the sensor is down.
  EXPECT_EQ(sensor_.stop(SIGTERM), 0);
  const auto without = verb({"diagnostic", "create", "--path", sensor_.file("down"), "--json"});
  ASSERT_EQ(without.exit_code, 0) << without.errors;
  EXPECT_THAT(without.errors, HasSubstr("warning: the sensor does not answer on " + sensor_.socket()));
  const base::Json answer = base::Json::parse(without.output, nullptr, false);
  const auto reason =
      run({"tar", "-xzOf", answer["path"].get<std::string>(), "auditshift-diagnostic/health.error"});
  EXPECT_THAT(reason.output, HasSubstr("the sensor does not run"));
}

TEST_F(SensorVerbsTest, FollowEventsThatPassTheFilters) {
  start();
  const std::string program = sensor_.file("marker");
  std::filesystem::copy_file(std::filesystem::canonical("/bin/sleep"), program);
  std::vector<std::string> argv = {"timeout", "4"};
  const auto words = command({"events", "--follow", "--format", "raw", "--filter", "kind=exec", "--filter",
                              "executable=" + program});
  argv.insert(argv.end(), words.begin(), words.end());
  auto follower = std::async(std::launch::async, [&] { return run(argv); });
  pid_t pid = 0;
  while (follower.wait_for(300ms) != std::future_status::ready) {
    pid = run_program({program, "0.01"});
    run_program({"/bin/true"});
  }
  const auto followed = follower.get();
  EXPECT_EQ(followed.exit_code, 124) << "timeout had to end it: " << followed.errors;
  int seen = 0;
  for (const std::string_view line : base::split(base::trim(followed.output), '\n')) {
    const base::Json event = base::Json::parse(line, nullptr, false);
    ASSERT_TRUE(event.is_object()) << line;
    if (event["kind"] == "loss") continue;
    EXPECT_EQ(event["kind"], "exec");
    EXPECT_EQ(event["process"]["exe"], program);
    ++seen;
  }
  EXPECT_GT(seen, 0) << "the last one had pid " << pid;

  const auto some = verb({"events", "--time", "1"});
  EXPECT_EQ(some.exit_code, 0) << "without --follow it ends by itself";
  const auto unknown = verb({"events", "--filter", "knid=exec"});
  EXPECT_EQ(unknown.exit_code, 64);
  EXPECT_EQ(unknown.errors, "error: no such filter: knid\nhint: did you mean kind?\n");
}

}  // namespace
}  // namespace auditshift::sensor
