// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/state_directory.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "base/json.h"
#include "base/ownership.h"
#include "base/text.h"
#include "migrate/change/transaction_record.h"

namespace auditshift::migrate::change {
namespace {

using base::Errc;
using base::Error;
using base::Fd;
using base::Json;
using base::Result;

constexpr std::string_view kJournalSuffix = ".journal";
constexpr std::size_t kIdDigits = 6;

/// Who holds the lock, as its file says.
std::string holder(const base::Sysroot& host, const std::string& path) {
  const auto text = host.read_file(path, 4096);
  const auto json = text ? base::parse_json(*text, path) : Result<Json>(Error(Errc::invalid, ""));
  if (!json || !json->is_object()) return "another process";
  const auto pid = json->find("pid");
  std::string who = pid != json->end() && pid->is_number() ? "process " + pid->dump() : "another process";
  const auto field = [&](const char* key) {
    const auto found = json->find(key);
    return found != json->end() && found->is_string() ? base::printable(found->get<std::string>())
                                                      : std::string();
  };
  if (const std::string caller = field("caller"); !caller.empty()) who += " (" + caller + ")";
  if (const std::string since = field("since"); !since.empty()) who += ", since " + since;
  return who;
}

}  // namespace

Result<void> StateDirectory::make() const {
  for (const std::string& directory : {path_, path_ + "/journal"}) {
    AUDITSHIFT_TRY_VOID(host_->make_directories(directory, 0700).context("cannot make the state directory"));
    AUDITSHIFT_TRY(info, host_->stat(directory));
    if (base::strangers_may_write(info.uid, info.gid, info.mode))
      return Error(Errc::permission, directory + ": other users may change the state directory")
          .with_hint("chown root: " + directory + " && chmod 0700 " + directory);
    // It may have been made by a process that died before it synced the name.
    AUDITSHIFT_TRY_VOID(host_->sync_parent(directory));
  }
  return {};
}

Result<std::vector<std::string>> StateDirectory::ids() const {
  std::vector<std::string> ids;
  const auto entries = host_->list(path_ + "/journal");
  if (!entries) {
    if (entries.error().code() == Errc::not_found) return ids;
    return entries.error();
  }
  for (const base::DirectoryEntry& entry : *entries) {
    if (!entry.name.ends_with(kJournalSuffix)) continue;
    std::string id = entry.name.substr(0, entry.name.size() - kJournalSuffix.size());
    if (id.size() >= kIdDigits && base::parse_decimal(id)) ids.push_back(std::move(id));
  }
  std::sort(ids.begin(), ids.end(), [](const std::string& a, const std::string& b) {
    return *base::parse_decimal(a) < *base::parse_decimal(b);
  });
  return ids;
}

std::string StateDirectory::id_after(const std::vector<std::string>& ids) {
  const std::string number = std::to_string(ids.empty() ? 1 : *base::parse_decimal(ids.back()) + 1);
  return std::string(kIdDigits - std::min(kIdDigits, number.size()), '0') + number;
}

Result<void> StateDirectory::set_marker(const std::string& id) const {
  return host_->write_atomic(marker(), id + "\n", {.mode = 0600})
      .context("cannot arrange to go on after the reboot");
}

Result<void> StateDirectory::remove_marker() const {
  auto removed = host_->remove(marker());
  if (removed) return {};
  if (removed.error().code() != Errc::not_found)
    return std::move(removed).context("cannot take back what resumes at boot");
  // Perhaps removed by a process that died before it synced that.
  return host_->sync_parent(marker());
}

void StateDirectory::publish(const Status& status) const {
  const std::string text = base::dump_json(to_json(status), base::JsonStyle::pretty);
  const auto written = host_->write_atomic(path_ + "/state.json", text, {.mode = 0600});
  if (!written) spdlog::warn("cannot write the state file: {}", written.error().message());
}

Result<Fd> StateDirectory::lock(const std::string& caller, base::WallTime now) const {
  AUDITSHIFT_TRY(fd, host_->open_append(lock_file(), 0600).context("cannot take the lock"));
  // `status` looks whether the lock is held by holding it, shared, for an instant.
  constexpr int kTries = 10;
  for (int tries = 1; ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return Error::from_errno(errno, lock_file()).context("cannot take the lock");
    if (tries == kTries)
      return Error(Errc::busy, "another run is at work: " + holder(*host_, lock_file()))
          .with_hint("Wait until it has ended, then try again.");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const Json text = {{"pid", ::getpid()}, {"caller", caller}, {"since", base::format_utc(now)}};
  // The lock holds without these words; a full disk must not stand in the way of a rollback.
  if (host_->disk().truncate(fd.get(), 0) == 0)
    (void)base::write_all(host_->disk(), fd.get(), base::dump_json(text, base::JsonStyle::compact),
                          lock_file());
  return std::move(fd);
}

bool StateDirectory::locked() const {
  const auto fd = host_->open_file(lock_file(), O_RDONLY);
  return fd && ::flock(fd->get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace auditshift::migrate::change
