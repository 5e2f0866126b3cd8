// SPDX-License-Identifier: Apache-2.0
// Stands in for `mdatp` in tests: command line and daemon in one, behaving as the product's documentation
// says of both its eras, failures included. Never installed outside of tests. See README.md.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "rules.h"
#include "state.h"
#include "watch.h"

namespace standin {
namespace {

using Arguments = std::vector<std::string>;

struct Field {
  std::string name;
  std::string value;  ///< as printed: strings in quotes
  bool managed = false;
};

std::string quoted(const std::string& text) { return "\"" + text + "\""; }
std::string truth(bool value) { return value ? "true" : "false"; }

std::vector<Field> fields(const State& state) {
  const bool expired = state.is("expired");
  const bool healthy = state.is("healthy", true) && !expired;
  return {{"healthy", truth(healthy)},
          {"health_issues", expired ? "[\"missing license\"]" : state.get("health_issues", "[]")},
          {"licensed", truth(!expired)},
          {"engine_version", quoted("1.1.24080.9")},
          {"engine_load_status", quoted("Engine load succeeded")},
          {"app_version", quoted(state.get("version", "101.24072.0001"))},
          {"org_id", quoted("00000000-0000-0000-0000-000000000000")},
          {"log_level", quoted("info")},
          {"release_ring", quoted("Production")},
          {"product_expiration", state.get("expires", "Jun 23, 2027 at 08:19:40 PM")},
          {"cloud_enabled", "true", !state.managed().empty()},
          {"passive_mode_enabled", "false"},
          {"behavior_monitoring", quoted("enabled")},
          {"real_time_protection_enabled", "true"},
          {"real_time_protection_available", "true"},
          {"real_time_protection_subsystem", quoted("fanotify")},
          {"supplementary_events_subsystem", quoted(state.subsystem()), !state.managed().empty()},
          {"tamper_protection", quoted("disabled")},
          {"definitions_status", quoted("up_to_date")},
          {"conflicting_applications", "[]"},
          {"troubleshooting_mode", "false"}};
}

std::string attention(const State& state) {
  if (state.is("expired")) return "No license found. Contact your administrator for help.";
  return state.get("attention");
}

int health(const State& state, const Arguments& arguments) {
  const auto wanted = std::find(arguments.begin(), arguments.end(), "--field");
  if (wanted != arguments.end() && (wanted + 1 == arguments.end() || !state.is("field", true))) {
    std::printf("Unknown argument: --field\n");
    return 1;
  }
  if (!attention(state).empty()) std::printf("ATTENTION: %s\n", attention(state).c_str());
  for (const Field& field : fields(state)) {
    const std::string suffix = field.managed ? " [managed]" : "";
    if (wanted != arguments.end()) {
      if (field.name == wanted[1]) std::printf("%s%s\n", field.value.c_str(), suffix.c_str());
    } else if (field.name != state.get("hides")) {
      std::printf("%-44s: %s%s\n", field.name.c_str(), field.value.c_str(), suffix.c_str());
    }
  }
  return 0;
}

int configure(State state, const Arguments& arguments) {
  if (arguments.size() != 4 || arguments[1] != "ebpf-supplementary-event-provider" ||
      arguments[2] != "--value" || (arguments[3] != "enabled" && arguments[3] != "disabled")) {
    std::printf("Unknown command\n");
    return 1;
  }
  if (state.is("refuses")) {
    std::printf("Failed to set configuration property\n");
    return 1;
  }
  if (!state.is("ignores")) {
    state.set("subsystem", arguments[3] == "enabled" ? "ebpf" : state.auditd_era() ? "auditd" : "netlink");
    state.save();
    state.subsystem() == "auditd" ? put_rules(state) : clean_rules(state);
  }
  std::printf("Configuration property updated%s\n", state.is("dot", true) ? "." : "");
  return 0;
}

void print_top(const char* title, const std::map<std::string, std::uint64_t>& counts) {
  std::vector<std::pair<std::uint64_t, std::string>> rows;
  for (const auto& [name, count] : counts) rows.emplace_back(count, name);
  std::sort(rows.rbegin(), rows.rend());
  if (rows.size() > 10) rows.resize(10);
  std::printf("%s\n", title);
  for (const auto& [count, name] : rows)
    std::printf("%s : %llu\n", name.c_str(), static_cast<unsigned long long>(count));
}

int ebpf_statistics(const State& state, const Arguments& arguments) {
  if (!state.is("statistics", true)) {
    std::printf("Unknown command\n");
    return 1;
  }
  if (state.subsystem() != "ebpf") {
    std::printf("eBPF is not the active supplementary event provider\n");
    return 1;
  }
  const auto time = std::find(arguments.begin(), arguments.end(), "--time");
  const int seconds =
      time == arguments.end() || time + 1 == arguments.end() ? 20 : std::atoi(time[1].c_str());
  Sightings seen = watch_renames(seconds * 1000);
  if (state.is("blind")) seen = {};
  std::printf("Output\nMonitor %d seconds\n", seconds);
  print_top("Top file paths:", seen.files);
  print_top("Top initiator paths:", seen.initiators);
  std::printf("Top syscall ids:\n82 : %llu\n", static_cast<unsigned long long>(seen.renames));
  return 0;
}

int counters(State state) {
  if (!state.is("counters", true)) {
    std::printf("Unknown command\n");
    return 1;
  }
  const std::uint64_t seen = state.is("blind") ? 0 : watch_renames(500).renames;
  const std::uint64_t total = std::strtoull(state.get("events", "0").c_str(), nullptr, 10) + seen;
  state.set("events", std::to_string(total));
  state.save();
  std::printf("events_received : %llu\nevents_dropped : 0\n", static_cast<unsigned long long>(total));
  return 0;
}

int diagnostic(const State& state, const Arguments& arguments) {
  const std::string what = arguments.size() > 1 ? arguments[1] : "";
  if (what == "ebpf-statistics") return ebpf_statistics(state, arguments);
  if (what == "event-provider-statistics") return counters(state);
  std::printf("Unknown command\n");
  return 1;
}

volatile sig_atomic_t ended = 0;

/// As the service: keeps the rules of its provider, and, with restores=yes, puts them back whatever the
/// provider.
int daemon() {
  ::signal(SIGTERM, [](int) { ended = 1; });
  std::string before;
  while (ended == 0) {
    const State state = State::load();
    const std::string now = state.subsystem();
    if (now != before) now == "auditd" ? put_rules(state) : clean_rules(state);
    if (state.is("restores") && !std::filesystem::exists(state.path("/etc/audit/rules.d/mdatp.rules")))
      put_rules(state);
    before = now;
    std::ofstream(State::directory() + "/pid") << ::getpid();
    ::usleep(200'000);
  }
  std::filesystem::remove(State::directory() + "/pid");
  return 0;
}

bool reachable(const State& state) {
  if (state.is("unreachable")) return false;
  if (!state.is("needs_daemon")) return true;
  const int pid = std::atoi(read_file(State::directory() + "/pid").c_str());
  return pid > 0 && ::kill(pid, 0) == 0;
}

int run(const Arguments& arguments) {
  const std::string verb = arguments.empty() ? "" : arguments[0];
  if (verb == "--daemon") return daemon();
  const State state = State::load();
  if (const int slow = std::atoi(state.get("slow", "0").c_str()); slow > 0)
    ::sleep(static_cast<unsigned>(slow));
  if (!reachable(state)) {
    std::printf("Could not connect to the daemon. Server Unavailable. Please ensure daemon is running.\n");
    return 1;
  }
  if (verb == "health") return health(state, arguments);
  if (verb == "version") {
    std::printf("Product version: %s\n", state.get("version", "101.24072.0001").c_str());
    return 0;
  }
  if (verb == "exclusion") {
    std::printf("No exclusions\n");
    return 0;
  }
  if (verb != "config" && verb != "diagnostic") {
    std::printf("Unknown command\n");
    return 1;
  }
  if (::geteuid() != 0 || state.is("needs_root_even_for_root")) {
    std::printf("This command must be run as root\n");
    return 1;
  }
  return verb == "config" ? configure(state, arguments) : diagnostic(state, arguments);
}

}  // namespace
}  // namespace standin

int main(int argc, char** argv) { return standin::run({argv + 1, argv + argc}); }
