// SPDX-License-Identifier: Apache-2.0
#include "store/inventory_rows.hpp"

#include "base/json_writer.hpp"
#include "store/changes.hpp"

namespace amzsync::store {
namespace {

constexpr std::string_view kStream = "inventory";
constexpr int kFirstQuantity = 7;   // parameter of the first quantity in the statements below

std::string joined_quantities(std::string_view prefix, std::string_view between, bool assign) {
  std::string text;
  for (std::size_t i = 0; i < kInventoryQuantities.size(); ++i) {
    if (i > 0) text += between;
    if (assign) text += std::string(kInventoryQuantities[i]) + "=";
    text += prefix;
    if (assign || prefix == "?") {
      text += assign ? std::string(kInventoryQuantities[i]) : std::to_string(kFirstQuantity + static_cast<int>(i));
    } else {
      text += kInventoryQuantities[i];
    }
  }
  return text;
}

/// ?1 user, ?2 marketplace, ?3 sku, ?4 fnsku, ?5 asin, ?6 condition, ?7… quantities, then name, updated, detail, content, now, run.
const std::string& upsert_sql() {
  static const std::string sql = [] {
    const int after = kFirstQuantity + static_cast<int>(kInventoryQuantities.size());
    const auto p = [after](int n) { return "?" + std::to_string(after + n); };
    return "INSERT INTO inventory(user_no, marketplace_id, seller_sku, fnsku, asin, condition, " + joined_quantities("", ", ", false) +
           ", product_name, last_updated_at, detail, content, first_seen_at, changed_at, run_no) VALUES(?1, ?2, ?3, ?4, ?5, ?6, " +
           joined_quantities("?", ", ", false) + ", " + p(0) + ", " + p(1) + ", " + p(2) + ", " + p(3) + ", " + p(4) + ", " + p(4) + ", " + p(5) +
           ") ON CONFLICT (user_no, marketplace_id, seller_sku) DO UPDATE SET fnsku=excluded.fnsku, asin=excluded.asin, condition=excluded.condition, " +
           joined_quantities("excluded.", ", ", true) +
           ", product_name=excluded.product_name, last_updated_at=excluded.last_updated_at, detail=excluded.detail, content=excluded.content, "
           "changed_at=excluded.changed_at, run_no=excluded.run_no, closed_at=NULL RETURNING inventory_id";
  }();
  return sql;
}

std::optional<std::string_view> told(const std::string& text) { return text.empty() ? std::nullopt : std::optional<std::string_view>(text); }

void remember_former(Tx& tx, UserNo user, std::int64_t inventory_id) {
  static const std::string sql = "SELECT " + joined_quantities("", ", ", false) + ", closed_at FROM inventory WHERE user_no=?1 AND inventory_id=?2";
  JsonWriter json;
  json.begin_object();
  {
    Rows r = tx.rows(sql, user, inventory_id);
    if (!r.next()) return;
    for (std::size_t i = 0; i < kInventoryQuantities.size(); ++i)
      if (const auto quantity = r.maybe_integer(static_cast<int>(i))) json.field(kInventoryQuantities[i], *quantity);
    if (const auto closed = r.maybe_instant(static_cast<int>(kInventoryQuantities.size()))) json.field("closed_at", *closed);
  }
  tx.run("INSERT INTO inventory_history(user_no, inventory_id, until, state) VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING", user, inventory_id, tx.now(),
         json.end_object().text());
}

/// The row's number.
std::int64_t write_item(const RunTx& run, const MarketplaceId& marketplace, const InventoryItem& item, RunNo told_by) {
  Tx& tx = run.tx();
  Statement& s = tx.statement(upsert_sql());
  int place = 0;
  const auto put = [&](const auto& v) { bind_value(s, ++place, v); };
  put(run.user());
  put(marketplace);
  put(item.seller_sku);
  put(told(item.fnsku));
  put(told(item.asin));
  put(told(item.condition));
  for (const auto& quantity : item.quantities) put(quantity);
  put(told(item.product_name));
  put(item.last_updated_at);
  put(item.detail);
  put(item.content);
  put(tx.now());
  put(told_by);
  const std::int64_t row = s.step() ? s.integer(0) : 0;
  s.reset();
  return row;
}

}  // namespace

Counts store_inventory_page(const RunTx& run, const MarketplaceId& marketplace, const InventoryBatch& batch) {
  Tx& tx = run.tx();
  Counts counts;
  ChangeLog changes(tx, run.user(), kStream);
  for (const InventoryItem& item : batch.items) {
    ++counts.fetched;
    std::optional<std::int64_t> known;
    bool same = false;
    {
      Rows r = tx.rows("SELECT inventory_id, content, closed_at FROM inventory WHERE user_no=?1 AND marketplace_id=?2 AND seller_sku=?3", run.user(), marketplace,
                       item.seller_sku);
      if (r.next()) {
        known = r.integer(0);
        same = r.view(1) == item.content.view() && r.is_null(2);
      }
    }
    if (same) {
      ++counts.unchanged;
      continue;
    }
    if (known) remember_former(tx, run.user(), *known);
    changes.put(write_item(run, marketplace, item, run.run()));
    ++(known ? counts.changed : counts.added);
    for (const Fault& fault : item.faults)
      if (quarantine(run, kStream, std::nullopt, std::nullopt, fault, item.content)) ++counts.rejected;
  }
  Twins twins;
  for (const Fault& fault : batch.unreadable) {
    ++counts.fetched;
    if (quarantine(run, kStream, std::nullopt, std::nullopt, fault, twins.next(fault, Hash128::of(marketplace.text())))) ++counts.rejected;
  }
  changes.write();
  return counts;
}

namespace {

/// Everything that a page says of a row.
std::string row_text(Tx& tx, UserNo user, const MarketplaceId& marketplace, const std::string& sku) {
  static const std::string sql = "SELECT fnsku, asin, condition, product_name, last_updated_at, detail, content, " + joined_quantities("", ", ", false) +
                                 " FROM inventory WHERE user_no=?1 AND marketplace_id=?2 AND seller_sku=?3";
  std::string text;
  Rows r = tx.rows(sql, user, marketplace, sku);
  if (!r.next()) return text;
  for (int i = 0; i < r.columns(); ++i) text += (r.is_null(i) ? std::string("-") : "+" + r.text(i)) + '\x1f';
  return text;
}

}  // namespace

Counts rewrite_inventory_page(const RunTx& run, const MarketplaceId& marketplace, const InventoryBatch& batch, RunNo told_by) {
  Tx& tx = run.tx();
  Counts counts;
  ChangeLog changes(tx, run.user(), kStream);
  for (const InventoryItem& item : batch.items) {
    ++counts.fetched;
    bool known = false, stays = false;
    std::optional<Instant> changed_at;
    RunNo by = told_by;
    {
      Rows r = tx.rows("SELECT run_no, closed_at, changed_at FROM inventory WHERE user_no=?1 AND marketplace_id=?2 AND seller_sku=?3", run.user(), marketplace, item.seller_sku);
      known = r.next();
      stays = known && (r.integer(0) > told_by.value || !r.is_null(1));
      if (known) changed_at = r.instant(2), by = r.id<RunNo>(0);
    }
    if (stays) {
      ++counts.unchanged;
      continue;
    }
    const std::string before = row_text(tx, run.user(), marketplace, item.seller_sku);
    const std::int64_t row = write_item(run, marketplace, item, by);
    if (changed_at) tx.run("UPDATE inventory SET changed_at=?2 WHERE inventory_id=?1 AND user_no=?3", row, changed_at, run.user());   // of the stock, not of its reading
    if (before == row_text(tx, run.user(), marketplace, item.seller_sku)) {
      ++counts.unchanged;
      continue;
    }
    changes.put(row);
    ++(known ? counts.changed : counts.added);
    for (const Fault& fault : item.faults)
      if (quarantine(run, kStream, std::nullopt, std::nullopt, fault, item.content)) ++counts.rejected;
  }
  changes.write();
  return counts;
}

Counts close_marketplace(const RunTx& run, const MarketplaceId& marketplace, const std::set<std::string>& seen_skus) {
  Tx& tx = run.tx();
  std::vector<std::int64_t> gone;
  {
    Rows r = tx.rows("SELECT inventory_id, seller_sku FROM inventory WHERE user_no=?1 AND marketplace_id=?2 AND closed_at IS NULL", run.user(), marketplace);
    while (r.next())
      if (!seen_skus.contains(r.text(1))) gone.push_back(r.integer(0));
  }
  Counts counts;
  ChangeLog changes(tx, run.user(), kStream);
  for (const std::int64_t id : gone) {
    remember_former(tx, run.user(), id);
    tx.run("UPDATE inventory SET closed_at=?2, changed_at=?2, run_no=?3 WHERE inventory_id=?1 AND user_no=?4", id, tx.now(), run.run(), run.user());
    changes.gone(id);
    ++counts.removed;
  }
  changes.write();
  return counts;
}

std::vector<std::string> open_skus_beside(Tx& tx, UserNo user, const MarketplaceId& marketplace, const std::set<std::string>& seen_skus) {
  std::vector<std::string> skus;
  Rows r = tx.rows("SELECT seller_sku FROM inventory WHERE user_no=?1 AND marketplace_id=?2 AND closed_at IS NULL ORDER BY 1", user, marketplace);
  while (r.next())
    if (std::string sku = r.text(0); !seen_skus.contains(sku)) skus.push_back(std::move(sku));
  return skus;
}

std::vector<std::string> managed_skus_not_listed(Tx& tx, UserNo user, const MarketplaceId& marketplace) {
  constexpr Duration kReportAge = std::chrono::hours(24 * 3), kKnownAbsent = std::chrono::hours(24 * 30);
  std::vector<std::string> skus;
  Rows r = tx.rows(
      "SELECT DISTINCT sku FROM managed_inventory WHERE user_no=?1 AND afn_total>0 AND sku<>'' "
      "AND EXISTS (SELECT 1 FROM cells WHERE user_no=?1 AND stream='managed_inventory' AND read_at>=?3) "
      "AND sku NOT IN (SELECT seller_sku FROM inventory WHERE user_no=?1 AND marketplace_id=?2 AND closed_at IS NULL) "
      "AND sku NOT IN (SELECT seller_sku FROM inventory_absent WHERE user_no=?1 AND marketplace_id=?2 AND asked_at>=?4 AND asked_at<=?5) ORDER BY 1",
      user, marketplace, tx.now() - kReportAge, tx.now() - kKnownAbsent, tx.now() + kClocksDiffer);
  while (r.next()) skus.push_back(r.text(0));
  return skus;
}

void remember_absent_skus(const RunTx& run, const MarketplaceId& marketplace, const std::vector<std::string>& skus) {
  for (const std::string& sku : skus)
    run.tx().run("INSERT INTO inventory_absent(user_no, marketplace_id, seller_sku, asked_at) VALUES(?1, ?2, ?3, ?4) ON CONFLICT (user_no, marketplace_id, seller_sku) DO UPDATE SET asked_at=excluded.asked_at",
                 run.user(), marketplace, sku, run.tx().now());
}

std::int64_t inventory_count(Tx& tx, UserNo user) {
  return tx.integer("SELECT count(*) FROM inventory WHERE user_no=?1 AND closed_at IS NULL", user).value_or(0);
}

}  // namespace amzsync::store
