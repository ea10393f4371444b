// SPDX-License-Identifier: Apache-2.0
// SKUs that Amazon's list of stock leaves out, asked for by their names (facts I3). What comes of it is stored as stock, and not archived: a list's
// pages alone say what the list said.
#pragma once

#include <set>

#include "sync/streams.hpp"

namespace amzsync::sync {

struct NamedInventory {
  std::set<std::string> shown;   ///< have stock after all, or could not be asked for: they are not gone
  bool readable = true;          ///< otherwise some of it could not be read, and any SKU may have been meant
};
/// Asks for `skus` in one marketplace, page by page. A SKU that Amazon refuses to be asked for is set apart, in quarantine, and the others are asked for
/// all the same. Errors: those of the calls and of the store.
Async<Result<NamedInventory>> ask_by_name(RunContext& run, spapi::Caller& caller, MarketplaceId marketplace, std::vector<std::string> skus);

}  // namespace amzsync::sync
