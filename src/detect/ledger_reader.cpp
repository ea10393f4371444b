// SPDX-License-Identifier: Apache-2.0
#include "detect/ledger_reader.hpp"

#include "detect/case.hpp"

#include <algorithm>

namespace amzsync::detect {
namespace {

using std::chrono::days;
using store::Rows;
using store::Tx;

constexpr std::int64_t kLookedAtOnce = 2'000;
constexpr std::size_t kReadAtOnce = 5'000;

#define AMZ_LEDGER_COLUMNS "row_id, ledger_day, fnsku, asin, msku, fulfillment_center, reference_id, country, event_type, disposition, reason, quantity, reconciled_quantity, unreconciled_quantity, occurrence"
/// Shipments to customers say nothing of what Amazon owes.
constexpr std::string_view kOfDay =
    "SELECT " AMZ_LEDGER_COLUMNS ", identity FROM ledger WHERE user_no=?1 AND day=?2 AND (identity, occurrence) > (?3, ?4) AND ledger_day IS NOT NULL AND quantity IS NOT NULL AND event_type<>'Shipments' "
    "ORDER BY identity, occurrence LIMIT ?5";
constexpr std::string_view kByNumber = "SELECT " AMZ_LEDGER_COLUMNS " FROM ledger WHERE user_no=?1 AND row_id=?2";
#undef AMZ_LEDGER_COLUMNS

bool is_of_product(const LedgerRow& r) { return r.movement == Movement::adjustment || r.movement == Movement::transfer || r.movement == Movement::receipt; }

std::optional<std::int32_t> units(const Rows& r, int column) { return r.is_null(column) ? std::nullopt : std::optional(static_cast<std::int32_t>(r.integer(column))); }

}  // namespace

void LedgerReader::Numbers::add(std::int64_t number) {
  const std::int64_t step = number - std::exchange(last_, number);
  auto rest = static_cast<std::uint64_t>(step) << 1 ^ static_cast<std::uint64_t>(step >> 63);
  for (; rest >= 0x80; rest >>= 7) bytes_.push_back(static_cast<std::uint8_t>(rest | 0x80));
  bytes_.push_back(static_cast<std::uint8_t>(rest));
  ++count_;
}

void LedgerReader::Numbers::tell(std::vector<std::int64_t>& to) const {
  std::int64_t number = 0;
  std::uint64_t step = 0;
  int shift = 0;
  for (const std::uint8_t byte : bytes_) {
    step |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    shift += 7;
    if (byte & 0x80) continue;
    number += static_cast<std::int64_t>(step >> 1) ^ -static_cast<std::int64_t>(step & 1);
    to.push_back(number);
    step = 0;
    shift = 0;
  }
}

LedgerRow LedgerReader::row_of(const Rows& r) {
  const auto name = [&](int column) { return t_.names.of(r.view(column)); };
  LedgerRow row;
  row.row = r.integer(0);
  row.day = day_from(r.integer(1));
  row.fnsku = name(2);
  row.asin = name(3);
  row.msku = name(4);
  row.center = name(5);
  row.reference = r.view(6);
  row.country = name(7);
  row.movement = movement_from(r.view(8));
  row.disposition = disposition_from(r.view(9));
  const std::string_view reason = r.view(10);
  if (reason.size() == 1) row.reason = reason[0] >= 'a' && reason[0] <= 'z' ? static_cast<char>(reason[0] - 'a' + 'A') : reason[0];
  row.quantity = static_cast<std::int32_t>(r.integer(11));
  row.reconciled = units(r, 12);
  row.unreconciled = units(r, 13);
  row.occurrence = static_cast<std::uint32_t>(r.integer(14));
  return row;
}

bool LedgerReader::look(Tx& tx, Ledger& to) {
  for (std::int64_t left = kLookedAtOnce; left > 0;) {
    if (!day_) {
      const auto day = from_ ? tx.integer("SELECT min(day) FROM ledger WHERE user_no=?1 AND day>=?2", user_, *from_) : tx.integer("SELECT min(day) FROM ledger WHERE user_no=?1", user_);
      if (day) day_ = day_from(*day);
    }
    if (!day_) {
      for (const auto& [fnsku, numbers] : rows_) order_.push_back(fnsku);
      std::sort(order_.begin(), order_.end(), [&](Name a, Name b) { return t_.names.text(a) < t_.names.text(b); });
      return false;
    }
    Rows r = tx.rows(kOfDay, user_, *day_, store::Blob{identity_}, occurrence_, left);
    while (r.next()) {
      --left;
      const LedgerRow row = row_of(r);
      identity_ = r.view(15);
      occurrence_ = row.occurrence;
      to.add(row);
      if (is_of_product(row) && !Ledger::of_amazon(t_.names, row)) rows_[row.fnsku].add(row.row);
    }
    if (left > 0) {
      from_ = *day_ + days(1);
      day_.reset();
      identity_.clear();
      occurrence_ = -1;
    }
  }
  return true;
}

std::optional<std::vector<std::vector<LedgerRow>>> LedgerReader::next(Tx& tx) {
  if (at_ == order_.size()) return std::nullopt;
  std::unordered_map<Name, std::size_t, NameHasher> places;
  std::vector<std::int64_t> numbers;
  for (; at_ < order_.size() && numbers.size() < kReadAtOnce; ++at_) {
    const auto of = rows_.find(order_[at_]);
    places.emplace(of->first, places.size());
    of->second.tell(numbers);
    rows_.erase(of);
  }
  // In the order in which they are stored.
  std::sort(numbers.begin(), numbers.end());
  std::vector<std::vector<LedgerRow>> products(places.size());
  for (const std::int64_t number : numbers) {
    Rows r = tx.rows(kByNumber, user_, number);
    if (!r.next()) continue;
    LedgerRow row = row_of(r);
    products[places.at(row.fnsku)].push_back(std::move(row));
  }
  for (auto& rows : products) {
    std::sort(rows.begin(), rows.end(), [](const LedgerRow& a, const LedgerRow& b) { return std::tie(a.day, a.row) < std::tie(b.day, b.row); });
    number_twins(rows);
  }
  return products;
}

}  // namespace amzsync::detect
