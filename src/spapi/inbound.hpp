// SPDX-License-Identifier: Apache-2.0
// Fulfillment Inbound v0: what the seller sent to Amazon, and how much of it Amazon says it received. The newer version of this API does not
// tell the latter (facts 3.8).
#pragma once

#include "spapi/client.hpp"
#include "store/report_rows.hpp"

namespace amzsync::spapi {

/// Which of the two lists.
enum class InboundList : std::uint8_t { shipments, items };

struct InboundPage {
  std::vector<store::ReportRow> rows;     ///< of inbound_table
  std::vector<store::Fault> unreadable;
  std::string next_token;
  bool empty = false;                     ///< the answer holds neither a list nor a token
};

/// getShipments, getShipmentItems by DATE_RANGE; both ends belong to it.
Request get_inbound(InboundList list, const MarketplaceId& marketplace, Instant updated_from, Instant updated_until);
/// The next page.
Request get_more_inbound(InboundList list, const MarketplaceId& marketplace, const std::string& page_token);

/// Errors: bad_answer when the envelope is missing.
Result<InboundPage> decode_inbound(InboundList list, const MarketplaceId& marketplace, const JsonDocument& answer);

/// The table that holds them.
const store::ReportTable& inbound_table(InboundList list);

}  // namespace amzsync::spapi
