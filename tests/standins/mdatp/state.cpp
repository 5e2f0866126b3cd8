// SPDX-License-Identifier: Apache-2.0
#include "state.h"

#include <unistd.h>

#include <climits>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace standin {
namespace {

constexpr const char* kDefaultDirectory = "/var/opt/microsoft/mdatp/standin";
constexpr const char* kManaged = "/etc/opt/microsoft/mdatp/managed/mdatp_managed.json";

}  // namespace

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string State::directory() {
  char program[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", program, sizeof program);
  if (length > 0) {
    const auto beside =
        std::filesystem::path(std::string(program, static_cast<std::size_t>(length))).parent_path() / "state";
    if (std::filesystem::is_directory(beside)) return beside;
  }
  return kDefaultDirectory;
}

State State::load() {
  State state;
  std::ifstream file(directory() + "/state");
  for (std::string line; std::getline(file, line);)
    if (const std::size_t equals = line.find('='); equals != std::string::npos && line[0] != '#')
      state.values_[line.substr(0, equals)] = line.substr(equals + 1);
  return state;
}

void State::save() const {
  const std::string path = directory() + "/state";
  std::filesystem::create_directories(directory());
  {
    std::ofstream file(path + ".new");
    for (const auto& [key, value] : values_) file << key << "=" << value << "\n";
  }
  std::rename((path + ".new").c_str(), path.c_str());
}

std::string State::get(const std::string& key, const std::string& fallback) const {
  const auto found = values_.find(key);
  return found == values_.end() ? fallback : found->second;
}

bool State::is(const std::string& key, bool fallback) const {
  return get(key, fallback ? "yes" : "no") == "yes";
}

bool State::auditd_era() const {
  unsigned cut = 0;
  std::sscanf(get("version", "101.24072.0001").c_str(), "%*u.%u", &cut);
  return cut < 24082;
}

std::string State::managed() const {
  const std::string text = read_file(path(kManaged));
  const std::size_t key = text.find("\"ebpfSupplementaryEventProvider\"");
  if (key == std::string::npos) return {};
  const std::size_t begin = text.find('"', text.find(':', key));
  const std::string value = text.substr(begin + 1, text.find('"', begin + 1) - begin - 1);
  return value == "enabled" || value == "disabled" ? value : std::string();
}

std::string State::subsystem() const {
  const std::string fallback = auditd_era() ? "auditd" : "netlink";
  if (const std::string wanted = managed(); !wanted.empty()) return wanted == "enabled" ? "ebpf" : fallback;
  // What is kept is whether eBPF is wanted; what "disabled" means is the build's affair.
  return get("subsystem", auditd_era() ? "auditd" : "ebpf") == "ebpf" ? "ebpf" : fallback;
}

}  // namespace standin
