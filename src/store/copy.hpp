// SPDX-License-Identifier: Apache-2.0
// Copies everything that one database holds into another one, whatever their kinds, and proves by digests that it is the same.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace amzsync::store {

struct CopiedTable {
  std::string name;
  std::int64_t rows = 0;      ///< that both hold
  std::int64_t written = 0;   ///< by this copy; the rest was there from one that was broken off
  std::string digest;         ///< of all rows, in hex: the same in both
};

/// Copies in key order, a piece a transaction, so that a copy that was broken off goes on where it stopped; then reads every table of both again and compares. A table that
/// differs is copied once more from its beginning. All that is read of `from` is one moment's; no engine may work on either meanwhile (store_busy where one is
/// seen). Until all is done, no engine registers with `to`. Blocks; the stores' executors must run on other threads.
/// Left behind: which engines there were (their runs are taken over) and the places of events (the order stays).
/// Errors: store_*, store_busy also where `to` holds users already.
Result<std::vector<CopiedTable>> copy_store(Store& from, Store& to, const std::function<void(const std::string& table, std::int64_t rows)>& progress);

/// Whether a copy into this database was begun and is not over; then it is not to be worked on.
Status refuse_half_copied(Tx& tx);

}  // namespace amzsync::store
