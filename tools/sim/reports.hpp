// SPDX-License-Identifier: Apache-2.0
// The flat files that the report service gives out, rendered from the same facts as the finance APIs, with the awkwardness of
// Amazon's: quotes that do not match, twins, two dialects, three charsets, columns spelt in several ways.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "sim/facts.hpp"

namespace amzsim {

/// What rows were written; for the truth.
struct ReportTally {
  std::int64_t rows = 0, quantity = 0;
  std::map<std::string, std::int64_t> micros;   ///< by currency
};

/// A kind of report that the simulator knows.
struct ReportKind {
  std::string_view type;
  std::string_view stream;          ///< as the truth names it
  int widest_days = 0;              ///< a wider range ends FATAL; 0: a snapshot
  std::string_view content_type;    ///< of the document's answer
  /// The file's rows for facts in [from, until) as they are at `now`.
  std::string (*render)(const Seller& seller, Instant from, Instant until, Instant now, ReportTally& tally);
  bool listed = false;              ///< can't be asked for; Amazon makes it by itself and lists it
  bool by_month = false;            ///< a sheet for each whole month
};
/// A settlement report: one for each marketplace and fortnight.
struct Settlement {
  std::string id, document;
  std::size_t marketplace = 0;
  Instant from{}, until{}, created{};
};
/// Those made by `now`, oldest first.
std::vector<Settlement> settlements(const Seller& seller, Instant now);
std::string settlement_text(const Seller& seller, const Settlement& settlement, ReportTally& tally);

/// nullptr for a type that is not simulated.
const ReportKind* find_report_kind(std::string_view type);
/// All kinds, for the truth.
std::vector<const ReportKind*> report_kinds();

}  // namespace amzsim
