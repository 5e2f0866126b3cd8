// SPDX-License-Identifier: Apache-2.0
#include "base/diff.h"
#include "migrate/change/file_change.h"
#include "migrate/change/file_steps.h"
#include "migrate/change/step_kinds.h"
#include "migrate/change/step_parameters.h"

namespace auditshift::migrate::change {
namespace {

using base::Json;
using base::Result;

class RemoveFile final : public Step {
 public:
  RemoveFile(std::string path, std::optional<FileState> expected)
      : path_(std::move(path)), expected_(std::move(expected)) {}

  std::string describe() const override { return "remove " + path_; }

  Result<std::string> diff(const Host& host) override {
    AUDITSHIFT_TRY(state, read_file_state(*host.files, path_));
    if (!state.exists) return std::string();
    if (!state.link.empty()) return "remove the symbolic link " + path_ + " -> " + state.link + "\n";
    AUDITSHIFT_TRY(content, host.files->read_file(path_));
    if (content.empty()) return "remove the empty file " + path_ + "\n";
    return base::unified_diff(path_, "/dev/null", content, "");
  }

  Result<Json> capture(const Host& host, BackupStore& backups) override {
    // Gone already is as good: an agent that was told to change its provider may take its rules away itself.
    const bool gone = !host.files->lstat(path_).ok();
    AUDITSHIFT_TRY(captured, capture_file(host, path_, gone ? std::nullopt : expected_, backups));
    return to_json(captured);
  }

  Result<void> apply(Host& host, const Json& json) override {
    AUDITSHIFT_TRY(captured, captured_file_from_json(json));
    AUDITSHIFT_TRY(now, read_file_state(*host.files, path_));
    if (now.exists) {
      if (!(now == captured.state)) return changed_by_others(path_, "this step began");
      AUDITSHIFT_TRY_VOID(host.files->remove(path_));
    }
    return settle(host, path_);
  }

  Result<bool> done(const Host& host) override {
    AUDITSHIFT_TRY(state, read_file_state(*host.files, path_));
    return !state.exists;
  }

  Result<void> undo(Host& host, const Json& json, const BackupStore& backups) override {
    AUDITSHIFT_TRY(captured, captured_file_from_json(json));
    AUDITSHIFT_TRY(now, read_file_state(*host.files, path_));
    if (now.exists && !(now == captured.state))
      return changed_by_others(path_, "it was removed")
          .with_hint("Move that file away if the old one shall come back, and roll back again.");
    return restore_file(host, captured, now, backups);
  }

 private:
  std::string path_;
  std::optional<FileState> expected_;
};

}  // namespace

StepSpec remove_file(std::string id, const std::string& path, const std::optional<FileState>& expected) {
  StepSpec spec{.id = std::move(id), .type = "remove-file"};
  spec.parameters["path"] = path;
  if (expected) spec.parameters["expected"] = to_json(*expected);
  return spec;
}

Result<std::unique_ptr<Step>> make_remove_file(const StepSpec& spec) {
  const StepParameters parameters(spec);
  AUDITSHIFT_TRY_VOID(parameters.only({"path", "expected"}));
  AUDITSHIFT_TRY(path, parameters.path("path"));
  AUDITSHIFT_TRY(expected, expected_state(parameters.find("expected")));
  return std::unique_ptr<Step>(std::make_unique<RemoveFile>(std::move(path), std::move(expected)));
}

}  // namespace auditshift::migrate::change
