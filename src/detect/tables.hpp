// SPDX-License-Identifier: Apache-2.0
// The rows of one seller that detection judges: plain data, as Amazon's reports and the money told them, and what the host adds of its own
// knowledge. Nothing here reads a clock or a store, so the same tables give the same findings anywhere.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/money.hpp"
#include "base/time.hpp"

namespace amzsync::detect {
using namespace base;

/// A text that occurs in many rows. 0 stands for the empty one.
struct Name {
  std::uint32_t value = 0;
  bool empty() const noexcept { return value == 0; }
  friend auto operator<=>(const Name&, const Name&) = default;
};
struct NameHasher {
  std::size_t operator()(Name n) const noexcept { return n.value * 0x9E3779B97F4A7C15ULL >> 16; }
};

class Names {
 public:
  Names() { texts_.emplace_back(); }
  Name of(std::string_view text);
  /// The empty name where the text was never seen.
  Name find(std::string_view text) const;
  std::string_view text(Name name) const { return texts_[name.value]; }

 private:
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, std::uint32_t> numbers_;
};

/// Where a row stands. The names are those of the streams; `money` is whichever source of the money is read.
enum class Source : std::uint8_t { ledger, ledger_summary, reimbursements, returns, removals, inbound, money, fee_preview, storage_fees, removal_shipments, supplied };
constexpr std::size_t kSources = 11;
std::string_view source_name(Source source) noexcept;

/// A row of one of them, in one word: there are many in a detection.
class RowRef {
 public:
  constexpr RowRef() = default;
  constexpr RowRef(Source source, std::int64_t row) noexcept : word_(static_cast<std::uint64_t>(source) << 56 | (static_cast<std::uint64_t>(row) & kRow)) {}
  constexpr Source source() const noexcept { return static_cast<Source>(word_ >> 56); }
  constexpr std::int64_t row() const noexcept { return static_cast<std::int64_t>(word_ & kRow); }
  friend auto operator<=>(const RowRef&, const RowRef&) = default;

 private:
  static constexpr std::uint64_t kRow = (1ULL << 56) - 1;
  std::uint64_t word_ = 0;
};

// ---- the inventory ledger (GET_LEDGER_DETAIL_VIEW_DATA; facts: detection 2.1) ----

enum class Movement : std::uint8_t { receipt, shipment, customer_return, vendor_return, transfer, adjustment, unknown };
enum class Disposition : std::uint8_t { sellable, defective, customer_damaged, distributor_damaged, warehouse_damaged, carrier_damaged, expired, unsellable, unknown };
Movement movement_from(std::string_view text) noexcept;
Disposition disposition_from(std::string_view text) noexcept;
std::string_view disposition_name(Disposition d) noexcept;

struct LedgerRow {
  std::int64_t row = 0;
  Day day{};                              ///< of the store
  Name fnsku, asin, msku, center, country;
  std::string reference;                  ///< not a name: there can be as many as rows
  Movement movement = Movement::unknown;
  Disposition disposition = Disposition::unknown;
  char reason = 0;                        ///< of adjustments; 0: none, or longer than one letter
  std::int32_t quantity = 0;              ///< signed: into or out of the disposition
  std::optional<std::int32_t> reconciled, unreconciled;
  std::uint32_t occurrence = 0;           ///< among rows that are equal
  std::uint32_t twin = 0;                 ///< among rows of its product that differ in nothing that a subject tells
};

/// GET_LEDGER_SUMMARY_VIEW_DATA, by period.
struct BalanceRow {
  std::int64_t row = 0;
  Day period{};
  Name fnsku;
  Disposition disposition = Disposition::unknown;
  std::int64_t in_transit = 0, starting = 0, ending = 0;
};

// ---- what Amazon paid (GET_FBA_REIMBURSEMENTS_DATA; detection 2.3) ----

enum class Family : std::uint8_t { lost, damaged, inbound, returned, removal, fee, general, reversal };
Family family_from(std::string_view reason) noexcept;
std::string_view family_name(Family family) noexcept;

struct Reimbursement {
  std::int64_t row = 0;
  Day approved{};                         ///< local
  Name id, order, sku, fnsku, asin, reason, original_id;
  Family family = Family::general;
  std::optional<Currency> currency;
  std::optional<Micros> per_unit, amount;
  std::int64_t cash = 0, inventory = 0;   ///< units, without a sign
  bool used = false;                      ///< its condition is another than new
  bool manual = false;                    ///< it has a case
  std::uint32_t occurrence = 0;
};

// ---- orders ----

enum class ReturnGrade : std::uint8_t { sellable, amazon_damaged, not_amazons, unknown };
ReturnGrade return_grade_from(std::string_view disposition) noexcept;

struct ReturnRow {
  std::int64_t row = 0;
  Day day{};
  Name order, sku, asin, fnsku, center, plate;
  ReturnGrade grade = ReturnGrade::unknown;
  std::int64_t quantity = 0;
  bool said_reimbursed = false, said_pending = false;   ///< its status
  std::uint32_t occurrence = 0;
};

/// A fee that belongs to no order: storage, removal, subscription.
struct ServiceFee {
  std::int64_t row = 0;
  std::optional<Day> posted;
  Name type, sku, fnsku, object;          ///< object: the removal or shipment it is for
  std::string_view country;
  Currency currency;
  Micros amount;
};

// ---- removals, inbound, fees ----

struct Removal {
  std::int64_t row = 0;
  Day requested{}, updated{};
  Name order, sku, fnsku;
  enum class Type : std::uint8_t { giving_back, disposal, liquidation, other } type = Type::other;
  bool completed = false;
  Disposition disposition = Disposition::unknown;   ///< sellable or unsellable
  std::int64_t asked = 0, cancelled = 0, disposed = 0, shipped = 0, in_process = 0;
  std::optional<Currency> currency;       ///< of the marketplace that the stock was for
};

struct RemovalShipment {
  std::int64_t row = 0;
  Day shipped_on{};
  Name order, sku, fnsku, tracking;
  Disposition disposition = Disposition::unknown;
  std::int64_t units = 0;
};

struct InboundItem {
  std::int64_t row = 0;
  Name shipment, sku, fnsku;
  std::int64_t shipped = 0, received = 0, in_case = 0;
};
struct InboundShipment {
  std::int64_t row = 0;
  Name id;
  std::string status;                     ///< Amazon's word
  std::optional<Day> delivered;           ///< first seen so, where it was seen on its way before
  std::string_view country;
};

struct FeePreview {
  std::int64_t row = 0;
  Day since{}, day{};                     ///< when it was told first, and last
  Name sku, fnsku, asin;
  std::optional<Currency> currency;
  std::optional<Micros> fulfilment, referral, price;
  Name tier;
  std::string_view country = {};          ///< of the store that it is for; empty: not told
};

struct StorageFee {
  std::int64_t row = 0;
  Day month{};
  Name fnsku, asin, center, country;
  std::optional<Currency> currency;
  std::optional<Micros> on_hand, pending, item_volume, total_volume, rate, surcharge_rate, fee, discount;   ///< decimals in millionths
  Micros volume_step;                     ///< what the last digit of item_volume is worth
  Name volume_units, tier;
  bool dangerous = false;
};

// ---- what only the seller or the host knows ----

struct SellerCost {
  Name product;                           ///< FNSKU or SKU
  Day from{};
  Micros amount;
  Currency currency;
};
struct SellerSize {
  std::int64_t row = 0;
  Name product;
  Micros longest, median, shortest;       ///< inches, in millionths
  Micros ounces;
  Name tier;
  Micros cubic_feet() const noexcept;
};
struct RemovalReceipt {
  std::int64_t row = 0;
  Name order, fnsku, tracking;
  std::int64_t units = 0;
};
struct Delivery {
  std::int64_t row = 0;
  Name order, sku;
  enum class State : std::uint8_t { lost, damaged, returned_to_sender, undeliverable, delivered } state = State::delivered;
};
struct Partnered {
  Name shipment;
  bool partnered = false;
};

// ---- what was read ----

/// Of each source the days that were read whole, in order and apart, and why the others were not.
class Coverage {
 public:
  struct Gap {
    Source source;
    Day from, until;                      ///< the first and the last day that is missing
    std::string reason;
  };
  void add(Source source, Day from, Day until);   ///< days in order; `until` is not among them
  /// Of days that count as read: nothing but a report that Amazon would not make says that they are empty.
  void add_by_word(Source source, Day day) { by_word_[source].push_back(day); }
  /// What told of them has a part that can't be read, of which nobody knows the day; or another source shows what a report that Amazon would not make might have told.
  void add_in_part(Source source, Day day) { in_part_[source].push_back(day); }
  void add_all(Source source) { add(source, day_from(-1'000'000), day_from(1'000'000)); }
  void set_reason(Source source, std::string reason) { reasons_[source] = std::move(reason); }
  bool any(Source source) const { return days_.contains(source); }
  const std::string& reason(Source source) const;
  /// All of it in one text; equal texts say the same.
  std::string told() const;
  /// Of the days from `from` to `to`, both among them, the first stretch that is missing.
  std::optional<Gap> missing(Source source, Day from, Day to) const;
  /// Whether any of these days is one of those: what rests on the want of a row in them is for a person to look at.
  bool any_by_word(Source source, Day from, Day to) const { return any_of(by_word_, source, from, to); }
  bool any_in_part(Source source, Day from, Day to) const { return any_of(in_part_, source, from, to); }

 private:
  std::map<Source, std::vector<std::pair<Day, Day>>> days_;
  using Days = std::map<Source, std::vector<Day>>;   // in order
  static bool any_of(const Days& days, Source source, Day from, Day to);
  Days by_word_, in_part_;
  std::map<Source, std::string> reasons_;
};

/// All but the ledger and the orders, which pass by a part at a time.
struct Tables {
  Names names;
  std::string seller, region;
  std::string_view home = "US";           ///< country of the home marketplace
  std::vector<BalanceRow> balances;
  std::vector<Reimbursement> reimbursements;
  std::vector<ReturnRow> returns;
  std::deque<ServiceFee> service_fees;   ///< complete once the last order was read
  std::vector<Removal> removals;
  std::vector<RemovalShipment> removal_shipments;
  std::vector<InboundShipment> inbound_shipments;
  std::vector<InboundItem> inbound_items;
  std::vector<FeePreview> fee_previews;
  std::vector<StorageFee> storage_fees;
  std::vector<SellerCost> costs;
  std::vector<SellerSize> sizes;
  std::vector<RemovalReceipt> removal_receipts;
  std::vector<Delivery> deliveries;
  std::vector<Partnered> partnered;
  Coverage coverage;
};

}  // namespace amzsync::detect
