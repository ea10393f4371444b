// SPDX-License-Identifier: Apache-2.0
// The archive: documents as Amazon sent them, in pieces. A report is read from here, never from the wire, so a crash downloads
// nothing twice, memory is bounded by a piece, and a new decoder can read old documents without one call.
#pragma once

#include <vector>

#include "store/runs.hpp"

namespace amzsync::store {

/// piece_id = archive_no * kPiecesPerDocument + number.
constexpr std::int64_t kPiecesPerDocument = 1 << 20;

struct ArchivedDocument {
  std::int64_t number = 0;
  UserNo user;
  std::string stream;
  Day from{}, until{};          ///< days that the document tells of, until exclusive
  std::string content_type;     ///< as the answer named it
  std::string marketplace;      ///< where the seller is at home, for the charset
  Instant read_until{};         ///< up to when what it tells of is known
  std::int64_t pieces = 0;
  RunNo run;                    ///< that read it
  Instant kept_at{};            ///< when it was begun to be kept
  std::optional<DayRange> rows; ///< days of which it may have rows that other documents tell of; nullopt: not known
};

/// Begins a document. Its pieces follow, then archive_whole; one that never became whole is removed by trim_archive.
std::int64_t begin_archive(const RunTx& run, const ArchivedDocument& document);
void append_archive(const RunTx& run, std::int64_t number, std::int64_t piece, std::string_view bytes);
void archive_whole(const RunTx& run, std::int64_t number, std::int64_t pieces, std::string_view content_type);

/// A document that is not to be kept: it goes with the next trimming, and no replay reads it.
void forget_archived(const RunTx& run, std::int64_t number);

std::optional<ArchivedDocument> find_archived(Tx& tx, UserNo user, std::int64_t number);
/// Piece 0, 1, …; nullopt past the last one.
std::optional<std::string> archived_piece(Tx& tx, UserNo user, std::int64_t number, std::int64_t piece);
/// Whole documents of a user, oldest first; of one stream, or of all ("").
std::vector<ArchivedDocument> archived_documents(Tx& tx, UserNo user, std::string_view stream);

/// Removes documents older than `before`, and those that never became whole and are older than a day; the number of pieces removed,
/// at most `limit` a call.
std::int64_t trim_archive(Tx& tx, Instant before, int limit);

}  // namespace amzsync::store
