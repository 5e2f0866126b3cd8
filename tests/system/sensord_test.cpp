// SPDX-License-Identifier: Apache-2.0
// The daemon as it is installed, on the running kernel, with each provider.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "sensor/control_server.h"
#include "sensor/health.h"
#include "sensor_process.h"

namespace auditshift::sensor {
namespace {

using namespace std::chrono_literals;

std::string text_at(const base::Json& event, const std::string& pointer) {
  const base::Json::json_pointer at(pointer);
  return event.contains(at) && event[at].is_string() ? event[at].get<std::string>() : std::string();
}

/// Waits for an event of one process.
base::Json wait_for(const SensorProcess& sensor, const std::string& action, pid_t pid) {
  const std::string marker = R"("process":{"pid":)" + std::to_string(pid) + ",";
  return sensor.wait_for(marker,
                         [&](const base::Json& event) { return text_at(event, "/event/action") == action; });
}

/// A mounted file system, gone with this whatever the test did. REQUIRES: declared after the sensor.
class Mount {
 public:
  Mount(const char* type, std::string path, const char* options) : path_(std::move(path)) {
    std::filesystem::create_directory(path_);
    mounted_ = ::mount(type, path_.c_str(), type, 0, options) == 0;
  }
  ~Mount() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;
  bool mounted() const { return mounted_; }

 private:
  std::string path_;
  bool mounted_ = false;
};

std::uint64_t events_lost(SensorProcess& sensor) {
  return sensor.ask({{"request", "health"}})["events_lost"].get<std::uint64_t>();
}

class SensordTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (const std::string reason = obstacle(GetParam()); !reason.empty()) GTEST_SKIP() << reason;
  }
  void start(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"--provider", GetParam()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    ASSERT_TRUE(sensor_.start(arguments)) << sensor_.log();
  }
  /// A program of our own, which nothing else on this host runs.
  std::string marker_program(const std::string& name) {
    const std::string path = sensor_.file(name);
    std::filesystem::copy_file(std::filesystem::canonical("/bin/sleep"), path);
    return path;
  }

  SensorProcess sensor_;
};

TEST_P(SensordTest, WritesWhatAProcessDidFieldByField) {
  start();
  const std::string program = marker_program("marker");
  const pid_t pid = run_program({program, "0.2"});
  const base::Json exec = wait_for(sensor_, "exec", pid);
  const base::Json exit = wait_for(sensor_, "exit", pid);
  if ((exec.is_null() || exit.is_null()) && events_lost(sensor_) != 0)
    GTEST_SKIP() << "this host is too busy with other work: events were lost, and told as such";
  ASSERT_FALSE(exec.is_null());
  ASSERT_FALSE(exit.is_null());
  EXPECT_EQ(text_at(exec, "/event/provider"), GetParam());
  EXPECT_EQ(exec["event"]["category"], base::Json::parse(R"(["process"])"));
  EXPECT_EQ(exec["event"]["type"], base::Json::parse(R"(["start"])"));
  EXPECT_EQ(text_at(exec, "/event/outcome"), "success");
  EXPECT_EQ(text_at(exec, "/process/executable"), program);
  EXPECT_EQ(text_at(exec, "/process/name"), "marker");
  EXPECT_EQ(exec["process"]["args"], (base::Json{program, "0.2"}));
  EXPECT_EQ(text_at(exec, "/process/working_directory"), std::filesystem::current_path().string());
  EXPECT_EQ(exec["process"]["parent"]["pid"], ::getpid());
  EXPECT_EQ(text_at(exec, "/user/id"), std::to_string(::getuid()));
  char host[256] = {};
  ASSERT_EQ(::gethostname(host, sizeof host - 1), 0);
  EXPECT_EQ(text_at(exec, "/host/hostname"), host);
  EXPECT_EQ(exit["process"]["exit_code"], 0);
  EXPECT_EQ(text_at(exit, "/process/entity_id"), text_at(exec, "/process/entity_id"));
  EXPECT_FALSE(text_at(exit, "/process/entity_id").empty());
  EXPECT_LT(text_at(exec, "/@timestamp"), text_at(exit, "/@timestamp"));
  EXPECT_LT(exec["event"]["sequence"], exit["event"]["sequence"]);

  const base::Json self = wait_for(sensor_, "running", ::getpid());
  EXPECT_FALSE(self.is_null()) << "what runs at the start is told";
  const pid_t daemon = sensor_.pid();
  EXPECT_EQ(sensor_.stop(SIGTERM), 0);
  EXPECT_FALSE(std::filesystem::exists(sensor_.socket()));
  std::set<std::uint64_t> sequences;
  for (const base::Json& event : sensor_.events()) {
    EXPECT_TRUE(sequences.insert(event["event"]["sequence"].get<std::uint64_t>()).second);
    if (event["event"]["action"] == "running") continue;
    EXPECT_NE(event["process"].value("pid", 0), daemon) << event;
  }
  EXPECT_EQ(*sequences.rbegin(), sequences.size()) << "no number is missing";
}

TEST_P(SensordTest, IsConfinedAndPrivateAndTellsItsManager) {
  start();
  std::ifstream status("/proc/" + std::to_string(sensor_.pid()) + "/status");
  std::string text((std::istreambuf_iterator<char>(status)), {});
  EXPECT_NE(text.find("NoNewPrivs:\t1"), std::string::npos);
  EXPECT_NE(text.find("Seccomp:\t2"), std::string::npos);
  EXPECT_NE(text.find("CapEff:\t000000e000081004"), std::string::npos) << text;
  struct stat info {};
  ASSERT_EQ(::stat(sensor_.output().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  ASSERT_EQ(::stat(sensor_.socket().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  std::this_thread::sleep_for(1500ms);
  sensor_.collect_notifications();
  EXPECT_NE(sensor_.notifications().find("WATCHDOG=1"), std::string::npos);
  EXPECT_EQ(sensor_.stop(SIGINT), 0);
  sensor_.collect_notifications();
  EXPECT_NE(sensor_.notifications().find("STOPPING=1"), std::string::npos);
}

TEST_P(SensordTest, MakesItsOwnDirectoriesForItselfAlone) {
  sensor_.set_output(sensor_.file("made/by/it/events.ndjson"));
  start();
  struct stat info {};
  for (const char* directory : {"made", "made/by", "made/by/it"}) {
    ASSERT_EQ(::stat(sensor_.file(directory).c_str(), &info), 0) << directory;
    EXPECT_EQ(info.st_mode & 07777U, 0700U) << directory;
  }
}

TEST_P(SensordTest, GoesOnAfterKill9) {
  start();
  EXPECT_EQ(sensor_.stop(SIGKILL), -SIGKILL);
  EXPECT_TRUE(std::filesystem::exists(sensor_.socket())) << "a dead one cannot clean up";
  // And as if the kill had come in the middle of a line.
  std::ofstream(sensor_.output(), std::ios::app) << R"({"half":)";
  start();
  const pid_t pid = run_program({"/bin/true"});
  EXPECT_FALSE(wait_for(sensor_, "exit", pid).is_null());
  EXPECT_EQ(sensor_.stop(SIGTERM), 0);
  EXPECT_FALSE(std::filesystem::exists(sensor_.socket()));
}

TEST_P(SensordTest, IsTheOnlyOneOnItsSocket) {
  start();
  SensorProcess second;
  const std::string state = second.file("state.json");
  const pid_t pid = ::fork();
  if (pid == 0) {
    const std::string program = std::string(AUDITSHIFT_BINARY_DIR) + "/cli/auditshift-sensord";
    ::close(STDERR_FILENO);
    ::execl(program.c_str(), "auditshift-sensord", "--socket", sensor_.socket().c_str(), "--output", "none",
            "--state", state.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 75);
  EXPECT_EQ(sensor_.ask({{"request", "health"}})["supplementary_events_subsystem"], GetParam());
}

TEST_P(SensordTest, ObeysExclusionsFromTheMomentTheyAreWritten) {
  start();
  const std::string program = marker_program("muted");
  const pid_t before = run_program({program, "0.2"});
  ASSERT_FALSE(wait_for(sensor_, "exec", before).is_null());

  std::ofstream(sensor_.file("new")) << base::Json{
      {"exclusionSettings",
       {{"exclusions", {{{"$type", "excludedFileName"}, {"name", program}, {"scopes", {"global"}}}}}}}};
  std::filesystem::rename(sensor_.file("new"), sensor_.file("managed.json"));
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  while (sensor_.ask({{"request", "health"}})["exclusions"] != 1 &&
         std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(10ms);
  const pid_t muted = run_program({program, "0.2"});
  const pid_t witness = run_program({"/bin/sleep", "0.2"});
  ASSERT_FALSE(wait_for(sensor_, "exit", witness).is_null());
  for (const base::Json& event : sensor_.events(R"("pid":)" + std::to_string(muted) + ",")) {
    if (event["process"].value("pid", 0) != muted) continue;
    EXPECT_NE(text_at(event, "/process/executable"), program) << event;
  }

  // A broken file changes nothing but health.
  std::ofstream(sensor_.file("managed.json")) << "{";
  base::Json health;
  do {
    health = sensor_.ask({{"request", "health"}});
    std::this_thread::sleep_for(10ms);
  } while (health["healthy"] == true && std::chrono::steady_clock::now() < deadline + 5s);
  EXPECT_EQ(health["healthy"], false);
  EXPECT_EQ(health["exclusions"], 1);
  std::filesystem::remove(sensor_.file("managed.json"));
  do {
    health = sensor_.ask({{"request", "health"}});
    std::this_thread::sleep_for(10ms);
  } while (health["exclusions"] != 0 && std::chrono::steady_clock::now() < deadline + 10s);
  const pid_t after = run_program({program, "0.2"});
  EXPECT_FALSE(wait_for(sensor_, "exec", after).is_null());
}

TEST_P(SensordTest, ServesReadersInTheirOwnFormat) {
  start();
  const auto stream = open_sensor_stream(sensor_.socket(), {{"request", "events"}, {"format", "raw"}}, 5s);
  ASSERT_TRUE(stream.ok()) << stream.error().message();
  const pid_t pid = run_program({"/bin/true"});
  std::string text;
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  const std::string wanted = R"({"kind":"exit")";
  const std::string number = R"("pid":)" + std::to_string(pid) + ",";
  bool found = false;
  while (!found && std::chrono::steady_clock::now() < deadline) {
    pollfd ready{stream->get(), POLLIN, 0};
    ::poll(&ready, 1, 100);
    char bytes[4096];
    const ssize_t got = ::recv(stream->get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (got > 0) text.append(bytes, static_cast<std::size_t>(got));
    const auto at = text.find(number);
    found = at != std::string::npos && text.find(wanted) != std::string::npos;
  }
  EXPECT_TRUE(found) << text;
  EXPECT_FALSE(open_sensor_stream(sensor_.socket(), {{"request", "events"}, {"format", "cef"}}, 5s).ok());
}

TEST_P(SensordTest, CountsWhatAFullDiskTookAndGoesOn) {
  const std::string small = sensor_.file("small");
  const Mount mount("tmpfs", small, "size=64m");
  if (!mount.mounted()) GTEST_SKIP() << "cannot mount a small tmpfs";
  sensor_.set_output(small + "/events.ndjson");
  start({"--format", "ecs"});
  {
    std::ofstream filler(small + "/filler");
    filler << std::string(std::size_t{65} << 20, 'x');
  }
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  base::Json health;
  do {
    run_program({"/bin/true"});
    health = sensor_.ask({{"request", "health"}});
    // A short batch may still find room in the file's last page.
  } while ((health["output_records_lost"] == 0 || health["healthy"] == true) &&
           std::chrono::steady_clock::now() < deadline);
  EXPECT_GT(health["output_records_lost"], 0);
  EXPECT_EQ(health["healthy"], false);
  // Or what a busy host does beside fills it once more.
  ASSERT_EQ(::mount("tmpfs", small.c_str(), "tmpfs", MS_REMOUNT, "size=4g"), 0);
  std::filesystem::remove(small + "/filler");
  const pid_t pid = run_program({"/bin/true"});
  EXPECT_FALSE(wait_for(sensor_, "exit", pid).is_null());
  std::uint64_t told = 0;
  const base::Json last = sensor_.wait_for(R"("action":"loss")", [&](const base::Json& loss) {
    if (text_at(loss, "/auditshift/loss/cause") != "output file could not be written") return false;
    told += loss["auditshift"]["loss"]["count"].get<std::uint64_t>();
    return sensor_.ask({{"request", "health"}})["output_records_lost"] == told;
  });
  EXPECT_FALSE(last.is_null()) << "told of " << told << ", counted "
                               << sensor_.ask({{"request", "health"}})["output_records_lost"];
  EXPECT_EQ(sensor_.stop(SIGTERM), 0);
}

TEST_P(SensordTest, StaysWithTheProviderItWasStartedWith) {
  const std::string tree = sensor_.file("bpf");
  const Mount mount("bpf", tree, "mode=0700");
  if (!mount.mounted()) GTEST_SKIP() << "cannot mount a BPF file system";
  sensor_.set_pins(tree + "/sensor");
  start();
  const bool pinned = std::filesystem::exists(tree + "/sensor");
  for (const char* value : {"disabled", "enabled"}) {
    const base::Json answer =
        sensor_.ask({{"request", "config"}, {"name", "ebpf_supplementary_event_provider"}, {"value", value}});
    EXPECT_EQ(answer["provider"], GetParam());
  }
  const base::Json details = sensor_.ask({{"request", "health"}, {"details", "ebpf"}});
  EXPECT_EQ(details["provider_changes"].size(), 1U);
  EXPECT_NE(details.value("programs", "").substr(0, 7), "adopted") << "the daemon's own";
  EXPECT_EQ(std::filesystem::exists(tree + "/sensor"), pinned) << "what is in use stays pinned";
  const pid_t pid = run_program({"/bin/true"});
  EXPECT_FALSE(wait_for(sensor_, "exit", pid).is_null());
  EXPECT_EQ(sensor_.stop(SIGTERM), 0);
}

INSTANTIATE_TEST_SUITE_P(Provider, SensordTest, testing::Values("netlink", "ebpf"),
                         [](const auto& test) { return test.param; });

TEST(SensordAutoTest, SwitchesTheProviderByCommandAndByManagedFileWithoutAGap) {
  for (const char* provider : {"ebpf", "netlink"}) {
    if (const std::string reason = obstacle(provider); !reason.empty())
      GTEST_SKIP() << provider << ": " << reason;
  }
  SensorProcess sensor;
  ASSERT_TRUE(sensor.start({"--provider", "auto"})) << sensor.log();
  const auto subsystem = [&] {
    return sensor.ask({{"request", "health"}})["supplementary_events_subsystem"];
  };
  const auto set = [&](const char* value) {
    return sensor.ask(
        {{"request", "config"}, {"name", "ebpf_supplementary_event_provider"}, {"value", value}});
  };
  EXPECT_EQ(subsystem(), "ebpf");
  EXPECT_EQ(set("disabled")["message"], "Configuration property updated.");
  EXPECT_EQ(subsystem(), "netlink");
  const pid_t pid = run_program({"/bin/true"});
  EXPECT_FALSE(wait_for(sensor, "exit", pid).is_null());
  EXPECT_EQ(set("enabled")["provider"], "ebpf") << "loaded with the capabilities that were kept";
  EXPECT_EQ(subsystem(), "ebpf");

  std::ofstream(sensor.file("managed.json"))
      << R"({"features": {"ebpfSupplementaryEventProvider": "disabled"}})";
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  while (subsystem() != "netlink" && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(10ms);
  EXPECT_EQ(subsystem(), "netlink");
  const base::Json answer = set("enabled");
  EXPECT_EQ(answer["provider"], "netlink") << "the managed file wins";
  EXPECT_NE(answer["note"].get<std::string>().find("wins over this"), std::string::npos);
  const auto health = HealthReport::from_json(sensor.ask({{"request", "health"}}));
  EXPECT_NE(health.text().find("supplementary_events_subsystem              : \"netlink\"\n"
                               "ebpf_supplementary_event_provider           : \"disabled\" [managed]\n"),
            std::string::npos)
      << health.text();
  EXPECT_EQ(sensor.stop(SIGTERM), 0);

  // What was set by command outlives the daemon.
  std::filesystem::remove(sensor.file("managed.json"));
  ASSERT_TRUE(sensor.start({"--provider", "auto"})) << sensor.log();
  EXPECT_EQ(subsystem(), "ebpf");
  EXPECT_EQ(set("disabled")["provider"], "netlink");
  EXPECT_EQ(sensor.stop(SIGTERM), 0);
  ASSERT_TRUE(sensor.start({"--provider", "auto"})) << sensor.log();
  EXPECT_EQ(subsystem(), "netlink");
}

TEST(SensordSurvivalTest, MissesNothingWhileItIsDead) {
  if (const std::string reason = obstacle("ebpf"); !reason.empty()) GTEST_SKIP() << reason;
  SensorProcess sensor;
  const std::string tree = sensor.file("bpf");
  const Mount mount("bpf", tree, "mode=0700");
  if (!mount.mounted()) GTEST_SKIP() << "cannot mount a BPF file system";
  sensor.set_pins(tree + "/sensor");
  ASSERT_TRUE(sensor.start({"--provider", "ebpf"})) << sensor.log();
  EXPECT_EQ(sensor.stop(SIGKILL), -SIGKILL);
  const pid_t pid = run_program({"/bin/sleep", "0.2"});
  ASSERT_TRUE(sensor.start({"--provider", "ebpf"})) << sensor.log();
  const bool seen = !wait_for(sensor, "exec", pid).is_null() && !wait_for(sensor, "exit", pid).is_null();
  const bool told = events_lost(sensor) != 0;
  EXPECT_EQ(sensor.stop(SIGTERM), 0);
  EXPECT_TRUE(seen || told) << "what the ring could not hold is told as lost";
  EXPECT_FALSE(std::filesystem::exists(tree + "/sensor")) << "a clean stop leaves nothing in the kernel";
  if (!seen) GTEST_SKIP() << "this host is too busy with other work: the ring overflowed";
}

}  // namespace
}  // namespace auditshift::sensor
