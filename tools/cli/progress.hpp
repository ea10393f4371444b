// SPDX-License-Identifier: Apache-2.0
// How a sync goes on, for whoever waits for it: on a terminal a bar, and below it one for each dataset; elsewhere a line for each milestone.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace amzsync_cli {

class Progress {
 public:
  /// `run`: the sync's document, or an event of its progress.
  void show(const nlohmann::ordered_json& run);
  /// Takes it off the terminal.
  void clear();
  ~Progress() { clear(); }

 private:
  std::string last_;
};

}  // namespace amzsync_cli
