// SPDX-License-Identifier: Apache-2.0
// Sellers v1, getMarketplaceParticipations: proves that the connection works and names the seller's marketplaces. It does not
// tell the seller's id.
#pragma once

#include "spapi/client.hpp"
#include "store/connections.hpp"

namespace amzsync::spapi {

Request get_marketplace_participations();
/// Errors: bad_answer. Entries without a marketplace id, or without a word on whether the seller takes part, go to `unreadable`.
struct ParticipationPage {
  std::vector<store::Participation> list;
  std::vector<std::string> unreadable;
};
Result<ParticipationPage> decode_participations(const JsonDocument& answer);

}  // namespace amzsync::spapi
