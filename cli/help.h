// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace auditshift::cli {

/// --help: what the verb does and examples first, then its arguments; one line per verb below it. Given to
/// the root before verbs are added, as these take it over from there.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* verb, std::string name) const override;
  std::string make_subcommand(const CLI::App* verb) const override;
  std::string make_option_name(const CLI::Option* option, bool positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
};

}  // namespace auditshift::cli
