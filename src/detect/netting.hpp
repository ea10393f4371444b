// SPDX-License-Identifier: Apache-2.0
// The allocation ledger of one FNSKU: every unit that was lost or damaged is matched against units found again, corrections and payments,
// each of which is used once, by the strongest identity first. What stays open is what rules 1, 2 and 11 judge. Facts: detection 3.0 NET, 7.12.
#pragma once

#include <span>

#include "detect/tables.hpp"

namespace amzsync::detect {

/// A line of the reimbursements while it is being used up.
struct Payment {
  const Reimbursement* line = nullptr;
  std::int64_t gross = 0;                 ///< units paid: cash and inventory
  std::int64_t reversed = 0;              ///< units that reversals of this line took back
  std::int64_t left = 0;                  ///< of the rest, what nothing has used yet
};

struct Lot {
  enum class Kind : std::uint8_t { lost, damaged };
  Kind kind = Kind::lost;
  const LedgerRow* row = nullptr;
  const LedgerRow* mate = nullptr;        ///< of damage: the row that books the units as damaged
  std::int64_t units = 0, left = 0;
  std::int64_t accepted_first = 0;        ///< in the round in which Amazon's reconciled figure bounds it
  bool unsellable = false;                ///< taken from stock that was not the best any more: never more than `review`
  bool found_elsewhere = false;           ///< units found by ASIN, which it could have had, went to another product of it
  bool by_other_family = false;           ///< a payment for something else, or for nothing said, closed part of it
  std::int64_t reopened = 0;              ///< open only because a payment was taken back without cause: rule 11 claims these
  std::int64_t open() const noexcept { return left - reopened; }
};

enum class Step : std::uint8_t { undone, own_payment, corrected, found, found_by_asin, payment, ownership, other_family };
std::string_view step_name(Step step) noexcept;

struct Credit {
  Step kind = Step::found;                ///< undone, found, found_by_asin, corrected, payment, ownership
  const LedgerRow* row = nullptr;         ///< of what is no payment
  Payment* payment = nullptr;
  Day day{};
  std::int64_t units = 0, left = 0;
  RowRef ref() const noexcept { return payment ? RowRef{Source::reimbursements, payment->line->row} : RowRef{Source::ledger, row->row}; }
};

struct Use {
  std::size_t lot = 0, credit = 0;
  std::int64_t units = 0;
  Step step = Step::found;
};

/// Found units that Amazon books under an SKU of its own, which any product of the ASIN may claim, once.
struct FoundByAsin {
  const LedgerRow* row = nullptr;
  std::int64_t left = 0;
};

struct Netting {
  std::vector<Lot> lots;
  std::vector<Credit> credits;
  std::vector<Use> uses;
  std::vector<const LedgerRow*> told_before;   ///< losses of units whose damage is a lot already
};

/// `rows`: of the FNSKU, in order of (day, row). `payments`: lines of the FNSKU without an order. With `gross` reversals are left out of account, and
/// what was found by ASIN stays there for others.
Netting net(std::span<const LedgerRow> rows, std::span<FoundByAsin> by_asin, std::span<Payment* const> payments, bool gross);

}  // namespace amzsync::detect
