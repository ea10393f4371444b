// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.hpp"

namespace amzsync_cli {
namespace {

/// In single quotes, as every shell takes it.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) { return app.get_subcommands([](const CLI::App* command) { return !command->get_name().empty(); }); }

std::string options_of(const CLI::App& app) {
  std::string all;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) all += (all.empty() ? "--" : " --") + name;
  return all;
}

std::string for_bash(const CLI::App& app) {
  std::string names, cases;
  for (const CLI::App* command : commands_of(app)) {
    names += (names.empty() ? "" : " ") + command->get_name();
    cases += "    " + command->get_name() + ") options='" + options_of(*command) + " " + options_of(app) + "' ;;\n";
  }
  return "_amzsync() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} command= options= i\n"
         "  for ((i = 1; i < COMP_CWORD; ++i)); do case \"${COMP_WORDS[i]}\" in " + [&] {
           std::string either;
           for (const CLI::App* command : commands_of(app)) either += (either.empty() ? "" : "|") + command->get_name();
           return either;
         }() + ") command=${COMP_WORDS[i]} ;; esac; done\n"
         "  case $command in\n" + cases + "    '') options='" + names + " " + options_of(app) + "' ;;\n  esac\n"
         "  case ${COMP_WORDS[COMP_CWORD-1]} in --config|--file|*-file|--policy|--ca-certificates) COMPREPLY=($(compgen -f -- \"$word\")); return ;; esac\n"
         "  COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
         "}\n"
         "complete -F _amzsync amzsync\n";
}

std::string for_fish(const CLI::App& app) {
  std::string out = "complete -c amzsync -f\n";
  const auto options = [&](const CLI::App& of, const std::string& when) {
    for (const CLI::Option* option : of.get_options())
      for (const std::string& name : option->get_lnames()) {
        out += "complete -c amzsync -n " + quoted(when) + " -l " + name + (option->get_expected_max() > 0 ? " -r" : "") + (name.ends_with("file") || name == "config" || name == "policy" ? " -F" : "");
        out += " -d " + quoted(option->get_description()) + "\n";
      }
  };
  options(app, "__fish_use_subcommand");
  for (const CLI::App* command : commands_of(app)) {
    out += "complete -c amzsync -n __fish_use_subcommand -a " + command->get_name() + " -d " + quoted(command->get_description()) + "\n";
    options(*command, "__fish_seen_subcommand_from " + command->get_name());
  }
  return out;
}

}  // namespace

std::string completion(const CLI::App& app, const std::string& shell) {
  if (shell == "fish") return for_fish(app);
  return (shell == "zsh" ? "autoload -Uz bashcompinit && bashcompinit\n" : "") + for_bash(app);
}

}  // namespace amzsync_cli
