// SPDX-License-Identifier: Apache-2.0
// The scripts that shells load are short: they ask the program itself what may stand at the cursor, so that
// they never know less than it does.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/complete.h"
#include "cli/verbs.h"

namespace auditshift::cli {
namespace {

constexpr const char* kBash = R"SHELL(# bash completion for auditshift
_auditshift() {
  local at words=() answer=() before='' line
  # Readline takes "--format=json" for three words.
  for ((at = 1; at <= COMP_CWORD; at++)); do
    if ((${#words[@]})) && [[ ${COMP_WORDS[at]} == = || ${COMP_WORDS[at - 1]} == = ]]; then
      words[-1]+=${COMP_WORDS[at]}
    else
      words+=("${COMP_WORDS[at]}")
    fi
  done
  mapfile -t answer < <("${COMP_WORDS[0]}" complete -- "${words[@]}" 2>/dev/null)
  [[ ${words[-1]} == *=* && ${COMP_WORDBREAKS} == *=* ]] && before=${words[-1]%%=*}=
  COMPREPLY=()
  case ${answer[0]-} in
    files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "${words[-1]#"$before"}") ;;
    directories) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "${words[-1]#"$before"}") ;;
  esac
  for line in "${answer[@]:1}"; do
    line=${line%%$'\t'*}
    COMPREPLY+=("${line#"$before"}")
  done
}
complete -F _auditshift auditshift
)SHELL";

constexpr const char* kZsh = R"SHELL(#compdef auditshift
_auditshift() {
  local -a answer candidates
  local line word
  answer=("${(@f)$(${(Q)words[1]} complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  case ${answer[1]} in
    files) compset -P '*='; _files; return ;;
    directories) compset -P '*='; _files -/; return ;;
  esac
  for line in "${(@)answer[2,-1]}"; do
    word=${line%%$'\t'*}
    candidates+=("${word//:/\\:}:${line#*$'\t'}")
  done
  _describe -V auditshift candidates
}
if [[ ${funcstack[1]} == _auditshift ]]; then _auditshift "$@"; else compdef _auditshift auditshift; fi
)SHELL";

constexpr const char* kFish = R"SHELL(# fish completion for auditshift
function __auditshift_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -q current[1]; or set current ''
    set -l answer ($before[1] complete -- $before[2..-1] $current 2>/dev/null)
    switch "$answer[1]"
        case files
            __fish_complete_path $current
        case directories
            __fish_complete_directories $current
    end
    set -q answer[2]; and printf '%s\n' $answer[2..-1]
end
complete -c auditshift -f -k -a '(__auditshift_complete)'
)SHELL";

}  // namespace

void add_completion(CLI::App& app, const Context&, Run& run) {
  auto shell = std::make_shared<std::string>();
  CLI::App* verb =
      app.add_subcommand("completion",
                         "Prints what a shell needs to complete verbs, options and their values.\n\n"
                         "  source <(auditshift completion bash)\n"
                         "  auditshift completion zsh > ~/.zfunc/_auditshift\n"
                         "  auditshift completion fish > ~/.config/fish/completions/auditshift.fish\n\n"
                         "The packages install all three.");
  verb->add_option("SHELL", *shell, "the shell")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  verb->callback([shell, &run] {
    run = [shell]() -> int {
      const char* script = *shell == "bash" ? kBash : *shell == "zsh" ? kZsh : kFish;
      const auto written = write_result("", script);
      return written ? kDone : report(written.error());
    };
  });
}

void add_complete(CLI::App& app, const Context&, Run& run) {
  auto words = std::make_shared<std::vector<std::string>>();
  CLI::App* verb =
      app.add_subcommand("complete", "What may stand at the cursor; for the completion scripts.");
  verb->group("");  // hidden
  verb->add_option("WORD", *words, "what was typed after the program's name, the word at the cursor last");
  verb->callback([words, &app, &run] {
    run = [words, &app]() -> int {
      const auto written = write_result("", complete(app, *words).lines());
      return written ? kDone : report(written.error());
    };
  });
}

}  // namespace auditshift::cli
