// SPDX-License-Identifier: Apache-2.0
#include "detect/tables.hpp"

#include <algorithm>

namespace amzsync::detect {
namespace {

/// As Amazon's spellings are compared: small letters and digits alone.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z') {
      out += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      out += c;
    }
  }
  return out;
}

template <class Value>
struct Word {
  std::string_view text;
  Value value;
};
template <class Value, std::size_t n>
Value look_up(const Word<Value> (&words)[n], std::string_view text, Value otherwise) {
  const std::string key = plain(text);
  for (const auto& word : words)
    if (word.text == key) return word.value;
  return otherwise;
}

constexpr std::string_view kSourceNames[kSources]{"ledger", "ledger_summary", "reimbursements", "returns", "removals", "inbound", "money", "fee_preview", "storage_fees", "removal_shipments", "supplied"};
constexpr std::string_view kDispositionNames[]{"SELLABLE", "DEFECTIVE", "CUSTOMER_DAMAGED", "DISTRIBUTOR_DAMAGED", "WAREHOUSE_DAMAGED", "CARRIER_DAMAGED", "EXPIRED", "UNSELLABLE", "UNKNOWN"};
constexpr std::string_view kFamilyNames[]{"lost", "damaged", "inbound", "return", "removal", "fee", "general", "reversal"};

constexpr Word<Movement> kMovements[]{{"receipts", Movement::receipt},           {"shipments", Movement::shipment},     {"customerreturns", Movement::customer_return},
                                      {"vendorreturns", Movement::vendor_return}, {"whsetransfers", Movement::transfer}, {"adjustments", Movement::adjustment}};
constexpr Word<Disposition> kDispositions[]{{"sellable", Disposition::sellable},
                                            {"defective", Disposition::defective},
                                            {"customerdamaged", Disposition::customer_damaged},
                                            {"distributordamaged", Disposition::distributor_damaged},
                                            {"vendordamaged", Disposition::distributor_damaged},
                                            {"warehousedamaged", Disposition::warehouse_damaged},
                                            {"carrierdamaged", Disposition::carrier_damaged},
                                            {"expired", Disposition::expired},
                                            {"unsellable", Disposition::unsellable}};
/// The report's spellings, and those of the money (detection 2.3). A reversal of the report takes back; the money's `REVERSAL_REIMBURSEMENT` gives.
constexpr Word<Family> kFamilies[]{{"lostwarehouse", Family::lost},
                                   {"damagedwarehouse", Family::damaged},
                                   {"lostinbound", Family::inbound},
                                   {"damagedinbound", Family::inbound},
                                   {"missingfrominbound", Family::inbound},
                                   {"customerreturn", Family::returned},
                                   {"customerserviceissue", Family::returned},
                                   {"returnadjustment", Family::returned},
                                   {"lostoutbound", Family::returned},
                                   {"reversalreimbursement", Family::returned},
                                   {"freereplacementrefunditems", Family::returned},
                                   {"cserroritems", Family::returned},
                                   {"feecorrection", Family::fee},
                                   {"incorrectfeesitems", Family::fee},
                                   {"reimbursementreversal", Family::reversal},
                                   {"generaladjustment", Family::general}};
/// CARRIER_DAMAGED and DAMAGED: Amazon pays and takes the unit; the others stay the seller's (detection 2.4).
constexpr Word<ReturnGrade> kGrades[]{{"sellable", ReturnGrade::sellable},
                                      {"damaged", ReturnGrade::amazon_damaged},
                                      {"carrierdamaged", ReturnGrade::amazon_damaged},
                                      {"warehousedamaged", ReturnGrade::amazon_damaged},
                                      {"customerdamaged", ReturnGrade::not_amazons},
                                      {"custdamaged", ReturnGrade::not_amazons},
                                      {"defective", ReturnGrade::not_amazons},
                                      {"expired", ReturnGrade::not_amazons},
                                      {"distributordamaged", ReturnGrade::not_amazons}};

}  // namespace

Name Names::of(std::string_view text) {
  if (text.empty()) return {};
  if (const auto found = numbers_.find(text); found != numbers_.end()) return {found->second};
  texts_.emplace_back(text);
  const auto number = static_cast<std::uint32_t>(texts_.size() - 1);
  numbers_.emplace(texts_.back(), number);
  return {number};
}

Name Names::find(std::string_view text) const {
  const auto found = numbers_.find(text);
  return found == numbers_.end() ? Name{} : Name{found->second};
}

std::string_view source_name(Source source) noexcept { return kSourceNames[static_cast<std::size_t>(source)]; }
Movement movement_from(std::string_view text) noexcept { return look_up(kMovements, text, Movement::unknown); }
Disposition disposition_from(std::string_view text) noexcept { return look_up(kDispositions, text, Disposition::unknown); }
std::string_view disposition_name(Disposition d) noexcept { return kDispositionNames[static_cast<std::size_t>(d)]; }
std::string_view family_name(Family family) noexcept { return kFamilyNames[static_cast<std::size_t>(family)]; }
ReturnGrade return_grade_from(std::string_view text) noexcept { return look_up(kGrades, text, ReturnGrade::unknown); }

Family family_from(std::string_view reason) noexcept {
  const std::string key = plain(reason);
  if (key.starts_with("warehouselost")) return Family::lost;
  if (key.starts_with("warehousedamage")) return Family::damaged;
  if (key.starts_with("removalorder")) return Family::removal;
  return look_up(kFamilies, reason, Family::general);
}

Micros SellerSize::cubic_feet() const noexcept {
  // Inches in millionths, so that the product has 18 decimals.
  const auto volume = static_cast<__int128>(longest.value) * median.value * shortest.value / 1'728;
  return {static_cast<std::int64_t>((volume + 500'000'000'000) / 1'000'000'000'000)};
}

void Coverage::add(Source source, Day from, Day until) {
  auto& days = days_[source];
  if (!days.empty() && days.back().second >= from) {
    days.back().second = std::max(days.back().second, until);
  } else {
    days.emplace_back(from, until);
  }
}

const std::string& Coverage::reason(Source source) const {
  static const std::string none;
  const auto found = reasons_.find(source);
  return found == reasons_.end() ? none : found->second;
}

std::string Coverage::told() const {
  std::string text;
  for (const auto& [source, stretches] : days_) {
    text += std::string(source_name(source)) + ':';
    for (const auto& [from, until] : stretches) text += std::to_string(to_number(from)) + '-' + std::to_string(to_number(until)) + ',';
  }
  for (const auto& [doubted, sign] : {std::pair(&by_word_, '?'), std::pair(&in_part_, '!')})
    for (const auto& [source, of] : *doubted) {
      text += std::string(source_name(source)) + sign;
      for (const Day day : of) text += std::to_string(to_number(day)) + ',';
    }
  for (const auto& [source, why] : reasons_) text += std::string(source_name(source)) + '=' + why + ';';
  return text;
}

bool Coverage::any_of(const Days& days, Source source, Day from, Day to) {
  const auto found = days.find(source);
  if (found == days.end()) return false;
  const auto day = std::lower_bound(found->second.begin(), found->second.end(), from);
  return day != found->second.end() && *day <= to;
}

std::optional<Coverage::Gap> Coverage::missing(Source source, Day from, Day to) const {
  using std::chrono::days;
  if (to < from) return std::nullopt;
  if (const auto found = days_.find(source); found != days_.end())
    for (const auto& [begin, end] : found->second) {
      if (end <= from) continue;
      if (begin > from) return Gap{source, from, std::min(to, begin - days(1)), reason(source)};
      from = end;
      if (from > to) return std::nullopt;
    }
  return Gap{source, from, to, reason(source)};
}

}  // namespace amzsync::detect
