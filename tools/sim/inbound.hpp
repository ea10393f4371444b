// SPDX-License-Identifier: Apache-2.0
// What a simulated seller sends to Amazon: a shipment every few days, which moves through its states and is received little by little.
// Everything is computed from the time, nothing is stored.
#pragma once

#include "sim/facts.hpp"

namespace amzsim {

struct ShipmentItem {
  std::string sku, fnsku;
  std::int64_t shipped = 0, received = 0, in_case = 0;
};

struct Shipment {
  std::string id, name, fc;
  std::string_view status;
  const Marketplace* marketplace = nullptr;
  Instant created{}, updated{};
  std::vector<ShipmentItem> items;
  bool has_fee = false;            ///< for counting what is in the boxes
  Micros fee;
};

/// Shipments as they are at `now`, oldest first.
std::vector<Shipment> shipments(const Seller& seller, Instant now);

}  // namespace amzsim
