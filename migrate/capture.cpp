// SPDX-License-Identifier: Apache-2.0
#include "migrate/capture.h"

#include <archive.h>
#include <archive_entry.h>
#include <libaudit.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/clock.h"
#include "base/text.h"
#include "migrate/log_json.h"
#include "migrate/paths.h"

namespace auditshift::migrate {
namespace {

constexpr std::size_t kFileLimit = std::size_t{64} << 20;
constexpr int kMaxLinks = 40;

constexpr std::array kWholeFiles = {
    "/etc/os-release",     "/etc/debian_version",           "/etc/centos-release",
    "/etc/oracle-release", "/etc/redhat-release",           "/etc/hostname",
    "/etc/machine-id",     "/etc/default/auditd",           "/etc/sysconfig/auditd",
    "/proc/cmdline",       "/sys/kernel/security/lockdown", "/etc/auditshift/managed.json",
    paths::kMdatpManaged,  paths::kMdatpAttachManaged,      paths::kMdatpCustomPath};
constexpr std::array kWholeDirectories = {"/etc/audit", "/etc/audit/rules.d", "/etc/audit/plugins.d",
                                          "/etc/audisp", "/etc/audisp/plugins.d"};
constexpr std::array kOnlyPresence = {paths::kMdatpRoot,
                                      paths::kMdatpCli,
                                      "/usr/sap",
                                      "/hana/shared",
                                      "/etc/init.d/sapinit",
                                      "/usr/sbin/uptrack-upgrade",
                                      "/usr/bin/ksplice",
                                      "/etc/uptrack/uptrack.conf",
                                      "/usr/bin/dockerd",
                                      "/usr/bin/containerd",
                                      "/usr/bin/podman",
                                      "/usr/bin/crio",
                                      "/usr/bin/kubelet",
                                      "/usr/local/bin/k3s",
                                      "/usr/bin/lxc-start",
                                      "/snap/bin/lxd",
                                      "/usr/sbin/augenrules",
                                      "/usr/sbin/auditctl",
                                      "/usr/bin/awk",
                                      "/usr/bin/mawk",
                                      "/usr/bin/gawk",
                                      "/usr/lib/systemd/system/sapinit.service",
                                      "/etc/systemd/system/sapinit.service"};
constexpr std::array kUnits = {"auditd.service", "audit-rules.service", paths::kMdatpService,
                               paths::kNativeService};
constexpr std::array kUnitDirectories = {"/etc/systemd/system", "/run/systemd/system",
                                         "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
                                         "/lib/systemd/system"};

/// Removes "." and ".." from an absolute path whose directories are real ones.
std::string clean_path(std::string_view path) {
  std::vector<std::string_view> parts;
  for (const std::string_view part : base::split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else {
      parts.push_back(part);
    }
  }
  std::string clean;
  for (const std::string_view part : parts) clean += "/" + std::string(part);
  return clean.empty() ? "/" : clean;
}

/// Account lines with everything but names and numbers blanked.
std::string account_lines(std::string_view text, std::size_t fields_kept) {
  std::string out;
  for (const std::string_view line : base::split(text, '\n')) {
    const auto fields = base::split(line, ':');
    if (fields.size() < fields_kept) continue;
    std::string kept;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i != 0) kept += ':';
      if (i == 1) kept += 'x';
      if (i != 1 && i < fields_kept) kept += fields[i];
    }
    out += kept + "\n";
  }
  return out;
}

class CaptureBuilder {
 public:
  explicit CaptureBuilder(const base::Sysroot& host) : host_(host) {}

  Capture take() { return std::move(capture_); }

  void put(const std::string& path, std::string content) {
    capture_[path] = {CaptureEntry::Kind::file, std::move(content), 0644};
  }

  /// Records the links on the way to `path`; the real path it leads to, or nothing when it does not exist.
  std::optional<std::string> follow(const std::string& path) {
    std::string todo = clean_path(path);
    for (int links = 0; links <= kMaxLinks; ++links) {
      std::string done;
      bool again = false;
      for (std::size_t at = 1; at <= todo.size();) {
        const std::size_t slash = std::min(todo.find('/', at), todo.size());
        const std::string here = todo.substr(0, slash);
        const auto info = host_.lstat(here.empty() ? "/" : here);
        if (!info) return std::nullopt;
        if (info->is_symlink()) {
          const auto target = host_.read_link(here);
          if (!target) return std::nullopt;
          capture_[here] = {CaptureEntry::Kind::symlink, *target, 0777};
          const std::string start = target->starts_with("/") ? "" : done;
          todo = clean_path(start + "/" + *target + todo.substr(slash));
          again = true;
          break;
        }
        done = here;
        at = slash + 1;
      }
      if (!again) return done.empty() ? "/" : done;
    }
    return std::nullopt;
  }

  void add_file(const std::string& path) {
    const auto real = follow(path);
    if (!real) return;
    const auto info = host_.stat(*real);
    auto content = host_.read_file(*real, kFileLimit);
    if (!info || !content) return;
    capture_[*real] = {CaptureEntry::Kind::file, without_credentials(*content), info->mode & 07777};
  }

  /// A link in a directory of audit may lead to any file of the host, a password file as well. Outside such
  /// directories only what is named as they name theirs is taken.
  void add_linked(const std::string& path) {
    const auto real = follow(path);
    if (!real) return;
    if (real->starts_with("/etc/audit/") || real->starts_with("/etc/audisp/") || real->ends_with(".rules") ||
        real->ends_with(".conf")) {
      add_file(path);
    } else {
      add_presence(path);
    }
  }

  void add_presence(const std::string& path) {
    const auto real = follow(path);
    if (!real || *real == "/" || capture_.contains(*real)) return;
    const auto info = host_.stat(*real);
    if (!info) return;
    const auto kind = info->is_directory() ? CaptureEntry::Kind::directory : CaptureEntry::Kind::file;
    capture_[*real] = {kind, {}, info->mode & 07777};
  }

  void add_directory(const std::string& path) {
    const auto entries = host_.list(path);
    if (!entries) return;
    add_presence(path);
    for (const base::DirectoryEntry& entry : *entries) {
      const std::string file = path + "/" + entry.name;
      if (entry.info.is_regular()) add_file(file);
      if (entry.info.is_symlink()) add_linked(file);
      if (entry.info.is_directory()) add_presence(file);
      // A link that leads nowhere is part of what the assessment sees.
      if (entry.info.is_symlink()) follow(file);
    }
  }

  void add_unit(const std::string& directory, const std::string& unit) {
    add_file(directory + "/" + unit);
    follow(directory + "/" + unit);
    add_directory(directory + "/" + unit + ".d");
    const auto entries = host_.list(directory);
    if (!entries) return;
    add_presence(directory);
    for (const base::DirectoryEntry& entry : *entries) {
      if (!entry.name.ends_with(".wants") && !entry.name.ends_with(".requires")) continue;
      const std::string link = directory + "/" + entry.name + "/" + unit;
      if (host_.lstat(link)) follow(link);
    }
  }

 private:
  const base::Sysroot& host_;
  Capture capture_;
};

void add_accounts(const base::Sysroot& host, CaptureBuilder& builder) {
  if (const auto users = host.read_file("/etc/passwd")) builder.put("/etc/passwd", account_lines(*users, 4));
  if (const auto groups = host.read_file("/etc/group")) builder.put("/etc/group", account_lines(*groups, 3));
}

/// Whether they exist, and as what, changes what a watch or an exclusion means.
void add_rule_targets(const Facts& facts, CaptureBuilder& builder) {
  const auto add = [&](const auditd::Rule& rule) {
    for (const auditd::Field& field : rule.fields) {
      if (field.id != AUDIT_WATCH && field.id != AUDIT_DIR && field.id != AUDIT_EXE) continue;
      const std::size_t slash = field.text.rfind('/');
      if (slash != std::string::npos && slash > 0) builder.add_presence(field.text.substr(0, slash));
      builder.add_presence(field.text);
    }
  };
  for (const auditd::RuleFile& file : facts.audit.layout.rules_d)
    for (const auditd::Line& line : file.lines)
      if (line.rule) add(*line.rule);
  if (facts.audit.layout.compiled)
    for (const auditd::Line& line : facts.audit.layout.compiled->lines)
      if (line.rule) add(*line.rule);
}

void add_packages(const Facts& facts, CaptureBuilder& builder) {
  std::string packages;
  for (const auto& [name, version] : facts.host.packages) packages += name + " " + version + "\n";
  builder.put(std::string(paths::kCapture) + "/packages", packages);
}

void add_kernel_answers(const World& world, const Facts& facts, CaptureBuilder& builder) {
  const std::string directory = std::string(paths::kCapture) + "/";
  if (!world.host->is_live()) {
    // A capture of a capture holds the same answers, damaged ones included.
    builder.add_directory(paths::kCapture);
    add_packages(facts, builder);
    return;
  }
  if (facts.audit.status.state != auditd::AuditState::unknown &&
      facts.audit.status.state != auditd::AuditState::absent)
    builder.put(directory + "audit-status", auditd::format_status(facts.audit.status));
  if (facts.audit.live.known) {
    std::string rules;
    for (const auditd::Rule& rule : facts.audit.live.rules) rules += rule.text + "\n";
    builder.put(directory + "audit-rules", rules.empty() ? "No rules\n" : rules);
  }
  // Without this the missing file of securityfs could as well be one that was not captured.
  if (facts.host.lockdown == "absent") builder.put(directory + "lockdown", "absent\n");
  builder.put(directory + "captured-at", base::format_utc(facts.collected_at) + "\n");
  if (world.uname)
    builder.put(directory + "uname", "Linux " + world.uname->node + " " + world.uname->release + " #0 " +
                                         world.uname->machine + " GNU/Linux\n");
  if (world.boot_id) builder.put(directory + "boot-id", *world.boot_id);
  if (!facts.sensor.probe.empty())
    builder.put(directory + "ebpf-probe.json", format_probe(facts.sensor.probe));
  if (!facts.paths.empty()) builder.put(directory + "path-facts.json", format_path_facts(facts.paths));
  if (facts.log_known) builder.put(directory + "log-statistics.json", format_log_statistics(facts.log));
  add_packages(facts, builder);
  if (facts.agent.kind != AgentKind::mdatp) return;
  if (const auto health = world.mdatp_health())
    builder.put(directory + "mdatp-health", without_credentials(*health));
  if (const auto exclusions = world.mdatp_exclusions())
    builder.put(directory + "mdatp-exclusions", *exclusions);
}

struct FreeArchive {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct FreeEntry {
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};

la_ssize_t append_bytes(archive*, void* to, const void* data, size_t size) {
  static_cast<std::string*>(to)->append(static_cast<const char*>(data), size);
  return static_cast<la_ssize_t>(size);
}

base::Error archive_error(archive* a, const std::string& what) {
  const char* text = archive_error_string(a);
  return base::Error(base::Errc::io, what + ": " + (text != nullptr ? text : "unknown archive error"));
}

base::Result<void> pack_entry(archive* a, const std::string& path, const CaptureEntry& captured) {
  const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), path.c_str() + 1);  // relative, so that it unpacks anywhere
  archive_entry_set_mtime(entry.get(), 0, 0);
  switch (captured.kind) {
    case CaptureEntry::Kind::file:
      archive_entry_set_filetype(entry.get(), AE_IFREG);
      archive_entry_set_size(entry.get(), static_cast<la_int64_t>(captured.content.size()));
      // Whoever unpacks it must be able to read it.
      archive_entry_set_perm(entry.get(), (captured.mode & 0755) | 0600);
      break;
    case CaptureEntry::Kind::directory:
      archive_entry_set_filetype(entry.get(), AE_IFDIR);
      archive_entry_set_perm(entry.get(), 0755);
      break;
    case CaptureEntry::Kind::symlink:
      archive_entry_set_filetype(entry.get(), AE_IFLNK);
      archive_entry_set_symlink(entry.get(), captured.content.c_str());
      archive_entry_set_perm(entry.get(), 0777);
      break;
  }
  if (archive_write_header(a, entry.get()) != ARCHIVE_OK) return archive_error(a, path);
  if (captured.kind == CaptureEntry::Kind::file && !captured.content.empty() &&
      archive_write_data(a, captured.content.data(), captured.content.size()) < 0)
    return archive_error(a, path);
  return {};
}

}  // namespace

std::string without_credentials(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t scheme = text.find("://");
    if (scheme == std::string_view::npos) return out += text;
    out += text.substr(0, scheme + 3);
    text.remove_prefix(scheme + 3);
    const std::size_t end = std::min(text.find_first_of("/ \t\r\n\"'<>"), text.size());
    const std::size_t at = text.substr(0, end).rfind('@');
    if (at == std::string_view::npos) continue;
    out += "***";
    text.remove_prefix(at);
  }
}

Capture take_capture(const World& world, const Facts& facts, base::Progress& progress) {
  progress.step("capturing files");
  CaptureBuilder builder(*world.host);
  for (const std::string path : kWholeFiles) builder.add_file(path);
  for (const std::string directory : kWholeDirectories) builder.add_directory(directory);
  for (const std::string path : kOnlyPresence) builder.add_presence(path);
  for (const std::string directory : kUnitDirectories)
    for (const std::string unit : kUnits) builder.add_unit(directory, unit);
  add_accounts(*world.host, builder);
  add_rule_targets(facts, builder);
  if (!facts.agent.immutable_complaints.empty())
    builder.put(paths::kMdatpErrorLog, facts.agent.immutable_complaints.back().text + "\n");
  progress.step("capturing the kernel's answers");
  add_kernel_answers(world, facts, builder);
  progress.finish();
  return builder.take();
}

base::Result<std::string> pack_capture(const Capture& capture) {
  std::string bytes;
  const std::unique_ptr<archive, FreeArchive> a(archive_write_new());
  if (archive_write_add_filter_gzip(a.get()) != ARCHIVE_OK ||
      archive_write_set_format_pax_restricted(a.get()) != ARCHIVE_OK ||
      archive_write_set_options(a.get(), "gzip:!timestamp") != ARCHIVE_OK ||
      archive_write_open(a.get(), &bytes, nullptr, append_bytes, nullptr) != ARCHIVE_OK)
    return archive_error(a.get(), "cannot start the archive");
  for (const auto& [path, entry] : capture) AUDITSHIFT_TRY_VOID(pack_entry(a.get(), path, entry));
  if (archive_write_close(a.get()) != ARCHIVE_OK) return archive_error(a.get(), "cannot finish the archive");
  return bytes;
}

}  // namespace auditshift::migrate
