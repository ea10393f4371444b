// SPDX-License-Identifier: Apache-2.0
// Facts as the two finance APIs tell them. Every amount that is written is told to a listener at the same time, so that the
// truth is summed from what was meant, not from what somebody parsed.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "sim/facts.hpp"

namespace amzsim {

/// One money amount of a payload, as it is written.
struct ToldAmount {
  std::string_view list;       ///< event list or transaction type
  std::string path;            ///< dotted, without indexes
  std::string type;            ///< named beside the amount, or empty
  std::string currency;
  Micros amount;
  bool fee = false;            ///< a fee that Amazon charges
};
using AmountListener = std::function<void(const ToldAmount&)>;

/// The 34 lists of Finances v0.
extern const std::array<std::string_view, 34> kEventLists;

struct RenderedEvent {
  std::string_view list;
  std::string json;
  std::string order_id;        ///< empty where the list has none
  bool named = true;           ///< carries an id, so a page may repeat it at a seam
};
RenderedEvent render_v0(const Fact& fact, const AmountListener& listener);

/// A fact is one transaction, or two once a deferred sale was released.
enum class Part : std::uint8_t { only, deferred, released };
struct RenderedTransaction {
  std::string type;
  std::string json;
  std::string order_id;
};
RenderedTransaction render_2024(const Seller& seller, const Fact& fact, Part part, Instant now, const AmountListener& listener);
/// Opaque, 43 characters.
std::string transaction_id(const Seller& seller, std::int64_t number, Part part);

/// What a fact credits as an FBA reimbursement, line by line.
std::vector<Micros> credited_lines(const Fact& fact);

}  // namespace amzsim
