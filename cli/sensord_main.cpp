// SPDX-License-Identifier: Apache-2.0
// The sensor daemon: options, what it may use, the loop.
#include <linux/capability.h>
#include <linux/magic.h>
#include <spdlog/spdlog.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/sysroot.h"
#include "bpf/kernel_trials.h"
#include "cli/help.h"
#include "cli/manual.h"
#include "sensor/audit_provider.h"
#include "sensor/control_server.h"
#include "sensor/daemon.h"
#include "sensor/ebpf_tiers.h"
#include "sensor/known_kernels.h"
#include "sensor/netlink_provider.h"
#include "sensor/privileges.h"

namespace {

using namespace auditshift;

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 64;
constexpr int kExitBusy = 75;

struct Options {
  sensor::DaemonOptions daemon;
  std::string provider = "auto";
  std::optional<bpf::Tier> tier;
  std::string output = "/var/log/auditshift/events.ndjson";
  sensor::FileSinkOptions file;
  std::vector<std::string> accepted_kernels;
  std::string pin_directory = "/sys/fs/bpf/auditshift";
  bool quiet = false;
  bool verbose = false;
  bool manual = false;
};

void declare(CLI::App& app, Options& options) {
  using sensor::Format;
  using sensor::SyncPolicy;
  options.daemon.managed_file = "/etc/auditshift/managed.json";
  options.daemon.state_file = "/var/lib/auditshift/sensor.json";
  options.daemon.control_socket = sensor::kControlSocket;
  app.set_version_flag("--version", "auditshift-sensord " AUDITSHIFT_VERSION);
  app.add_option("--provider", options.provider,
                 "where events come from: auto (ebpf, else netlink), ebpf, netlink, auditd (what the audit "
                 "rules report)")
      ->check(CLI::IsMember({"auto", "ebpf", "netlink", "auditd"}))
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--tier",
         [&options](const std::string& name) {
           for (const bpf::Tier tier : {bpf::Tier::fentry, bpf::Tier::core, bpf::Tier::legacy}) {
             if (bpf::tier_name(tier) == name) options.tier = tier;
           }
         },
         "how ebpf is used: auto (core, else legacy), fentry, core, legacy")
      ->check(CLI::IsMember({"auto", "fentry", "core", "legacy"}))
      ->type_name("TIER")
      ->default_str("auto");
  app.add_option("--managed", options.daemon.managed_file,
                 "managed configuration: exclusions, choice of provider")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--output", options.output, "file for events; - is standard output, none is neither")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--format", options.daemon.format, "ecs, ocsf or raw")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, Format>{
                                      {"ecs", Format::ecs}, {"ocsf", Format::ocsf}, {"raw", Format::raw}})
              .description(""))
      ->type_name("FORMAT")
      ->default_str("ecs");
  app.add_option("--rotate-size", options.file.rotate_bytes, "begin a new file at this size; 0 is never")
      ->transform(CLI::AsSizeValue(false))
      ->default_str("100MiB");
  app.add_option("--rotate-count", options.file.rotate_count, "older files to keep")->capture_default_str();
  app.add_option("--fsync", options.file.sync, "when the file is forced to the disk: never, second, batch")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, SyncPolicy>{{"never", SyncPolicy::never},
                                                                    {"second", SyncPolicy::every_second},
                                                                    {"batch", SyncPolicy::every_batch}})
              .description(""))
      ->type_name("WHEN")
      ->default_str("second");
  app.add_option("--socket", options.daemon.control_socket, "control socket")
      ->type_name("PATH")
      ->capture_default_str();
  app.add_option("--state", options.daemon.state_file, "where settings made by command are kept")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--pin", options.pin_directory,
                 "where the kernel side of ebpf outlives a crash of the daemon; empty: nowhere")
      ->type_name("DIRECTORY")
      ->capture_default_str();
  app.add_option("--accept-kernel", options.accepted_kernels,
                 "use eBPF on this kernel release although it is known to be bad")
      ->type_name("RELEASE");
  app.add_flag("-q,--quiet", options.quiet, "only errors");
  app.add_flag("-v,--verbose", options.verbose, "every decision");
  // Hidden; run when packages are made.
  app.add_flag("--manual", options.manual, "prints the manual page")->group("");
}

sensor::EbpfOptions ebpf_options(const Options& options) {
  sensor::EbpfOptions ebpf;
  if (options.pin_directory.empty()) return ebpf;
  const std::string parent = options.pin_directory.substr(0, options.pin_directory.rfind('/'));
  struct statfs info {};
  if (::statfs(parent.c_str(), &info) == 0 && static_cast<unsigned long>(info.f_type) == BPF_FS_MAGIC) {
    ebpf.pin_directory = options.pin_directory;
  } else {
    spdlog::warn("{} is no BPF file system: events that come while the daemon is down will be missing",
                 parent);
  }
  return ebpf;
}

/// Why eBPF is not to be tried here at all.
base::Result<void> may_try_ebpf(const Options& options, const base::Sysroot& host) {
  utsname names{};
  ::uname(&names);
  if (auto bad = sensor::known_bad_kernel(names.release, options.accepted_kernels))
    return base::Error(base::Errc::unsupported, *bad)
        .with_hint("--accept-kernel " + std::string(names.release));
  // Else the kernel would refuse the programs with nothing but "Invalid argument" (LOCKDOWN_BPF_READ_KERNEL).
  const bpf::ProbeResult lockdown = bpf::try_lockdown(host);
  if (lockdown.ok == bpf::ProbeResult::no && lockdown.detail == "confidentiality")
    return base::Error(base::Errc::unsupported,
                       "the kernel is locked down (confidentiality): eBPF may not read its memory");
  return {};
}

sensor::CandidateMaker make_candidates(const Options& options, const base::Sysroot& host,
                                       const base::Clock& clock) {
  return [&options, &host, &clock](bool ebpf_allowed) {
    const auto wanted = [&](const char* name) {
      return options.provider == name || options.provider == "auto";
    };
    std::vector<sensor::ProviderFactory> candidates;
    if (wanted("ebpf") && (ebpf_allowed || options.provider == "ebpf")) {
      candidates.push_back({"ebpf", [&]() -> base::Result<std::unique_ptr<sensor::Provider>> {
                              AUDITSHIFT_TRY_VOID(may_try_ebpf(options, host));
                              return std::unique_ptr<sensor::Provider>(std::make_unique<sensor::EbpfTiers>(
                                  ebpf_options(options), host, clock, options.tier));
                            }});
    }
    if (wanted("netlink")) {
      candidates.push_back({"netlink", [&]() -> base::Result<std::unique_ptr<sensor::Provider>> {
                              return std::unique_ptr<sensor::Provider>(
                                  std::make_unique<sensor::NetlinkProvider>(host, clock));
                            }});
    }
    if (options.provider == "auditd") {
      candidates.push_back({"auditd", [&]() -> base::Result<std::unique_ptr<sensor::Provider>> {
                              return std::unique_ptr<sensor::Provider>(
                                  std::make_unique<sensor::AuditProvider>(clock));
                            }});
    }
    return candidates;
  };
}

/// What the providers need while they run and when one takes over from another: load and attach programs
/// (BPF, PERFMON), subscribe to the process connector (NET_ADMIN), read other processes' /proc (SYS_PTRACE,
/// DAC_READ_SEARCH), listen to the audit stream (AUDIT_READ).
const std::vector<int> kCapabilities = {CAP_BPF,        CAP_PERFMON,         CAP_NET_ADMIN,
                                        CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_AUDIT_READ};

base::Result<void> confine() {
  AUDITSHIFT_TRY_VOID(sensor::drop_privileges(kCapabilities));
  return sensor::forbid_system_calls();
}

int report(const base::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.message().c_str());
  if (!error.hint().empty()) std::fprintf(stderr, "hint: %s\n", error.hint().c_str());
  return error.code() == base::Errc::busy ? kExitBusy : kExitFailed;
}

/// Where the daemon writes, for whoever starts it without a unit that has made these directories.
base::Result<void> make_directories(const Options& options, const base::Sysroot& host) {
  std::vector<std::string> files = {options.daemon.control_socket, options.daemon.state_file};
  if (options.daemon.file) files.push_back(options.daemon.file->path);
  for (const std::string& file : files) {
    const std::string directory = file.substr(0, std::max<std::size_t>(file.rfind('/'), 1));
    if (file.starts_with('/') && !host.exists(directory))
      AUDITSHIFT_TRY_VOID(host.make_directories(directory, 0700));
  }
  return {};
}

cli::ManualNotes manual_notes() {
  cli::ManualNotes notes;
  notes.version = AUDITSHIFT_VERSION;
  notes.files = {
      {"/etc/default/auditshift-sensord", "options that the unit gives"},
      {"/etc/auditshift/managed.json", "exclusions, choice of provider"},
      {"/var/log/auditshift/events.ndjson", "events; the sensor itself begins a new file when it is full"},
      {"/var/lib/auditshift/sensor.json", "settings made by command"},
      {"/run/auditshift/sensord.sock", "control socket"},
      {"/sys/fs/bpf/auditshift", "the kernel side, while the sensor runs or after it was killed"}};
  notes.see_also = {"auditshift-health", "auditshift-events", "auditshift-diagnostic", "auditshift"};
  return notes;
}

int run(Options& options) {
  base::init_logging(options.quiet     ? base::Verbosity::quiet
                     : options.verbose ? base::Verbosity::verbose
                                       : base::Verbosity::normal);
  options.daemon.version = AUDITSHIFT_VERSION;
  options.daemon.standard_output = options.output == "-";
  if (options.output != "-" && options.output != "none") {
    options.file.path = options.output;
    options.daemon.file = options.file;
  }
  const auto host = base::Sysroot::open("/");
  if (!host.ok()) return report(host.error());
  if (const auto made = make_directories(options, *host); !made) return report(made.error());
  const base::SystemClock clock;
  sensor::Daemon daemon(options.daemon, make_candidates(options, *host, clock), *host, clock);
  const auto result = daemon.run(confine);
  return result.ok() ? 0 : report(result.error());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Supplies process, file and socket events of this host.\n\n"
      "  systemctl enable --now auditshift-sensord\n"
      "  auditshift-sensord --provider ebpf --output - --format ocsf\n"
      "  auditshift-sensord --rotate-size 50MB --rotate-count 20 --fsync batch\n\n"
      "Events come from eBPF, where the kernel lets it, else from the process connector (netlink). The\n"
      "sensor runs until it gets SIGTERM or SIGINT; SIGHUP opens the file for events anew. It gives up the\n"
      "rights that it needs only at the start. auditshift health says how it is.\n\n"
      "Exit: 0 stopped by a signal, 1 failed, 64 usage, 75 another sensor holds the socket.",
      "auditshift-sensord");
  app.formatter(std::make_shared<auditshift::cli::HelpFormatter>());
  Options options;
  declare(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : kExitUsage;
  }
  if (options.manual) {
    std::fputs(auditshift::cli::manual_page(app, manual_notes()).c_str(), stdout);
    return 0;
  }
  return run(options);
}
