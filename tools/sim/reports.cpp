// SPDX-License-Identifier: Apache-2.0
#include "sim/reports.hpp"

#include <array>

#include "base/crypto.hpp"
#include "sim/planted.hpp"

namespace amzsim {

using namespace amzsync::base;   // NOLINT: vocabulary

namespace {

constexpr Duration kLocalOffset = std::chrono::hours(7);   // ledger days are the store's own: UTC-7

std::string iso(Instant at) { return format_seconds(at).substr(0, 19) + "+00:00"; }
std::string slashed(Day day) {
  const std::string iso_day = format_day(day);
  return iso_day.substr(5, 2) + "/" + iso_day.substr(8, 2) + "/" + iso_day.substr(0, 4);
}

/// Windows-1252, with '?' for what it does not have, as Amazon writes it.
std::string to_cp1252(std::string_view utf8) {
  std::string out;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto b = static_cast<unsigned char>(utf8[i]);
    if (b < 0x80) {
      out += static_cast<char>(b);
    } else if ((b == 0xC2 || b == 0xC3) && i + 1 < utf8.size()) {
      const unsigned code = (b & 3U) << 6 | (static_cast<unsigned char>(utf8[++i]) & 0x3FU);
      out += code >= 0xA0 ? static_cast<char>(code) : '?';
    } else {
      out += '?';
      while (i + 1 < utf8.size() && (static_cast<unsigned char>(utf8[i + 1]) & 0xC0U) == 0x80U) ++i;
    }
  }
  return out;
}

/// A file being written: the header, then rows of cells.
class File {
 public:
  enum class Dialect : std::uint8_t { raw, quoted };
  File(Dialect dialect, bool cp1252, std::string_view header) : dialect_(dialect), cp1252_(cp1252) {
    if (dialect_ == Dialect::quoted) text_ = "\xEF\xBB\xBF";
    std::vector<std::string> cells(1);
    for (const char c : header) c == '|' ? void(cells.emplace_back()) : void(cells.back() += c);
    row(cells);
  }
  void row(const std::vector<std::string>& cells) {
    bool first = true;
    for (const std::string& cell : cells) {
      if (!std::exchange(first, false)) text_ += '\t';
      if (dialect_ == Dialect::raw) {
        text_ += cp1252_ ? to_cp1252(cell) : cell;
        continue;
      }
      text_ += '"';
      for (const char c : cell) text_ += c == '"' ? "\"\"" : std::string(1, c);
      text_ += '"';
    }
    text_ += dialect_ == Dialect::quoted ? "\r\n" : "\n";
  }
  std::string finish() { return std::move(text_); }

 private:
  Dialect dialect_;
  bool cp1252_;
  std::string text_;
};

std::string amount(Micros value) { return format_micros(value); }
std::string title_of(const Seller& seller, const Fact& f) {
  std::string title = f.number % 3 == 0 ? "Screen 12\" for \"Pros" : f.number % 5 == 0 ? "Tasse f\xC3\xBCr Kaffee" : "A thing";
  const auto least = static_cast<std::size_t>(seller.settings().title_bytes);
  while (title.size() < least) title += " of number " + std::to_string(f.number);
  return title;
}

/// Facts that began in [from, until) and are shown by now. (A planted case writes its rows itself.)
template <class Visit>
void for_all_facts(const Seller& seller, Instant from, Instant until, Instant now, const Visit& visit) {
  const std::int64_t end = seller.first_at(std::min(until, now));
  for (std::int64_t i = seller.first_at(from); i < end; ++i)
    if (seller.shown(i, now)) visit(seller.fact(i));
}
template <class Visit>
void for_facts(const Seller& seller, Instant from, Instant until, Instant now, const Visit& visit) {
  for_all_facts(seller, from, until, now, [&](const Fact& f) {
    if (!f.planted) visit(f);
  });
}
/// Planted rows of a time in [from, until) that are shown by now.
template <class Row, class Visit>
void for_planted(const Seller& seller, const std::vector<Row> PlantedWorld::*rows, Instant Row::*time, Instant Row::*shows, Instant from, Instant until, Instant now, const Visit& visit) {
  const PlantedWorld* world = seller.planted();
  if (!world) return;
  for (const Row& row : world->*rows)
    if (row.*time >= from && row.*time < until && world->happened(row.*shows, now)) visit(row);
}
constexpr std::string_view kPlantedTitle = "A planted thing";

std::string reason_of(const std::string& adjustment) {
  if (adjustment == "WAREHOUSE_LOST" || adjustment == "WAREHOUSE_LOST_MANUAL") return "Lost_Warehouse";
  if (adjustment == "WAREHOUSE_DAMAGE") return "Damaged_Warehouse";
  if (adjustment == "MISSING_FROM_INBOUND" || adjustment == "INBOUND_CARRIER_DAMAGE") return "Lost_Inbound";
  if (adjustment == "COMPENSATED_CLAWBACK") return "Reimbursement_Reversal";
  if (adjustment == "CUSTOMER_DAMAGE" || adjustment == "REVERSAL_REIMBURSEMENT") return "CustomerReturn";
  return "General_Adjustment";
}

std::string reimbursements(const Seller& seller, Instant from, Instant until, Instant now, ReportTally& tally) {
  File file(File::Dialect::raw, true,
            "approval-date|reimbursement-id|case-id|amazon-order-id|reason|sku|fnsku|asin|product-name|condition|currency-unit|amount-per-unit|amount-total|quantity-reimbursed-cash|"
            "quantity-reimbursed-inventory|quantity-reimbursed-total|original-reimbursement-id|original-reimbursement-type");
  for_facts(seller, from, until, now, [&](const Fact& f) {
    if (f.kind != FactKind::reimbursement) return;
    const std::string reason = reason_of(f.adjustment_type);
    const bool reversal = reason == "Reimbursement_Reversal";
    for (const FactItem& item : f.items) {
      const Micros all = item.charges.front().amount;
      const std::string quantity = std::to_string(item.quantity);
      file.row({iso(f.posted), std::to_string(10'000'000'000 + f.number), f.number % 4 == 0 ? std::to_string(5'000'000 + f.number) : "", seller.planted() ? "" : f.order_id, reason, item.sku, seller.fnsku(item.sku), "B0SIM",
                title_of(seller, f), "NewItem", std::string(f.marketplace->currency), amount(Micros{all.value / item.quantity}), amount(all), reversal ? "-" + quantity : quantity, "0", quantity,
                reversal ? std::to_string(9'000'000'000 + f.number) : "", reversal ? "Lost_Warehouse" : ""});
      ++tally.rows;
      tally.micros[std::string(f.marketplace->currency)] += all.value;
    }
  });
  for_planted(seller, &PlantedWorld::reimbursements, &ReimbursementRow::approved, &ReimbursementRow::shows, from, until, now, [&](const ReimbursementRow& row) {
    const std::string currency(row.marketplace->currency);
    file.row({iso(row.approved), row.id, row.case_id, row.order_id, row.reason, row.sku, row.fnsku, row.asin, std::string(kPlantedTitle), row.condition, currency, amount(row.per_unit), amount(row.total),
              std::to_string(row.cash), std::to_string(row.inventory), std::to_string(row.cash + row.inventory), row.original_id, row.original_type});
    ++tally.rows;
    tally.micros[currency] += row.total.value;
  });
  return file.finish();
}

/// Every movement; facts that are twins make rows that are twins.
std::string ledger(const Seller& seller, Instant from, Instant until, Instant now, ReportTally& tally) {
  File file(File::Dialect::quoted, false, "Date|FNSKU|ASIN|MSKU|Title|Event Type|Reference ID|Quantity|Fulfillment Center|Disposition|Reason|Country|Reconciled Quantity|Unreconciled Quantity|Date and Time|Store");
  for_facts(seller, from, until, now, [&](const Fact& f) {
    const Day day = day_of(f.posted - kLocalOffset);
    const std::string moment = format_day(day) + "T00:00:00-0700";
    // What Amazon has not found within a month it reconciles.
    const bool reconciled = now - f.posted > std::chrono::hours(24 * 30) || seller.planted();
    const auto write = [&](const FactItem& item, std::string_view event, std::int64_t quantity, std::string_view disposition, std::string_view reason, const std::string& reference) {
      const bool adjustment = event == "Adjustments" && !seller.settings().planted_blank_columns;
      file.row({slashed(day), seller.fnsku(item.sku), "B0SIM", item.sku, title_of(seller, f), std::string(event), reference, std::to_string(quantity), "PHX7", std::string(disposition), std::string(reason), "US",
                adjustment ? std::to_string(reconciled ? item.quantity : 0) : "", adjustment ? std::to_string(reconciled ? 0 : item.quantity) : "", moment, ""});
      ++tally.rows;
      tally.quantity += quantity;
    };
    for (const FactItem& item : f.items) switch (f.kind) {
        case FactKind::shipment: write(item, "Shipments", -item.quantity, "SELLABLE", "", ""); break;
        case FactKind::refund: write(item, "CustomerReturns", item.quantity, "CUSTOMER_DAMAGED", "", f.order_id); break;
        case FactKind::reimbursement: write(item, "Adjustments", -item.quantity, "SELLABLE", "M", f.named ? item.order_item_id : ""); break;
        case FactKind::service_fee:
          write(item, "WhseTransfers", -item.quantity, "SELLABLE", "", "");
          write(item, "WhseTransfers", item.quantity, "SELLABLE", "", "");
          break;
        default: break;
      }
  });
  for_planted(seller, &PlantedWorld::ledger, &LedgerRow::at, &LedgerRow::shows, from, until, now, [&](const LedgerRow& row) {
    const Day day = day_of(row.at - kLocalOffset);
    // Amazon reconciles what is lost, found or damaged.
    const bool filled = row.event == "Adjustments" && row.reason.size() == 1 && std::string_view("M5FE67HKU").find(row.reason) != std::string_view::npos && !seller.settings().planted_blank_columns;
    const std::int64_t reconciled = seller.planted()->reconciled(row, now);
    file.row({slashed(day), row.fnsku, row.asin, row.sku, std::string(kPlantedTitle), row.event, row.reference, std::to_string(row.quantity), row.fc, row.disposition, row.reason, row.country,
              filled ? std::to_string(reconciled) : "", filled ? std::to_string(std::abs(row.quantity) - reconciled) : "", format_day(day) + "T00:00:00-0700", ""});
    ++tally.rows;
    tally.quantity += row.quantity;
  });
  return file.finish();
}

std::string returns(const Seller& seller, Instant from, Instant until, Instant now, ReportTally& tally) {
  File file(File::Dialect::raw, false, "return-date|order-id|sku|asin|fnsku|product-name|quantity|fulfillment-center-id|detailed-disposition|reason|status|license-plate-number|customer-comments");
  for_facts(seller, from, until, now, [&](const Fact& f) {
    if (f.kind != FactKind::refund) return;
    for (const FactItem& item : f.items) {
      file.row({iso(f.posted), f.order_id, item.sku, "B0SIM", seller.fnsku(item.sku), title_of(seller, f), std::to_string(item.quantity), "PHX7", "CUSTOMER_DAMAGED", "DEFECTIVE",
                now - f.posted > std::chrono::hours(24 * 10) ? "Reimbursed" : "Unit returned to inventory", f.number % 2 ? "LPN" + item.order_item_id : "", "comment-of-a-buyer"});
      ++tally.rows;
      tally.quantity += item.quantity;
    }
  });
  for_planted(seller, &PlantedWorld::returns, &ReturnRow::at, &ReturnRow::shows, from, until, now, [&](const ReturnRow& row) {
    file.row({iso(row.at), row.order_id, row.sku, row.asin, row.fnsku, std::string(kPlantedTitle), std::to_string(row.quantity), row.fc, row.disposition, row.reason, row.status, row.plate, ""});
    ++tally.rows;
    tally.quantity += row.quantity;
  });
  return file.finish();
}

std::string removals(const Seller& seller, Instant from, Instant until, Instant now, ReportTally& tally) {
  File file(File::Dialect::raw, false,
            "request-date|order-id|order-type|order-status|last-updated-date|sku|fnsku|disposition|requested-quantity|cancelled-quantity|disposed-quantity|shipped-quantity|in-process-quantity|removal-fee|currency");
  // By their last update, not by when they were asked for.
  constexpr Duration kTakes = std::chrono::hours(24 * 14);
  for_facts(seller, from - kTakes, until, now, [&](const Fact& f) {
    if (f.kind != FactKind::service_fee || !f.named) return;
    const FactItem& item = f.items.front();
    const bool over = now - f.posted > kTakes;
    const Instant updated = over ? f.posted + kTakes : f.posted;
    if (updated < from || updated >= until) return;
    const std::string quantity = std::to_string(item.quantity);
    // Where cases are planted nothing else is sent to the seller: nobody could say whether it arrived.
    const bool destroyed = seller.planted(), sent = over && !destroyed;
    file.row({iso(f.posted), "removal-" + std::to_string(f.number), f.number % 2 && !destroyed ? "Return" : "Disposal", over ? "Completed" : "Pending", iso(updated), item.sku, seller.fnsku(item.sku), "Unsellable", quantity, "0",
              over && destroyed ? quantity : "0", sent ? quantity : "0", over ? "0" : quantity, "0.52", std::string(f.marketplace->currency)});
    ++tally.rows;
    tally.quantity += item.quantity;
    tally.micros[std::string(f.marketplace->currency)] += 520'000;
  });
  static const std::vector<RemovalRow> none;
  for (const RemovalRow& row : seller.planted() ? seller.planted()->removals : none) {
    const RemovalRow::State* state = nullptr;
    for (const RemovalRow::State& s : row.states)
      if (seller.planted()->happened(s.from, now)) state = &s;
    if (!state || state->from < from || state->from >= until) continue;
    const auto number = [](std::int64_t n) { return std::to_string(n); };
    file.row({iso(row.requested), row.order_id, row.type, state->status, iso(state->from), row.sku, row.fnsku, row.disposition, number(row.quantity), number(state->cancelled), number(state->disposed),
              number(state->shipped), number(state->in_process), "0.52", row.currency});
    ++tally.rows;
    tally.quantity += row.quantity;
    tally.micros[row.currency] += 520'000;
  }
  return file.finish();
}

constexpr std::int64_t kSkusWithSheets = 40;   // of a seller, in the sheets by month

template <class Visit>
void for_months(Instant from, Instant until, const Visit& visit) {
  std::chrono::year_month_day date(day_of(from));
  auto month = date.year() / date.month();
  if (date.day() != std::chrono::day(1)) month += std::chrono::months(1);   // only whole ones
  for (; Instant(std::chrono::sys_days((month + std::chrono::months(1)) / std::chrono::day(1))) <= until; month += std::chrono::months(1)) visit(Day(std::chrono::sys_days(month / std::chrono::day(1))));
}

std::string storage_fees(const Seller& seller, Instant from, Instant until, Instant now, ReportTally& tally) {
  File file(File::Dialect::raw, false,
            "asin|fnsku|product_name|fulfillment_center|country_code|longest_side|median_side|shortest_side|measurement_units|weight|weight_units|item_volume|volume_units|product_size_tier|"
            "average_quantity_on_hand|average_quantity_pending_removal|estimated_total_item_volume|month_of_charge|storage_rate|currency|estimated_monthly_storage_fee|dangerous_goods_storage_type|"
            "eligible_for_inventory_discount|qualifies_for_inventory_discount|total_incentive_fee_amount|breakdown_incentive_fee_amount|average_quantity_customer_orders|est_sus");
  for_months(from, std::min(until, now), [&](Day month) {
    for (std::int64_t i = 0; i < std::min(seller.settings().skus, kSkusWithSheets); ++i) {
      auto r = Random::at(seller.settings().seed, 4, seller.settings().number, to_number(month), i);
      const std::string sku = seller.sku(i);
      Micros fee{r.between(1, 90'000) * 100};
      std::string country = "US", currency = "USD", rate = "0.78";
      if (seller.planted()) {
        const Marketplace& m = *seller.marketplaces().front();
        country = m.country, currency = m.currency, rate = amount(planted_money(storage_rate(month), m.currency));
        fee = own_storage_fee(m, month);
      }
      file.row({"B0SIM", seller.fnsku(sku), "A thing", "PHX7", country, "12.50", "8", "2.0", "inches", "1.20", "pounds", "0.1157", "cubic feet", "Standard-Size", "14.5", "0", "1.678", format_day(month).substr(0, 7),
                rate, currency, amount(fee), "--", "N", "N", "", "", "3", "0.01"});
      ++tally.rows;
      tally.micros[currency] += fee.value;
    }
    if (!seller.planted()) return;
    for (const StorageRow& row : seller.planted()->storage) {
      if (row.month != month) continue;
      file.row({row.asin, row.fnsku, std::string(kPlantedTitle), row.fc, row.country, row.longest, row.median, row.shortest, "inches", "0.88", "pounds", row.volume, "cubic feet", "Standard-Size", row.on_hand, row.pending,
                row.total_volume, format_day(month).substr(0, 7), row.rate, row.currency, amount(row.fee), "--", "N", "N", "", "", "3", "0.01"});
      ++tally.rows;
      tally.micros[row.currency] += row.fee.value;
    }
  });
  return file.finish();
}

std::string ledger_summary(const Seller& seller, Instant from, Instant until, Instant now, ReportTally& tally) {
  File file(File::Dialect::quoted, false,
            "Date|FNSKU|ASIN|MSKU|Title|Disposition|Starting Warehouse Balance|In Transit Between Warehouses|Receipts|Customer Shipments|Customer Returns|Vendor Returns|Warehouse Transfer In/Out|Found|"
            "Lost|Damaged|Disposed|Other Events|Ending Warehouse Balance|Unknown Events|Location|Store");
  for_months(from, std::min(until, now), [&](Day month) {
    for (std::int64_t i = 0; i < std::min(seller.settings().skus, kSkusWithSheets); ++i) {
      auto r = Random::at(seller.settings().seed, 5, seller.settings().number, to_number(month), i);
      const std::int64_t start = r.below(200), in = r.below(60), out = r.below(80), lost = r.one_in(9) ? 1 : 0;
      const std::string day = format_day(month);
      file.row({day.substr(5, 2) + "/" + day.substr(0, 4), seller.fnsku(seller.sku(i)), "B0SIM", seller.sku(i), "A \"thing\"", "SELLABLE", std::to_string(start), "0", std::to_string(in), std::to_string(-out), "0",
                "0", "0", "0", std::to_string(-lost), "0", "0", "0", std::to_string(start + in - out - lost), "0", "US", ""});
      ++tally.rows;
      tally.quantity += start + in - out - lost;
    }
  });
  for_months(from, std::min(until, now), [&](Day month) {
    if (!seller.planted()) return;
    for (const PlantedBalance& b : planted_balances(*seller.planted(), month)) {
      const std::string day = format_day(month);
      const auto number = [](std::int64_t n) { return std::to_string(n); };
      file.row({day.substr(5, 2) + "/" + day.substr(0, 4), b.fnsku, b.asin, b.sku, std::string(kPlantedTitle), b.disposition, number(b.starting), number(b.in_transit), number(b.receipts), number(b.shipments),
                number(b.returns), number(b.vendor_returns), number(b.transfers), number(b.found), number(b.lost), number(b.damaged), number(b.disposed), number(b.other), number(b.ending()), "0", b.country, ""});
      ++tally.rows;
      tally.quantity += b.ending();
    }
  });
  return file.finish();
}

std::string fee_preview(const Seller& seller, Instant, Instant, Instant now, ReportTally& tally) {
  File file(File::Dialect::raw, true,
            "sku|fnsku|asin|amazon-store|product-name|product-group|brand|fulfilled-by|your-price|sales-price|longest-side|median-side|shortest-side|length-and-girth|unit-of-dimension|item-package-weight|"
            "unit-of-weight|product-size-tier|currency|estimated-fee-total|estimated-referral-fee-per-unit|estimated-variable-closing-fee|expected-fulfillment-fee-per-unit|"
            "estimated-future-fee (Current Selling on Amazon + Future Fulfillment fees)");
  for (std::int64_t i = 0; i < seller.settings().skus; ++i) {
    auto r = Random::at(seller.settings().seed, 6, seller.settings().number, i);
    const std::string sku = seller.sku(i);
    Micros fee{r.between(250, 900) * 10'000}, referral{r.between(80, 1'500) * 10'000};
    if (seller.planted()) fee = Micros{fulfilment_fee(now, kOwnOunces) * 10'000}, referral = Micros{3'000'000};
    file.row({sku, seller.fnsku(sku), "B0SIM", "US", i % 10 == 0 ? "Tasse f\xC3\xBCr 12\" Kaffee" : "A thing", "Home", "Brand", "Amazon", "19.99", i % 4 ? "19.99" : "--", "12.00", "8.00", "2.00", "32.00", "inches",
              "1.10", "pounds", "Large standard-size", "USD", amount(Micros{fee.value + referral.value}), amount(referral), "0.00", amount(fee), "--"});
    ++tally.rows;
    tally.micros["USD"] += fee.value;
  }
  if (!seller.planted()) return file.finish();
  for (const PlantedProduct& p : seller.planted()->products) {
    const std::string currency(p.marketplace->currency);
    const Micros fee = planted_money(fulfilment_fee(now, p.recorded_ounces), currency), referral = planted_money(p.listed_referral, currency), price = planted_money(p.listed_price, currency);
    file.row({p.sku, p.fnsku, p.asin, std::string(p.marketplace->country), std::string(kPlantedTitle), "Home", "Brand", "Amazon", amount(price), amount(price), p.longest, p.median, p.shortest,
              "25.00", "inches", amount(Micros{p.recorded_ounces * 1'000'000 / 16}), "pounds", "Large standard-size", currency, amount(Micros{fee.value + referral.value}), amount(referral), "0.00", amount(fee), "--"});
    ++tally.rows;
    tally.micros[currency] += fee.value;
  }
  return file.finish();
}

/// Every SKU of the seller's, as its first marketplace has it.
std::string managed_inventory(const Seller& seller, Instant, Instant, Instant, ReportTally& tally) {
  File file(File::Dialect::raw, false,
            "sku|fnsku|asin|product-name|condition|your-price|mfn-listing-exists|mfn-fulfillable-quantity|afn-listing-exists|afn-warehouse-quantity|afn-fulfillable-quantity|afn-unsellable-quantity|"
            "afn-reserved-quantity|afn-total-quantity|per-unit-volume|afn-inbound-working-quantity|afn-inbound-shipped-quantity|afn-inbound-receiving-quantity|afn-researching-quantity|"
            "afn-reserved-future-supply|afn-future-supply-buyable|store");
  std::vector<StockRow> rows = stock(seller, 0);
  for (auto i = static_cast<std::int64_t>(rows.size()); i < seller.settings().skus; ++i) rows.push_back({.sku = seller.sku(i), .fnsku = "", .asin = "", .name = ""});
  for (const StockRow& row : rows) {
    const auto number = [](std::int64_t n) { return std::to_string(n); };
    file.row({row.sku, row.fnsku, row.asin, row.name, "New", "19.99", "No", "", "Yes", number(row.fulfillable + row.reserved() + row.unfulfillable()), number(row.fulfillable), number(row.unfulfillable()),
              number(row.reserved()), number(row.total()), "0.05", number(row.inbound_working), number(row.inbound_shipped), number(row.inbound_receiving), number(row.researching()), "0", "0", ""});
    ++tally.rows;
    tally.quantity += row.total();
  }
  return file.finish();
}

constexpr std::array kKinds{ReportKind{"GET_FBA_REIMBURSEMENTS_DATA", "reimbursements", 92, "text/plain; charset=Cp1252", &reimbursements, false},
                            ReportKind{"GET_LEDGER_DETAIL_VIEW_DATA", "ledger", 31, "text/plain;charset=UTF-8", &ledger, false},
                            ReportKind{"GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA", "returns", 60, "binary/octet-stream", &returns, false},
                            ReportKind{"GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA", "removals", 92, "text/plain", &removals, false},
                            ReportKind{"GET_LEDGER_SUMMARY_VIEW_DATA", "ledger_summary", 580, "text/plain;charset=UTF-8", &ledger_summary, false, true},
                            ReportKind{"GET_FBA_STORAGE_FEE_CHARGES_DATA", "storage_fees", 580, "text/plain", &storage_fees, false, true},
                            ReportKind{"GET_FBA_ESTIMATED_FBA_FEES_TXT_DATA", "fee_preview", 0, "text/plain; charset=Cp1252", &fee_preview, false},
                            ReportKind{"GET_FBA_MYI_UNSUPPRESSED_INVENTORY_DATA", "managed_inventory", 0, "text/plain;charset=UTF-8", &managed_inventory, false},
                            ReportKind{"GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2", "settlements", 0, "text/plain;charset=UTF-8", nullptr, true}};

}  // namespace

const ReportKind* find_report_kind(std::string_view type) {
  for (const ReportKind& kind : kKinds)
    if (kind.type == type) return &kind;
  return nullptr;
}

std::vector<const ReportKind*> report_kinds() {
  std::vector<const ReportKind*> kinds;
  for (const ReportKind& kind : kKinds) kinds.push_back(&kind);
  return kinds;
}

std::vector<Settlement> settlements(const Seller& seller, Instant now) {
  constexpr auto kFortnight = std::chrono::hours(24 * 14), kMadeAfter = std::chrono::hours(24);
  const SellerSettings& s = seller.settings();
  std::vector<Settlement> all;
  const Instant begin = std::chrono::ceil<std::chrono::hours>(s.end - s.history), until = s.goes_on ? now : std::min(now, s.end + kFortnight);
  std::int64_t number = 0;
  // Half past an hour, so that none is made while a sync that began on the hour is under way.
  for (Instant from = begin; from + kFortnight + kMadeAfter + std::chrono::minutes(30) <= until; from += kFortnight, ++number)
    for (std::size_t m = 0; m < seller.marketplaces().size(); ++m) {
      Settlement settlement;
      settlement.id = std::to_string(70'000'000'000 + s.number * 1'000'000 + static_cast<std::int64_t>(m) * 10'000 + number);
      settlement.document = "amzn1.spdoc.1.4.na." + amzsync::base::hex(std::string_view(settlement.id)) + ".T2";
      settlement.marketplace = m;
      settlement.from = from;
      settlement.until = from + kFortnight;
      settlement.created = settlement.until + kMadeAfter + std::chrono::minutes(30);
      all.push_back(std::move(settlement));
    }
  return all;
}

/// The lines of one settlement: a fact's components, each with its place in the file's own words.
std::string settlement_text(const Seller& seller, const Settlement& of, ReportTally& tally) {
  const Marketplace* marketplace = seller.marketplaces()[of.marketplace];
  const std::string currency(marketplace->currency);
  const auto seconds = [](Instant at) {
    std::string text = format_seconds(at).substr(0, 19);
    text[10] = ' ';
    return text + " UTC";
  };
  const std::string number = std::to_string(12'000'000'000 + std::atoll(of.id.c_str()) % 1'000'000'000);
  std::vector<std::vector<std::string>> rows;
  std::int64_t total = 0;
  for_all_facts(seller, of.from, of.until, of.created, [&](const Fact& f) {
    if (f.marketplace != marketplace) return;
    const auto line = [&](const FactItem& item, const std::string& type, const std::string& what, const Component& c) {
      const bool sale = f.kind == FactKind::shipment || f.kind == FactKind::refund;
      rows.push_back({number, "", "", "", "", "", f.kind == FactKind::shipment ? "Order" : f.kind == FactKind::refund ? "Refund" : "other-transaction", sale ? f.order_id : "", "", "", "",
                      sale ? "Amazon." + std::string(marketplace->country) : "", type, what, amount(c.amount), sale ? "AFN" : "", format_day(day_of(f.posted)), seconds(f.posted),
                      sale ? item.order_item_id : "", "", "", item.sku, sale ? std::to_string(item.quantity) : "", ""});
      total += c.amount.value;
    };
    for (const FactItem& item : f.items) {
      for (const Component& c : item.charges) line(item, f.kind == FactKind::reimbursement ? "FBA Inventory Reimbursement" : "ItemPrice", f.kind == FactKind::reimbursement ? f.adjustment_type : c.type, c);
      for (const Component& c : item.fees) line(item, "ItemFees", c.type, c);
      for (const Component& c : item.promotions) line(item, "Promotion", c.type, c);
    }
  });
  File file(File::Dialect::raw, false,
            "settlement-id|settlement-start-date|settlement-end-date|deposit-date|total-amount|currency|transaction-type|order-id|merchant-order-id|adjustment-id|shipment-id|marketplace-name|amount-type|"
            "amount-description|amount|fulfillment-id|posted-date|posted-date-time|order-item-code|merchant-order-item-id|merchant-adjustment-item-id|sku|quantity-purchased|promotion-id");
  std::vector<std::string> summary(24);
  summary[0] = number;
  summary[1] = seconds(of.from);
  summary[2] = seconds(of.until);
  summary[3] = seconds(of.until + std::chrono::hours(48));
  summary[4] = amount(Micros{total});
  summary[5] = currency;
  file.row(summary);
  for (const auto& row : rows) file.row(row);
  tally.rows += 1 + static_cast<std::int64_t>(rows.size());
  tally.micros[currency] += total;
  return file.finish();
}

}  // namespace amzsim
