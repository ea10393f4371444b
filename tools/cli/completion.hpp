// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace amzsync_cli {

/// A script that teaches a shell ("bash", "zsh" or "fish") the commands and options of `app`, as they are.
std::string completion(const CLI::App& app, const std::string& shell);

}  // namespace amzsync_cli
