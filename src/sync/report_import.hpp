// SPDX-License-Identifier: Apache-2.0
// Reads an archived document into its table, in memory that does not grow with the document. It is walked several times, which
// costs little, because it lies in the archive: once to sum up each day, then, for as many days that changed as fit in memory, once
// to compare with what is stored and once to write the differences.
#pragma once

#include <set>

#include "spapi/report_dataset.hpp"
#include "store/archive.hpp"
#include "sync/services.hpp"

namespace amzsync::sync {

/// A document that was read before is read anew: every row is written as it is decoded now, and when the days were read stays as it was.
struct Replay {
  std::set<Day> told;                  ///< days that a newer document has told already
  std::set<std::string> told_parts;    ///< and parts, where a table has such
};

struct ImportContext {
  Services& services;
  store::Fence fence;
  CancelToken cancel;
  std::optional<Replay> replay;
  DayRange history{};          ///< days that have reports of their own, or will have
  std::optional<Instant> asked_at{};   ///< when the report was asked for, or made by somebody else; nullopt: not known any more
};

struct Imported {
  store::Counts counts;   ///< beside what is counted in the run already
  std::set<Day> days;   ///< that the document told of
  std::set<std::string> parts;
  bool personal = false;   ///< it has columns of persons, so it is not to be kept
  bool blank = false;   ///< the document holds nothing, not even a header: it tells of no day, and nothing was changed
};
/// Errors: bad_answer (the document is not that report, or is damaged), cancelled, fenced, those of the store.
Async<Result<Imported>> import_document(ImportContext context, const spapi::ReportDataset& dataset, store::ArchivedDocument document);

}  // namespace amzsync::sync
