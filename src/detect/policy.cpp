// SPDX-License-Identifier: Apache-2.0
#include "detect/policy.hpp"

#include <algorithm>
#include <array>

#include "base/json.hpp"
#include "detect/policy_files.hpp"

namespace amzsync::detect {
namespace {

using std::chrono::days;

constexpr std::pair<std::string_view, Claim> kClaims[]{{"fc_ops", Claim::fc_ops},           {"return", Claim::customer_return},       {"removal_lost", Claim::removal_lost}, {"removal_other", Claim::removal_other},
                                                       {"inbound", Claim::inbound},         {"fee_dim", Claim::fee_dim},              {"fee_referral", Claim::fee_referral}, {"duplicate_fee", Claim::duplicate_fee},
                                                       {"refund_excess", Claim::refund_excess}, {"transfer", Claim::transfer},        {"unspecified", Claim::unspecified}};
constexpr std::string_view kAnywhere = "*", kFallback = "US";

/// Reads members and remembers the first fault, so that a table is read top to bottom and refused with the place that is wrong.
class Reader {
 public:
  explicit Reader(std::string_view file) : file_(file) {}
  void at(std::string place) { place_ = std::move(place); }

  std::string text(Json from, std::string_view name, bool required = true) {
    const Json value = from[name];
    if (value.is_string()) return std::string(value.text());
    if (required || !value.is_null()) fault(name, "must be a text");
    return {};
  }
  std::optional<int> integer(Json from, std::string_view name) {
    const Json value = from[name];
    if (value.is_null()) return std::nullopt;
    const auto number = value.integer();
    if (!number || *number < 0 || *number > 100'000) {
      fault(name, "must be a whole number, 0 to 100000");
      return std::nullopt;
    }
    return static_cast<int>(*number);
  }
  std::optional<Day> day(Json from, std::string_view name) {
    const Json value = from[name];
    if (value.is_null()) return std::nullopt;
    const auto at = parse_instant(value.text());
    if (!at) fault(name, "must be a date, such as 2026-04-17");
    return at ? std::optional(day_of(*at)) : std::nullopt;
  }
  Micros decimal(Json from, std::string_view name) { return decimal_of(from[name], name); }
  Micros decimal_of(Json value, std::string_view name) {
    const ParsedAmount parsed = parse_amount(value.text());
    if (value.text().empty() || parsed.fault != AmountFault::none) fault(name, "must be a number with at most six decimals");
    return parsed.micros;
  }
  std::map<Currency, Micros> by_currency(Json object, const std::string& name) {
    std::map<Currency, Micros> sums;
    for (const Json member : object) {
      const auto currency = Currency::parse(member.name());
      if (!currency) {
        fault(name, "names a currency that is none: " + std::string(member.name()));
      } else {
        sums[*currency] = decimal_of(member, name);
      }
    }
    return sums;
  }
  void fault(std::string_view name, std::string_view what) {
    if (!error_) error_ = Error(Code::invalid_argument, std::string(file_) + ": " + place_ + (place_.empty() ? "" : ": ") + std::string(name) + " " + std::string(what) + ".");
  }
  Status status() const { return error_ ? Status(*error_) : Status(Done{}); }

 private:
  std::string_view file_;
  std::string place_;
  std::optional<Error> error_;
};

Result<JsonDocument> open(std::string_view file, std::string_view text) {
  auto document = JsonDocument::parse(text);
  if (!document) return Error(Code::invalid_argument, std::string(file) + " is no JSON: " + document.error().message);
  return document;
}

constexpr Day kAlways{std::chrono::days(1'000'000)};
bool holds(Day from, Day until, Day day) noexcept { return from <= day && day < until; }

/// ISO 4217: how many micros the smallest unit has.
std::int64_t smallest_unit(Currency currency) noexcept {
  constexpr std::string_view kWhole[]{"JPY", "KRW", "CLP", "VND"};
  return std::find(std::begin(kWhole), std::end(kWhole), currency.text()) == std::end(kWhole) ? 10'000 : 1'000'000;
}

/// Half away from zero.
std::int64_t rounded(__int128 value, __int128 unit) noexcept {
  const __int128 half = unit / 2;
  return static_cast<std::int64_t>((value >= 0 ? (value + half) / unit : -((-value + half) / unit)));
}

}  // namespace

const Policy& Policy::embedded() {
  static const Policy policy = [] {
    auto parsed = parse({});
    return parsed ? std::move(*parsed) : Policy();   // a test parses them
  }();
  return policy;
}

Result<Policy> Policy::parse(const std::map<std::string, std::string, std::less<>>& files) {
  for (const auto& [name, text] : files)
    if (policy_file(name).empty()) return Error(Code::invalid_argument, "There is no table of policy " + name + ": they are windows.json, values.json and rate_cards.json.");
  const auto text_of = [&](std::string_view name) {
    const auto found = files.find(name);
    return found == files.end() ? policy_file(name) : std::string_view(found->second);
  };
  Policy policy;
  AMZ_CHECK(policy.read_windows(text_of("windows.json")));
  AMZ_CHECK(policy.read_values(text_of("values.json")));
  AMZ_CHECK(policy.read_cards(text_of("rate_cards.json")));
  for (const char* name : {"windows.json", "values.json", "rate_cards.json"}) policy.content_ += Hash128::of(name + std::string(text_of(name)));
  return policy;
}

Status Policy::read_windows(std::string_view text) {
  AMZ_TRY(document, open("windows.json", text));
  Reader read("windows.json");
  version_ = read.text(document.root(), "version");
  for (const Json member : document["stands_for"]) stands_for_.emplace(member.name(), member.text());
  for (const Json row : document["windows"]) {
    WindowRow w;
    w.id = read.text(row, "id");
    read.at(w.id);
    const std::string claim = read.text(row, "claim");
    const auto known = std::find_if(std::begin(kClaims), std::end(kClaims), [&](const auto& c) { return c.first == claim; });
    if (known == std::end(kClaims)) {
      read.fault("claim", "is none that is known: " + claim);
    } else {
      w.claim = known->second;
    }
    w.country = read.text(row, "country");
    w.from = read.day(row, "from").value_or(w.from);
    w.until = read.day(row, "until").value_or(w.until);
    w.earliest = read.integer(row, "earliest").value_or(0);
    w.safe_earliest = read.integer(row, "safe_earliest").value_or(w.earliest);
    w.latest = read.integer(row, "latest");
    w.latest_months = read.integer(row, "latest_months");
    w.safe_latest = read.integer(row, "safe_latest");
    w.not_after = read.day(row, "not_after");
    if (w.latest.has_value() == w.latest_months.has_value()) read.fault("latest", "or latest_months must be there, and not both");
    windows_.push_back(std::move(w));
  }
  read.at("");
  for (const auto& [name, claim] : kClaims) {
    const bool anywhere = std::any_of(windows_.begin(), windows_.end(), [&, c = claim](const WindowRow& w) { return w.claim == c && (w.country == kAnywhere || w.country == kFallback); });
    if (!anywhere) read.fault("windows", "has no row of " + std::string(name) + " for US or *");
  }
  return read.status();
}

Status Policy::read_values(std::string_view text) {
  AMZ_TRY(document, open("values.json", text));
  Reader read("values.json");
  version_ += "/" + read.text(document.root(), "version");
  const auto since = read.day(document.root(), "sourcing_cost_since");
  if (!since) read.fault("sourcing_cost_since", "must be a date");
  sourcing_cost_since_ = since.value_or(Day{});
  unit_caps_ = read.by_currency(document["unit_caps"], "unit_caps");
  administration_share_ = read.decimal(document["refund_administration"], "share");
  administration_caps_ = read.by_currency(document["refund_administration"]["caps"], "caps");
  return read.status();
}

Status Policy::read_cards(std::string_view text) {
  AMZ_TRY(document, open("rate_cards.json", text));
  Reader read("rate_cards.json");
  version_ += "/" + read.text(document.root(), "version");
  const auto dates = [&](Json row, auto& card) {
    read.at(card.id);
    card.country = read.text(row, "country");
    card.from = read.day(row, "from").value_or(Day{});
    card.until = read.day(row, "until").value_or(kAlways);
  };
  for (const Json row : document["storage"]) {
    StorageRate rate;
    rate.id = read.text(row, "id");
    dates(row, rate);
    rate.tier = read.text(row, "tier");
    rate.volume_units = read.text(row, "volume_units");
    rate.rate = read.decimal(row, "rate");
    for (const Json month : row["months"]) rate.months = static_cast<std::uint16_t>(rate.months | 1U << (month.integer().value_or(1) & 15));
    storage_.push_back(std::move(rate));
  }
  for (const Json row : document["fulfilment"]) {
    FulfilmentCard card;
    card.id = read.text(row, "id");
    dates(row, card);
    for (const Json tier : row["tiers"]) card.tiers.push_back({read.text(tier, "name"), read.decimal(tier, "most_ounces"), read.decimal(tier, "fee")});
    for (const Json s : row["surcharges"]) card.surcharges.push_back({read.day(s, "from").value_or(Day{}), read.day(s, "until").value_or(kAlways), read.decimal(s, "factor")});
    if (card.tiers.empty()) read.fault("tiers", "must not be empty");
    fulfilment_.push_back(std::move(card));
  }
  for (const Json row : document["referral"]) {
    ReferralCard card;
    card.id = read.text(row, "id");
    dates(row, card);
    card.category = read.text(row, "category");
    for (const Json step : row["steps"]) card.steps.push_back({step["up_to"].is_null() ? Micros{INT64_MAX} : read.decimal(step, "up_to"), read.decimal(step, "rate")});
    card.least = row["least"].is_null() ? Micros{} : read.decimal(row, "least");
    if (card.steps.empty()) read.fault("steps", "must not be empty");
    referral_.push_back(std::move(card));
  }
  return read.status();
}

Window Policy::window(Claim claim, std::string_view country, Day event) const {
  const auto find = [&](std::string_view c) {
    return std::find_if(windows_.begin(), windows_.end(), [&](const WindowRow& w) { return w.claim == claim && w.country == c && holds(w.from, w.until, event); });
  };
  auto row = find(country);
  bool confirmed = row != windows_.end();
  if (!confirmed) {
    row = find(kAnywhere);
    confirmed = row != windows_.end();
  }
  if (!confirmed) {
    const auto other = stands_for_.find(country);
    if (other != stands_for_.end()) row = find(other->second);
    // Said of others, not of this country itself (facts 7.9).
  }
  if (row == windows_.end()) row = find(kFallback);
  if (row == windows_.end()) return {"none", event, event, event, event, false};

  Window w;
  w.policy = row->id;
  w.confirmed = confirmed;
  w.earliest = event + days(row->earliest);
  w.safe_earliest = event + days(row->safe_earliest);
  w.latest = row->latest ? event + days(*row->latest) : months_after(event, row->latest_months.value_or(0));
  if (row->not_after) w.latest = std::min(w.latest, *row->not_after);
  w.safe_latest = row->safe_latest ? std::min(w.latest, event + days(*row->safe_latest)) : w.latest;
  return w;
}

std::optional<Micros> Policy::unit_cap(Currency currency) const {
  const auto found = unit_caps_.find(currency);
  return found == unit_caps_.end() ? std::nullopt : std::optional(found->second);
}

Micros Policy::refund_administration(Micros fee, std::int64_t units, Currency currency) const {
  const Micros share = times(fee, administration_share_, currency);
  const auto cap = administration_caps_.find(currency);
  return cap == administration_caps_.end() ? share : std::min(share, Micros{cap->second.value * units});
}

const FulfilmentCard* Policy::fulfilment_card(std::string_view country, Day day) const {
  for (const FulfilmentCard& card : fulfilment_)
    if (card.country == country && holds(card.from, card.until, day)) return &card;
  return nullptr;
}

const ReferralCard* Policy::referral_card(std::string_view country, std::string_view category, Day day) const {
  const ReferralCard* any = nullptr;
  for (const ReferralCard& card : referral_) {
    if (card.country != country || !holds(card.from, card.until, day)) continue;
    if (card.category == category) return &card;
    if (card.category == kAnywhere) any = &card;
  }
  return any;
}

const StorageRate* Policy::storage_rate(std::string_view country, std::string_view tier, Day month) const {
  const unsigned number = static_cast<unsigned>(std::chrono::year_month_day(month).month());
  for (const StorageRate& rate : storage_)
    if (rate.country == country && rate.tier == tier && holds(rate.from, rate.until, month) && rate.months >> number & 1U) return &rate;
  return nullptr;
}

Day months_after(Day day, int months) {
  const std::chrono::year_month_day date(day);
  const auto month = date.year() / date.month() + std::chrono::months(months);
  const auto last = std::chrono::year_month_day_last(month.year() / month.month() / std::chrono::last);
  return std::chrono::sys_days(month / std::min(date.day(), last.day()));
}

Micros round_to_cents(Micros amount, Currency currency) {
  const std::int64_t unit = smallest_unit(currency);
  return {rounded(amount.value, unit) * unit};
}

Micros times(Micros amount, Micros factor, Currency currency) {
  const std::int64_t unit = smallest_unit(currency);
  return {rounded(static_cast<__int128>(amount.value) * factor.value, static_cast<__int128>(unit) * 1'000'000) * unit};
}

Micros share_of(Micros amount, std::int64_t numerator, std::int64_t denominator, Currency currency) {
  const std::int64_t unit = smallest_unit(currency);
  return {rounded(static_cast<__int128>(amount.value) * numerator, static_cast<__int128>(unit) * denominator) * unit};
}

}  // namespace amzsync::detect
