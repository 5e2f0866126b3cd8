// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/plan_steps.h"
#include "migrate/change/step_kinds.h"
#include "migrate/change/step_parameters.h"

namespace auditshift::migrate::change {
namespace {

using base::Json;
using base::Result;

/// Changes a plugin's file by another step, and tells auditd.
class AuditPlugin final : public Step {
 public:
  AuditPlugin(std::unique_ptr<Step> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  std::string describe() const override { return "switch the audit dispatcher's plugin off: " + path_; }
  Result<std::string> diff(const Host& host) override { return file_->diff(host); }
  Result<Json> capture(const Host& host, BackupStore& backups) override {
    return file_->capture(host, backups);
  }
  Result<bool> done(const Host& host) override { return file_->done(host); }

  Result<void> apply(Host& host, const Json& captured) override {
    AUDITSHIFT_TRY_VOID(file_->apply(host, captured));
    return reload(host);
  }

  Result<void> undo(Host& host, const Json& captured, const BackupStore& backups) override {
    AUDITSHIFT_TRY_VOID(file_->undo(host, captured, backups));
    return reload(host);
  }

 private:
  /// The file is what counts; a daemon that could not be told reads it when it starts again.
  Result<void> reload(Host& host) const {
    const auditd::AuditStatus status = host.audit->status();
    if (status.pid.value_or(0) == 0) return {};
    // The registered process is not always auditd (journald, go-audit, an agent of its own).
    const auto name = host.files->read_file("/proc/" + std::to_string(*status.pid) + "/comm");
    if (!name || *name != "auditd\n") return {};
    AUDITSHIFT_TRY(done,
                   host.processes->run({.argv = {"kill", "-HUP", std::to_string(*status.pid)}, .input = {}}));
    (void)done;
    return {};
  }

  std::unique_ptr<Step> file_;
  std::string path_;
};

}  // namespace

StepSpec audit_plugin(std::string id, const StepSpec& file) {
  return {.id = std::move(id),
          .type = "audit-plugin",
          .parameters = {{"change", file.type}, {"file", file.parameters}}};
}

Result<std::unique_ptr<Step>> make_audit_plugin(const StepSpec& spec) {
  const StepParameters parameters(spec);
  AUDITSHIFT_TRY_VOID(parameters.only({"change", "file"}));
  AUDITSHIFT_TRY(change, parameters.text("change"));
  if (change != "write-file" && change != "remove-file")
    return parameters.error("change", "is neither write-file nor remove-file");
  const Json* file = parameters.find("file");
  if (file == nullptr || !file->is_object()) return parameters.error("file", "is missing");
  AUDITSHIFT_TRY(step, make_step({.id = spec.id, .type = change, .parameters = *file}));
  const std::string path = file->value("path", "");
  return std::unique_ptr<Step>(std::make_unique<AuditPlugin>(std::move(step), path));
}

}  // namespace auditshift::migrate::change
