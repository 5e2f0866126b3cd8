// SPDX-License-Identifier: Apache-2.0
#include "base/diff.h"
#include "base/hash.h"
#include "migrate/change/file_change.h"
#include "migrate/change/file_steps.h"
#include "migrate/change/step_kinds.h"
#include "migrate/change/step_parameters.h"

namespace auditshift::migrate::change {
namespace {

using base::Json;
using base::Result;

class WriteFile final : public Step {
 public:
  WriteFile(std::string path, std::string content, base::WriteOptions if_new,
            std::optional<FileState> expected)
      : path_(std::move(path)),
        content_(std::move(content)),
        sha256_(base::sha256(content_)),
        if_new_(if_new),
        expected_(std::move(expected)) {}

  std::string describe() const override { return "write " + path_; }

  Result<std::string> diff(const Host& host) override {
    AUDITSHIFT_TRY(path, target(host));
    AUDITSHIFT_TRY(state, read_file_state(*host.files, path));
    if (!state.exists) {
      if (content_.empty()) return "create the empty file " + path + "\n";
      return base::unified_diff("/dev/null", path, "", content_);
    }
    AUDITSHIFT_TRY(old, host.files->read_file(path));
    return base::unified_diff(path, path, old, content_);
  }

  Result<Json> capture(const Host& host, BackupStore& backups) override {
    AUDITSHIFT_TRY(path, target(host));
    AUDITSHIFT_TRY(captured, capture_file(host, path, expected_, backups));
    return to_json(captured);
  }

  Result<void> apply(Host& host, const Json& json) override {
    AUDITSHIFT_TRY(captured, captured_file_from_json(json));
    AUDITSHIFT_TRY(now, read_file_state(*host.files, captured.path));
    if (!is_ours(now, captured.state)) {
      if (!(now == captured.state)) return changed_by_others(captured.path, "this step began");
      if (!captured.directories.empty())
        AUDITSHIFT_TRY_VOID(host.files->make_directories(captured.directories.back(), 0755));
      AUDITSHIFT_TRY_VOID(host.files->write_atomic(captured.path, content_, if_new_));
    }
    // Made just now, or by a process that died before it synced them.
    for (const std::string& directory : captured.directories)
      AUDITSHIFT_TRY_VOID(host.files->sync_parent(directory));
    return settle(host, captured.path);
  }

  Result<bool> done(const Host& host) override {
    AUDITSHIFT_TRY(path, target(host));
    AUDITSHIFT_TRY(state, read_file_state(*host.files, path));
    return state.exists && state.sha256 == sha256_;
  }

  Result<void> undo(Host& host, const Json& json, const BackupStore& backups) override {
    AUDITSHIFT_TRY(captured, captured_file_from_json(json));
    AUDITSHIFT_TRY(now, read_file_state(*host.files, captured.path));
    if (!(now == captured.state) && !is_ours(now, captured.state))
      return changed_by_others(captured.path, "it was written")
          .with_hint(
              "Move that file away, put back the one this tool wrote, or take over the change by hand; "
              "then roll back again.");
    return restore_file(host, captured, now, backups);
  }

 private:
  /// The file that is written: links are followed, as everybody who reads it does.
  Result<std::string> target(const Host& host) const {
    const auto info = host.files->lstat(path_);
    if (!info || !info->is_symlink()) return path_;
    return host.files->resolve(path_);
  }

  /// Whether `now` is what apply leaves when it found `before`. The extended attributes of a new file are
  /// what its directory and the security policy gave it, and unknown here.
  bool is_ours(const FileState& now, const FileState& before) const {
    if (!now.exists || now.sha256 != sha256_) return false;
    if (before.exists)
      return now.mode == before.mode && now.uid == before.uid && now.gid == before.gid &&
             now.attributes == before.attributes;
    return now.mode == if_new_.mode && (!if_new_.uid || now.uid == *if_new_.uid) &&
           (!if_new_.gid || now.gid == *if_new_.gid);
  }

  std::string path_;
  std::string content_;
  std::string sha256_;
  base::WriteOptions if_new_;
  std::optional<FileState> expected_;
};

}  // namespace

StepSpec write_file(std::string id, const std::string& path, std::string_view content,
                    const base::WriteOptions& if_new, const std::optional<FileState>& expected) {
  StepSpec spec{.id = std::move(id), .type = "write-file"};
  spec.parameters["path"] = path;
  set_bytes(spec.parameters, "content", content);
  spec.parameters["mode"] = if_new.mode;
  if (if_new.uid) spec.parameters["uid"] = *if_new.uid;
  if (if_new.gid) spec.parameters["gid"] = *if_new.gid;
  if (expected) spec.parameters["expected"] = to_json(*expected);
  return spec;
}

Result<std::unique_ptr<Step>> make_write_file(const StepSpec& spec) {
  const StepParameters parameters(spec);
  AUDITSHIFT_TRY_VOID(
      parameters.only({"path", "content", "content_base64", "mode", "uid", "gid", "expected"}));
  AUDITSHIFT_TRY(path, parameters.path("path"));
  AUDITSHIFT_TRY(content, parameters.bytes("content"));
  AUDITSHIFT_TRY(mode, parameters.number("mode"));
  AUDITSHIFT_TRY(uid, parameters.number("uid"));
  AUDITSHIFT_TRY(gid, parameters.number("gid"));
  AUDITSHIFT_TRY(expected, expected_state(parameters.find("expected")));
  base::WriteOptions if_new{.mode = mode.value_or(0644)};
  if ((if_new.mode & ~07777U) != 0) return parameters.error("mode", "is more than permission bits");
  if (uid) if_new.uid = *uid;
  if (gid) if_new.gid = *gid;
  return std::unique_ptr<Step>(
      std::make_unique<WriteFile>(std::move(path), std::move(content), if_new, std::move(expected)));
}

}  // namespace auditshift::migrate::change
