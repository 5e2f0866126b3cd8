// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "auditd/parser.h"
#include "auditd/rule.h"
#include "base/result.h"
#include "base/sysroot.h"

namespace auditshift::auditd {

/// What brings the rules into the kernel at boot on this host.
enum class Loader {
  augenrules,           ///< auditd.service runs augenrules --load
  audit_rules_service,  ///< audit-rules.service (audit 4) runs augenrules --load
  plain,                ///< auditctl -R /etc/audit/audit.rules; rules.d is not read
  none,                 ///< nothing found that loads rules
};
std::string_view to_string(Loader loader);  ///< augenrules, audit-rules.service, audit.rules, none

/// One rules file of the host, parsed; or why it could not be read.
struct RuleFile {
  std::string path;
  std::string content;
  std::vector<Line> lines;
  std::string error;           ///< empty when it was read
  bool read_by_loader = true;  ///< false: in rules.d, but augenrules passes it over (dot file, other suffix)
  std::string passed_over;     ///< why, when read_by_loader is false
};

/// A dispatcher plugin's configuration (audisp).
struct Plugin {
  std::string path;
  bool active = false;
  std::string program;  ///< its `path =` value
  std::string error;
};

/// One `name = value` of auditd.conf.
struct Setting {
  std::string name;
  std::string value;
  int line = 0;
};

/// Where two places that should agree do not.
struct Drift {
  enum class Kind {
    compiled_outdated,  ///< augenrules would write another audit.rules than the one on disk
    not_in_kernel,      ///< on disk, but not loaded
    not_on_disk,        ///< loaded, but nothing on disk would load it again
    order_differs,      ///< the same rules in another order
  };
  Kind kind{};
  std::string text;  ///< the rule in normal form, empty for whole-file drift
  Origin origin;     ///< where it stands, empty for live-only rules
};

/// The result of loading the rules on disk, line by line, the way `auditctl -R` does. The pointers lead into
/// the Layout it came from.
struct BootLoad {
  /// The rule lines that stay, in order; `-d` and `-W` lines are among them, what a later -D takes away is
  /// not.
  std::vector<const Line*> rules;
  /// The line that ends the load early (it does not parse, or its rule is loaded already, and no -c or -i
  /// came before it), or null.
  const Line* stopped_at = nullptr;
  /// The `-e 2` that was reached, or null. Nothing is loaded after it.
  const Line* lock = nullptr;
  /// The last `-r` that was reached, or null: the kernel starts without a limit.
  const Line* rate_limit_line = nullptr;
  std::uint32_t rate_limit = 0;  ///< records a second, 0: no limit
  /// Good lines after `stopped_at` or `lock`, which are never loaded.
  std::vector<const Line*> never_loaded;
};

/// All that the host's disk says about its audit rules.
struct Layout {
  bool rules_d_exists = false;
  std::vector<RuleFile> rules_d;     ///< in augenrules' order, files it passes over last
  std::optional<RuleFile> compiled;  ///< /etc/audit/audit.rules; absent when there is no such file
  std::string would_compile;         ///< what augenrules would write now
  std::vector<Line> would_load;      ///< its lines, parsed; their origins lie in rules.d
  bool awk_is_mawk = false;          ///< see compile_rules
  Loader loader = Loader::none;
  std::string loader_evidence;  ///< file and line, or what was missing
  Origin loader_origin;
  /// What a plain loader reads, when that is another file than /etc/audit/audit.rules.
  std::optional<RuleFile> other_rules;
  std::vector<Setting> auditd_conf;
  std::string auditd_conf_error;  ///< why it could not be read; empty also when there is none
  std::string log_file = "/var/log/audit/audit.log";  ///< from auditd.conf
  /// Of /etc/audit/plugins.d, /etc/audisp/plugins.d and auditd.conf's plugin_dir.
  std::vector<Plugin> plugins;

  /// What the next boot makes of the rules on disk, as this host's loader would see them.
  BootLoad boot_load() const;
};

/// Reads the layout. `options.host` should be the same host's view. Files that cannot be read are recorded,
/// not fatal; so are those over 4 MiB, and all after 16 MiB or 200,000 lines together.
Layout read_layout(const base::Sysroot& host, const ParseOptions& options);

/// Joins rule files as augenrules does: order of lines, hoisting of -D, -b, -f and -e, glued lines included.
/// `mawk`: the host's awk is mawk, which does not know `\s` (indented directives stay in place).
struct CompiledLine {
  std::string text;
  Origin origin;  ///< of its first byte
};
std::vector<CompiledLine> compile_rules(const std::vector<const RuleFile*>& files,
                                        const AuditVersion& version, bool mawk);

/// Whether augenrules wrote this text: its first line says so.
bool is_generated(std::string_view compiled);

/// Parses joined files as the one file that auditctl reads; each line keeps the place it came from.
std::vector<Line> parse_compiled(const std::vector<CompiledLine>& compiled, const ParseOptions& options);

/// Natural order of `ls -1v` (before audit 4.2) or `sort -V` (from 4.2).
bool augenrules_before(const std::string& a, const std::string& b);

/// Which of the names in rules.d augenrules reads, in its order. Before 4.2 a name with blanks is broken into
/// pieces, and pieces that are names themselves are read (again).
std::vector<std::string> augenrules_reads(std::vector<std::string> names, const AuditVersion& version);

/// Compares what disk would load with what the kernel holds, and the compiled file with its sources. Rules in
/// another order: one entry per list, with the first rule that stands elsewhere.
std::vector<Drift> find_drift(const Layout& layout, const std::vector<Rule>& live,
                              const ParseOptions& options);

/// Users, groups and paths of a host, from its own /etc/passwd and /etc/group (read once) and its tree.
class SysrootView final : public HostView {
 public:
  explicit SysrootView(const base::Sysroot& host);
  std::optional<std::uint32_t> uid_of(std::string_view user) const override;
  std::optional<std::uint32_t> gid_of(std::string_view group) const override;
  PathKind kind_of(std::string_view path) const override;

 private:
  const base::Sysroot& host_;
  std::vector<std::pair<std::string, std::uint32_t>> users_;
  std::vector<std::pair<std::string, std::uint32_t>> groups_;
};

}  // namespace auditshift::auditd
