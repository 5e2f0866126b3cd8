// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace standin {
namespace {

constexpr const char* kRulesFile = "/etc/audit/rules.d/mdatp.rules";

/// In the shape of the product's rules, which are published nowhere: its syscalls, its two keys.
constexpr const char* kRules[] = {
    "-a always,exit -F arch=b64 -S socket,connect,bind,accept,accept4,setsockopt -k mdatp",
    "-a always,exit -F arch=b64 -S rename,renameat,renameat2,rmdir,unlink,unlinkat,ptrace -k mdatp",
    "-a always,exit -F arch=b64 -S chown,fchown,fchownat,chmod,fchmod,fchmodat -k mdatp",
    "-a always,exit -F arch=b64 -S bpf -k mdatpmbr",
};

/// Runs a program; its output.
std::string run(const std::vector<std::string>& arguments) {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], 1);
    ::close(ends[0]);
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  std::string output;
  char bytes[4096];
  for (ssize_t got = 0; (got = ::read(ends[0], bytes, sizeof bytes)) > 0;)
    output.append(bytes, static_cast<std::size_t>(got));
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return output;
}

std::vector<std::string> words_of(const State& state, const std::string& rule) {
  std::vector<std::string> words = {state.get("auditctl", "/sbin/auditctl")};
  std::istringstream text(rule);
  for (std::string word; text >> word;) words.push_back(word);
  return words;
}

bool immutable(const State& state) {
  return run({state.get("auditctl", "/sbin/auditctl"), "-s"}).find("enabled 2") != std::string::npos;
}

}  // namespace

void put_rules(const State& state) {
  const std::string path = state.path(kRulesFile);
  std::error_code ignored;
  if (std::filesystem::is_directory(std::filesystem::path(path).parent_path(), ignored)) {
    std::ofstream file(path);
    file << "## Auditd rules for MDATP (EDR) audisp sensor\n";
    for (const char* rule : kRules) file << rule << "\n";
  }
  if (!state.is("loads", true) || immutable(state)) return;
  for (const char* rule : kRules) run(words_of(state, rule));
}

void clean_rules(const State& state) {
  if (!state.is("cleans", true)) return;
  if (state.is("loads", true)) {
    if (immutable(state)) return;
    for (const char* rule : kRules) {
      auto words = words_of(state, rule);
      words[1] = "-d";
      run(words);
    }
  }
  std::error_code ignored;
  std::filesystem::remove(state.path(kRulesFile), ignored);
}

}  // namespace standin
