// SPDX-License-Identifier: Apache-2.0
// Brings a seller's stored rows into the tables that detection judges.
#pragma once

#include "detect/tables.hpp"
#include "spapi/regions.hpp"
#include "store/money_rows.hpp"
#include "store/sql.hpp"

namespace amzsync::detect {

/// Where the seller is at home: where it signed in, else the region's first marketplace that it takes part in.
const spapi::Marketplace& home_marketplace(store::Tx& tx, std::optional<UserNo> user, spapi::Region region);

/// `money`: the source of the money that is synced. Days are those of the home marketplace.
Tables load_tables(store::Tx& tx, UserNo user, spapi::Region region, store::MoneyStream money);

}  // namespace amzsync::detect
