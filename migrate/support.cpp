// SPDX-License-Identifier: Apache-2.0
#include "migrate/support.h"

#include <algorithm>
#include <charconv>

namespace auditshift::migrate {
namespace {

/// The vendor's minimum for eBPF ("Use eBPF-based sensor for Microsoft Defender for Endpoint on Linux").
struct Row {
  std::string_view id;
  std::string_view name;
  std::string_view from;          ///< lowest release of this row
  std::string_view below;         ///< first release of the next row, empty for none
  std::string_view kernel;        ///< lowest kernel
  bool uek = false;               ///< Oracle's own kernel
  std::string_view netlink_from;  ///< lowest release on which the product runs without eBPF, empty for none
};

constexpr Row kRows[] = {
    {"ubuntu", "Ubuntu", "16.04", "", "4.15.0", false, ""},
    {"fedora", "Fedora", "33", "", "5.8.15", false, ""},
    {"centos", "CentOS", "7.6", "", "3.10.0-957.10", false, "7.2"},
    {"rhel", "RHEL", "7.6", "", "3.10.0-957.10", false, "7.2"},
    {"sles", "SLES", "15", "", "5.3.18-18.47", false, "12"},
    {"sles_sap", "SLES for SAP", "15", "", "5.3.18-18.47", false, "12"},
    {"debian", "Debian", "9", "", "4.19.0", false, ""},
    {"ol", "Oracle Linux (RHCK)", "7.9", "", "3.10.0-1160", false, "7.2"},
    {"ol", "Oracle Linux (UEK)", "7.9", "", "5.4", true, "7.2"},
    {"amzn", "Amazon Linux", "2", "", "5.4.261-174.360", false, ""},
    {"rocky", "Rocky Linux 8", "8.7", "9", "4.18.0-425", false, ""},
    {"rocky", "Rocky Linux", "9.2", "", "5.14.0-284", false, ""},
    {"almalinux", "AlmaLinux 8", "8.4", "9", "4.18.0-305", false, ""},
    {"almalinux", "AlmaLinux", "9.2", "", "5.14.0-284", false, ""},
};

bool is_uek(std::string_view kernel) { return kernel.find("uek") != std::string_view::npos; }

const Row* find_row(std::string_view id, const NumericVersion& version, std::string_view kernel) {
  for (const Row& row : kRows) {
    if (row.id != id || row.uek != (id == "ol" && is_uek(kernel))) continue;
    if (!row.below.empty() && version >= NumericVersion::parse(row.below)) continue;
    return &row;
  }
  return nullptr;
}

}  // namespace

NumericVersion NumericVersion::parse(std::string_view text) {
  NumericVersion version;
  const char* at = text.data();
  const char* end = text.data() + text.size();
  while (at != end) {
    unsigned long number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc()) break;
    version.parts.push_back(number);
    at = next;
    if (at == end || (*at != '.' && *at != '-')) break;
    ++at;
  }
  return version;
}

std::strong_ordering NumericVersion::operator<=>(const NumericVersion& other) const {
  for (std::size_t i = 0; i < std::max(parts.size(), other.parts.size()); ++i) {
    const unsigned long mine = i < parts.size() ? parts[i] : 0;
    const unsigned long theirs = i < other.parts.size() ? other.parts[i] : 0;
    if (mine != theirs) return mine <=> theirs;
  }
  return std::strong_ordering::equal;
}

SupportAnswer support_of(std::string_view id, std::string_view version_text, std::string_view kernel_text) {
  const NumericVersion version = NumericVersion::parse(version_text);
  const NumericVersion kernel = NumericVersion::parse(kernel_text);
  const Row* row = find_row(id, version, kernel_text);
  if (row == nullptr)
    return {Support::unlisted, "", "the vendor's support table has no row for this distribution"};
  const std::string release = std::string(row->name) + " " + std::string(version_text);
  SupportAnswer answer;
  answer.row = std::string(row->name) + " " + std::string(row->from) + ", kernel " + std::string(row->kernel);
  if (version.empty() || kernel.empty()) {
    answer.reason = "the release or the kernel of this host is not known";
    return answer;
  }
  if (version < NumericVersion::parse(row->from)) {
    const bool netlink = !row->netlink_from.empty() && version >= NumericVersion::parse(row->netlink_from);
    answer.support = netlink ? Support::netlink_only : Support::unsupported;
    answer.reason = release + " is below the eBPF minimum " + std::string(row->from) +
                    (netlink ? "; the agent falls back to Netlink there, with process events only" : "");
    return answer;
  }
  if (kernel < NumericVersion::parse(row->kernel)) {
    answer.support = Support::netlink_only;
    answer.reason = "kernel " + std::string(kernel_text) + " is below the eBPF minimum " +
                    std::string(row->kernel) + " of " + std::string(row->name);
    return answer;
  }
  answer.support = Support::supported;
  answer.reason =
      release + " with kernel " + std::string(kernel_text) + " meets the minimum (" + answer.row + ")";
  return answer;
}

}  // namespace auditshift::migrate
