// SPDX-License-Identifier: Apache-2.0
// A user's data as text, a line at a time: for `amzsync export` and for the host's /api/export.
#pragma once

#include <amzsync/amzsync.hpp>
#include <functional>
#include <optional>
#include <string>

namespace amzsync_tools {

struct Export {
  std::string user;
  std::string what;                       ///< datasets with commas between; empty or "all": all of them; "findings": packets for claims, each with its evidence
  bool csv = false;                       ///< else a JSON object a line; of the rows of one dataset, or of findings
  std::optional<std::int64_t> since;      ///< only what changed after this number, told with it
  std::string status, rule;               ///< of findings
};

/// The names of its datasets, with commas between; empty: all.
std::string datasets(const Export& what);
/// What is wrong with it; empty: nothing.
std::string refuse(const Export& what);

/// Takes a line without its end; false: enough.
using Sink = std::function<bool(const std::string& line)>;
/// Everything that is committed, in no longer than it takes. With `since` the last line tells the number to go on from, and `on_gap` is called where changes after
/// it are no longer kept, so that all rows follow.
std::optional<amzsync::Failure> write_export(amzsync::Engine& engine, const Export& what, const Sink& sink, const std::function<void()>& on_gap = {});

}  // namespace amzsync_tools
