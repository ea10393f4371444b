// SPDX-License-Identifier: Apache-2.0
#include "sim/inbound.hpp"

#include <algorithm>
#include <array>

#include "sim/planted.hpp"

namespace amzsim {
namespace {

using std::chrono::hours;

constexpr int kDaysBetween = 5;
constexpr std::int64_t kFirstReceived = 12, kLastReceived = 24, kOver = 30;   // days after it was made

/// In which state a shipment is from which of its days on.
struct Stage {
  std::int64_t from_day;
  std::string_view status;
};
constexpr std::array kStages{Stage{0, "WORKING"},    Stage{1, "READY_TO_SHIP"}, Stage{2, "SHIPPED"}, Stage{4, "IN_TRANSIT"},
                             Stage{8, "DELIVERED"}, Stage{10, "CHECKED_IN"},   Stage{12, "RECEIVING"}, Stage{kOver, "CLOSED"}};

std::string_view status_on(std::int64_t day) {
  std::string_view status;
  for (const Stage& stage : kStages)
    if (day >= stage.from_day) status = stage.status;
  return status;
}

Shipment shipment(const Seller& seller, std::int64_t number, Instant created, Instant now) {
  const SellerSettings& s = seller.settings();
  auto r = Random::at(s.seed, 7, s.number, number);
  Shipment out;
  out.created = created;
  out.marketplace = seller.marketplaces()[static_cast<std::size_t>(number) % seller.marketplaces().size()];
  out.id = "FBA" + std::to_string(15) + std::string(1, static_cast<char>('A' + s.number % 26)) + std::to_string(100'000 + number);
  out.name = "FBA (" + amzsync::base::format_day(amzsync::base::day_of(created)) + ") - " + std::to_string(number);
  out.fc = number % 2 ? "PHX7" : "ABE8";
  // One in fifteen comes to nothing on its third day.
  const bool cancelled = r.one_in(15);
  const std::int64_t last_day = cancelled ? 3 : kOver;
  const std::int64_t day = std::min<std::int64_t>(last_day, (now - created) / hours(24));
  out.updated = created + hours(24) * day;
  out.status = cancelled && day >= last_day ? (number % 2 ? "CANCELLED" : "DELETED") : status_on(day);
  out.has_fee = r.one_in(4);
  if (out.has_fee) out.fee = Micros{r.between(10, 4'000) * 10'000};
  const std::int64_t count = std::min<std::int64_t>(r.between(1, 8), s.skus);
  const std::int64_t first = r.below(std::max<std::int64_t>(1, s.skus - count + 1));
  for (std::int64_t i = 0; i < count; ++i) {
    ShipmentItem item;
    item.sku = seller.sku(first + i);
    item.fnsku = seller.fnsku(item.sku);
    item.shipped = r.between(1, 60);
    item.in_case = r.one_in(3) ? 12 : 0;
    std::int64_t missing = r.one_in(6) ? r.between(1, 3) : r.one_in(20) ? -1 : 0;   // now and then Amazon counts one more
    if (seller.planted()) missing = 0;
    const std::int64_t in_the_end = std::max<std::int64_t>(0, item.shipped - missing);
    if (day >= kFirstReceived && !cancelled) item.received = in_the_end * std::min(day - kFirstReceived + 1, kLastReceived - kFirstReceived + 1) / (kLastReceived - kFirstReceived + 1);
    out.items.push_back(std::move(item));
  }
  return out;
}

}  // namespace

std::vector<Shipment> shipments(const Seller& seller, Instant now) {
  const SellerSettings& s = seller.settings();
  std::vector<Shipment> all;
  // Half past an hour, so that nothing changes while a sync that began on the hour is under way.
  const Instant first = std::chrono::ceil<hours>(s.end - s.history) + std::chrono::minutes(30);
  const Instant until = s.goes_on ? now : std::min(now, s.end);
  std::int64_t number = 0;
  for (Instant created = first; created <= until && s.skus > 0; created += hours(24 * kDaysBetween)) all.push_back(shipment(seller, number++, created, now));
  if (seller.planted()) add_planted(*seller.planted(), now, all);
  return all;
}

}  // namespace amzsim
