// SPDX-License-Identifier: Apache-2.0
#include "sensor_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/clock.h"
#include "base/sysroot.h"
#include "bpf/probe.h"
#include "sensor/control_server.h"
#include "sensor/netlink_provider.h"

namespace auditshift::sensor {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

std::vector<char*> pointers(std::vector<std::string>& arguments) {
  std::vector<char*> list;
  for (std::string& argument : arguments) list.push_back(argument.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace

SensorProcess::SensorProcess() {
  std::string name = testing::TempDir() + "auditshift-sensord-XXXXXX";
  directory_ = ::mkdtemp(name.data());
  output_ = file("events.ndjson");
  notify_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = file("notify");
  std::memcpy(address.sun_path, path.data(), path.size());
  EXPECT_EQ(::bind(notify_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

SensorProcess::~SensorProcess() {
  if (pid_ > 0) stop(SIGKILL);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

bool SensorProcess::start(const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {std::string(AUDITSHIFT_BINARY_DIR) + "/cli/auditshift-sensord",
                                  "--socket",
                                  socket(),
                                  "--state",
                                  file("state.json"),
                                  "--managed",
                                  file("managed.json"),
                                  "--output",
                                  output_,
                                  "--pin",
                                  pins_};
  if (std::find(arguments.begin(), arguments.end(), "--rotate-size") == arguments.end())
    all.insert(all.end(), {"--rotate-size", "0"});
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv = pointers(all);
  const std::string notify = file("notify");
  const std::string log_file = file("log");
  notifications_.clear();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::setenv("NOTIFY_SOCKET", notify.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "1000000", 1);
    const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(log, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  const auto deadline = steady_clock::now() + 20s;
  while (steady_clock::now() < deadline) {
    collect_notifications();
    if (notifications_.find("READY=1") != std::string::npos) return true;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return false;
    }
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

void SensorProcess::collect_notifications() {
  char text[512];
  ssize_t got = 0;
  while ((got = ::recv(notify_.get(), text, sizeof text, MSG_DONTWAIT)) > 0)
    notifications_.append(text, static_cast<std::size_t>(got)).append("\n");
}

int SensorProcess::stop(int signal) {
  int status = 0;
  ::kill(pid_, signal);
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string SensorProcess::log() const {
  std::ostringstream text;
  text << std::ifstream(file("log")).rdbuf();
  return text.str();
}

base::Json SensorProcess::ask(const base::Json& request) {
  const auto answer = ask_sensor(socket(), request, 10s);
  EXPECT_TRUE(answer.ok()) << answer.error().message();
  return answer.ok() ? *answer : base::Json();
}

std::vector<base::Json> SensorProcess::events(const std::string& marker) const {
  std::vector<base::Json> events;
  std::ifstream lines(output_);
  const auto end = static_cast<std::streamoff>(std::filesystem::file_size(output_));
  for (std::string line; lines.tellg() < end && std::getline(lines, line);) {
    if (lines.eof()) break;  // the daemon is writing it
    if (line.find(marker) == std::string::npos) continue;
    base::Json event = base::Json::parse(line, nullptr, false);
    EXPECT_FALSE(event.is_discarded()) << line;
    if (!event.is_discarded()) events.push_back(std::move(event));
  }
  return events;
}

base::Json SensorProcess::wait_for(const std::string& marker,
                                   const std::function<bool(const base::Json&)>& wanted) const {
  const auto deadline = steady_clock::now() + 20s;
  std::ifstream lines(output_);
  std::string line;
  while (steady_clock::now() < deadline) {
    std::string more;
    std::getline(lines, more);
    line += more;
    if (lines.eof()) {  // half a line, or none
      lines.clear();
      std::this_thread::sleep_for(5ms);
      continue;
    }
    if (line.find(marker) != std::string::npos) {
      base::Json event = base::Json::parse(line, nullptr, false);
      EXPECT_FALSE(event.is_discarded()) << line;
      if (!event.is_discarded() && wanted(event)) return event;
    }
    line.clear();
  }
  return nullptr;
}

std::string obstacle(const std::string& provider) {
  const auto host = base::Sysroot::open("/");
  if (provider == "ebpf") {
    bpf::KernelProbe probe(*host);
    const auto missing = bpf::missing_features(probe.run(), bpf::Tier::core);
    return missing.empty() ? "" : missing[0].feature + ": " + missing[0].detail;
  }
  const base::SystemClock clock;
  NetlinkProvider netlink(*host, clock);
  const auto started = netlink.start();
  return started.ok() ? "" : started.error().message();
}

pid_t run_program(const std::vector<std::string>& arguments) {
  std::vector<std::string> copy = arguments;
  std::vector<char*> argv = pointers(copy);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::waitpid(pid, nullptr, 0);
  return pid;
}

}  // namespace auditshift::sensor
