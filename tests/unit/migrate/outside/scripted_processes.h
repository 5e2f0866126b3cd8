// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/text.h"

namespace auditshift::tests {

/// Answers command lines from a table; whatever is not in it is not installed. Answers of one command line
/// come in turn, the last one stays.
class ScriptedProcesses final : public base::ProcessRunner {
 public:
  void answer(const std::string& command_line, int exit_code, std::string output, std::string errors = {}) {
    base::Completed done;
    done.exit_code = exit_code;
    done.output = std::move(output);
    done.errors = std::move(errors);
    answers_[command_line].push_back(std::move(done));
  }
  base::Result<base::Completed> run(const base::Command& command) override {
    const std::string line = base::join(command.argv, " ");
    asked.push_back(line);
    const auto found = answers_.find(line);
    if (found == answers_.end()) return base::Error(base::Errc::not_found, line + ": no such program");
    base::Completed done = found->second.front();
    if (found->second.size() > 1) found->second.erase(found->second.begin());
    return done;
  }

  std::vector<std::string> asked;

 private:
  std::map<std::string, std::vector<base::Completed>> answers_;
};

}  // namespace auditshift::tests
