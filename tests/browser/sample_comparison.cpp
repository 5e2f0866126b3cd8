// SPDX-License-Identifier: Apache-2.0
// usage: sample_comparison missed|nothing-lost: the page of a comparison whose names are those of an
// attacker, on standard output. A real one needs a host with audit.
#include <cstdio>
#include <string_view>

#include "migrate/compare/comparison.h"

namespace auditshift::migrate::compare {
namespace {

LiveRule rule(const char* text, Owner owner) {
  LiveRule rule;
  rule.rule.filter = auditd::Filter::exit;
  rule.rule.action = auditd::Action::always;
  rule.text = text;
  rule.owner = owner;
  rule.meaning = "record each <b>such</b> call";
  return rule;
}

Comparison sample(bool missed) {
  Comparison comparison;
  comparison.host = R"(<img src=x onerror=alert(1)>"'</title>)";
  comparison.started = base::WallTime(std::chrono::seconds(1'795'248'000));
  comparison.duration = std::chrono::milliseconds(60'050);
  comparison.audit_state = "immutable";
  comparison.sensor_tier = "core";
  comparison.settings_from = "kinds of the running sensor";
  comparison.rules = {rule("-a always,exit -F arch=b64 -S rename -F key=mdatp", Owner::defender),
                      rule("-w /srv/<script>document.title=\"owned\"</script> -p wa -k users", Owner::user),
                      rule("-a always,exit -S all -F path=/without/an/event -k none", Owner::user)};
  comparison.tallies.resize(comparison.rules.size());
  comparison.tallies[0].both = 12'345;
  comparison.tallies[0].audit_only[Reason::not_covered] = 1;
  comparison.tallies[1].both = 7;
  if (!missed) return comparison;
  RuleTally& tally = comparison.tallies[1];
  tally.differing = 1;
  tally.audit_only[Reason::excluded] = 2;
  tally.sensor_only[Reason::no_record] = 4;
  tally.examples.push_back({comparison.started, "audit", 77, "/bin/<script>alert(2)</script>\x1b[31m",
                            "rename", -13, "\"/a\xff\" \"</code><svg/onload=alert(3)>\"", "excluded",
                            "process /usr/bin/x"});
  comparison.losses.push_back({"sensor", "ring buffer full", 3});
  comparison.notes.emplace_back("a <i>note</i>");
  comparison.unruled.audit_only[Reason::unexplained] = 5;
  return comparison;
}

}  // namespace
}  // namespace auditshift::migrate::compare

int main(int argc, char** argv) {
  using namespace auditshift::migrate::compare;  // NOLINT(google-build-using-namespace): all of it is about
                                                 // this
  const std::string_view outcome = argc == 2 ? argv[1] : "";
  if (outcome != "missed" && outcome != "nothing-lost") return 64;
  const std::string page = render_html(sample(outcome == "missed"));
  return std::fwrite(page.data(), 1, page.size(), stdout) == page.size() ? 0 : 1;
}
