// SPDX-License-Identifier: Apache-2.0
// A detection over a seller's stored rows, a step at a time, so that what else is read of the store is not kept waiting.
#pragma once

#include "detect/detect.hpp"
#include "detect/ledger_reader.hpp"
#include "detect/order_reader.hpp"
#include "spapi/regions.hpp"

namespace amzsync::detect {

class Inquiry {
 public:
  struct Settings {
    spapi::Region region{};
    store::MoneyStream money{};           ///< the source that is synced
    const Policy* policy = nullptr;       ///< must outlive it
    std::function<bool()> stopped = {};   ///< asked now and then, on the thread of the step
    std::function<bool(RowRef)> tell_of = {};   ///< rows of which it is told why they are no claims; none: of no row
    bool only_if_changed = false;         ///< nothing is judged where everything is as it was at the detection that was saved last
  };
  Inquiry(UserNo user, Settings settings) : user_(user), settings_(std::move(settings)) {}

  /// True: there is more to do, in this transaction or another one, so long as nobody else writes the seller's rows. False: it is judged, or was stopped.
  bool step(store::Tx& tx);

  /// Every order, before it is judged. Before the first step.
  void tell_orders(std::function<void(const Order&)> to) { on_order_ = std::move(to); }

  /// Nothing has changed, so nothing was judged. After the last step.
  bool unchanged() const { return unchanged_; }
  bool judged() const { return detector_ && detector_->ended(); }
  /// What was found since the last call (Detector::take); between any steps.
  std::vector<Finding> take() { return detector_ ? detector_->take() : std::vector<Finding>(); }
  /// After the last step.
  const std::vector<RuleState>& rules() const { return detector_->states(); }
  /// All but the ledger and the orders are there.
  bool has_tables() const { return tables_.has_value(); }
  const Tables& tables() const { return *tables_; }
  /// What it was judged by, to be saved with it.
  const Hash128& basis() const { return basis_; }
  const std::vector<Verdict>& verdicts() const { return verdicts_; }

 private:
  UserNo user_;
  Settings settings_;
  std::function<void(const Order&)> on_order_;
  Hash128 basis_;
  bool begun_ = false, unchanged_ = false;
  std::optional<Tables> tables_;
  std::vector<Verdict> verdicts_;
  std::optional<Ledger> ledger_;
  std::optional<LedgerReader> products_;
  std::optional<OrderReader> orders_;
  std::optional<Detector> detector_;
};

}  // namespace amzsync::detect
