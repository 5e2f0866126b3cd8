// SPDX-License-Identifier: Apache-2.0
#include "migrate/outside/package_run.h"

#include <algorithm>
#include <thread>

#include "migrate/outside/command_text.h"

namespace auditshift::migrate::outside {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kAskLimit = std::chrono::minutes(5);  // it may fetch lists of packages
constexpr std::size_t kLines = 6;

}  // namespace

PackageRunner::PackageRunner(std::shared_ptr<base::ProcessRunner> processes, PackageOptions options,
                             Locked locked)
    : processes_(std::move(processes)), options_(options), locked_(std::move(locked)) {}

base::Result<base::Completed> PackageRunner::run(const std::vector<std::string>& argv,
                                                 std::chrono::milliseconds limit) {
  base::Command command;
  // debconf and apt-listchanges ask questions unless told so; the others take no notice.
  command.argv = {"env", "DEBIAN_FRONTEND=noninteractive", "APT_LISTCHANGES_FRONTEND=none",
                  "NEEDRESTART_SUSPEND=1"};
  command.argv.insert(command.argv.end(), argv.begin(), argv.end());
  command.timeout = limit;
  return processes_->run(command);
}

base::Result<base::Completed> PackageRunner::run_unlocked(const std::vector<std::string>& argv,
                                                          std::chrono::milliseconds limit) {
  const auto deadline = SteadyClock::now() + options_.lock_patience;
  while (true) {
    auto done = run(argv, limit);
    if (!done || !locked_(*done)) return done;
    if (SteadyClock::now() >= deadline)
      return failure_of(*done, "another process has held the package manager's lock for too long",
                        base::Errc::busy)
          .with_hint("wait until it is done, then try again");
    std::this_thread::sleep_for(options_.lock_pause);
  }
}

base::Result<base::Completed> PackageRunner::ask(const std::vector<std::string>& argv) {
  return run_unlocked(argv, kAskLimit);
}

base::Result<void> PackageRunner::change(const std::vector<std::string>& argv, const std::string& what,
                                         const std::vector<int>& also_done) {
  AUDITSHIFT_TRY(done, run_unlocked(argv, options_.change_limit).context(what));
  if (done.success()) return {};
  if (done.signal == 0 && std::find(also_done.begin(), also_done.end(), done.exit_code) != also_done.end())
    return {};
  const std::string words = last_words(done, kLines);
  return base::Error(base::Errc::io, what + ": " + (words.empty() ? end_of(done) : words));
}

}  // namespace auditshift::migrate::outside
