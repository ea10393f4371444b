// SPDX-License-Identifier: Apache-2.0
// Shipments to Amazon (Fulfillment Inbound v0). Amazon tells no dates of them, so the moment at which each was first seen in a state is kept.
#pragma once

#include "store/report_rows.hpp"

namespace amzsync::store {

/// After rows of `inbound_shipments` were written: what states they are in.
void note_shipment_statuses(const RunTx& run, std::span<const ReportRow> shipments);

/// When a reading began that has read all that was asked for; `what` that is: marketplaces, and how far back.
void close_inbound(const RunTx& run, const Hash128& what, Instant began);
/// The last of them, with what was given to it.
struct InboundReading {
  Hash128 what;
  Instant began{};
};
std::optional<InboundReading> last_inbound_reading(Tx& tx, UserNo user);

}  // namespace amzsync::store
