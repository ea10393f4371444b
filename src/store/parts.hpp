// SPDX-License-Identifier: Apache-2.0
// Rows that are parts of rows of another table, and belong to whom those belong to.
#pragma once

#include <cstdint>
#include <string_view>

#include "store/archive.hpp"
#include "store/money_rows.hpp"

namespace amzsync::store {

/// By numbers from those of their owner, times so many each, up to the next owner's. Where keys are led by the user, parts tell of him too; else only their owners do.
struct Parts {
  std::string_view table, key, owner, owner_key;
  std::int64_t each = 1;
  bool tells_user = true;
};

inline constexpr Parts kTransactionLines{"transaction_lines", "line_id", "transactions", "event_id", kLinesPerRow};
inline constexpr Parts kFinancialEventLines{"financial_event_lines", "line_id", "financial_events", "event_id", kLinesPerRow};
inline constexpr Parts kArchivePieces{"archive_pieces", "piece_id", "archive", "archive_no", kPiecesPerDocument};
inline constexpr Parts kRunStreams{"run_streams", "run_no", "runs", "run_no", 1, false};

}  // namespace amzsync::store
