// SPDX-License-Identifier: Apache-2.0
// Pages as Amazon sent them, kept where the settings ask for it: one walk over a list is one document of the archive, one page a piece of it.
#pragma once

#include "base/json.hpp"
#include "store/archive.hpp"
#include "sync/streams.hpp"

namespace amzsync::sync {

/// The pages of one walk. Written with the rows that they told of, in the same transactions; a walk that does not end is not kept.
class PageArchive {
 public:
  /// `document`: which stream, days and marketplace the walk is of, and up to when what it shows is known.
  PageArchive(const RunContext& run, store::ArchivedDocument document) : on_(run.services.settings.archive_pages), document_(std::move(document)) {}

  /// The page packed, for keep(); empty where nothing is kept. May run on a work thread.
  std::string pack(const JsonDocument& page) const;
  void keep(const store::RunTx& run, std::string_view packed);
  /// The walk is over.
  void close(const store::RunTx& run) const;

 private:
  bool on_;
  store::ArchivedDocument document_;
  std::int64_t pieces_ = 0;
};

/// Reads the pages of an archived walk, in order.
class PageReader {
 public:
  PageReader(RunContext& run, std::int64_t archive) : run_(run), archive_(archive) {}
  /// nullopt past the last one. Errors: bad_answer (damaged), cancelled, those of the store.
  Async<Result<std::optional<JsonDocument>>> next();

 private:
  RunContext& run_;
  std::int64_t archive_, number_ = 0;
};

}  // namespace amzsync::sync
