// SPDX-License-Identifier: Apache-2.0
#include "detect/load.hpp"

#include <algorithm>
#include <set>
#include <span>

#include "base/json.hpp"
#include "detect/finding.hpp"
#include "detect/local_time.hpp"
#include "detect/rules.hpp"
#include "spapi/reports/datasets.hpp"
#include "store/connections.hpp"
#include "store/report_rows.hpp"

namespace amzsync::detect {
namespace {

using std::chrono::days;
using store::Rows;
using store::Tx;

class Loader {
 public:
  Loader(Tx& tx, UserNo user, Tables& t, store::MoneyStream money, const std::function<bool()>& stopped) : tx_(tx), user_(user), t_(t), money_(money), stopped_(stopped), today_(local_day(tx.now(), t.home)) {}

  /// False: it was stopped.
  bool load() {
    coverage();
    balances();
    reimbursements();
    returns();
    removals();
    inbound();
    fee_previews();
    storage_fees();
    supplied();
    return !was_stopped_;
  }

 private:
  friend Hash128 amzsync::detect::basis_of(Tx&, UserNo, spapi::Region, store::MoneyStream, const Policy&);
  bool next(Rows& r) {
    if (was_stopped_ || (++rows_ % 4096 == 0 && stopped_ && stopped_())) {
      was_stopped_ = true;
      return false;
    }
    return r.next();
  }
  Name name(Rows& r, int column) { return t_.names.of(r.view(column)); }
  Day local(Rows& r, int column) const { return r.is_null(column) ? Day{} : local_day(r.instant(column), t_.home); }
  static std::optional<Micros> amount(Rows& r, int column) { return r.is_null(column) ? std::nullopt : std::optional(Micros{r.integer(column)}); }
  /// What the last digit of a decimal is worth; at least a millionth.
  static Micros last_digit(std::string_view text) {
    const std::size_t point = text.find('.');
    std::int64_t step = 1'000'000;
    for (std::size_t digits = point == std::string_view::npos ? 0 : text.size() - point - 1; digits > 0 && step > 1; --digits) step /= 10;
    return {step};
  }
  static std::optional<Micros> decimal(std::string_view text) {
    const ParsedAmount parsed = parse_amount(text);
    return text.empty() || parsed.fault != AmountFault::none ? std::nullopt : std::optional(parsed.micros);
  }

  /// A day counts as read when it was read to its end; of snapshots the whole source.
  void coverage() {
    const std::string_view money = store::money_stream_name(money_);
    struct Stream {
      Source source;
      std::string_view name;
      enum class Of : std::uint8_t { by_day, by_month, snapshot } of;
      const spapi::ReportDataset* report = nullptr;
    };
    using enum Stream::Of;
    const Stream streams[]{{Source::ledger, "ledger", by_day, &spapi::kLedger},
                           {Source::ledger_summary, "ledger_summary", by_month, &spapi::kLedgerSummary},
                           {Source::reimbursements, "reimbursements", by_day, &spapi::kReimbursements},
                           {Source::returns, "returns", by_day, &spapi::kReturns},
                           {Source::removals, "removals", by_day, &spapi::kRemovals},
                           {Source::money, money, by_day},
                           {Source::inbound, "inbound", snapshot},
                           {Source::fee_preview, "fee_preview", snapshot, &spapi::kFeePreview},
                           {Source::storage_fees, "storage_fees", by_month, &spapi::kStorageFees}};
    for (const Stream& stream : streams) {
      const auto state = store::stream_state(tx_, user_, stream.name);
      if (state && state->coverage != "complete" && state->coverage != "provisional") {
        t_.coverage.set_reason(stream.source, state->coverage + (state->probe_at ? " until " + format_seconds(*state->probe_at) : ""));
      } else if (!state) {
        t_.coverage.set_reason(stream.source, "not synced");
      }
      // What a sync that was stopped left half stored is no file to conclude from.
      const std::string_view report = stream.report ? stream.report->report_type : std::string_view();
      const bool torn = tx_.integer("SELECT 1 FROM report_jobs WHERE user_no=?1 AND report_type=?2 AND state='archived' LIMIT 1", user_, report).has_value();
      if (torn) t_.coverage.set_reason(stream.source, "a report of it was read in part only");
      if (stream.of == snapshot) {
        if (!torn && state && (state->coverage == "complete" || state->coverage == "provisional")) t_.coverage.add_all(stream.source);
        continue;
      }
      const std::set<Day> at_odds = days_at_odds(stream.source);
      const std::string_view contradicted = contradiction(stream.source, stream.name, at_odds);
      // A file without a column that what follows is concluded from is no file to conclude from.
      if (const std::string lacking = lacking_column(stream.source); !lacking.empty()) {
        t_.coverage.set_reason(stream.source, "its files have no " + lacking);
        continue;
      }
      if (!contradicted.empty()) t_.coverage.set_reason(stream.source, "Amazon makes no report of it, although " + std::string(contradicted));
      const bool needs_list = !contradicted.empty() || stream.source == Source::money;
      Rows r = tx_.rows(
          "SELECT day, read_until, read_at, by_word FROM cells c WHERE user_no=?1 AND stream=?2 AND digest IS NOT NULL AND (by_word<>1 OR ?3=0) AND NOT EXISTS "
          "(SELECT 1 FROM report_jobs j WHERE j.user_no=c.user_no AND j.report_type=?4 AND j.state='archived' AND j.from_day<=c.day AND c.day<j.until_day) ORDER BY day",
          user_, stream.name, needs_list ? 1 : 0, report);
      while (next(r)) {
        const Day day = day_from(r.integer(0));
        if (r.is_null(1)) continue;
        if (r.integer(3) == static_cast<std::int64_t>(store::ToldBy::want)) t_.coverage.add_by_word(stream.source, day);
        if (r.integer(3) >= static_cast<std::int64_t>(store::ToldBy::some_rows) || at_odds.contains(day)) t_.coverage.add_in_part(stream.source, day);
        if (stream.of == by_day) {
          if (r.instant(1) >= Instant(day + days(1))) t_.coverage.add(stream.source, day, day + days(1));
        } else if (const Day until = std::min(months_after(day, 1), day_of(r.instant(2))); until > day) {
          t_.coverage.add(stream.source, day, until);   // of a month that was not over, the days that were
        }
      }
    }
    t_.coverage.set_reason(Source::removal_shipments, "no stream reads them; the host can supply them");
  }

  struct Doubt {
    Source source;
    std::string_view shown, sql;
    bool at_any_edge;   // otherwise the other source's date may be a local one, so that of the first and the last of such days it proves less
  };
  /// What may show that a report that Amazon would not make is no word that there is nothing (R1: somebody may have cancelled it).
  static std::span<const Doubt> doubts() {
#define AMZ_BY_WORD(stream, other) "SELECT c.day FROM cells c JOIN " other " o ON o.user_no=c.user_no AND o.day=c.day WHERE c.user_no=?1 AND c.stream='" stream "' AND c.by_word=1"
    static constexpr Doubt all[]{{Source::reimbursements, "the money shows some", AMZ_BY_WORD("reimbursements", "credits"), true},
                                 {Source::returns, "the ledger shows some", AMZ_BY_WORD("returns", "ledger") " AND o.event_type='CustomerReturns'", false},
                                 {Source::removals, "the ledger shows some", AMZ_BY_WORD("removals", "ledger") " AND o.event_type='VendorReturns'", false},
                                 {Source::ledger, "the returns show some", AMZ_BY_WORD("ledger", "returns"), false}};
#undef AMZ_BY_WORD
    return all;
  }
  /// Days of which another source shows what the report would have told.
  std::set<Day> days_at_odds(Source source) {
    std::set<Day> found;
    for (const Doubt& d : doubts()) {
      if (d.source != source) continue;
      Rows r = tx_.rows(d.sql, user_);
      while (next(r)) found.insert(day_from(r.integer(0)));
    }
    return found;
  }
  /// What contradicts it, if that is beyond doubt; empty: nothing does.
  std::string_view contradiction(Source source, std::string_view stream, const std::set<Day>& at_odds) {
    const auto by_word = [&](Day day) { return tx_.integer("SELECT 1 FROM cells WHERE user_no=?1 AND stream=?2 AND day=?3 AND by_word=1", user_, stream, day).has_value(); };
    for (const Doubt& d : doubts())
      if (d.source == source && std::any_of(at_odds.begin(), at_odds.end(), [&](Day day) { return d.at_any_edge || (by_word(day - days(1)) && by_word(day + days(1))); })) return d.shown;
    return {};
  }

  /// The first of the columns that Amazon fills in every row, or in every row of a kind, and that none of the stored rows has; empty: none.
  std::string lacking_column(Source source) {
    struct Column {
      Source source;
      std::string_view table, column, name, where = "";
    };
    constexpr Column columns[]{{Source::reimbursements, "reimbursements", "reason", "reason"},
                               {Source::reimbursements, "reimbursements", "coalesce(fnsku, sku)", "fnsku and no sku"},
                               {Source::reimbursements, "reimbursements", "order_id", "amazon-order-id", " AND (lower(reason) LIKE 'customer%')"},
                               {Source::ledger, "ledger", "asin", "ASIN"},
                               {Source::removals, "removals", "order_type", "order-type"},
                               {Source::removals, "removals", "disposed_quantity", "disposed-quantity"},
                               {Source::removals, "removals", "cancelled_quantity", "cancelled-quantity"}};
    for (const Column& c : columns) {
      if (c.source != source) continue;
      const std::string of_user = "SELECT 1 FROM " + std::string(c.table) + " WHERE user_no=?1" + std::string(c.where);
      const std::string told = of_user + " AND " + std::string(c.column) + " IS NOT NULL LIMIT 1";
      if (tx_.integer(of_user + " LIMIT 1", user_) && !tx_.integer(told, user_)) return std::string(c.name);
    }
    return {};
  }

  void balances() {
    Rows r = tx_.rows("SELECT row_id, period, fnsku, disposition, in_transit, starting_balance, ending_balance FROM ledger_summary WHERE user_no=?1 AND period IS NOT NULL ORDER BY row_id", user_);
    while (next(r)) t_.balances.push_back({r.integer(0), day_from(r.integer(1)), name(r, 2), disposition_from(r.view(3)), r.integer(4), r.integer(5), r.integer(6)});
  }

  void reimbursements() {
    Rows r = tx_.rows(
        "SELECT row_id, approved_at, reimbursement_id, order_id, sku, fnsku, asin, reason, original_reimbursement_id, currency, amount_per_unit_micros, amount_micros, quantity_cash, quantity_inventory, condition, "
        "case_id, occurrence, quantity_total FROM reimbursements WHERE user_no=?1 AND approved_at IS NOT NULL ORDER BY day, row_id",
        user_);
    while (next(r)) {
      Reimbursement line;
      line.row = r.integer(0);
      line.approved = local(r, 1);
      line.id = name(r, 2);
      line.order = name(r, 3);
      line.sku = name(r, 4);
      line.fnsku = name(r, 5);
      line.asin = name(r, 6);
      line.reason = name(r, 7);
      line.family = family_from(r.view(7));
      line.original_id = name(r, 8);
      line.currency = Currency::parse(r.view(9));
      line.per_unit = amount(r, 10);
      line.amount = amount(r, 11);
      line.cash = std::abs(r.integer(12));
      line.inventory = std::abs(r.integer(13));
      if (line.cash == 0 && line.inventory == 0) line.cash = std::abs(r.integer(17));   // a file that tells only both together
      const std::string_view condition = r.view(14);
      line.used = !condition.empty() && !condition.starts_with("New") && !condition.starts_with("new");
      line.manual = !r.view(15).empty();
      line.occurrence = static_cast<std::uint32_t>(r.integer(16));
      t_.reimbursements.push_back(line);
    }
  }

  void returns() {
    Rows r = tx_.rows(
        "SELECT row_id, returned_at, order_id, sku, asin, fnsku, fulfillment_center, license_plate_number, detailed_disposition, quantity, status, occurrence FROM returns "
        "WHERE user_no=?1 AND returned_at IS NOT NULL ORDER BY day, row_id",
        user_);
    while (next(r)) {
      ReturnRow row;
      row.row = r.integer(0);
      row.day = local(r, 1);
      row.order = name(r, 2);
      row.sku = name(r, 3);
      row.asin = name(r, 4);
      row.fnsku = name(r, 5);
      row.center = name(r, 6);
      row.plate = name(r, 7);
      row.grade = return_grade_from(r.view(8));
      row.quantity = r.integer(9);
      row.said_reimbursed = r.view(10) == "Reimbursed";
      row.said_pending = r.view(10).starts_with("Pending") || r.view(10).starts_with("pending");
      row.occurrence = static_cast<std::uint32_t>(r.integer(11));
      t_.returns.push_back(row);
    }
  }

  void removals() {
    Rows r = tx_.rows(
        "SELECT row_id, requested_at, last_updated_at, order_id, sku, fnsku, order_type, order_status, disposition, requested_quantity, cancelled_quantity, disposed_quantity, shipped_quantity, in_process_quantity, currency "
        "FROM removals WHERE user_no=?1 ORDER BY day, row_id",
        user_);
    while (next(r)) {
      Removal row;
      row.row = r.integer(0);
      row.requested = local(r, 1);
      row.updated = r.is_null(2) ? row.requested : local(r, 2);
      row.order = name(r, 3);
      row.sku = name(r, 4);
      row.fnsku = name(r, 5);
      const std::string_view type = r.view(6);
      row.type = type == "Return" ? Removal::Type::giving_back : type == "Disposal" ? Removal::Type::disposal : type.starts_with("Liquidation") ? Removal::Type::liquidation : Removal::Type::other;
      row.completed = r.view(7) == "Completed";
      row.disposition = disposition_from(r.view(8));
      row.asked = r.integer(9);
      row.cancelled = r.integer(10);
      row.disposed = r.integer(11);
      row.shipped = r.integer(12);
      row.in_process = r.integer(13);
      row.currency = Currency::parse(r.view(14));
      t_.removals.push_back(row);
    }
  }

  void inbound() {
    {
      Rows r = tx_.rows("SELECT row_id, shipment_id, status, marketplace_id FROM inbound_shipments WHERE user_no=?1 ORDER BY row_id", user_);
      while (next(r)) {
        InboundShipment s;
        s.row = r.integer(0);
        s.id = name(r, 1);
        s.status = r.text(2);
        const spapi::Marketplace* m = spapi::find_marketplace(r.view(3));
        s.country = m ? m->country : t_.home;
        t_.inbound_shipments.push_back(std::move(s));
      }
    }
    for (InboundShipment& s : t_.inbound_shipments) {
      // Delivered when it was seen so, provided that it had been seen on its way before; else the first receipt tells.
      bool under_way = false;
      Rows r = tx_.rows("SELECT seen_at, status FROM inbound_statuses WHERE user_no=?1 AND shipment_row=?2 ORDER BY seen_at", user_, s.row);
      while (next(r) && !s.delivered) {
        const std::string_view status = r.view(1);
        const bool arrived = status == "DELIVERED" || status == "CHECKED_IN" || status == "RECEIVING" || status == "CLOSED";
        if (arrived && under_way) s.delivered = local(r, 0);
        under_way |= status == "SHIPPED" || status == "IN_TRANSIT" || status == "WORKING";
      }
    }
    Rows r = tx_.rows("SELECT row_id, shipment_id, seller_sku, fnsku, quantity_shipped, quantity_received, quantity_in_case FROM inbound_items WHERE user_no=?1 ORDER BY row_id", user_);
    while (next(r)) t_.inbound_items.push_back({r.integer(0), name(r, 1), name(r, 2), name(r, 3), r.integer(4), r.integer(5), r.integer(6)});
  }

  void fee_previews() {
    const std::string kept = "sku, fnsku, asin, currency, expected_fulfillment_fee_micros, estimated_referral_fee_micros, coalesce(sales_price_micros, your_price_micros), product_size_tier, amazon_store";
    const std::string now = "SELECT f.row_id, coalesce(r.started_at, c.read_at), c.read_at, " + kept + " FROM fee_preview f JOIN cells c ON c.user_no=f.user_no AND c.stream='fee_preview' AND c.day=f.day LEFT JOIN runs r ON r.run_no=f.run_no "
                            "WHERE f.user_no=?1 ORDER BY f.row_id";
    const std::string before = "SELECT row_id, since_at, until_at, " + kept + " FROM fee_preview_history WHERE user_no=?1 ORDER BY row_id, until_at";
    for (const std::string& sql : {before, now}) {
      Rows r = tx_.rows(sql, user_);
      while (next(r)) {
        const spapi::Marketplace* store = r.is_null(11) ? nullptr : spapi::find_marketplace(r.view(11));
        t_.fee_previews.push_back({r.integer(0), local(r, 1), local(r, 2), name(r, 3), name(r, 4), name(r, 5), Currency::parse(r.view(6)), amount(r, 7), amount(r, 8), amount(r, 9), name(r, 10), store ? store->country : std::string_view()});
      }
    }
  }

  void storage_fees() {
    Rows r = tx_.rows(
        "SELECT row_id, month, fnsku, asin, fulfillment_center, country_code, currency, average_quantity_on_hand, average_quantity_pending_removal, item_volume, storage_rate_micros, monthly_fee_micros, "
        "incentive_fee_micros, volume_units, product_size_tier, dangerous_goods_type, detail, total_item_volume FROM storage_fees WHERE user_no=?1 AND month IS NOT NULL ORDER BY day, row_id",
        user_);
    while (next(r)) {
      StorageFee f;
      f.row = r.integer(0);
      f.month = day_from(r.integer(1));
      f.fnsku = name(r, 2);
      f.asin = name(r, 3);
      f.center = name(r, 4);
      f.country = name(r, 5);
      f.currency = Currency::parse(r.view(6));
      f.on_hand = decimal(r.view(7));
      f.pending = decimal(r.view(8));
      f.item_volume = decimal(r.view(9));
      f.volume_step = last_digit(r.view(9));
      f.total_volume = decimal(r.view(17));
      f.rate = amount(r, 10);
      f.fee = amount(r, 11);
      f.discount = amount(r, 12);
      f.volume_units = name(r, 13);
      f.tier = name(r, 14);
      f.dangerous = !r.view(15).empty() && r.view(15) != "--";
      if (const auto detail = JsonDocument::parse(r.view(16)))
        for (const Json member : detail->root()) {
          std::string key(member.name());
          std::erase_if(key, [](char c) { return c == '-' || c == '_' || c == ' '; });
          if (key == "utilizationsurchargerate") f.surcharge_rate = decimal(member.text());
          if (key == "baserate" && !f.rate) f.rate = decimal(member.text());   // which of the two a file fills differs
        }
      t_.storage_fees.push_back(f);
    }
  }

  // ---- what the host supplied ----

  void supplied() {
    Rows r = tx_.rows("SELECT supplied_no, kind, data FROM supplied WHERE user_no=?1 ORDER BY supplied_no", user_);
    while (next(r)) {
      const auto document = JsonDocument::parse(r.view(2));
      if (!document) continue;   // it was checked when it was supplied
      const Json d = document->root();
      const auto text = [&](std::string_view member) { return t_.names.of(d[member].text()); };
      const auto number = [&](std::string_view member) { return decimal(d[member].text()).value_or(Micros{}); };
      const std::string_view kind = r.view(1);
      if (kind == "costs") {
        const auto currency = Currency::parse(d["currency"].text());
        const auto from = parse_instant(d["from"].text());
        if (currency && from) t_.costs.push_back({text("product"), day_of(*from), number("amount"), *currency});
      } else if (kind == "sizes") {
        t_.sizes.push_back({r.integer(0), text("product"), number("longest"), number("median"), number("shortest"), number("ounces"), text("tier")});
      } else if (kind == "removal_receipts") {
        t_.removal_receipts.push_back({r.integer(0), text("order"), text("fnsku"), text("tracking"), d["units"].integer().value_or(0)});
      } else if (kind == "removal_shipments") {
        const auto shipped = parse_instant(d["shipped"].text());
        if (!shipped) continue;
        t_.removal_shipments.push_back({r.integer(0), day_of(*shipped), text("order"), text("sku"), text("fnsku"), text("tracking"), disposition_from(d["disposition"].text()), d["units"].integer().value_or(0)});
        t_.coverage.add_all(Source::removal_shipments);
      } else if (kind == "deliveries") {
        constexpr std::pair<std::string_view, Delivery::State> kStates[]{{"lost", Delivery::State::lost}, {"damaged", Delivery::State::damaged}, {"returned_to_sender", Delivery::State::returned_to_sender},
                                                                         {"undeliverable", Delivery::State::undeliverable}, {"delivered", Delivery::State::delivered}};
        for (const auto& [word, state] : kStates)
          if (d["state"].text() == word) t_.deliveries.push_back({r.integer(0), text("order"), text("sku"), state});
      } else if (kind == "partnered") {
        t_.partnered.push_back({text("shipment"), d["partnered"].boolean().value_or(false)});
      }
    }
  }

  Tx& tx_;
  UserNo user_;
  Tables& t_;
  store::MoneyStream money_;
  std::function<bool()> stopped_;
  Day today_;
  std::uint64_t rows_ = 0;
  bool was_stopped_ = false;
};

}  // namespace

namespace {

/// An engine of another region may judge what is stored of a seller.
spapi::Region region_of(const std::optional<store::Connection>& connection, spapi::Region otherwise) { return connection ? spapi::region_from(connection->region).value_or(otherwise) : otherwise; }

}  // namespace

const spapi::Marketplace& home_marketplace(Tx& tx, std::optional<UserNo> user, spapi::Region region) {
  if (user) {
    const auto connection = store::find_connection(tx, *user);
    region = region_of(connection, region);
    if (const spapi::Marketplace* m = connection ? spapi::find_marketplace(connection->marketplace.text()) : nullptr) return *m;
    const auto list = store::participations(tx, *user);
    for (const spapi::Marketplace& m : spapi::marketplaces())
      for (const store::Participation& p : list)
        if (m.region == region && p.participating && p.marketplace.text() == m.id) return m;
  }
  return spapi::default_marketplace(region);
}

namespace {

/// Whether the user's findings are known by this seller's id. Those of a seller whose id came to be known later keep the ids that they began with.
bool began_with(Tx& tx, UserNo user, const Tables& named_by_nobody, const std::string& seller) {
  if (seller.empty()) return true;
  Rows r = tx.rows("SELECT finding_id, rule, variant, subject FROM findings WHERE user_no=?1 ORDER BY CASE WHEN closed_at IS NULL THEN 0 ELSE 1 END, updated_at DESC LIMIT 1", user);
  if (!r.next()) return true;
  const std::string rule = r.text(1), variant = r.text(2);
  Finding one;
  one.rule = rule;
  one.variant = variant;
  one.subject = r.text(3);
  return finding_id(named_by_nobody, one) != r.view(0);
}

Tables empty_tables(Tx& tx, UserNo user, spapi::Region region) {
  Tables t;
  const auto connection = store::find_connection(tx, user);
  t.region = spapi::region_name(region_of(connection, region));
  if (connection && began_with(tx, user, t, connection->seller.text())) t.seller = connection->seller.text();
  t.home = home_marketplace(tx, user, region).country;
  return t;
}

}  // namespace

Hash128 basis_of(Tx& tx, UserNo user, spapi::Region region, store::MoneyStream money, const Policy& policy) {
  Tables t = empty_tables(tx, user, region);
  Loader(tx, user, t, money, {}).coverage();
  std::string text = t.seller + '|' + t.region + '|' + std::string(t.home) + '|' + std::string(store::money_stream_name(money)) + '|' + format_day(local_day(tx.now(), t.home)) + '|' + std::string(policy.content().view());
  for (const Rule& rule : rules()) text += '|' + std::string(rule.id) + std::to_string(rule.version);
  text += '|' + std::to_string(tx.integer("SELECT change_seq FROM users WHERE user_no=?1", user).value_or(0));
  Rows r = tx.rows("SELECT count(*), max(supplied_no), max(at) FROM supplied WHERE user_no=?1", user);
  while (r.next())
    for (int i = 0; i < 3; ++i) text += '|' + std::to_string(r.maybe_integer(i).value_or(0));
  return Hash128::of(text + '|' + t.coverage.told());
}

std::optional<Tables> load_tables(Tx& tx, UserNo user, spapi::Region region, store::MoneyStream money, const std::function<bool()>& stopped) {
  Tables t = empty_tables(tx, user, region);
  if (!Loader(tx, user, t, money, stopped).load()) return std::nullopt;
  return t;
}

}  // namespace amzsync::detect
