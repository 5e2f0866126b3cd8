// SPDX-License-Identifier: Apache-2.0
#include "fake_host.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "base/progress.h"
#include "migrate/collect.h"

namespace auditshift::migrate {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFeatures[] = {
    "lockdown",           "btf",         "raw_tracepoint",   "tracepoint",   "btf_tracepoint",
    "read_kernel_memory", "global_data", "bounded_loops",    "task_storage", "ring_buffer",
    "perf_buffer",        "fentry",      "process_connector"};

}  // namespace

FakeHost::FakeHost() {
  std::string pattern = (fs::temp_directory_path() / "auditshift-host-XXXXXX").native();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  root_ = pattern;
  write("/etc/hostname", "fake\n");
  write("/auditshift-capture/captured-at", "2024-06-03T06:00:00Z\n");
  write("/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
  release("debian", "12", "6.1.0-23-amd64");
  no_bpf({});
}

FakeHost::~FakeHost() {
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

FakeHost& FakeHost::write(std::string_view path, std::string_view content) {
  const fs::path file = root_ + std::string(path);
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
  return *this;
}

FakeHost& FakeHost::link(std::string_view path, std::string_view target) {
  const fs::path file = root_ + std::string(path);
  fs::create_directories(file.parent_path());
  fs::remove(file);
  fs::create_symlink(fs::path(target), file);
  return *this;
}

FakeHost& FakeHost::remove(std::string_view path) {
  fs::remove_all(root_ + std::string(path));
  return *this;
}

FakeHost& FakeHost::release(std::string_view id, std::string_view version, std::string_view kernel) {
  write("/etc/os-release", "ID=" + std::string(id) + "\nVERSION_ID=\"" + std::string(version) +
                               "\"\nPRETTY_NAME=\"" + std::string(id) + " " + std::string(version) + "\"\n");
  return write("/auditshift-capture/uname",
               "Linux fake " + std::string(kernel) + " #1 SMP x86_64 GNU/Linux\n");
}

FakeHost& FakeHost::program(std::string_view path) {
  return write(path, "").path_facts(path, {.script = false, .hard_links = 1, .writable_by = ""});
}

FakeHost& FakeHost::path_facts(std::string_view path, PathFacts facts) {
  facts.resolved = path;
  path_facts_[std::string(path)] = std::move(facts);
  return write("/auditshift-capture/path-facts.json", format_path_facts(path_facts_));
}

FakeHost& FakeHost::audit(int enabled, std::string_view more) {
  return write("/auditshift-capture/audit-status",
               "enabled " + std::to_string(enabled) +
                   "\nfailure 1\npid 500\nrate_limit 0\nbacklog_limit 8192\n" +
                   (more.empty() ? "lost 0\nbacklog 0\n" : std::string(more)));
}

FakeHost& FakeHost::live_rules(std::string_view text) {
  return write("/auditshift-capture/audit-rules", text);
}

FakeHost& FakeHost::rules(std::string_view name, std::string_view text) {
  return write("/etc/audit/rules.d/" + std::string(name), text);
}

FakeHost& FakeHost::augenrules() {
  write("/usr/lib/systemd/system/auditd.service",
        "[Service]\nExecStart=/sbin/auditd\nExecStartPost=-/sbin/augenrules "
        "--load\n[Install]\nWantedBy=multi-user.target\n");
  return link("/etc/systemd/system/multi-user.target.wants/auditd.service",
              "/usr/lib/systemd/system/auditd.service");
}

FakeHost& FakeHost::mdatp(std::string_view build, std::string_view subsystem, std::string_view health) {
  write("/opt/microsoft/mdatp/sbin/wdavdaemon", "");
  write("/usr/lib/systemd/system/mdatp.service", "[Install]\nWantedBy=multi-user.target\n");
  link("/etc/systemd/system/multi-user.target.wants/mdatp.service", "/usr/lib/systemd/system/mdatp.service");
  std::string text;
  const auto field = [&](const char* name, const std::string& value) {
    char line[128];
    std::snprintf(line, sizeof line, "%-44s: %s\n", name, value.c_str());
    text += line;
  };
  field("healthy", "true");
  field("licensed", "true");
  field("app_version", "\"" + std::string(build) + "\"");
  field("product_expiration", "Dec 24, 2024 at 05:15:44 PM");
  field("supplementary_events_subsystem", "\"" + std::string(subsystem) + "\"");
  return write("/auditshift-capture/mdatp-health", text + std::string(health));
}

FakeHost& FakeHost::managed(std::string_view json) {
  return write("/etc/opt/microsoft/mdatp/managed/mdatp_managed.json", json);
}

FakeHost& FakeHost::no_bpf(const std::vector<std::string>& features) {
  std::vector<bpf::ProbeResult> results;
  for (const char* feature : kFeatures) {
    const bool no = std::find(features.begin(), features.end(), feature) != features.end();
    results.push_back({feature, no ? bpf::ProbeResult::no : bpf::ProbeResult::yes, no ? "refused" : "works"});
  }
  return write("/auditshift-capture/ebpf-probe.json", format_probe(results));
}

Facts FakeHost::facts() const {
  auto world = captured_world(root_);
  if (!world) throw std::runtime_error(world.error().message());
  base::NoProgress progress;
  return collect_facts(*world, {}, progress);
}

Assessment FakeHost::assess(const AssessOptions& options) const { return migrate::assess(facts(), options); }

const Finding* find(const Assessment& assessment, std::string_view id) {
  for (const Finding& finding : assessment.findings)
    if (finding.id == id) return &finding;
  return nullptr;
}

std::string outcome(const Assessment& assessment, std::string_view id) {
  for (const CheckReport& check : assessment.checks)
    if (check.id == id) return std::string(to_string(check.outcome));
  return "absent";
}

std::vector<std::string> evidence(const Finding& finding) {
  std::vector<std::string> lines;
  for (const Evidence& piece : finding.evidence)
    lines.push_back(piece.file + (piece.line == 0 ? "" : ":" + std::to_string(piece.line)) + " " +
                    piece.text);
  return lines;
}

}  // namespace auditshift::migrate
