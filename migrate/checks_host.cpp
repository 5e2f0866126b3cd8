// SPDX-License-Identifier: Apache-2.0
#include "migrate/check.h"
#include "migrate/support.h"

namespace auditshift::migrate {
namespace {

bool is_mdatp(const CheckContext& c) { return c.facts.agent.kind == AgentKind::mdatp; }
bool not_native(const CheckContext& c) { return c.facts.agent.kind != AgentKind::native; }

SupportAnswer support(const CheckContext& c) {
  return support_of(c.facts.host.distribution, c.facts.host.distribution_version, c.facts.host.kernel);
}

Evidence release_evidence(const CheckContext& c) {
  const auto known = [](const std::string& text) { return text.empty() ? std::string("unknown") : text; };
  return {"/etc/os-release", 0,
          known(c.facts.host.distribution_name) + ", kernel " + known(c.facts.host.kernel)};
}

base::Json release_data(const CheckContext& c, const SupportAnswer& answer) {
  return {{"distribution", c.facts.host.distribution},
          {"version", c.facts.host.distribution_version},
          {"kernel", c.facts.host.kernel},
          {"row", answer.row}};
}

CheckOutcome unsupported(const CheckContext& c) {
  const SupportAnswer answer = support(c);
  if (answer.support != Support::unsupported) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::high;
  finding.blocks = Blocks::overridable;
  finding.diagnosis = "The vendor does not support eBPF here: " + answer.reason + ".";
  finding.evidence.push_back(release_evidence(c));
  finding.data = release_data(c, answer);
  finding.remediations.push_back({.hint = "Upgrade the distribution before the switch."});
  return std::vector{finding};
}

CheckOutcome netlink_only(const CheckContext& c) {
  const SupportAnswer answer = support(c);
  if (answer.support != Support::netlink_only) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::high;
  finding.blocks = is_mdatp(c) ? Blocks::overridable : Blocks::none;
  finding.diagnosis = "Without audit this host gets process events only: " + answer.reason + ".";
  finding.evidence.push_back(release_evidence(c));
  finding.data = release_data(c, answer);
  finding.remediations.push_back({.hint = "Upgrade to a kernel at or above the minimum, or accept that file "
                                          "and socket events end with the switch."});
  return std::vector{finding};
}

CheckOutcome unlisted(const CheckContext& c) {
  const SupportAnswer answer = support(c);
  if (answer.support != Support::unlisted) return std::vector<Finding>{};
  Finding finding;
  finding.severity = is_mdatp(c) ? FindingSeverity::medium : FindingSeverity::info;
  finding.diagnosis =
      "Whether the vendor supports eBPF here cannot be told from its table: " + answer.reason + ".";
  finding.evidence.push_back(release_evidence(c));
  finding.data = release_data(c, answer);
  finding.remediations.push_back(
      {.hint = "Go by what the kernel allows when it is tried (the sensor section)."});
  return std::vector{finding};
}

std::vector<Finding> known_bad(const CheckContext& c, const std::string& diagnosis,
                               std::vector<Evidence> evidence, const std::string& hint) {
  Finding finding;
  finding.severity = FindingSeverity::high;
  finding.blocks = Blocks::overridable;
  finding.diagnosis = diagnosis;
  finding.evidence.push_back(release_evidence(c));
  finding.evidence.insert(finding.evidence.end(), evidence.begin(), evidence.end());
  finding.data = {{"kernel", c.facts.host.kernel}, {"version", c.facts.host.distribution_version}};
  finding.remediations.push_back({.hint = hint});
  return {finding};
}

CheckOutcome rhel_sap(const CheckContext& c) {
  if (c.facts.host.distribution != "rhel" || c.facts.host.distribution_version != "8.1" ||
      c.facts.host.sap.empty())
    return std::vector<Finding>{};
  return known_bad(c, "RHEL 8.1 with SAP panics with the eBPF sensor.", c.facts.host.sap,
                   "Upgrade RHEL to 8.2 or later before the switch.");
}

CheckOutcome bad_uek(const CheckContext& c) {
  const std::string& kernel = c.facts.host.kernel;
  if (c.facts.host.distribution != "ol") return std::vector<Finding>{};
  if (!kernel.starts_with("5.15.0-0.30.20.el8uek") && !kernel.starts_with("5.15.0-0.30.20.1.el8uek"))
    return std::vector<Finding>{};
  return known_bad(c, "Kernel " + kernel + " hangs or panics with the eBPF sensor.", {},
                   "Boot a kernel above or below this one before the switch.");
}

CheckOutcome ksplice(const CheckContext& c) {
  if (c.facts.host.distribution != "ol" || c.facts.host.distribution_version != "7.9" ||
      c.facts.host.ksplice.empty())
    return std::vector<Finding>{};
  return known_bad(c, "Oracle Linux 7.9 with ksplice is known to fail with the eBPF sensor.",
                   c.facts.host.ksplice,
                   "Update the kernel by package and reboot instead of by ksplice, before the switch.");
}

CheckOutcome kernel_leak(const CheckContext& c) {
  const auto kernel = NumericVersion::parse(c.facts.host.kernel);
  if (!c.facts.agent.build) return NotRun{"the agent's build is unknown"};
  const bool old_kernel = kernel >= NumericVersion::parse("3.10") && kernel < NumericVersion::parse("4.17");
  if (!old_kernel || *c.facts.agent.build >= kKernelLeakFixed || *c.facts.agent.build < kFirstEbpfPreview)
    return std::vector<Finding>{};
  auto findings = known_bad(
      c,
      "Build " + c.facts.agent.build->to_string() + " leaks kernel memory with eBPF on kernels 3.10 to 4.16.",
      {}, "Update the agent to " + kKernelLeakFixed.to_string() + " or later before the switch.");
  findings.front().data["build"] = c.facts.agent.build->to_string();
  return findings;
}

constexpr Check kChecks[] = {
    {"HST001", "Distribution without eBPF support",
     "The vendor's table names the lowest release of each distribution for the eBPF sensor.", is_mdatp,
     unsupported},
    {"HST002", "Kernel below the eBPF minimum",
     "Below the minimum the agent falls back to Netlink: exec, fork and exit, but no files and no sockets.",
     not_native, netlink_only},
    {"HST003", "Distribution not in the support table",
     "For distributions without a row only a trial on the kernel can tell.", not_native, unlisted},
    {"HST004", "RHEL 8.1 with SAP", "A known kernel panic (the vendor's page on the eBPF sensor).", is_mdatp,
     rhel_sap},
    {"HST005", "Oracle Linux 8.8 on a bad UEK",
     "Two builds of this kernel hang or panic (the vendor's page on the eBPF sensor).", not_native, bad_uek},
    {"HST006", "Oracle Linux 7.9 with ksplice", "A known failure (the vendor's page on the eBPF sensor).",
     is_mdatp, ksplice},
    {"HST007", "Kernel memory leak of early eBPF builds",
     "Fixed by the agent, not by the kernel (the vendor's release notes).", is_mdatp, kernel_leak},
};

}  // namespace

std::span<const Check> host_checks() { return kChecks; }

}  // namespace auditshift::migrate
