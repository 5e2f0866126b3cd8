// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/migrate/change/test_steps.h"

#include <algorithm>

#include "auditd/parser.h"
#include "migrate/change/file_change.h"

namespace auditshift::tests {
namespace {

using base::Errc;
using base::Error;
using base::Json;
using base::Result;
using migrate::change::BackupStore;
using migrate::change::Host;
using migrate::change::Step;
using migrate::change::StepSpec;

Result<auditd::Rule> parse(const std::string& text) {
  const auditd::Line line = auditd::parse_line(text, {}, {});
  if (!line.rule) return Error(Errc::invalid, "no rule: " + text);
  return *line.rule;
}

std::vector<std::string> live_texts(const Host& host) {
  std::vector<std::string> texts;
  for (const auditd::Rule& rule : host.audit->rules().rules) texts.push_back(rule.text);
  return texts;
}

class KernelRules final : public Step {
 public:
  explicit KernelRules(std::vector<std::string> rules) : rules_(std::move(rules)) {}
  std::string describe() const override { return "delete rules from the kernel"; }
  Result<std::string> diff(const Host&) override { return std::string("rules\n"); }
  Result<Json> capture(const Host& host, BackupStore&) override { return Json(live_texts(host)); }
  Result<void> apply(Host& host, const Json&) override {
    for (const std::string& text : present(host)) {
      AUDITSHIFT_TRY(rule, parse(text));
      AUDITSHIFT_TRY_VOID(host.audit->remove(rule));
    }
    return {};
  }
  bool survives_boot() const override { return false; }
  Result<bool> done(const Host& host) override { return present(host).empty(); }
  Result<void> undo(Host& host, const Json& captured, const BackupStore&) override {
    const auto wanted = captured.get<std::vector<std::string>>();
    if (live_texts(host) == wanted) return {};
    for (const std::string& text : live_texts(host)) {
      AUDITSHIFT_TRY(rule, parse(text));
      AUDITSHIFT_TRY_VOID(host.audit->remove(rule));
    }
    for (const std::string& text : wanted) {
      AUDITSHIFT_TRY(rule, parse(text));
      AUDITSHIFT_TRY_VOID(host.audit->add(rule));
    }
    return {};
  }

 private:
  std::vector<std::string> present(const Host& host) const {
    std::vector<std::string> texts;
    const std::vector<std::string> live = live_texts(host);
    for (const std::string& rule : rules_)
      if (std::find(live.begin(), live.end(), rule) != live.end()) texts.push_back(rule);
    return texts;
  }
  std::vector<std::string> rules_;
};

class Provider final : public Step {
 public:
  std::string describe() const override { return "switch the provider to eBPF"; }
  Result<std::string> diff(const Host&) override { return std::string("provider\n"); }
  Result<Json> capture(const Host& host, BackupStore&) override {
    return Json(host.agent->status()->subsystem);
  }
  Result<void> apply(Host& host, const Json&) override { return host.agent->set_ebpf(true); }
  Result<bool> done(const Host& host) override { return host.agent->status()->subsystem == "ebpf"; }
  Result<void> undo(Host& host, const Json& captured, const BackupStore&) override {
    return host.agent->set_ebpf(captured == "ebpf");
  }
};

class Eager final : public Step {
 public:
  explicit Eager(std::string path) : path_(std::move(path)) {}
  std::string describe() const override { return "remove " + path_ + " too early"; }
  Result<std::string> diff(const Host&) override { return std::string("eager\n"); }
  Result<Json> capture(const Host& host, BackupStore& backups) override {
    AUDITSHIFT_TRY(captured, migrate::change::capture_file(host, path_, {}, backups));
    (void)host.files->remove(path_);
    return migrate::change::to_json(captured);
  }
  Result<void> apply(Host&, const Json&) override { return {}; }
  Result<bool> done(const Host& host) override { return !host.files->exists(path_); }
  Result<void> undo(Host& host, const Json& json, const BackupStore& backups) override {
    AUDITSHIFT_TRY(captured, migrate::change::captured_file_from_json(json));
    AUDITSHIFT_TRY(now, migrate::change::read_file_state(*host.files, path_));
    return migrate::change::restore_file(host, captured, now, backups);
  }

 private:
  std::string path_;
};

class Refuses final : public Step {
 public:
  std::string describe() const override { return "do what cannot be done"; }
  Result<std::string> diff(const Host&) override { return std::string("nothing\n"); }
  Result<Json> capture(const Host&, BackupStore&) override { return Json::object(); }
  Result<void> apply(Host&, const Json&) override { return Error(Errc::timeout, "the agent did not answer"); }
  Result<bool> done(const Host&) override { return false; }
  Result<void> undo(Host&, const Json&, const BackupStore&) override { return {}; }
};

}  // namespace

Result<std::unique_ptr<Step>> make_test_step(const StepSpec& spec) {
  if (spec.type == "test-kernel-rules")
    return std::unique_ptr<Step>(
        std::make_unique<KernelRules>(spec.parameters["rules"].get<std::vector<std::string>>()));
  if (spec.type == "test-provider") return std::unique_ptr<Step>(std::make_unique<Provider>());
  if (spec.type == "test-eager")
    return std::unique_ptr<Step>(std::make_unique<Eager>(spec.parameters["path"].get<std::string>()));
  if (spec.type == "test-refuses") return std::unique_ptr<Step>(std::make_unique<Refuses>());
  return migrate::change::make_step(spec);
}

}  // namespace auditshift::tests
