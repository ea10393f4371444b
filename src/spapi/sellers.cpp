// SPDX-License-Identifier: Apache-2.0
#include "spapi/sellers.hpp"

namespace amzsync::spapi {

Request get_marketplace_participations() {
  Request request;
  request.operation = &kGetMarketplaceParticipations;
  request.path = "/sellers/v1/marketplaceParticipations";
  return request;
}

Result<ParticipationPage> decode_participations(const JsonDocument& answer) {
  const Json payload = answer["payload"];
  if (!payload.is_array()) return Error(Code::bad_answer, "Amazon's answer to getMarketplaceParticipations holds no list.");
  ParticipationPage page;
  for (const Json entry : payload) {
    const Json m = entry["marketplace"];
    const auto participating = entry["participation"]["isParticipating"].boolean();
    if (m["id"].text().empty() || !participating) {
      append_json(page.unreadable.emplace_back(), entry);
      continue;
    }
    const auto text = [](Json value) { return std::string(value.text()); };
    page.list.push_back({MarketplaceId(text(m["id"])), text(m["name"]), text(m["countryCode"]), text(m["defaultCurrencyCode"]), text(m["defaultLanguageCode"]),
                         text(m["domainName"]), text(entry["storeName"]), *participating,
                         entry["participation"]["hasSuspendedListings"].boolean().value_or(false)});
  }
  return page;
}

}  // namespace amzsync::spapi
