// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/package_steps.h"

#include "migrate/change/step_kinds.h"
#include "migrate/change/step_parameters.h"

namespace auditshift::migrate::change {
namespace {

using base::Json;
using base::Result;

class PackageVersion final : public Step {
 public:
  PackageVersion(std::string package, std::string version)
      : package_(std::move(package)), version_(std::move(version)) {}

  std::string describe() const override { return "install " + package_ + " " + version_; }

  Result<std::string> diff(const Host& host) override {
    AUDITSHIFT_TRY(now, installed(host));
    if (now == version_) return std::string();
    return "package " + package_ + ": " + now + " -> " + version_ + "\n";
  }

  Result<Json> capture(const Host& host, BackupStore&) override {
    AUDITSHIFT_TRY(now, installed(host));
    return Json{{"version", now}};
  }

  Result<void> apply(Host& host, const Json&) override { return host.packages->install(package_, version_); }

  Result<bool> done(const Host& host) override {
    AUDITSHIFT_TRY(now, host.packages->installed(package_));
    return now == version_;
  }

  Result<void> undo(Host& host, const Json& captured, const BackupStore&) override {
    const std::string before = captured.is_object() ? captured.value("version", "") : "";
    if (before.empty()) return base::Error(base::Errc::invalid, describe() + ": no version was captured");
    // No version at all is an installation that was cut off, by a crash of this process or of the host.
    AUDITSHIFT_TRY(now, host.packages->installed(package_));
    if (now == before) return {};
    if (now && *now != version_)
      return base::Error(base::Errc::busy, package_ + " is at " + *now +
                                               " now, and neither this step nor the state "
                                               "before it (" +
                                               before + ") made it so: not changed")
          .with_hint("install " + package_ + " " + before +
                     " by hand if that is wanted, then roll back again");
    return host.packages->install(package_, before);
  }

 private:
  Result<std::string> installed(const Host& host) const {
    AUDITSHIFT_TRY(now, host.packages->installed(package_));
    if (now) return *now;
    return base::Error(base::Errc::not_found, "package " + package_ + " is not installed");
  }

  std::string package_;
  std::string version_;
};

class PackagePin final : public Step {
 public:
  PackagePin(std::string package, bool pinned) : package_(std::move(package)), pinned_(pinned) {}

  std::string describe() const override {
    return pinned_ ? "hold " + package_ + " back from upgrades" : "let " + package_ + " be upgraded again";
  }

  Result<std::string> diff(const Host& host) override {
    AUDITSHIFT_TRY(now, host.packages->pinned(package_));
    return now == pinned_ ? std::string() : describe() + "\n";
  }

  Result<Json> capture(const Host& host, BackupStore&) override {
    AUDITSHIFT_TRY(now, host.packages->pinned(package_));
    return Json{{"pinned", now}};
  }

  Result<void> apply(Host& host, const Json&) override { return set(host, pinned_); }

  Result<bool> done(const Host& host) override {
    AUDITSHIFT_TRY(now, host.packages->pinned(package_));
    return now == pinned_;
  }

  Result<void> undo(Host& host, const Json& captured, const BackupStore&) override {
    const auto before = captured.is_object() ? captured.find("pinned") : captured.end();
    if (before == captured.end() || !before->is_boolean())
      return base::Error(base::Errc::invalid, describe() + ": no pin was captured");
    return set(host, before->get<bool>());
  }

 private:
  Result<void> set(Host& host, bool wanted) const {
    AUDITSHIFT_TRY(now, host.packages->pinned(package_));
    if (now == wanted) return {};
    return host.packages->set_pinned(package_, wanted);
  }

  std::string package_;
  bool pinned_;
};

}  // namespace

StepSpec package_version(std::string id, const std::string& package, const std::string& version) {
  StepSpec spec{.id = std::move(id), .type = "package-version"};
  spec.parameters["package"] = package;
  spec.parameters["version"] = version;
  return spec;
}

StepSpec package_pin(std::string id, const std::string& package, bool pinned) {
  StepSpec spec{.id = std::move(id), .type = "package-pin"};
  spec.parameters["package"] = package;
  spec.parameters["pinned"] = pinned;
  return spec;
}

Result<std::unique_ptr<Step>> make_package_version(const StepSpec& spec) {
  const StepParameters parameters(spec);
  AUDITSHIFT_TRY_VOID(parameters.only({"package", "version"}));
  AUDITSHIFT_TRY(package, parameters.text("package"));
  AUDITSHIFT_TRY(version, parameters.text("version"));
  return std::unique_ptr<Step>(std::make_unique<PackageVersion>(std::move(package), std::move(version)));
}

Result<std::unique_ptr<Step>> make_package_pin(const StepSpec& spec) {
  const StepParameters parameters(spec);
  AUDITSHIFT_TRY_VOID(parameters.only({"package", "pinned"}));
  AUDITSHIFT_TRY(package, parameters.text("package"));
  AUDITSHIFT_TRY(pinned, parameters.flag_or("pinned", true));
  return std::unique_ptr<Step>(std::make_unique<PackagePin>(std::move(package), pinned));
}

}  // namespace auditshift::migrate::change
