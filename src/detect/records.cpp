// SPDX-License-Identifier: Apache-2.0
#include "detect/records.hpp"

#include <algorithm>
#include <array>

#include "base/crypto.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "detect/inquiry.hpp"
#include "detect/local_time.hpp"
#include "store/journal.hpp"
#include "store/users.hpp"

namespace amzsync::detect {
namespace {

using store::Rows;
using store::Tx;

std::string terms_json(const Finding& f) {
  JsonWriter json;
  json.begin_array();
  for (const Term& t : f.terms) json.begin_object().field("code", t.code).field("delta", t.delta).end_object();
  json.end_array();
  return std::move(json).text();
}
std::string evidence_json(const Finding& f) {
  JsonWriter json;
  json.begin_array();
  for (const Evidence& e : f.evidence) json.begin_object().field("table", source_name(e.row.source())).field("row", e.row.row()).field("role", e.role()).field("units", static_cast<std::int64_t>(e.units)).end_object();
  json.end_array();
  return std::move(json).text();
}
std::string netting_json(const std::vector<Netted>& netting) {
  JsonWriter json;
  json.begin_array();
  for (const Netted& n : netting) json.begin_object().field("table", source_name(n.by.source())).field("row", n.by.row()).field("units", n.units).field("step", n.step).end_object();
  json.end_array();
  return std::move(json).text();
}

/// Readiness as of now, in SQL; ?1 is the user, ?2 the instant. What has matured since the last detection is not ripe before the next one has looked at it: what
/// came meanwhile, a found unit or a payment, was not read. What is found no more, and is told because it was filed, a person must look at.
constexpr std::string_view kReadinessSql =
    "CASE WHEN closed_at IS NOT NULL THEN 'review' WHEN blocked<>'' THEN 'blocked' WHEN ?2 < claimable_at OR (SELECT max(s.at) FROM rule_states s WHERE s.user_no=?1) < claimable_at THEN 'not_mature' WHEN ?2 >= expires_at THEN 'expired' WHEN confidence<70 OR review_only=1 THEN 'review' ELSE 'claim_ready' END";

constexpr std::string_view kColumns =
    "finding_id, rule, variant, subject, state, case_id, quantity, amount_micros, low_micros, high_micros, currency, basis, confidence, blocked, event_day, claimable_from, deadline, deadline_safe, "
    "fnsku, sku, asin, order_id, shipment_id, removal_order_id, period, policy, policy_version, policy_confirmed, rule_version, terms, evidence, netting, opened_at, updated_at, closed_at";

void write_amount(JsonWriter& json, std::string_view name, const Rows& r, int column) {
  if (r.is_null(column)) {
    json.field_null(name);
  } else {
    json.field(name, Micros{r.integer(column)});
  }
}

/// A row of kColumns with its readiness behind them.
void write_finding(JsonWriter& json, const Rows& r) {
  constexpr int kReadiness = 35;
  json.begin_object().field("id", r.view(0)).field("rule", r.view(1)).field("type", r.view(1)).field_if("variant", r.view(2)).field("readiness", r.view(kReadiness)).field("state", r.view(4)).field_if("caseId", r.view(5));
  json.field("quantity", r.integer(6));
  write_amount(json, "amount", r, 7);
  write_amount(json, "amountLow", r, 8);
  write_amount(json, "amountHigh", r, 9);
  if (r.is_null(10)) {
    json.field_null("currency");
  } else {
    json.field("currency", r.view(10));
  }
  json.field("basis", r.view(11)).field("confidence", r.integer(12)).field_if("blocked", r.view(13));
  json.field("eventDate", format_day(day_from(r.integer(14)))).field("claimableFrom", format_day(day_from(r.integer(15)))).field("deadline", format_day(day_from(r.integer(16)))).field("deadlineSafe", format_day(day_from(r.integer(17))));
  json.field_if("fnsku", r.view(18)).field_if("sku", r.view(19)).field_if("asin", r.view(20)).field_if("orderId", r.view(21)).field_if("shipmentId", r.view(22)).field_if("removalOrderId", r.view(23)).field_if("period", r.view(24));
  json.field("policy", r.view(25)).field("policyVersion", r.view(26)).field("policyConfirmed", r.flag(27)).field("ruleVersion", r.integer(28));
  json.field_raw("terms", r.view(29)).field_raw("evidence", r.view(30)).field_raw("netting", r.view(31)).field("openedAt", r.instant(32)).field("updatedAt", r.instant(33));
  if (!r.is_null(34)) json.field("closedAt", r.instant(34));
  json.end_object();
}

std::string select(std::string_view more) { return "SELECT " + std::string(kColumns) + ", " + std::string(kReadinessSql) + " FROM findings WHERE user_no=?1 AND " + std::string(more); }

constexpr std::array<std::string_view, 5> kReadinesses{"claim_ready", "not_mature", "review", "expired", "blocked"};
constexpr std::array<std::string_view, 4> kStates{"open", "filed", "won", "lost"};
template <std::size_t n>
bool is_one_of(const std::array<std::string_view, n>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void write_rules(JsonWriter& json, Tx& tx, UserNo user) {
  json.key("rules").begin_array();
  Rows r = tx.rows("SELECT rule, blocked FROM rule_states WHERE user_no=?1 ORDER BY rule", user);
  while (r.next()) json.begin_object().field("rule", r.view(0)).field("state", r.view(1).empty() ? "ready" : "blocked").field_if("reason", r.view(1)).end_object();
  json.end_array();
}

void write_sums(JsonWriter& json, std::string_view name, const std::vector<Totals::Sum>& sums) {
  json.key(name).begin_array();
  for (const auto& s : sums) json.begin_object().field("currency", s.currency).field("amount", s.amount).field("count", s.count).end_object();
  json.end_array();
}

/// What a preview said before it changed, or went: a charge was held against what was told at its time.
void write_earlier_previews(JsonWriter& json, Tx& tx, UserNo user, std::int64_t row) {
  json.key("earlier").begin_array();
  Rows r = tx.rows("SELECT since_at, until_at, currency, expected_fulfillment_fee_micros, estimated_referral_fee_micros, coalesce(sales_price_micros, your_price_micros), product_size_tier FROM fee_preview_history "
                   "WHERE user_no=?1 AND row_id=?2 ORDER BY until_at",
                   user, row);
  while (r.next()) {
    json.begin_object().field("since", r.instant(0)).field("until", r.instant(1)).field_if("currency", r.view(2));
    constexpr std::string_view kAmounts[]{"expected_fulfillment_fee", "estimated_referral_fee", "price"};
    for (int i = 0; i < 3; ++i)
      if (!r.is_null(3 + i)) json.field(kAmounts[i], Micros{r.integer(3 + i)});
    json.field_if("product_size_tier", r.view(6)).end_object();
  }
  json.end_array();
}

/// The rows that a finding rests on or that were netted against it, as they are stored: what a person needs to file the claim.
void write_rows(JsonWriter& json, Tx& tx, UserNo user, store::MoneyStream money, const std::vector<std::string>& lists) {
  const std::string money_table(store::money_stream_name(money));
  struct Table {
    std::string_view source;
    std::string name, key;
  };
  const Table tables[]{{"ledger", "ledger", "row_id"},           {"ledger_summary", "ledger_summary", "row_id"}, {"reimbursements", "reimbursements", "row_id"}, {"returns", "returns", "row_id"},
                       {"removals", "removals", "row_id"},       {"inbound", "inbound_items", "row_id"},         {"money", money_table, "event_id"},              {"storage_fees", "storage_fees", "row_id"},
                       {"fee_preview", "fee_preview", "row_id"}, {"supplied", "supplied", "supplied_no"},        {"removal_shipments", "supplied", "supplied_no"}};
  constexpr std::array<std::string_view, 8> kOwn{"user_no", "identity", "content", "run_no", "occurrence", "type_id", "currency_id", "day"};
  json.key("rows").begin_array();
  std::set<std::pair<std::string, std::int64_t>> told;
  for (const std::string& list : lists) {
    const auto document = JsonDocument::parse(list);
    if (!document) continue;
    for (const Json entry : document->root()) {
      const auto table = std::find_if(std::begin(tables), std::end(tables), [&](const Table& t) { return t.source == entry["table"].text(); });
      const std::int64_t row = entry["row"].integer().value_or(0);
      if (table == std::end(tables) || !told.emplace(table->name, row).second) continue;
      Rows r = tx.rows("SELECT * FROM " + table->name + " WHERE user_no=?1 AND " + table->key + "=?2", user, row);
      const bool there = r.next();
      if (!there && table->source != "fee_preview") continue;
      json.begin_object().field("table", table->source).field("row", row);
      if (table->source == "fee_preview") write_earlier_previews(json, tx, user, row);
      for (int i = 0; there && i < r.columns(); ++i) {
        const std::string_view column = r.column_name(i);
        if (r.is_null(i) || column == table->key || is_one_of(kOwn, column)) continue;
        if (column.ends_with("_at") || column == "at") {
          json.field(column, r.instant(i));
        } else if (column.ends_with("_day") || column == "period" || column == "month") {
          json.field(column, format_day(day_from(r.integer(i))));
        } else if (column.ends_with("_micros")) {
          json.field(column.substr(0, column.size() - 7), Micros{r.integer(i)});
        } else if (column == "detail" || column == "data") {
          if (!r.view(i).empty()) json.field_raw(column, r.view(i));
        } else if (r.is_text(i)) {
          json.field(column, r.view(i));
        } else {
          json.field(column, r.integer(i));
        }
      }
      json.end_object();
    }
  }
  json.end_array();
}

/// Whether the money speaks of an order or an SKU of this name.
bool is_in_money(Tx& tx, UserNo user, store::MoneyStream money, std::string_view name) {
  if (tx.integer("SELECT count(*) FROM skus WHERE user_no=?1 AND sku=?2", user, name).value_or(0) > 0) return true;
  const std::string orders = "SELECT count(*) FROM (SELECT 1 FROM " + std::string(store::money_stream_name(money)) + " WHERE user_no=?1 AND order_id=?2 LIMIT 1) o";
  return tx.integer(orders, user, name).value_or(0) > 0;
}

void tell(const store::RunTx& run, const Saved& saved) {
  Tx& tx = run.tx();
  const UserNo user = run.user();
  const std::string id = tx.text("SELECT sync_id FROM runs WHERE run_no=?1", run.run()).value_or("");
  // Who detected before us and then died may have told it.
  if (run.taken_over() && store::was_told(tx, user, "detection.completed", id)) return;
  const Totals sums = totals(tx, user);
  JsonWriter payload;
  payload.begin_object().field("syncId", id).field("claimsDetected", saved.claim_ready);
  payload.field("opened", saved.opened).field("changed", saved.changed).field("closed", saved.closed);
  write_sums(payload, "claimable", sums.claimable);
  payload.key("blocked").begin_array();
  Rows r = tx.rows("SELECT rule, blocked FROM rule_states WHERE user_no=?1 AND blocked<>'' ORDER BY rule", user);
  while (r.next()) payload.begin_object().field("rule", r.view(0)).field("reason", r.view(1)).end_object();
  payload.end_array().field("timestamp", tx.now()).end_object();
  store::append_event(tx, user, "detection.completed", payload.text());
}

}  // namespace

Record::Part Record::keep(const store::RunTx& run, const std::vector<Finding>& findings) const {
  Tx& tx = run.tx();
  const UserNo user = run.user();
  const Tables& tables = tables_;
  const Policy& policy = policy_;
  const Day today = local_day(tx.now(), tables.home);
  Part part;
  Saved& saved = part.saved;
  // Should it break off, the next one must not take what is then stored for what the last one found.
  tx.run("DELETE FROM detections WHERE user_no=?1", user);
  for (const Finding& f : findings) {
    part.ids.push_back(finding_number(tables, f));
    const std::string id = hex(part.ids.back().view());
    saved.claim_ready += f.readiness(today) == Readiness::claim_ready;
    const std::string terms = terms_json(f), evidence = evidence_json(f), netting = netting_json(f.netting);
    const auto text = [&](Name n) { return tables.names.text(n); };
    const auto number = [](const std::optional<Micros>& m) { return m ? std::to_string(m->value) : std::string("-"); };
    std::string all = std::to_string(f.rule_version) + std::string(f.policy) + policy.version() + format_day(f.event) + format_day(f.claimable_from) + format_day(f.deadline) + format_day(f.deadline_safe) + '|' + std::to_string(f.quantity) + '|' +
                      number(f.amount) + '|' + number(f.low) + '|' + number(f.high) + '|' + std::string(basis_name(f.basis)) + '|' + std::to_string(f.confidence) + (f.review_only ? "r" : "") + '|' + f.blocked + '|' + terms + evidence + netting;
    const Hash128 content = Hash128::of(all);
    std::optional<Hash128> before;        // of one that is open
    {
      Rows r = tx.rows("SELECT content FROM findings WHERE user_no=?1 AND finding_id=?2 AND closed_at IS NULL", user, id);
      if (r.next()) before = Hash128::from(r.view(0));
    }
    if (before == content) continue;
    ++(before ? saved.changed : saved.opened);
    tx.run(
        "INSERT INTO findings(user_no, finding_id, rule, rule_version, variant, subject, policy, policy_version, policy_confirmed, event_day, claimable_from, deadline, deadline_safe, claimable_at, expires_at, quantity, "
        "amount_micros, low_micros, high_micros, currency, basis, confidence, review_only, blocked, fnsku, sku, asin, order_id, shipment_id, removal_order_id, period, terms, evidence, netting, content, opened_at, updated_at, run_no) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?36, ?37) "
        "ON CONFLICT (user_no, finding_id) DO UPDATE SET rule_version=excluded.rule_version, policy=excluded.policy, policy_version=excluded.policy_version, policy_confirmed=excluded.policy_confirmed, "
        "event_day=excluded.event_day, claimable_from=excluded.claimable_from, deadline=excluded.deadline, deadline_safe=excluded.deadline_safe, claimable_at=excluded.claimable_at, expires_at=excluded.expires_at, "
        "quantity=excluded.quantity, amount_micros=excluded.amount_micros, low_micros=excluded.low_micros, high_micros=excluded.high_micros, currency=excluded.currency, basis=excluded.basis, confidence=excluded.confidence, "
        "review_only=excluded.review_only, blocked=excluded.blocked, fnsku=excluded.fnsku, sku=excluded.sku, asin=excluded.asin, order_id=excluded.order_id, shipment_id=excluded.shipment_id, "
        "removal_order_id=excluded.removal_order_id, period=excluded.period, terms=excluded.terms, evidence=excluded.evidence, netting=excluded.netting, content=excluded.content, updated_at=excluded.updated_at, "
        "closed_at=NULL, run_no=excluded.run_no",
        user, id, f.rule, f.rule_version, f.variant, f.subject, f.policy, policy.version(), f.policy_confirmed ? 1 : 0, f.event, f.claimable_from, f.deadline, f.deadline_safe, begin_of(f.claimable_from, tables.home),
        begin_of(f.deadline + std::chrono::days(1), tables.home), f.quantity, f.amount, f.low, f.high, f.currency ? std::optional(std::string(f.currency->text())) : std::nullopt, basis_name(f.basis), f.confidence, f.review_only ? 1 : 0,
        f.blocked, text(f.about.fnsku), text(f.about.sku), text(f.about.asin), f.about.order, f.about.shipment, text(f.about.removal), f.about.period, terms, evidence, netting, content, tx.now(), run.run());
  }
  return part;
}

void Record::kept(const Part& part) {
  ids_.insert(ids_.end(), part.ids.begin(), part.ids.end());
  saved_ += part.saved;
}

Saved Record::end(const store::RunTx& run, const std::vector<Finding>& last, const std::vector<RuleState>& rules, const Hash128& basis) const {
  Tx& tx = run.tx();
  const UserNo user = run.user();
  const Part part = keep(run, last);
  Saved saved = saved_;
  saved += part.saved;
  std::vector<Hash128> found = ids_;
  found.insert(found.end(), part.ids.begin(), part.ids.end());
  std::sort(found.begin(), found.end());
  std::vector<std::string> gone;
  {
    Rows r = tx.rows("SELECT finding_id FROM findings WHERE user_no=?1 AND closed_at IS NULL", user);
    while (r.next())
      if (!std::binary_search(found.begin(), found.end(), finding_number(r.view(0)))) gone.push_back(r.text(0));
  }
  for (const std::string& id : gone) tx.run("UPDATE findings SET closed_at=?3, updated_at=?3, run_no=?4 WHERE user_no=?1 AND finding_id=?2", user, id, tx.now(), run.run());
  saved.closed = static_cast<std::int64_t>(gone.size());
  for (const RuleState& state : rules)
    tx.run("INSERT INTO rule_states(user_no, rule, blocked, at) VALUES(?1, ?2, ?3, ?4) ON CONFLICT (user_no, rule) DO UPDATE SET blocked=excluded.blocked, at=excluded.at", user, state.rule, state.blocked, tx.now());

  tx.run("INSERT INTO detections(user_no, basis, at) VALUES(?1, ?2, ?3) ON CONFLICT (user_no) DO UPDATE SET basis=excluded.basis, at=excluded.at", user, basis, tx.now());
  tell(run, saved);
  return saved;
}

Saved save_unchanged(const store::RunTx& run) {
  Saved saved;
  const std::string sql = "SELECT count(*) FROM findings WHERE user_no=?1 AND closed_at IS NULL AND " + std::string(kReadinessSql) + "='claim_ready'";
  saved.claim_ready = run.tx().integer(sql, run.user(), run.tx().now()).value_or(0);
  tell(run, saved);
  return saved;
}

Totals totals(Tx& tx, UserNo user) {
  Totals t;
  std::map<std::string, Totals::Sum> claimable, paid, at_risk;
  const auto put = [](std::map<std::string, Totals::Sum>& sums, const Rows& r) {
    if (r.is_null(2) || r.is_null(3)) return;
    Totals::Sum& sum = sums[r.text(3)];
    sum.currency = r.text(3);
    sum.amount = add(sum.amount, Micros{r.integer(2)}).value_or(sum.amount);
    ++sum.count;
  };
  const std::string sql = "SELECT " + std::string(kReadinessSql) + ", state, amount_micros, currency, quantity FROM findings WHERE user_no=?1 AND (closed_at IS NULL OR state='won')";
  Rows r = tx.rows(sql, user, tx.now());
  while (r.next()) {
    const std::string_view readiness = r.view(0), state = r.view(1);
    if (state == "won") {
      put(paid, r);
    } else if (state == "lost" || readiness == "expired") {
      continue;
    } else if (readiness == "claim_ready") {
      put(claimable, r);
      t.claimable_units += r.integer(4);
      t.unpriced += r.is_null(2);
    } else {
      put(at_risk, r);
    }
  }
  const auto list = [](const std::map<std::string, Totals::Sum>& sums) {
    std::vector<Totals::Sum> all;
    for (const auto& [currency, sum] : sums) all.push_back(sum);
    return all;
  };
  t.claimable = list(claimable);
  t.paid = list(paid);
  t.at_risk = list(at_risk);
  return t;
}

Result<std::string> results_document(Tx& tx, std::optional<UserNo> user, const Query& q) {
  if (!q.readiness.empty() && !is_one_of(kReadinesses, q.readiness) && !is_one_of(kStates, q.readiness))
    return Error(Code::invalid_argument, "status must be claim_ready, not_mature, review, expired, blocked, open, filed, won or lost.");
  if (!q.rule.empty() && !find_rule(q.rule)) return Error(Code::invalid_argument, "type must be the name of a rule, such as lost_warehouse.");
  if (q.limit < 1 || q.limit > 1'000 || q.offset < 0) return Error(Code::invalid_argument, "limit must be 1 to 1000, and offset not negative.");
  JsonWriter json;
  json.begin_object().key("findings").begin_array();
  std::int64_t total = 0;
  if (user) {
    // A word of readiness or of state, whichever it is. What was filed is told for good, also where it would not be found any more.
    const std::string where = "(closed_at IS NULL OR (state<>'open' AND ?3 NOT IN ('claim_ready', 'not_mature', 'review', 'expired', 'blocked'))) AND (?3='' OR ?3=state OR ?3=" + std::string(kReadinessSql) + ") AND (?4='' OR ?4=rule) AND (?5='' OR ?5=state)";
    total = tx.integer("SELECT count(*) FROM findings WHERE user_no=?1 AND " + where, *user, tx.now(), q.readiness, q.rule, q.state).value_or(0);
    Rows r = tx.rows(select(where + " ORDER BY deadline, finding_id LIMIT ?6 OFFSET ?7"), *user, tx.now(), q.readiness, q.rule, q.state, q.limit, q.offset);
    while (r.next()) write_finding(json, r);
  }
  json.end_array().field("total", total).field("limit", q.limit).field("offset", q.offset);
  if (user) {
    write_rules(json, tx, *user);
  } else {
    json.key("rules").begin_array().end_array();
  }
  json.end_object();
  return std::move(json).text();
}

std::string statistics_document(Tx& tx, std::optional<UserNo> user) {
  JsonWriter json;
  json.begin_object();
  const Totals sums = user ? totals(tx, *user) : Totals{};
  write_sums(json, "claimable", sums.claimable);
  write_sums(json, "paid", sums.paid);
  write_sums(json, "atRisk", sums.at_risk);
  json.field("claimableUnits", sums.claimable_units).field("unpriced", sums.unpriced);
  json.key("byRule").begin_array();
  std::int64_t all = 0;
  if (user) {
    const std::string sql = "SELECT rule, r, coalesce(currency, ''), count(*), sum(quantity), sum(amount_micros) FROM (SELECT rule, " + std::string(kReadinessSql) +
                            " AS r, currency, quantity, amount_micros FROM findings WHERE user_no=?1 AND closed_at IS NULL) f GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
    Rows r = tx.rows(sql, *user, tx.now());
    while (r.next()) {
      all += r.integer(3);
      json.begin_object().field("rule", r.view(0)).field("readiness", r.view(1)).field_if("currency", r.view(2)).field("count", r.integer(3)).field("units", r.integer(4));
      write_amount(json, "amount", r, 5);
      json.end_object();
    }
  }
  json.end_array().field("total", all);
  if (user) {
    write_rules(json, tx, *user);
  } else {
    json.key("rules").begin_array().end_array();
  }
  json.end_object();
  return std::move(json).text();
}

Result<std::string> explain(Tx& tx, std::optional<UserNo> user, std::string_view what, const Policy& policy, spapi::Region region, store::MoneyStream money) {
  if (!user) return Error(Code::not_found, "There is no such finding.");
  JsonWriter json;
  json.begin_object().field("id", what).key("findings").begin_array();
  bool any = false;
  const std::string by = "(finding_id=?3 OR sku=?3 OR fnsku=?3 OR asin=?3 OR order_id=?3 OR shipment_id=?3 OR removal_order_id=?3)";
  bool one = false;
  std::vector<std::string> lists;   // evidence and netting of the finding that was asked for
  {
    Rows r = tx.rows(select(by + " ORDER BY deadline, finding_id LIMIT 200"), *user, tx.now(), what);
    while (r.next()) {
      any = true;
      if (r.view(0) == what) {
        one = true;
        lists = {r.text(30), r.text(31)};
      }
      write_finding(json, r);
    }
  }
  if (!any) {
    // A reference of the ledger's: what rests on its rows.
    std::vector<std::int64_t> rows;
    Rows of_reference = tx.rows("SELECT row_id FROM ledger WHERE user_no=?1 AND reference_id=?2 LIMIT 100", *user, what);
    while (of_reference.next()) rows.push_back(of_reference.integer(0));
    std::set<std::string, std::less<>> told;
    for (const std::int64_t row : rows) {
      Rows r = tx.rows(select("closed_at IS NULL AND evidence LIKE ?3 ORDER BY deadline, finding_id LIMIT 20"), *user, tx.now(), "%\"table\":\"ledger\",\"row\":" + std::to_string(row) + ",%");
      while (r.next()) {
        if (!told.insert(r.text(0)).second) continue;
        any = true;
        write_finding(json, r);
      }
    }
  }
  json.end_array().key("notClaimed").begin_array();
  if (!one) {
    // Judged anew, and asked of every row that could be a claim.
    std::set<RowRef> about;
    Inquiry inquiry(*user, {.region = region, .money = money, .policy = &policy, .stopped = {}, .tell_of = [&](RowRef row) { return about.contains(row); }});
    const auto on_order = [&](const Order& order) {
      for (const OrderItem& item : order.items) {
        const Names& names = inquiry.tables().names;
        if (order.id != what && names.text(item.sku) != what && names.text(item.asin) != what) continue;
        for (const MoneyItem& sale : item.sales) about.insert({Source::money, sale.row});
        for (const MoneyItem& refund : item.refunds) about.insert({Source::money, refund.row});
      }
    };
    inquiry.tell_orders(on_order);
    while (!inquiry.has_tables() && inquiry.step(tx)) {}
    {
      Rows r = tx.rows("SELECT row_id FROM ledger WHERE user_no=?1 AND (fnsku=?2 OR msku=?2 OR asin=?2 OR reference_id=?2)", *user, what);
      while (r.next()) about.insert({Source::ledger, r.integer(0)});
    }
    const Tables& t = inquiry.tables();
    const Name name = t.names.find(what);
    if (!name.empty()) {
      for (const Reimbursement& r : t.reimbursements)
        if (r.fnsku == name || r.sku == name || r.asin == name || r.order == name || r.id == name) about.insert({Source::reimbursements, r.row});
      for (const ReturnRow& r : t.returns)
        if (r.fnsku == name || r.sku == name || r.asin == name || r.order == name) about.insert({Source::returns, r.row});
      for (const Removal& r : t.removals)
        if (r.fnsku == name || r.sku == name || r.order == name) about.insert({Source::removals, r.row});
      for (const InboundItem& r : t.inbound_items)
        if (r.fnsku == name || r.sku == name || r.shipment == name) about.insert({Source::inbound, r.row});
      for (const StorageFee& r : t.storage_fees)
        if (r.fnsku == name) about.insert({Source::storage_fees, r.row});
    }
    // Judging everything for a name that nobody knows would be a waste that anybody could cause.
    if (any || !about.empty() || !name.empty() || is_in_money(tx, *user, money, what))
      while (inquiry.step(tx)) {}
    any |= !about.empty();
    std::set<std::pair<std::string_view, RowRef>> told;
    for (const Verdict& v : inquiry.verdicts())
      if (about.contains(v.row) && told.emplace(v.rule, v.row).second) json.begin_object().field("rule", v.rule).field("table", source_name(v.row.source())).field("row", v.row.row()).field("reason", v.reason).field_raw("netting", netting_json(v.by)).end_object();
  }
  json.end_array();
  if (one) write_rows(json, tx, *user, money, lists);
  write_rules(json, tx, *user);
  json.end_object();
  if (!any) return Error(Code::not_found, "There is no finding, product, order or shipment of that name.");
  return std::move(json).text();
}

Result<std::string> set_state(Tx& tx, std::optional<UserNo> user, std::string_view id, std::string_view state, std::string_view case_id) {
  if (!is_one_of(kStates, state)) return Error(Code::invalid_argument, "state must be open, filed, won or lost.");
  if (case_id.size() > 100 || !valid_utf8(case_id)) return Error(Code::invalid_argument, "caseId must be text of at most 100 bytes.");
  if (!user || tx.run("UPDATE findings SET state=?3, case_id=CASE WHEN ?4='' THEN case_id ELSE ?4 END, state_at=?5 WHERE user_no=?1 AND finding_id=?2", *user, id, state, case_id, tx.now()) == 0)
    return Error(Code::not_found, "There is no such finding.");
  JsonWriter json;
  Rows r = tx.rows(select("finding_id=?3"), *user, tx.now(), id);
  if (r.next()) write_finding(json, r);
  return std::move(json).text();
}

Result<std::int64_t> supply(Tx& tx, UserNo user, std::string_view kind, std::string_view text) {
  struct Kind {
    std::string_view name;
    std::vector<std::string_view> keys, numbers, dates, texts;
  };
  static const std::vector<Kind> kinds{{"costs", {"product", "from", "currency"}, {"amount"}, {"from"}, {"currency"}},
                                       {"sizes", {"product"}, {"longest", "median", "shortest", "ounces"}, {}, {"tier"}},
                                       {"removal_receipts", {"order", "fnsku", "tracking"}, {"units"}, {}, {}},
                                       {"removal_shipments", {"order", "fnsku", "tracking"}, {"units"}, {"shipped"}, {}},
                                       {"deliveries", {"order", "sku"}, {}, {}, {"state"}},
                                       {"partnered", {"shipment"}, {}, {}, {}}};
  const auto known = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& k) { return k.name == kind; });
  if (known == kinds.end()) return Error(Code::invalid_argument, "What is supplied must be costs, sizes, removal_receipts, removal_shipments, deliveries or partnered.");
  auto document = JsonDocument::parse(text);
  if (!document || !document->root().is_array()) return Error(Code::invalid_argument, "What is supplied must be a JSON array of objects.");
  std::int64_t count = 0;
  for (const Json row : document->root()) {
    ++count;
    const auto wrong = [&](std::string_view member, std::string_view must) { return Error(Code::invalid_argument, "Row " + std::to_string(count) + ": " + std::string(member) + " must be " + std::string(must) + "."); };
    if (!row.is_object()) return Error(Code::invalid_argument, "Row " + std::to_string(count) + " is no object.");
    for (const std::string_view n : known->numbers)
      if (const ParsedAmount parsed = parse_amount(row[n].text()); row[n].text().empty() || parsed.fault != AmountFault::none || parsed.micros.value < 0) return wrong(n, "a number that is not negative, with at most six decimals");
    for (const std::string_view d : known->dates)
      if (!parse_instant(row[d].text())) return wrong(d, "a date, such as 2026-04-17");
    for (const std::string_view t : known->texts)
      if (!row[t].is_string()) return wrong(t, "a text");
    if (kind == "costs" && !Currency::parse(row["currency"].text())) return wrong("currency", "a code of three letters");
    if (kind == "partnered" && !row["partnered"].boolean()) return wrong("partnered", "true or false");
    std::string key;
    bool named = false;
    for (const std::string_view k : known->keys) {
      named |= !row[k].text().empty();
      key += std::string(row[k].text()) + '|';
    }
    if (!named || row[known->keys.front()].text().empty()) return wrong(known->keys.front(), "a text that is not empty");
    std::string data;
    append_json(data, row);
    tx.run("INSERT INTO supplied(user_no, kind, key, data, at) VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT (user_no, kind, key) DO UPDATE SET data=excluded.data, at=excluded.at", user, kind, key, data, tx.now());
  }
  return count;
}

}  // namespace amzsync::detect
