// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/package_rollback.h"

#include <algorithm>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "migrate/change/package_steps.h"
#include "migrate/outside/package_versions.h"

namespace auditshift::migrate::change {
namespace {

using namespace std::chrono;

constexpr months kLife{9};
constexpr std::size_t kShownVersions = 5;

struct Release {
  BuildVersion build;
  year_month_day day;
};

/// From the vendor's release notes.
constexpr Release kReleases[] = {
    {{101, 23052, 9}, 2023y / 7 / 10}, {{101, 23082, 6}, 2023y / 10 / 9}, {{101, 24052, 2}, 2024y / 6 / 24},
    {{101, 24072, 0}, 2024y / 9 / 23}, {{101, 24072, 1}, 2024y / 9 / 23}, {{101, 24082, 4}, 2024y / 10 / 15},
};

sys_days after_its_life(year_month_day released) {
  const year_month_day day = released + kLife;
  return day.ok() ? sys_days(day) : sys_days(day.year() / day.month() / last);
}

bool consented(const std::vector<std::string>& consent, const char* id) {
  return std::find(consent.begin(), consent.end(), id) != consent.end();
}

std::string offered(const std::vector<std::string>& available) {
  if (available.empty()) return "none";
  std::vector<std::string> shown(
      available.begin(),
      available.begin() + static_cast<std::ptrdiff_t>(std::min(available.size(), kShownVersions)));
  return base::join(shown, ", ") + (available.size() > shown.size() ? ", …" : "");
}

void check_expiry(const BuildVersion& build, const std::optional<BuildExpiry>& expiry, sys_days today,
                  const std::vector<std::string>& consent, PackagePlan& plan) {
  const std::string name = build.to_string();
  if (!expiry) {
    if (!consented(consent, kBuildExpiryUnknown))
      plan.obstacles.push_back({kBuildExpiryUnknown, "when build " + name + " expires is not known", true});
    return;
  }
  if (today < expiry->day) return;
  const std::string text = "build " + name + " expired " + (expiry->estimated ? "on or after " : "on ") +
                           base::format_date(expiry->day) +
                           ": it runs without a license and does not protect this host";
  if (consented(consent, kBuildExpired))
    plan.warnings.push_back(text);
  else
    plan.obstacles.push_back({kBuildExpired, text, true});
}

void warn(const BuildVersion& build, const PackageFacts& facts, PackagePlan& plan) {
  if (build >= kAuditdRemoved)
    plan.warnings.push_back("build " + build.to_string() +
                            " has no auditd provider: without eBPF its events come from netlink");
  if (build >= kImmutableHangFirst && build < kImmutableHangFixed)
    plan.warnings.push_back("build " + build.to_string() +
                            " hangs a host whose audit is immutable at its next boot, if it is on eBPF then");
  if (!facts.pinned)
    plan.warnings.push_back(facts.manager + " cannot pin " + facts.package +
                            " here: the next upgrade of this host undoes the rollback");
  plan.warnings.push_back(
      "updates that the vendor's portal orders undo the rollback and its pin: switch them off "
      "for this host there");
  if (std::find(facts.available.begin(), facts.available.end(), facts.installed) == facts.available.end())
    plan.warnings.push_back(
        "the build of now, " + facts.installed +
        ", is on offer no more: undoing this rollback is not possible, going to a newer build is");
}

}  // namespace

base::Result<PackageFacts> collect_package_facts(outside::Packages& packages, const std::string& package) {
  PackageFacts facts;
  facts.package = package;
  facts.manager = packages.manager();
  AUDITSHIFT_TRY(installed, packages.installed(package));
  if (!installed) return base::Error(base::Errc::not_found, "package " + package + " is not installed");
  facts.installed = *installed;
  AUDITSHIFT_TRY(available, packages.available(package));
  facts.available = available;
  const auto pinned = packages.pinned(package);
  if (!pinned && pinned.error().code() != base::Errc::unsupported) return pinned.error();
  if (pinned) facts.pinned = *pinned;
  return facts;
}

std::optional<BuildExpiry> expiry_of(const BuildVersion& build) {
  for (const Release& release : kReleases)
    if (release.build == build) return BuildExpiry{after_its_life(release.day), false};
  // 24082 is the second cut of August 2024; none was released before the month after.
  const int year_number = 2000 + static_cast<int>(build.cut / 1000);
  const unsigned month_number = build.cut / 10 % 100;
  if (build.cut < 10000 || build.cut > 99999 || month_number < 1 || month_number > 12) return std::nullopt;
  return BuildExpiry{after_its_life(year(year_number) / month(month_number) / 1 + months(1)), true};
}

PackagePlan plan_package_rollback(const BuildVersion& build, const PackageFacts& facts,
                                  const std::optional<BuildExpiry>& expiry, sys_days today,
                                  const std::vector<std::string>& consent) {
  PackagePlan plan;
  const auto version = outside::find_build(facts.available, build);
  const bool there = BuildVersion::parse(facts.installed) == build;
  if (!version && !there) {
    plan.obstacles.push_back({kBuildNotAvailable,
                              facts.manager + " offers no " + facts.package + " " + build.to_string() +
                                  "; it offers: " + offered(facts.available),
                              false});
    return plan;
  }
  plan.version = there ? facts.installed : *version;
  check_expiry(BuildVersion::parse(plan.version).value_or(build), expiry, today, consent, plan);
  warn(build, facts, plan);
  if (!plan.obstacles.empty()) return plan;
  const bool change = plan.version != facts.installed;
  if (change && facts.pinned.value_or(false))
    plan.steps.push_back(package_pin("unpin-" + facts.package, facts.package, false));
  if (change) plan.steps.push_back(package_version("version-" + facts.package, facts.package, plan.version));
  if (facts.pinned && (change || !*facts.pinned))
    plan.steps.push_back(package_pin("pin-" + facts.package, facts.package, true));
  return plan;
}

Plan package_plan(const PackagePlan& packages, base::WallTime now) {
  Plan plan;
  plan.created_at = now;
  plan.steps = packages.steps;
  plan.before_reboot = plan.steps.size();
  plan.facts = {{"package_version", packages.version}};
  plan.facts_hash = base::sha256(base::dump_json(plan.facts, base::JsonStyle::compact));
  plan.expectations = {{"package_version", packages.version}};
  return plan;
}

bool is_package_plan(const Plan& plan) { return plan.expectations.contains("package_version"); }

base::Result<Verification> verify_packages(const Host& host, const Plan& plan) {
  Verification verification;
  for (const StepSpec& spec : plan.steps) {
    // The pin is taken away for the change alone.
    if (&spec != &plan.steps.back() && spec.type == "package-pin") continue;
    AUDITSHIFT_TRY(step, make_step(spec));
    AUDITSHIFT_TRY(done, step->done(host));
    verification.checks.push_back({spec.type, done, step->describe() + (done ? "" : ": is not so")});
  }
  return verification;
}

PackagePlan plan_package_forward(const PackageFacts& facts) {
  PackagePlan plan;
  if (facts.available.empty()) {
    plan.version = facts.installed;
    plan.obstacles.push_back({kBuildNotAvailable, facts.manager + " offers no " + facts.package, false});
    return plan;
  }
  const auto newest = BuildVersion::parse(facts.available.front());
  const auto installed = BuildVersion::parse(facts.installed);
  const bool up =
      facts.available.front() != facts.installed && !(newest && installed && *newest <= *installed);
  plan.version = up ? facts.available.front() : facts.installed;
  if (facts.pinned.value_or(false))
    plan.steps.push_back(package_pin("unpin-" + facts.package, facts.package, false));
  if (up) plan.steps.push_back(package_version("version-" + facts.package, facts.package, plan.version));
  return plan;
}

bool held_by_rollback(const std::vector<Status>& history, const PackageFacts& facts) {
  if (!facts.pinned.value_or(false)) return false;
  for (auto past = history.rbegin(); past != history.rend(); ++past) {
    if (past->state != State::switched && past->state != State::committed) continue;
    if (is_package_plan(past->plan)) return past->plan.expectations["package_version"] == facts.installed;
  }
  return false;
}

}  // namespace auditshift::migrate::change
