// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/loaded_rules.h"

#include <algorithm>
#include <set>

#include "auditd/layout.h"
#include "auditd/rule_identity.h"
#include "base/hash.h"
#include "migrate/change/file_change.h"
#include "migrate/change/file_steps.h"
#include "migrate/change/rule_json.h"
#include "migrate/change/rule_restore.h"
#include "migrate/change/step_parameters.h"
#include "migrate/owner.h"

namespace auditshift::migrate::change {
namespace {

using base::Json;
using base::Result;

struct NotedFile {
  std::string path;
  std::optional<FileState> expected;
};

class LoadedRules final : public Step {
 public:
  LoadedRules(std::string compiled, auditd::AuditVersion version, std::vector<NotedFile> files)
      : compiled_(std::move(compiled)), version_(version), files_(std::move(files)) {}

  std::string describe() const override { return "note which audit rules are loaded"; }
  Result<std::string> diff(const Host&) override { return std::string(); }
  Result<void> apply(Host&, const Json&) override { return {}; }
  Result<bool> done(const Host&) override { return true; }
  bool survives_boot() const override { return false; }
  bool waits_for_boot(const Host& host, const Json& captured) const override {
    return lacks_rules(host, captured);
  }

  Result<Json> capture(const Host& host, BackupStore& backups) override {
    AUDITSHIFT_TRY(json, capture_live(host));
    Json files = Json::array();
    for (const NotedFile& noted : files_) {
      AUDITSHIFT_TRY(file, capture_file(host, noted.path, noted.expected, backups));
      files.push_back(to_json(file));
    }
    if (!files.empty()) json["files"] = std::move(files);
    if (compiled_.empty()) return std::move(json);
    AUDITSHIFT_TRY(file, capture_file(host, compiled_, {}, backups));
    json["compiled"] = to_json(file);
    return std::move(json);
  }

  Result<void> undo(Host& host, const Json& json, const BackupStore& backups) override {
    AUDITSHIFT_TRY_VOID(restore_files(host, json, backups));
    if (!compiled_.empty()) AUDITSHIFT_TRY_VOID(restore_compiled(host, json, backups));
    AUDITSHIFT_TRY(defender, defender_rules(json));
    return restore_live(host, json, defender);
  }

 private:
  /// Those that the agent may have taken away itself.
  static Result<std::set<std::string>> defender_rules(const Json& json) {
    const auto list = json.find("rules");
    if (list == json.end()) return base::Error(base::Errc::invalid, "loaded-rules: nothing was captured");
    AUDITSHIFT_TRY(rules, rules_from_json(*list));
    std::set<std::string> identities;
    for (const auditd::Rule& rule : rules)
      if (owner_of(rule, FileRole::ordinary) == Owner::defender) identities.insert(auditd::identity_of(rule));
    return identities;
  }

  /// Those that are still missing when the steps that removed files are undone: the agent took them away.
  /// What the agent has written anew by now is its own affair, what somebody else wrote is theirs.
  static Result<void> restore_files(Host& host, const Json& json, const BackupStore& backups) {
    const auto files = json.find("files");
    if (files == json.end()) return {};
    for (const Json& file : *files) {
      AUDITSHIFT_TRY(captured, captured_file_from_json(file));
      AUDITSHIFT_TRY(now, read_file_state(*host.files, captured.path));
      if (!now.exists || now.sha256 == captured.state.sha256)
        AUDITSHIFT_TRY_VOID(restore_file(host, captured, now, backups));
    }
    return {};
  }

  /// It is generated: a boot in between has written it from files that were on their way. Once those are
  /// back, so is what is generated from them.
  Result<void> restore_compiled(Host& host, const Json& json, const BackupStore& backups) const {
    const auto found = json.find("compiled");
    if (found == json.end()) return base::Error(base::Errc::invalid, "loaded-rules: nothing was captured");
    AUDITSHIFT_TRY(captured, captured_file_from_json(*found));
    AUDITSHIFT_TRY(now, read_file_state(*host.files, captured.path));
    // Even then a write that was cut off may have left its temporary file.
    if (now == captured.state) return settle(host, captured.path);
    const auditd::SysrootView view(*host.files);
    auditd::ParseOptions options;
    options.version = version_;
    options.host = &view;
    const auditd::Layout layout = auditd::read_layout(*host.files, options);
    const std::string& generated = layout.would_compile;
    const bool as_noted = now.sha256 == captured.state.sha256 || !now.exists;
    if (as_noted || base::sha256(generated) == captured.state.sha256)
      return restore_file(host, captured, now, backups);
    // Somebody changed rules.d since then, which stays; so what is loaded at boot is what that gives now.
    if (now.sha256 == base::sha256(generated)) return settle(host, captured.path);
    AUDITSHIFT_TRY(text, host.files->read_file(captured.path));
    const bool all_read = std::all_of(layout.rules_d.begin(), layout.rules_d.end(),
                                      [](const auditd::RuleFile& file) { return file.error.empty(); });
    if (!all_read || !auditd::is_generated(text)) return changed_by_others(captured.path, "it was noted");
    AUDITSHIFT_TRY_VOID(host.files->write_atomic(captured.path, generated));
    return settle(host, captured.path);
  }

  std::string compiled_;
  auditd::AuditVersion version_;
  std::vector<NotedFile> files_;
};

/// The generated file, written as the loader would. LoadedRules brings it back.
class CompiledRules final : public Step {
 public:
  CompiledRules(std::string path, std::string content, std::unique_ptr<Step> file)
      : path_(std::move(path)), content_(std::move(content)), file_(std::move(file)) {}

  std::string describe() const override { return "write " + path_ + " as augenrules would"; }
  Result<std::string> diff(const Host& host) override { return file_->diff(host); }
  Result<bool> done(const Host& host) override { return file_->done(host); }

  // As the plan saw it, or as a boot in between has generated it: whoever writes it, writes it from rules.d.
  Result<Json> capture(const Host&, BackupStore&) override { return Json::object(); }
  Result<void> apply(Host& host, const Json&) override {
    AUDITSHIFT_TRY(standing, done(host));
    if (!standing) AUDITSHIFT_TRY_VOID(host.files->write_atomic(path_, content_));
    return settle(host, path_);
  }
  Result<void> undo(Host&, const Json&, const BackupStore&) override { return {}; }

 private:
  std::string path_;
  std::string content_;
  std::unique_ptr<Step> file_;
};

}  // namespace

StepSpec loaded_rules(std::string id, const std::string& compiled, const auditd::AuditVersion& version,
                      const std::vector<std::pair<std::string, FileState>>& files) {
  StepSpec spec{.id = std::move(id),
                .type = "loaded-rules",
                .parameters = {{"compiled", compiled}, {"audit_version", version.to_string()}}};
  for (const auto& [path, state] : files)
    spec.parameters["files"].push_back({{"path", path}, {"expected", to_json(state)}});
  return spec;
}

StepSpec compiled_rules(std::string id, const std::string& path, std::string_view content) {
  StepSpec spec{.id = std::move(id), .type = "compiled-rules"};
  spec.parameters["path"] = path;
  set_bytes(spec.parameters, "content", content);
  return spec;
}

Result<std::unique_ptr<Step>> make_loaded_rules(const StepSpec& spec) {
  const StepParameters parameters(spec);
  AUDITSHIFT_TRY_VOID(parameters.only({"compiled", "audit_version", "files"}));
  AUDITSHIFT_TRY(compiled, parameters.text("compiled"));
  AUDITSHIFT_TRY(text, parameters.text("audit_version"));
  const auto version = auditd::AuditVersion::parse(text);
  if (!version) return parameters.error("audit_version", "is no version");
  std::vector<NotedFile> files;
  if (const Json* list = parameters.find("files")) {
    if (!list->is_array()) return parameters.error("files", "is no array");
    for (const Json& file : *list) {
      if (!file.is_object()) return parameters.error("files", "holds what is no object");
      const StepSpec as_spec{.id = spec.id, .type = spec.type, .parameters = file};
      const StepParameters each(as_spec);
      AUDITSHIFT_TRY_VOID(each.only({"path", "expected"}));
      AUDITSHIFT_TRY(path, each.path("path"));
      AUDITSHIFT_TRY(expected, expected_state(each.find("expected")));
      files.push_back({std::move(path), std::move(expected)});
    }
  }
  return std::unique_ptr<Step>(
      std::make_unique<LoadedRules>(std::move(compiled), *version, std::move(files)));
}

Result<std::unique_ptr<Step>> make_compiled_rules(const StepSpec& spec) {
  const StepParameters parameters(spec);
  AUDITSHIFT_TRY_VOID(parameters.only({"path", "content", "content_base64"}));
  AUDITSHIFT_TRY(path, parameters.path("path"));
  AUDITSHIFT_TRY(content, parameters.bytes("content"));
  AUDITSHIFT_TRY(file, make_step(write_file(spec.id, path, content)));
  return std::unique_ptr<Step>(
      std::make_unique<CompiledRules>(std::move(path), std::move(content), std::move(file)));
}

}  // namespace auditshift::migrate::change
