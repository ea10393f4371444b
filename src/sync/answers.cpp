// SPDX-License-Identifier: Apache-2.0
#include "sync/answers.hpp"

#include <algorithm>

#include "base/json_writer.hpp"
#include "detect/load.hpp"
#include "store/documents.hpp"
#include "store/silence.hpp"
#include "store/users.hpp"
#include "sync/expiry.hpp"

namespace amzsync::sync {
namespace {

constexpr std::string_view kSyncingMessage = "No data found. Syncing your Amazon account... Please refresh in a few moments.";

void write_total(JsonWriter& json, const store::CurrencyTotal& t) {
  json.begin_object().field("currency", t.currency).field("amount", t.amount).field("count", t.count).end_object();
}

/// The true reason why nothing was started, as a sentence.
std::string reason_sentence(const RecoveriesTrigger& trigger) {
  if (trigger.reason == kMoneyNotSynced) return "Neither the money nor the report of reimbursements is synced here, so nothing is known of them.";
  if (trigger.reason == kNoneFound) return "Your Amazon account was read; it shows no FBA reimbursements.";
  if (const auto code = code_from_name(trigger.reason)) return std::string(code_sentence(*code));
  return "There is no data yet.";
}

void write_connection(JsonWriter& json, store::Tx& tx, std::optional<UserNo> user) {
  const auto c = user ? store::find_connection(tx, *user) : std::nullopt;
  json.begin_object();
  // While a first exchange is under way there is no connection yet.
  json.field("state", store::state_name(c && c->state != store::ConnectionState::pending ? c->state : store::ConnectionState::disconnected));
  json.field("connected", c && c->state == store::ConnectionState::connected);
  if (c) {
    json.field("region", c->region);
    json.field_if("sellerId", c->seller.text());
    json.field_if("reason", c->state_reason);
    if (c->authorised_at) json.field("authorisedAt", *c->authorised_at).field("authorisationExpiresAt", *c->authorised_at + kAuthorisationLife);
    if (c->access_expires_at) json.field("accessTokenExpiresAt", *c->access_expires_at);
    if (const auto next = c->state != store::ConnectionState::connected ? std::nullopt : c->next_sync_at && c->notified_due_at ? std::min(*c->next_sync_at, *c->notified_due_at) : c->next_sync_at ? c->next_sync_at : c->notified_due_at) json.field("nextSyncAt", *next);
  }
  json.key("marketplaces").begin_array();
  if (user)
    for (const store::Participation& p : store::participations(tx, *user))
      json.begin_object().field("id", p.marketplace.text()).field("name", p.name).field("country", p.country).field("currency", p.currency).field("storeName", p.store_name)
          .field("participating", p.participating).field("suspendedListings", p.suspended).end_object();
  json.end_array().end_object();
}

}  // namespace

RecoveriesFacts recoveries_facts(store::Tx& tx, std::optional<UserNo> user, const SyncSettings& settings, bool by_month) {
  RecoveriesFacts facts;
  facts.home_currency = detect::home_marketplace(tx, user, settings.region).currency;
  if (!user) return facts;
  facts.recoveries = store::recoveries(tx, *user, by_month);
  facts.findings = detect::totals(tx, *user);
  const auto connection = store::find_connection(tx, *user);
  for (const std::string_view stream : {std::string_view("reimbursements"), store::money_stream_name(store::MoneyStream::transactions), store::money_stream_name(store::MoneyStream::financial_events)}) {
    RecoveriesFacts::Coverage c;
    c.stream = stream;
    for (const store::Cell& cell : store::cells(tx, *user, c.stream, day_from(-1'000'000), day_from(1'000'000))) {
      if (!cell.digest) continue;
      if (!c.from) c.from = cell.day;
      c.until = cell.day;
      ++c.days_read;
    }
    const auto state = store::stream_state(tx, *user, c.stream);
    if (!state && stream != store::money_stream_name(settings.finances)) continue;
    // Of the days that are to be had: from where the history begins to today.
    if (connection && connection->history_from) {
      const Day begins = history_begins(settings, tx.now(), connection->history_from), first = std::min(begins, c.from.value_or(begins));
      c.days_missing = std::max<std::int64_t>(0, (day_of(tx.now()) - first).count() + 1 - c.days_read);
    }
    c.state = state ? state->coverage : "not_asked";
    c.silent_since = store::silent_since(tx, *user, c.stream);
    facts.coverage.push_back(std::move(c));
  }
  return facts;
}

std::string recoveries_document(const RecoveriesFacts& facts, const std::optional<RecoveriesTrigger>& trigger, bool by_month) {
  const store::Recoveries& r = facts.recoveries;
  const auto home = std::find_if(r.totals.begin(), r.totals.end(), [&](const auto& t) { return t.currency == facts.home_currency; });
  std::int64_t claims = 0;
  for (const auto& t : r.totals) claims += t.count;

  JsonWriter json;
  json.begin_object();
  json.field("totalAmount", home == r.totals.end() ? Micros{} : home->amount).field("currency", facts.home_currency).field("claimCount", claims);
  json.key("totals").begin_array();
  for (const auto& t : r.totals) write_total(json, t);
  json.end_array().field("mixedCurrencies", r.totals.size() > 1);
  json.key("findings").begin_object();
  const std::pair<std::string_view, const std::vector<detect::Totals::Sum>*> kinds[]{{"claimable", &facts.findings.claimable}, {"paid", &facts.findings.paid}, {"atRisk", &facts.findings.at_risk}};
  for (const auto& [kind, sums] : kinds) {
    json.key(kind).begin_array();
    for (const auto& s : *sums) json.begin_object().field("currency", s.currency).field("amount", s.amount).field("count", s.count).end_object();
    json.end_array();
  }
  json.end_object();
  json.field("source", r.sources.empty() ? std::string("none") : r.sources.size() == 1 ? r.sources.front() : "mixed");
  if (r.as_of) {
    json.field("asOf", *r.as_of);
  } else {
    json.field_null("asOf");
  }
  json.key("coverage").begin_array();
  for (const auto& c : facts.coverage) {
    json.begin_object().field("stream", c.stream).field("state", c.state);
    if (c.from) json.field("from", format_day(*c.from)).field("until", format_day(*c.until));
    json.field("daysRead", c.days_read).field("daysMissing", c.days_missing);
    if (c.silent_since) json.field("silentSince", format_day(*c.silent_since));
    json.end_object();
  }
  json.end_array();
  if (by_month) {
    json.key("months").begin_array();
    for (const auto& m : r.months)
      json.begin_object().field("month", m.month).field("currency", m.total.currency).field("amount", m.total.amount).field("count", m.total.count).end_object();
    json.end_array();
  }
  if (r.overflow) json.field("overflow", true);
  json.field("needsSync", trigger && trigger->needs_sync).field("syncTriggered", trigger && trigger->triggered);
  if (trigger) {
    json.field_if("reason", trigger->reason);
    if (trigger->sync_id) json.field("syncId", trigger->sync_id->text());
    if (trigger->next_try) json.field("nextTryAt", *trigger->next_try);
    json.field("message", trigger->triggered ? std::string(kSyncingMessage) : reason_sentence(*trigger));
  } else {
    json.field("message", "Recoveries found.");
  }
  return std::move(json.end_object()).text();
}

std::string connection_document(store::Tx& tx, std::optional<UserNo> user) {
  JsonWriter json;
  write_connection(json, tx, user);
  return std::move(json).text();
}

std::string connected_document(store::Tx& tx, std::optional<UserNo> user, std::int64_t last_event_id, bool replay_gap) {
  JsonWriter json;
  json.begin_object().field("timestamp", tx.now()).field("lastEventId", last_event_id).field("replayGap", replay_gap);
  json.key("connection");
  write_connection(json, tx, user);
  const std::string status = store::status_document(tx, user);
  json.key("sync").raw(status);
  return std::move(json.end_object()).text();
}

}  // namespace amzsync::sync
