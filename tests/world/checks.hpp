// SPDX-License-Identifier: Apache-2.0
// What must hold in a world after a sync, whatever happened on the way.
#pragma once

#include "world/world.hpp"

namespace world {

/// A member of a JSON document: the text of a string, number or boolean; several names go down.
std::string member(const std::string& json, std::initializer_list<std::string_view> names);
inline std::string member(const std::string& json, std::string_view name) { return member(json, {name}); }

/// Trouble at Amazon: answers to a path are spoilt, `times` of them (-1: all), after the first `after`.
amzsim::Fault trouble(const std::string& path, const std::string& kind, int status = 500, int times = -1, int after = 0);

/// No run is active.
bool all_over(World& world);

/// A sync by hand, to its end: the run as its status tells it.
std::string sync_again(World& world, Process& process, int seller = 1);

/// Every row, line, sum and unit of the seller's truth is stored once, and the recoveries are the truth's.
void check_seller(World& world, Process& process, int seller);

/// The same, and all that must hold of the runs.
void check_truth(World& world, Process& process, int seller);

/// A seller who is connected, synced, and lives on: after each step every stream equals the truth, a sync on top of it writes nothing, and
/// rows that did not change keep their numbers.
void check_life(WorldSettings settings, int seller);

/// Counts of the run equal the rows; milestones came in order; progress never fell; one terminal event per run, and none after it.
void check_runs(World& world);

}  // namespace world
