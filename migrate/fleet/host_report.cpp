// SPDX-License-Identifier: Apache-2.0
#include "migrate/fleet/host_report.h"

#include <algorithm>

#include "migrate/fleet/pick_json.h"
#include "migrate/owner.h"

namespace auditshift::migrate::fleet {
namespace {

using base::Errc;
using base::Error;
using base::Json;
using base::Result;

constexpr std::size_t kLongestText = 4096;
constexpr std::size_t kMostFindings = 500;
constexpr std::size_t kMostExclusions = 2000;

const std::vector<WantedSection>& wanted_sections() {
  static const std::vector<WantedSection> kWanted = {
      {"schema_version", {}},
      {"tool_version", {}},
      {"generated_at", {}},
      {"host",
       {"hostname", "machine_id", "distribution", "distribution_name", "distribution_version", "kernel",
        "architecture"}},
      {"verdict", {}},
      {"next_step", {}},
      {"audit", {"state"}},
      {"rules", {"owner"}},
      {"exclusions",
       {"id", "intent", "result", "entry", "dangers", "serves_user_rules", "already_managed",
        "consent_needed", "carried_over"}},
      {"sensor", {"tier"}},
      {"agent", {"kind", "version", "subsystem", "expires"}},
      {"findings", {"id", "title", "severity", "blocks", "accepted", "diagnosis"}},
  };
  return kWanted;
}

std::string cut(std::string text) {
  if (text.size() <= kLongestText) return text;
  std::size_t end = kLongestText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;  // not inside a character
  text.resize(end);
  return text + "…";
}

/// Reads the fields of one object and keeps the first thing that is wrong with them.
class Fields {
 public:
  Fields(const Json& object, std::string place, std::string& error)
      : object_(object), place_(std::move(place)), error_(error) {
    if (!object_.is_object()) complain("is no object");
  }

  std::string text(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr || value->is_null()) return {};
    if (value->is_string()) return cut(value->get<std::string>());
    complain("is no text", key);
    return {};
  }
  std::string needed(const char* key) const {
    std::string value = text(key);
    if (value.empty()) complain("is missing", key);
    return value;
  }
  bool flag(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr || value->is_null()) return false;
    if (value->is_boolean()) return value->get<bool>();
    complain("is neither true nor false", key);
    return false;
  }
  /// A word out of a set of values; unknown words are complaints.
  template <class T, std::size_t N>
  T word(const char* key, const T (&values)[N]) const {
    const std::string value = needed(key);
    for (const T each : values)
      if (to_string(each) == value) return each;
    if (!value.empty()) complain("has the unknown value '" + value + "'", key);
    return values[0];
  }
  const Json* find(const char* key) const {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }
  /// The elements of a list; none when it is missing.
  const Json& list(const char* key, std::size_t most) const {
    static const Json kNone = Json::array();
    const Json* value = find(key);
    if (value == nullptr || value->is_null()) return kNone;
    if (!value->is_array()) return complain("is no list", key), kNone;
    if (value->size() > most)
      return complain("has more than " + std::to_string(most) + " entries", key), kNone;
    return *value;
  }
  /// An object; one without keys when it is missing.
  Fields object(const char* key) const {
    static const Json kEmpty = Json::object();
    const Json* value = find(key);
    return {value == nullptr || value->is_null() ? kEmpty : *value, place_ + key, error_};
  }

  void complain(const std::string& what, const char* key = "") const {
    if (!error_.empty()) return;
    const std::string dot = place_.empty() || *key == '\0' ? "" : ".";
    error_ = place_ + dot + key + " " + what;
  }

 private:
  const Json& object_;
  std::string place_;
  std::string& error_;
};

std::string place_in(const char* list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

void read_host(const Fields& document, HostReport& report) {
  const Fields host = document.object("host");
  report.hostname = host.text("hostname");
  report.machine_id = host.text("machine_id");
  report.distribution = host.text("distribution");
  report.distribution_name = host.text("distribution_name");
  report.distribution_version = host.text("distribution_version");
  report.kernel = host.text("kernel");
  report.architecture = host.text("architecture");
  if (report.hostname.empty() && report.machine_id.empty())
    host.complain("has neither a hostname nor a machine_id");
  report.audit_state = document.object("audit").text("state");
  report.sensor_tier = document.object("sensor").text("tier");
  const Fields agent = document.object("agent");
  report.agent = agent.text("kind");
  report.agent_build = agent.text("version");
  report.event_provider = agent.text("subsystem");
  report.expires = agent.text("expires");
}

void read_rules(const Fields& document, HostReport& report, std::string& error) {
  constexpr Owner kOwners[] = {Owner::defender, Owner::defender_exclusion, Owner::exclusion, Owner::user,
                               Owner::control};
  const Json& rules = document.list("rules", 1'000'000);
  for (std::size_t i = 0; i < rules.size() && error.empty(); ++i) {
    const Owner owner = Fields(rules[i], place_in("rules", i), error).word("owner", kOwners);
    ++report.rules[static_cast<std::size_t>(owner)];
  }
}

void read_findings(const Fields& document, HostReport& report, std::string& error) {
  constexpr FindingSeverity kSeverities[] = {FindingSeverity::info, FindingSeverity::low,
                                             FindingSeverity::medium, FindingSeverity::high};
  constexpr Blocks kBlocks[] = {Blocks::none, Blocks::overridable, Blocks::mandatory};
  const Json& findings = document.list("findings", kMostFindings);
  for (std::size_t i = 0; i < findings.size() && error.empty(); ++i) {
    const Fields each(findings[i], place_in("findings", i), error);
    report.findings.push_back({each.needed("id"), each.needed("title"), each.word("severity", kSeverities),
                               each.word("blocks", kBlocks), each.flag("accepted"), each.text("diagnosis")});
  }
}

void read_exclusions(const Fields& document, HostReport& report, std::string& error) {
  const Json& exclusions = document.list("exclusions", kMostExclusions);
  for (std::size_t i = 0; i < exclusions.size() && error.empty(); ++i) {
    const Fields each(exclusions[i], place_in("exclusions", i), error);
    ReportedExclusion exclusion;
    exclusion.id = each.needed("id");
    exclusion.intent = each.text("intent");
    exclusion.result = each.needed("result");
    const Fields entry = each.object("entry");
    exclusion.kind = entry.text("kind");
    exclusion.value = entry.text("value");
    for (const Json& danger : each.list("dangers", kMostFindings)) {
      if (danger.is_string()) exclusion.dangers.push_back(cut(danger.get<std::string>()));
    }
    exclusion.serves_user_rules = each.flag("serves_user_rules");
    exclusion.already_managed = each.flag("already_managed");
    exclusion.consent_needed = each.flag("consent_needed");
    exclusion.carried_over = each.flag("carried_over");
    report.exclusions.push_back(std::move(exclusion));
  }
}

/// Another document of this project's, or of somebody else's, that lies beside the assessments. Those that
/// name their host do so in a word; an assessment has an object there (docs/schema).
bool is_something_else(const Json& document) {
  const auto host = document.find("host");
  return !document.contains("verdict") && (host == document.end() || !host->is_object());
}

}  // namespace

bool HostReport::needs_attention() const {
  if (verdict == Verdict::blocked || verdict == Verdict::needs_consent) return true;
  return verdict == Verdict::netlink_only &&
         std::any_of(findings.begin(), findings.end(),
                     [](const ReportedFinding& finding) { return finding.is_blocking(); });
}

std::size_t HostReport::exclusions_waiting() const {
  return static_cast<std::size_t>(
      std::count_if(exclusions.begin(), exclusions.end(),
                    [](const ReportedExclusion& exclusion) { return exclusion.consent_needed; }));
}

Result<std::optional<HostReport>> parse_host_report(std::string_view text, const std::string& file) {
  AUDITSHIFT_TRY(document, pick_json(text, file, wanted_sections()));
  if (is_something_else(document)) return std::optional<HostReport>();
  std::string error;
  const Fields fields(document, "", error);
  const std::string version = fields.needed("schema_version");
  if (!version.empty() && !version.starts_with("1."))
    return Error(Errc::unsupported, file + ": schema_version " + version + " is unknown to this program")
        .with_hint("use an auditshift that is at least as new as the one that wrote it");
  HostReport report;
  report.file = file;
  report.tool_version = fields.text("tool_version");
  const std::string time = fields.needed("generated_at");
  if (const auto parsed = base::parse_utc(time)) {
    report.generated_at = *parsed;
  } else {
    fields.complain("is no time", "generated_at");
  }
  constexpr Verdict kAll[] = {Verdict::blocked, Verdict::needs_consent,      Verdict::netlink_only,
                              Verdict::ready,   Verdict::ready_after_reboot, Verdict::already_switched};
  report.verdict = fields.word("verdict", kAll);
  report.next_step = fields.text("next_step");
  read_host(fields, report);
  read_rules(fields, report, error);
  read_findings(fields, report, error);
  read_exclusions(fields, report, error);
  if (!error.empty()) return Error(Errc::invalid, file + ": " + error);
  return std::optional<HostReport>(std::move(report));
}

}  // namespace auditshift::migrate::fleet
