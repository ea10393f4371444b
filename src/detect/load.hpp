// SPDX-License-Identifier: Apache-2.0
// Brings a seller's stored rows into the tables that detection judges.
#pragma once

#include <functional>

#include "base/crypto.hpp"
#include "detect/policy.hpp"
#include "detect/tables.hpp"
#include "spapi/regions.hpp"
#include "store/money_rows.hpp"
#include "store/sql.hpp"

namespace amzsync::detect {

/// Where the seller is at home: where it signed in, else the region's first marketplace that it takes part in.
const spapi::Marketplace& home_marketplace(store::Tx& tx, std::optional<UserNo> user, spapi::Region region);

/// Everything but the ledger (ledger_reader.hpp) and the orders (order_reader.hpp). `money`: the source of the money that is synced. Days are those of the home marketplace. nullopt: `stopped`,
/// which is asked now and then, said so.
std::optional<Tables> load_tables(store::Tx& tx, UserNo user, spapi::Region region, store::MoneyStream money, const std::function<bool()>& stopped);

/// Everything that a detection of today would conclude from, in one hash: where it is what it was, the findings are what they were.
Hash128 basis_of(store::Tx& tx, UserNo user, spapi::Region region, store::MoneyStream money, const Policy& policy);

}  // namespace amzsync::detect
