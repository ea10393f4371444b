// SPDX-License-Identifier: Apache-2.0
// Findings as durable rows, and the answers that are made of them.
#pragma once

#include "detect/detect.hpp"
#include "spapi/regions.hpp"
#include "store/money_rows.hpp"
#include "store/runs.hpp"

namespace amzsync::detect {

struct Saved {
  std::int64_t claim_ready = 0, opened = 0, closed = 0, changed = 0;
  Saved& operator+=(const Saved& s) {
    claim_ready += s.claim_ready, opened += s.opened, closed += s.closed, changed += s.changed;
    return *this;
  }
};
/// Makes the stored findings what a detection finds, a part at a time, for there can be as many as rows: a finding keeps its row, when it was opened and
/// what the host wrote of it; one that is found no more is closed at the end. A detection that breaks off leaves what it kept, and the next one judges all.
class Record {
 public:
  /// Both must outlive it.
  Record(const Tables& tables, const Policy& policy) : tables_(tables), policy_(policy) {}

  struct Part {
    std::vector<Hash128> ids;
    Saved saved;
  };
  /// In a transaction; it counts once it is `kept`.
  Part keep(const store::RunTx& run, const std::vector<Finding>& findings) const;
  void kept(const Part& part);
  /// With the last findings, in one transaction. Journals `detection.completed`.
  Saved end(const store::RunTx& run, const std::vector<Finding>& last, const std::vector<RuleState>& rules, const Hash128& basis) const;

 private:
  const Tables& tables_;
  const Policy& policy_;
  std::vector<Hash128> ids_;
  Saved saved_;
};
/// The same where nothing had changed since the last one: what it found still holds.
Saved save_unchanged(const store::RunTx& run);

struct Query {
  std::string readiness, rule;            ///< empty: all
  std::string state;                      ///< open, filed, won, lost; empty: all
  std::int64_t limit = 100, offset = 0;
};
/// `{findings, total, rules}`, what expires first at the head. Errors: invalid_argument.
Result<std::string> results_document(store::Tx& tx, std::optional<UserNo> user, const Query& query);
/// Counts and sums by rule and readiness, and the three totals.
std::string statistics_document(store::Tx& tx, std::optional<UserNo> user);

/// Money by currency: what can be claimed now, what Amazon paid on claims, and what is not sure or not mature yet. Never added to one another.
struct Totals {
  struct Sum {
    std::string currency;
    Micros amount;
    std::int64_t count = 0;
  };
  std::vector<Sum> claimable, paid, at_risk;
  std::int64_t claimable_units = 0, unpriced = 0;   ///< units that can be claimed; findings among them without a value
};
Totals totals(store::Tx& tx, UserNo user);

/// Why a finding is one; or, of an SKU, FNSKU, order, shipment or removal order, all that is and is not claimed of it and why. `policy` and `money` as
/// for the detection. Errors: not_found.
Result<std::string> explain(store::Tx& tx, std::optional<UserNo> user, std::string_view what, const Policy& policy, spapi::Region region, store::MoneyStream money);

/// What became of a claim: `open`, `filed`, `won` or `lost`, with the case that it was filed under. Errors: not_found, invalid_argument.
Result<std::string> set_state(store::Tx& tx, std::optional<UserNo> user, std::string_view finding_id, std::string_view state, std::string_view case_id);

/// What only the host knows: `kind` is costs, sizes, removal_receipts, removal_shipments, deliveries or partnered, `rows` a JSON array of objects
/// (docs/detection.md). A row takes the place of the one with the same key. Errors: invalid_argument, which names the row.
Result<std::int64_t> supply(store::Tx& tx, UserNo user, std::string_view kind, std::string_view rows);

}  // namespace amzsync::detect
