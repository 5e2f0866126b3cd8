// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "migrate/collect.h"
#include "migrate/paths.h"

namespace auditshift::migrate {
namespace {

/// Packages whose version matters to a check.
constexpr const char* kPackages[] = {"audit", "auditd", "audit-rules", "mdatp", "auditshift", "systemd"};

/// NAME=value lines of os-release(5): quotes and backslashes as in a shell.
std::string os_release_value(std::string_view text, std::string_view name) {
  for (std::string_view line : base::split(text, '\n')) {
    line = base::trim(line);
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != '=') continue;
    std::string_view raw = line.substr(name.size() + 1);
    if (raw.size() >= 2 && (raw.front() == '"' || raw.front() == '\'') && raw.back() == raw.front())
      raw = raw.substr(1, raw.size() - 2);
    std::string value;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] == '\\' && i + 1 < raw.size()) ++i;
      value += raw[i];
    }
    return value;
  }
  return {};
}

/// "CentOS Linux release 7.6.1810 (Core)" → "7.6": os-release there has the major number only.
std::string minor_release(std::string_view text) {
  const std::size_t at = text.find("release ");
  if (at == std::string_view::npos) return {};
  std::string version;
  int dots = 0;
  for (const char c : text.substr(at + 8)) {
    if (c == '.' && ++dots == 2) break;
    if (c != '.' && (c < '0' || c > '9')) break;
    version += c;
  }
  return version;
}

void read_distribution(const base::Sysroot& host, HostFacts& facts) {
  auto release = host.read_file("/etc/os-release");
  if (!release) release = host.read_file("/usr/lib/os-release");
  if (!release) return;
  facts.distribution = os_release_value(*release, "ID");
  facts.distribution_name = os_release_value(*release, "PRETTY_NAME");
  facts.distribution_version = os_release_value(*release, "VERSION_ID");
  if (facts.distribution == "debian") {
    if (const auto exact = host.read_file("/etc/debian_version");
        exact && exact->find('.') != std::string::npos)
      facts.distribution_version = base::trim(*exact);
  }
  if (facts.distribution_version.find('.') != std::string::npos) return;
  for (const char* file : {"/etc/centos-release", "/etc/oracle-release", "/etc/redhat-release"}) {
    const auto text = host.read_file(file);
    if (!text) continue;
    const std::string version = minor_release(*text);
    if (version.find('.') == std::string::npos) continue;
    facts.distribution_version = version;
    return;
  }
}

/// The value of one field in a dpkg status paragraph.
std::string field_of(std::string_view paragraph, std::string_view name) {
  for (const std::string_view line : base::split(paragraph, '\n'))
    if (line.starts_with(name)) return std::string(base::trim(line.substr(name.size())));
  return {};
}

void read_dpkg(const base::Sysroot& host, HostFacts& facts) {
  const auto status = host.read_file("/var/lib/dpkg/status");
  if (!status) return;
  const std::string text = "\n" + *status;
  for (const char* package : kPackages) {
    const std::string start = "\nPackage: " + std::string(package) + "\n";
    const std::size_t at = text.find(start);
    if (at == std::string::npos) continue;
    const std::string_view paragraph = std::string_view(text).substr(at + 1, text.find("\n\n", at) - at - 1);
    if (field_of(paragraph, "Status:").find(" installed") == std::string::npos) continue;
    facts.packages.emplace(package, field_of(paragraph, "Version:"));
  }
}

/// "name version" lines, as collect writes them and rpm is asked for.
void read_package_lines(std::string_view text, HostFacts& facts) {
  for (const std::string_view line : base::split(text, '\n')) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find("is not installed") != std::string_view::npos) continue;
    facts.packages.emplace(std::string(line.substr(0, space)),
                           std::string(base::trim(line.substr(space + 1))));
  }
}

void read_packages(const World& world, HostFacts& facts) {
  if (const auto captured = world.host->read_file(std::string(paths::kCapture) + "/packages")) {
    read_package_lines(*captured, facts);
    return;
  }
  read_dpkg(*world.host, facts);
  if (!facts.packages.empty() || !world.processes) return;
  base::Command command;
  command.argv = {"rpm", "-q", "--qf", "%{NAME} %{VERSION}-%{RELEASE}\n"};
  command.argv.insert(command.argv.end(), std::begin(kPackages), std::end(kPackages));
  // rpm's exit status counts the packages that are not there.
  if (const auto done = world.processes->run(command)) read_package_lines(done->output, facts);
}

std::string lockdown_mode(const base::Sysroot& host) {
  const auto text = host.read_file("/sys/kernel/security/lockdown");
  if (!text) {
    const auto captured = host.read_file(std::string(paths::kCapture) + "/lockdown");
    const bool absent = host.is_live() ? text.error().code() == base::Errc::not_found
                                       : captured && base::trim(*captured) == "absent";
    return absent ? "absent" : "unknown";
  }
  const std::size_t open = text->find('[');
  const std::size_t close = text->find(']');
  if (open == std::string::npos || close == std::string::npos || close < open) return "unknown";
  return text->substr(open + 1, close - open - 1);
}

void find_traces(const base::Sysroot& host, std::initializer_list<const char*> files,
                 std::vector<Evidence>& found) {
  for (const char* path : files)
    if (host.exists(path)) found.push_back({path, 0, "present"});
}

}  // namespace

HostFacts collect_host(const World& world) {
  const base::Sysroot& host = *world.host;
  HostFacts facts;
  facts.live = host.is_live();
  read_distribution(host, facts);
  if (const auto name = host.read_file("/etc/hostname")) facts.hostname = base::trim(*name);
  if (world.uname) {
    if (facts.hostname.empty() || facts.live) facts.hostname = world.uname->node;
    facts.kernel = world.uname->release;
    facts.architecture = world.uname->machine;
  }
  if (const auto id = host.read_file("/etc/machine-id")) facts.machine_id = base::trim(*id);
  if (world.boot_id) facts.boot_id = base::trim(*world.boot_id);
  if (auto line = host.read_file("/proc/cmdline")) facts.command_line = std::string(base::trim(*line));
  facts.lockdown = lockdown_mode(host);
  find_traces(host,
              {"/usr/sap", "/hana/shared", "/etc/init.d/sapinit", "/usr/lib/systemd/system/sapinit.service",
               "/etc/systemd/system/sapinit.service"},
              facts.sap);
  find_traces(host,
              {"/usr/bin/dockerd", "/usr/bin/containerd", "/usr/bin/podman", "/usr/bin/crio",
               "/usr/bin/kubelet", "/usr/local/bin/k3s", "/usr/bin/lxc-start", "/snap/bin/lxd"},
              facts.container_runtimes);
  find_traces(host, {"/usr/sbin/uptrack-upgrade", "/usr/bin/ksplice", "/etc/uptrack/uptrack.conf"},
              facts.ksplice);
  read_packages(world, facts);
  return facts;
}

}  // namespace auditshift::migrate
