// SPDX-License-Identifier: Apache-2.0
#include "migrate/outside/choose_agent.h"

#include "base/text.h"
#include "migrate/outside/mdatp_agent.h"
#include "migrate/outside/native_agent.h"
#include "migrate/paths.h"
#include "sensor/control_server.h"

namespace auditshift::migrate::outside {
namespace {

bool any_exists(const base::Sysroot& files, std::initializer_list<const char*> places) {
  for (const char* place : places)
    if (files.exists(place)) return true;
  return false;
}

bool mdatp_installed(const base::Sysroot& files) {
  return any_exists(files, {paths::kMdatpCli, paths::kMdatpRoot, paths::kMdatpCustomPath});
}

bool native_installed(const base::Sysroot& files) {
  return any_exists(files, {paths::kNativeManaged, sensor::kControlSocket, "/usr/sbin/auditshift-sensord",
                            "/usr/lib/systemd/system/auditshift-sensord.service",
                            "/etc/systemd/system/auditshift-sensord.service"});
}

}  // namespace

base::Result<std::shared_ptr<Agent>> choose_agent(std::string_view wanted,
                                                  const std::shared_ptr<const base::Sysroot>& files,
                                                  const std::shared_ptr<base::ProcessRunner>& processes,
                                                  const std::shared_ptr<Services>& services) {
  const bool automatic = wanted == "auto";
  if (!automatic && wanted != "mdatp" && wanted != "native")
    return base::Error(base::Errc::invalid, "no such agent: " + base::printable(wanted))
        .with_hint("auto, mdatp or native");
  if (wanted != "native" && mdatp_installed(*files))
    return std::shared_ptr<Agent>(std::make_shared<MdatpAgent>(files, processes));
  if (wanted != "mdatp" && native_installed(*files))
    return std::shared_ptr<Agent>(std::make_shared<NativeAgent>(services));
  return base::Error(base::Errc::not_found, automatic ? "no agent is installed on this host"
                                            : wanted == "mdatp"
                                                ? "Microsoft Defender is not installed"
                                                : "the sensor auditshift-sensord is not installed")
      .with_hint("looked for Microsoft Defender (/opt/microsoft/mdatp) and for auditshift-sensord");
}

}  // namespace auditshift::migrate::outside
