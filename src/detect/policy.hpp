// SPDX-License-Identifier: Apache-2.0
// Amazon's policy as dated data: windows for claims, what units are worth, rate cards. The tables are embedded from policy/*.json and can be
// replaced while running; a finding names the window and the version that it was judged by. Facts: detection 1.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto.hpp"
#include "base/money.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace amzsync::detect {
using namespace base;

enum class Claim : std::uint8_t { fc_ops, customer_return, removal_lost, removal_other, inbound, fee_dim, fee_referral, duplicate_fee, refund_excess, transfer, unspecified };

/// When a claim may be filed. Days are local dates; the last ones are still in time.
struct Window {
  std::string_view policy;                ///< of the Policy
  Day earliest{}, safe_earliest{}, latest{}, safe_latest{};
  bool confirmed = true;                  ///< false: the country has no row of its own
};

/// What Amazon charges for one unit to be fulfilled, by tier and date.
struct FulfilmentCard {
  std::string id, country;
  Day from{}, until{};
  struct Tier {
    std::string name;
    Micros most_ounces;
    Micros fee;
  };
  std::vector<Tier> tiers;                ///< cheapest first
  struct Surcharge {
    Day from{}, until{};
    Micros factor;
  };
  std::vector<Surcharge> surcharges;
};
struct ReferralCard {
  std::string id, country, category;      ///< product group; "*": any
  Day from{}, until{};
  struct Step {
    Micros up_to;                         ///< of the basis; the last one has no bound
    Micros rate;                          ///< share
  };
  std::vector<Step> steps;
  Micros least;                           ///< per unit
};
struct StorageRate {
  std::string id, country, tier, volume_units;
  Day from{}, until{};
  std::uint16_t months = 0;               ///< bit of each month, January = 1
  Micros rate;
};

class Policy {
 public:
  /// The embedded tables.
  static const Policy& embedded();
  /// Of texts by the names of the files in policy/; those that are not given are the embedded ones. Errors: invalid_argument, which names the
  /// file, the place and what is wrong.
  static Result<Policy> parse(const std::map<std::string, std::string, std::less<>>& files);

  /// `country`: ISO, of the marketplace.
  Window window(Claim claim, std::string_view country, Day event) const;
  /// From when on Amazon pays what a unit cost the seller.
  Day sourcing_cost_since() const noexcept { return sourcing_cost_since_; }
  std::optional<Micros> unit_cap(Currency currency) const;
  /// What Amazon keeps of a referral fee that it gives back.
  Micros refund_administration(Micros referral_fee, std::int64_t units, Currency currency) const;
  /// The card that holds on a day; nullptr: none is known.
  const FulfilmentCard* fulfilment_card(std::string_view country, Day day) const;
  const ReferralCard* referral_card(std::string_view country, std::string_view category, Day day) const;
  const StorageRate* storage_rate(std::string_view country, std::string_view tier, Day month) const;
  bool has_fulfilment_cards() const noexcept { return !fulfilment_.empty(); }
  /// Grows with every change of a table: the versions of the files, joined.
  const std::string& version() const noexcept { return version_; }
  /// Of the texts of the tables, whatever versions they name.
  const Hash128& content() const noexcept { return content_; }

 private:
  struct WindowRow {
    std::string id, country;
    Claim claim = Claim::unspecified;
    Day from = day_from(-1'000'000), until = day_from(1'000'000);
    int earliest = 0, safe_earliest = 0;
    std::optional<int> latest, latest_months, safe_latest;
    std::optional<Day> not_after;
  };
  Status read_windows(std::string_view text);
  Status read_values(std::string_view text);
  Status read_cards(std::string_view text);

  Hash128 content_;
  std::vector<WindowRow> windows_;
  std::map<std::string, std::string, std::less<>> stands_for_;
  Day sourcing_cost_since_{};
  std::map<Currency, Micros> unit_caps_, administration_caps_;
  Micros administration_share_;
  std::vector<FulfilmentCard> fulfilment_;
  std::vector<ReferralCard> referral_;
  std::vector<StorageRate> storage_;
  std::string version_;
};

/// The date `months` later: the last day of the month where that one is shorter.
Day months_after(Day day, int months);

/// Half up to the smallest unit that the currency has.
Micros round_to_cents(Micros amount, Currency currency);
/// amount × factor, half up to the currency's smallest unit.
Micros times(Micros amount, Micros factor, Currency currency);
/// amount × numerator / denominator, half up to the currency's smallest unit; denominator > 0.
Micros share_of(Micros amount, std::int64_t numerator, std::int64_t denominator, Currency currency);

}  // namespace amzsync::detect
