// SPDX-License-Identifier: Apache-2.0
#include "detect/order_reader.hpp"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "base/json.hpp"
#include "detect/local_time.hpp"
#include "detect/order_units.hpp"
#include "detect/usual.hpp"
#include "spapi/regions.hpp"

namespace amzsync::detect {
namespace {

using std::chrono::days;
using store::Rows;
using store::Tx;

constexpr days kLooksBack(450);
constexpr std::size_t kEventsAtOnce = 1'000;
constexpr std::int64_t kHeadsAtOnce = 20'000;

/// What differs between the two sources of the money. What was deferred is told again when it is released; the second telling counts (facts: 2024-06-19).
struct Statements {
  std::string_view next_day, heads, events, event, amounts;
};
constexpr Statements kTransactions{
    "SELECT min(day) FROM transactions WHERE user_no=?1 AND day>=?2",
    "SELECT t.order_id FROM transactions t JOIN event_types y ON y.type_id = t.type_id WHERE t.user_no=?1 AND t.day=?2 AND t.order_id IS NOT NULL AND y.name IN ('Shipment', 'Refund', 'GuaranteeClaim', 'Adjustment') "
    "AND upper(coalesce(t.status, ''))<>'DEFERRED_RELEASED'",
    "SELECT t.event_id FROM transactions t JOIN event_types y ON y.type_id = t.type_id WHERE t.user_no=?1 AND t.day=?2 AND y.name IN ('Shipment', 'Refund', 'GuaranteeClaim', 'Adjustment', 'ServiceFee') "
    "AND upper(coalesce(t.status, ''))<>'DEFERRED_RELEASED' ORDER BY t.event_id",
    "SELECT coalesce(t.continues, t.event_id), y.name, t.posted_at, t.order_id, t.marketplace, t.detail FROM transactions t JOIN event_types y ON y.type_id = t.type_id WHERE t.user_no=?2 AND t.event_id=?1",
    "SELECT shape_id, currency_id, micros, sku_id, line_id FROM transaction_lines WHERE line_id>=?1 AND line_id<?2 /*! AND user_no=?3 */ ORDER BY line_id"};
constexpr Statements kEvents{
    "SELECT min(day) FROM financial_events WHERE user_no=?1 AND day>=?2",
    "SELECT t.order_id FROM financial_events t JOIN event_types y ON y.type_id = t.type_id WHERE t.user_no=?1 AND t.day=?2 AND t.order_id IS NOT NULL "
    "AND y.name IN ('ShipmentEventList', 'RefundEventList', 'GuaranteeClaimEventList')",
    "SELECT t.event_id FROM financial_events t JOIN event_types y ON y.type_id = t.type_id WHERE t.user_no=?1 AND t.day=?2 "
    "AND y.name IN ('ShipmentEventList', 'RefundEventList', 'GuaranteeClaimEventList', 'ServiceFeeEventList') ORDER BY t.event_id",
    "SELECT coalesce(t.continues, t.event_id), y.name, t.posted_at, t.order_id, t.marketplace, t.detail FROM financial_events t JOIN event_types y ON y.type_id = t.type_id WHERE t.user_no=?2 AND t.event_id=?1",
    "SELECT shape_id, currency_id, micros, sku_id, line_id FROM financial_event_lines WHERE line_id>=?1 AND line_id<?2 /*! AND user_no=?3 */ ORDER BY line_id"};

/// Both sources' names of charges and fees; the newer one names charges by what the price is of (facts: spapi 3.2).
constexpr std::pair<std::string_view, Part> kPartNames[]{
    {"Principal", Part::principal}, {"OurPricePrincipal", Part::principal},
    {"ShippingCharge", Part::shipping}, {"Shipping", Part::shipping}, {"ShippingPrincipal", Part::shipping},
    {"GiftWrap", Part::gift_wrap}, {"Giftwrap", Part::gift_wrap}, {"GiftwrapPrincipal", Part::gift_wrap},
    {"Tax", Part::tax}, {"OurPriceTax", Part::tax}, {"ShippingTax", Part::tax}, {"GiftWrapTax", Part::tax}, {"GiftwrapTax", Part::tax},
    {"OurPriceDiscount", Part::promotion}, {"ShippingDiscount", Part::promotion},
    {"Goodwill", Part::goodwill}, {"GoodwillPrincipal", Part::goodwill},
    {"Commission", Part::commission}, {"RefundCommission", Part::refund_commission}, {"FBAPerUnitFulfillmentFee", Part::fulfilment}};

std::optional<Part> part_of(std::string_view type, std::string_view path) {
  if (path.find("TaxesWithheld") != std::string_view::npos || path.find("TaxWithheld") != std::string_view::npos) return std::nullopt;
  if (path.find("Promotion") != std::string_view::npos || type.starts_with("Promotion")) return Part::promotion;
  for (const auto& [name, part] : kPartNames)
    if (name == type) return part;
  return std::nullopt;
}

/// A fee may be told as what it is without tax, and its tax: leaves of these names under the one that names the fee.
bool may_be_share_of_fee(std::string_view type) { return type == "Base" || type == "Tax"; }

const spapi::Marketplace* marketplace_of(std::string_view text) {
  const spapi::Marketplace* known = spapi::find_marketplace(text);
  return known ? known : spapi::find_site(text);   // the older source names the site
}

/// Which orders more than one event tells of. Two bits for each, at a place that others may share: then an order is taken for one of those, which costs
/// time and changes nothing.
class SeveralEvents {
 public:
  void expect(std::int64_t events) {
    const std::size_t bits = std::bit_ceil(static_cast<std::size_t>(std::clamp<std::int64_t>(events * 8, 1 << 12, 1 << 26)));
    once_.assign(bits / 64, 0);
    twice_.assign(bits / 64, 0);
  }
  void see(std::uint64_t order) {
    const std::size_t bit = order & (once_.size() * 64 - 1);
    const std::uint64_t mask = 1ULL << bit % 64;
    (once_[bit / 64] & mask ? twice_ : once_)[bit / 64] |= mask;
  }
  bool of(std::uint64_t order) const {
    const std::size_t bit = order & (once_.size() * 64 - 1);
    return (twice_[bit / 64] >> bit % 64 & 1U) != 0;
  }

 private:
  std::vector<std::uint64_t> once_, twice_;
};

std::uint64_t number_of(std::string_view order) { return std::hash<std::string_view>()(order); }

}  // namespace

class OrderReader::State {
 public:
  State(UserNo user, store::MoneyStream money, Tables& tables, Day today) : user_(user), v0_(money == store::MoneyStream::financial_events), sql_(v0_ ? kEvents : kTransactions), t_(tables), first_day_(today - kLooksBack), book_(tables.names) {}

  std::optional<std::vector<Order>> next(Tx& tx) {
    switch (stage_) {
      case Stage::start:
        several_.expect(tx.integer("SELECT sum(row_count) FROM cells WHERE user_no=?1 AND stream=?2 AND day>=?3", user_, store::money_stream_name(v0_ ? store::MoneyStream::financial_events : store::MoneyStream::transactions), first_day_).value_or(0));
        from_ = first_day_;
        stage_ = Stage::look;
        break;
      case Stage::look: look(tx); break;
      case Stage::pass: pass(tx); break;
      case Stage::gather: gather(tx); break;
      case Stage::over: return std::nullopt;
    }
    return book_.take();
  }

 private:
  enum class Stage : std::uint8_t { start, look, pass, gather, over };

  struct Event {
    std::int64_t id = 0;
    std::string type, order, marketplace, detail;
    std::optional<Instant> posted;
    std::map<Name, MoneyItem> items;
    std::vector<ServiceFee> fees;
  };
  /// An event of an order that others tell of too.
  struct Piece {
    std::uint64_t order;
    std::int64_t event;
  };
  /// What was usual when a sale was made, for the time when its order is whole.
  struct Usual {
    std::int64_t row;
    Name sku;
    std::int32_t referral;                // -1: nothing was
    std::int64_t fulfilment;              // -1: nothing was
    static std::optional<std::int64_t> told(std::int64_t value) { return value < 0 ? std::nullopt : std::optional(value); }
  };

  std::optional<Day> next_day(Tx& tx) {
    const auto day = tx.integer(sql_.next_day, user_, from_);
    if (!day) return std::nullopt;
    from_ = day_from(*day) + days(1);
    return day_from(*day);
  }

  /// First only which orders there are.
  void look(Tx& tx) {
    for (std::int64_t heads = 0; heads < kHeadsAtOnce;) {
      const auto day = next_day(tx);
      if (!day) {
        from_ = first_day_;
        stage_ = Stage::pass;
        return;
      }
      Rows r = tx.rows(sql_.heads, user_, *day);
      for (; r.next(); ++heads) several_.see(number_of(r.view(0)));
    }
  }

  /// All events in the order of their days. An order that one event tells all of is whole at once.
  void pass(Tx& tx) {
    for (std::size_t read = 0; read < kEventsAtOnce; ++read) {
      if (at_ == ids_.size()) {
        const auto day = next_day(tx);
        if (!day) {
          end_event();
          begin_gathering();
          return;
        }
        ids_.clear();
        at_ = 0;
        Rows r = tx.rows(sql_.events, user_, *day);
        while (r.next()) ids_.push_back(r.integer(0));
        continue;
      }
      read_event(tx, ids_[at_++]);
    }
  }

  void begin_gathering() {
    std::sort(pieces_.begin(), pieces_.end(), [](const Piece& a, const Piece& b) { return std::tie(a.order, a.event) < std::tie(b.order, b.event); });
    std::sort(usual_.begin(), usual_.end(), [](const Usual& a, const Usual& b) { return std::tie(a.row, a.sku) < std::tie(b.row, b.sku); });
    usual_charges_ = {};
    ids_.clear();
    at_ = 0;
    stage_ = Stage::gather;
  }

  /// Then the orders of several events, those of some at a time, in the order in which the events are stored.
  void gather(Tx& tx) {
    if (at_ == pieces_.size()) {
      stage_ = Stage::over;
      return;
    }
    const std::size_t begin = at_;
    while (at_ < pieces_.size() && (at_ - begin < kEventsAtOnce || pieces_[at_].order == pieces_[at_ - 1].order)) ids_.push_back(pieces_[at_++].event);
    std::sort(ids_.begin(), ids_.end());
    for (const std::int64_t id : ids_) read_event(tx, id);
    end_event();
    ids_.clear();
  }

  /// What kind of amount a line is, as it matters here.
  struct Kind {
    bool component = false, share = false;
    std::string path;
    Name type;
    std::optional<Part> part;
  };

  void read_event(Tx& tx, std::int64_t id) {
    begin_event(tx, id);
    struct Share {
      std::int64_t line;
      const Kind* kind;
      Name sku;
      std::optional<Currency> currency;
      std::optional<Micros> amount;
    };
    std::vector<Share> shares;
    bool split = false;
    const bool service_fee = event_.type.starts_with("ServiceFee");
    for (const Line& line : lines_of(tx, id)) {
      const Kind& kind = kind_of(tx, line.shape);
      if (!kind.component) continue;
      const auto currency = currency_of(tx, line.currency);
      const Name sku = sku_of(tx, line.sku);
      if (service_fee) {
        if (currency && line.amount) event_.fees.push_back({.row = 0, .posted = {}, .type = kind.type, .sku = sku, .fnsku = {}, .object = {}, .country = {}, .currency = *currency, .amount = *line.amount});
        continue;
      }
      if (sku.empty()) continue;
      if (kind.share) {
        shares.push_back({line.number, &kind, sku, currency, line.amount});
        split |= t_.names.text(kind.type) == "Base";
        continue;
      }
      put(sku, kind.part, currency, line.amount);
    }
    for (const Share& s : shares) {
      std::optional<Part> part = s.kind->part;
      if (split)
        if (const auto of = part_of(name_above(tx, id, s.kind->path, s.line), s.kind->path); of == Part::commission || of == Part::refund_commission || of == Part::fulfilment) part = of;
      put(s.sku, part, s.currency, s.amount);
    }
  }

  /// Unless it is the one that is being read, which this row goes on with.
  void begin_event(Tx& tx, std::int64_t id) {
    Rows r = tx.rows(sql_.event, id, user_);
    if (!r.next()) return;
    if (r.integer(0) != event_.id) {
      end_event();
      event_.id = r.integer(0);
      event_.type = r.text(1);
      event_.posted = r.maybe_instant(2);
      event_.order = r.text(3);
      event_.marketplace = r.text(4);
      event_.detail = r.text(5);
    }
    if (stage_ == Stage::pass && !event_.type.starts_with("ServiceFee") && !event_.order.empty())
      if (const std::uint64_t order = number_of(event_.order); several_.of(order)) pieces_.push_back({order, id});
  }

  struct Line {
    std::int64_t shape, currency, sku, number;   // 0: none
    std::optional<Micros> amount;
  };
  const std::vector<Line>& lines_of(Tx& tx, std::int64_t id) {
    lines_.clear();
    Rows r = tx.rows(sql_.amounts, id * 4096, (id + 1) * 4096, user_);
    while (r.next()) lines_.push_back({r.integer(0), r.integer(1), r.integer(3), r.integer(4), r.is_null(2) ? std::nullopt : std::optional(Micros{r.integer(2)})});
    return lines_;
  }

  // Words are looked up once, and not with each amount: a join of six tables took most of the time that reading takes.

  const Kind& kind_of(Tx& tx, std::int64_t shape) {
    const auto [place, is_new] = kinds_.try_emplace(shape);
    if (!is_new) return place->second;
    Rows r = tx.rows("SELECT kind, path, type FROM shapes WHERE shape_id=?1", shape);
    if (!r.next()) return place->second;
    Kind& kind = place->second;
    kind.component = r.view(0) == "component";
    kind.path = r.text(1);
    kind.type = t_.names.of(r.view(2));
    kind.part = part_of(r.view(2), r.view(1));
    kind.share = !v0_ && may_be_share_of_fee(r.view(2));
    return kind;
  }
  std::optional<Currency> currency_of(Tx& tx, std::int64_t number) {
    if (number == 0) return std::nullopt;
    const auto [place, is_new] = currencies_.try_emplace(number);
    if (is_new) place->second = Currency::parse(tx.text("SELECT code FROM currencies WHERE currency_id=?1", number).value_or(""));
    return place->second;
  }
  Name sku_of(Tx& tx, std::int64_t number) {
    if (number == 0) return t_.names.of("");
    const auto [place, is_new] = skus_.try_emplace(number);
    if (is_new) place->second = t_.names.of(tx.text("SELECT sku FROM skus WHERE user_no=?1 AND sku_id=?2", user_, number).value_or(""));
    return place->second;
  }

  void put(Name sku, std::optional<Part> part, std::optional<Currency> currency, std::optional<Micros> amount) {
    if (!part) return;
    // Of what is set right afterwards only fees belong to the order; the rest is told as reimbursements.
    if (event_.type == "Adjustment" && *part != Part::commission && *part != Part::refund_commission && *part != Part::fulfilment) return;
    MoneyItem& item = event_.items[sku];
    if (!currency || !amount || (item.currency && item.currency != currency)) {
      item.mixed = true;
      return;
    }
    item.currency = currency;
    item.put(*part, *amount);
  }

  /// What the sum is called that a line is a share of: the last one before it, a level above.
  std::string name_above(Tx& tx, std::int64_t event, std::string path, std::int64_t line) {
    constexpr std::string_view kLevel = ".breakdowns";
    const std::size_t level = path.rfind(kLevel);
    if (level == std::string::npos) return {};
    path.erase(level, kLevel.size());
    Rows r = tx.rows("SELECT s.type FROM transaction_lines l JOIN shapes s ON s.shape_id = l.shape_id WHERE l.line_id >= ?1 AND l.line_id < ?2 /*! AND l.user_no=?4 */ AND s.kind='total' AND s.path=?3 ORDER BY l.line_id DESC LIMIT 1",
                     event * 4096, line, path, user_);
    return r.next() ? r.text(0) : std::string();
  }

  /// Only then it matters what was usual.
  static bool charged_more_than_usual(const MoneyItem& m) {
    if (m.usual_referral && m.referral_rate().value_or(0) > *m.usual_referral) return true;
    return m.usual_fulfilment && -m[Part::fulfilment].value > *m.usual_fulfilment * std::max<std::int64_t>(1, m.quantity.value_or(1));
  }

  void end_event() {
    Event e = std::exchange(event_, {});
    if (e.id == 0) return;
    const spapi::Marketplace* m = marketplace_of(e.marketplace);
    const std::string_view country = m ? m->country : std::string_view();
    const auto posted = e.posted ? std::optional(local_day(*e.posted, country.empty() ? t_.home : country)) : std::nullopt;
    for (ServiceFee& fee : e.fees) {
      fee.row = e.id;
      fee.country = country;
      fee.posted = posted;
      t_.service_fees.push_back(fee);
    }
    if (e.order.empty() || e.items.empty()) return;
    if (const auto detail = JsonDocument::parse(e.detail)) tell_items(*detail, e.items);
    const MoneyKind kind = e.type == "Shipment" || e.type == "ShipmentEventList" ? MoneyKind::sale : MoneyKind::refund;
    const bool elsewhere = is_sold_elsewhere(e);
    const bool passing = stage_ == Stage::pass, whole = !several_.of(number_of(e.order));
    for (auto& [sku, item] : e.items) {
      if (item.told == 0) continue;
      item.row = e.id;
      item.kind = kind;
      item.sku = sku;
      item.country = country;
      item.posted = posted;
      if (elsewhere) item.by_amazon = false;
      if (passing) {
        usual_charges_.see(item);
        if (!whole && charged_more_than_usual(item)) usual_.push_back({item.row, sku, static_cast<std::int32_t>(std::min<std::int64_t>(item.usual_referral.value_or(-1), 2'000'000'000)), item.usual_fulfilment.value_or(-1)});
      } else {
        const auto known = std::lower_bound(usual_.begin(), usual_.end(), std::tie(item.row, sku), [](const Usual& u, const auto& key) { return std::tie(u.row, u.sku) < key; });
        if (known != usual_.end() && known->row == item.row && known->sku == sku) item.usual_fulfilment = Usual::told(known->fulfilment), item.usual_referral = Usual::told(known->referral);
      }
      if (whole || !passing) book_.add(e.order, std::move(item));
    }
  }

  /// Of another shop, or of a marketplace that is not Amazon's.
  static bool is_sold_elsewhere(const Event& e) {
    if (is_of_other_shop(e.order)) return true;
    return !e.marketplace.empty() && !marketplace_of(e.marketplace) && !e.marketplace.starts_with("Amazon.");
  }

  void tell_items(const JsonDocument& detail, std::map<Name, MoneyItem>& items) {
    for (const std::string_view list : {"ShipmentItemList", "ShipmentItemAdjustmentList"})
      for (const Json entry : detail[list]) {
        MoneyItem& item = items[t_.names.of(entry["SellerSKU"].text())];
        if (item.item.empty()) item.item = entry["OrderItemId"].text();
        if (const auto quantity = entry["QuantityShipped"].integer()) item.quantity = item.quantity.value_or(0) + *quantity;
      }
    for (const Json entry : detail["items"])
      for (const Json context : entry["contexts"]) {
        if (context["contextType"].text() != "ProductContext") continue;
        MoneyItem& item = items[t_.names.of(context["sku"].text())];
        item.asin = t_.names.of(context["asin"].text());
        if (const auto quantity = context["quantityShipped"].integer()) item.quantity = item.quantity.value_or(0) + *quantity;
        if (const std::string_view network = context["fulfillmentNetwork"].text(); !network.empty()) item.by_amazon = network == "AFN";
      }
  }

  UserNo user_;
  bool v0_;
  const Statements& sql_;
  Tables& t_;
  Day first_day_, from_{};
  Stage stage_ = Stage::start;
  SeveralEvents several_;
  std::vector<std::int64_t> ids_;         // events to be read
  std::size_t at_ = 0;
  Event event_;                           // one that is being read; it may go on in the next row
  std::vector<Line> lines_;               // of it
  std::unordered_map<std::int64_t, Kind> kinds_;   // these by their numbers in the store
  std::unordered_map<std::int64_t, std::optional<Currency>> currencies_;
  std::unordered_map<std::int64_t, Name> skus_;
  UsualCharges usual_charges_;
  std::deque<Piece> pieces_;              // these two can be long: a vector that grows takes twice the room
  std::deque<Usual> usual_;
  OrderBook book_;
};

OrderReader::OrderReader(UserNo user, store::MoneyStream money, Tables& tables, Day today) : state_(std::make_unique<State>(user, money, tables, today)) {}
OrderReader::~OrderReader() = default;
std::optional<std::vector<Order>> OrderReader::next(Tx& tx) { return state_->next(tx); }

}  // namespace amzsync::detect
