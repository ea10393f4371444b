// SPDX-License-Identifier: Apache-2.0
#include "store/connections.hpp"

#include <cstring>
#include <map>

#include "store/erasure.hpp"
#include "store/stream_list.hpp"

namespace amzsync::store {
namespace {

constexpr std::string_view kColumns =
    "connection_no, user_no, region, seller_id, state, state_reason, generation, app_id, refresh_token, access_token, "
    "access_obtained_at, access_expires_at, authorised_at, next_sync_at, empty_syncs, history_from, marketplace, failed_syncs, token_print, notified_due_at";

ConnectionState state_from(std::string_view name) noexcept {
  for (const auto s : {ConnectionState::pending, ConnectionState::connected, ConnectionState::needs_reauth})
    if (state_name(s) == name) return s;
  return ConnectionState::disconnected;
}

std::string_view view(const Sha256& hash) noexcept { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

Consent read_consent(const Rows& r, int first) {
  return {r.id<UserNo>(first), r.text(first + 1), r.text(first + 2), r.text(first + 3), r.text(first + 4)};
}

std::optional<Connection> read_connection(Rows r) {
  if (!r.next()) return std::nullopt;
  Connection c;
  c.number = r.id<ConnectionNo>(0);
  c.user = r.id<UserNo>(1);
  c.region = r.text(2);
  c.seller = r.id<SellerId>(3);
  c.state = state_from(r.view(4));
  c.state_reason = r.text(5);
  c.generation = r.integer(6);
  c.app_id = r.text(7);
  c.sealed_refresh_token = r.text(8);
  c.sealed_access_token = r.text(9);
  c.access_obtained_at = r.maybe_instant(10);
  c.access_expires_at = r.maybe_instant(11);
  c.authorised_at = r.maybe_instant(12);
  c.next_sync_at = r.maybe_instant(13);
  c.empty_syncs = r.integer(14);
  if (const auto day = r.maybe_integer(15)) c.history_from = day_from(*day);
  c.marketplace = r.id<MarketplaceId>(16);
  c.failed_syncs = r.integer(17);
  c.token_print = r.text(18);
  c.notified_due_at = r.maybe_instant(19);
  return c;
}

}  // namespace

std::string_view state_name(ConnectionState state) noexcept {
  switch (state) {
    case ConnectionState::pending: return "pending";
    case ConnectionState::connected: return "connected";
    case ConnectionState::needs_reauth: return "needs_reauth";
    case ConnectionState::disconnected: break;
  }
  return "disconnected";
}

std::optional<Connection> find_connection(Tx& tx, UserNo user) {
  static const std::string sql = "SELECT " + std::string(kColumns) + " FROM connections WHERE user_no=?1";
  return read_connection(tx.rows(sql, user));
}

std::optional<Connection> newest_connection(Tx& tx) {
  static const std::string sql = "SELECT " + std::string(kColumns) + " FROM connections WHERE refresh_token IS NOT NULL ORDER BY authorised_at DESC LIMIT 1";
  return read_connection(tx.rows(sql));
}

void ensure_pending_connection(Tx& tx, UserNo user, const std::string& region) {
  tx.run("INSERT INTO connections(user_no, region, state, updated_at) VALUES(?1, ?2, 'pending', ?3) ON CONFLICT (user_no) DO NOTHING", user, region, tx.now());
}

namespace {

/// Rows carry no seller: another seller's rows under the same user would be one false account.
Status fits_what_is_stored(Tx& tx, const Connection& known, const Authorisation& a) {
  if (!known.seller.empty() && !a.seller.empty() && known.seller != a.seller) return Code::seller_mismatch;
  if (!known.seller.empty() && a.seller.empty() && !a.is_known_token)
    return Error(Code::seller_mismatch, "The user was connected as seller " + known.seller.text() + ", and nothing says whose authorisation this one is. Give the selling partner id with it.");
  if (!holds_what_was_read(tx, a.user)) return Done{};
  if (known.region != a.region) return Error(Code::wrong_region, "What is stored of the user was read in the region " + known.region + ", and this authorisation is of " + a.region + ". Please erase it before you connect another region.");
  if (!known.seller.empty() || a.is_known_token) return Done{};
  const std::string unknown = "The user was connected without a selling partner id, and nothing says whether this authorisation is the same seller's. ";
  const bool token_can_tell = !known.sealed_refresh_token.empty() || !known.token_print.empty();
  return Error(Code::seller_mismatch, unknown + (token_can_tell ? "Connect with the refresh token of before and its selling partner id first, or erase the user." : "Please erase the user before you connect again."));
}

}  // namespace

Result<Connection> store_authorisation(Tx& tx, const Authorisation& a) {
  const auto known = find_connection(tx, a.user);
  if (known) AMZ_CHECK(fits_what_is_stored(tx, *known, a));
  const SellerId seller = a.seller.empty() && known && known->region == a.region ? known->seller : a.seller;
  std::optional<std::string> claim;
  if (!seller.empty() && !a.allow_shared_seller) {
    claim = a.region + "/" + seller.text();
    const auto owner = tx.integer("SELECT user_no FROM connections WHERE seller_claim=?1", *claim);
    if (owner && *owner != a.user.value) return Code::seller_already_connected;
  }
  ensure_pending_connection(tx, a.user, a.region);
  tx.run(
      "UPDATE connections SET region=?2, seller_id=?3, seller_claim=?4, state='connected', state_reason='', generation=generation+1, app_id=?5, "
      "refresh_token=?6, access_token=?7, access_obtained_at=?8, access_expires_at=?9, authorised_at=CASE WHEN ?13=1 THEN coalesce(authorised_at, ?10) ELSE ?10 END, updated_at=?10, empty_syncs=0, failed_syncs=0, "
      "expiry_told=CASE WHEN ?13=1 THEN expiry_told ELSE NULL END, token_print=?14, history_from=coalesce(history_from, ?11), marketplace=CASE WHEN ?12='' THEN marketplace ELSE ?12 END WHERE user_no=?1",
      a.user, a.region, seller, claim, a.app_id, Blob{a.sealed_refresh_token}, Blob{a.sealed_access_token}, a.access_obtained_at, a.access_expires_at, tx.now(),
      a.history_from, a.marketplace, a.is_known_token && !a.by_consent, a.token_print);
  const auto stored = find_connection(tx, a.user);
  if (!stored) return Code::internal;
  return *stored;
}

bool hold_refresh(Tx& tx, UserNo user, std::int64_t generation, EngineNo me, Duration lease) {
  return tx.run(
             "UPDATE connections SET refresh_holder=?3, refresh_until=?4 WHERE user_no=?1 AND generation=?2 AND (refresh_holder IN (0, ?3) OR refresh_until<=?5)",
             user, generation, me, tx.now() + lease, tx.now()) == 1;
}

void end_refresh(Tx& tx, UserNo user, EngineNo me) {
  tx.run("UPDATE connections SET refresh_holder=0, refresh_until=0 WHERE user_no=?1 AND refresh_holder=?2", user, me);
}

bool store_access_token(Tx& tx, UserNo user, std::int64_t generation, std::string_view sealed, Instant obtained, Instant expires) {
  return tx.run(
             "UPDATE connections SET access_token=?3, access_obtained_at=?4, access_expires_at=?5, refresh_holder=0, refresh_until=0 "
             "WHERE user_no=?1 AND generation=?2 AND state='connected'",
             user, generation, Blob{sealed}, obtained, expires) == 1;
}

Error must_agree_anew(std::string_view reason) {
  // Amazon refused nothing there, and knows nothing of it.
  if (reason == code_name(Code::key_unknown))
    return Error(Code::needs_reauth, "A server could not open the connection's stored secret with the keys that it has. Its operator can mend that (rotate-key, with the right key); so does connecting the Amazon account again.");
  return Error(Code::needs_reauth);
}

bool mark_needs_reauth(Tx& tx, const Connection& connection, const Error& reason) {
  return tx.run(
             "UPDATE connections SET state='needs_reauth', state_reason=?3, access_token=NULL, access_expires_at=NULL, next_sync_at=NULL, "
             "notified_due_at=CASE WHEN ?5=1 THEN notified_due_at END, refresh_holder=0, updated_at=?4 WHERE user_no=?1 AND generation=?2 AND state='connected'",
             connection.user, connection.generation, reason.name(), tx.now(), reason.code == Code::key_unknown) == 1;
}

void note_token_print(Tx& tx, UserNo user, std::string_view print) { tx.run("UPDATE connections SET token_print=?2 WHERE user_no=?1 AND token_print=''", user, print); }

bool disconnect(Tx& tx, UserNo user) {
  return tx.run(
             "UPDATE connections SET state='disconnected', state_reason='', seller_claim=NULL, generation=generation+1, refresh_token=NULL, access_token=NULL, "
             "access_obtained_at=NULL, access_expires_at=NULL, next_sync_at=NULL, notified_due_at=NULL, refresh_holder=0, updated_at=?2 WHERE user_no=?1 AND state<>'disconnected'",
             user, tx.now()) == 1;
}

void plan_next_sync(Tx& tx, ConnectionNo connection, std::optional<Instant> at, Plan plan) {
  switch (plan) {
    case Plan::replace: tx.run("UPDATE connections SET next_sync_at=?2 WHERE connection_no=?1 AND state='connected'", connection, at); break;
    case Plan::keep: tx.run("UPDATE connections SET next_sync_at=coalesce(next_sync_at, ?2) WHERE connection_no=?1 AND state='connected'", connection, at); break;
    case Plan::keep_earlier:
      tx.run("UPDATE connections SET next_sync_at=CASE WHEN next_sync_at<=?2 OR ?2 IS NULL THEN next_sync_at ELSE ?2 END WHERE connection_no=?1 AND state='connected'", connection, at);
      break;
  }
}

namespace {

/// Neither the user nor everybody is paused.
constexpr std::string_view kNotPaused = " AND NOT EXISTS (SELECT 1 FROM pauses p WHERE p.user_no IN (0, connections.user_no))";

}  // namespace

std::vector<DueSync> take_due_syncs(Tx& tx, bool scheduled, int limit, std::string_view region) {
  static const std::string notified = "SELECT user_no, notified_asked FROM connections WHERE notified_due_at<=?1 AND state='connected' AND region=?3" + std::string(kNotPaused) + " ORDER BY notified_due_at LIMIT ?2";
  static const std::string planned = "SELECT user_no FROM connections WHERE next_sync_at<=?1 AND region=?3" + std::string(kNotPaused) + " ORDER BY next_sync_at LIMIT ?2";
  std::vector<DueSync> due;
  {
    Rows r = tx.rows(notified, tx.now(), limit, region);
    while (r.next()) due.push_back({r.id<UserNo>(0), true, r.text(1)});
  }
  if (scheduled) {
    Rows r = tx.rows(planned, tx.now(), limit, region);
    while (r.next()) due.push_back({r.id<UserNo>(0), false, ""});
  }
  for (const DueSync& d : due) {
    if (d.notified) {
      tx.run("UPDATE connections SET notified_due_at=NULL, notified_asked='', notified_at=?2 WHERE user_no=?1", d.user, tx.now());
    } else {
      // Set anew at the end of the run; a day on where the run never gets that far, so that no schedule dies with a run.
      tx.run("UPDATE connections SET next_sync_at=?2 WHERE user_no=?1", d.user, tx.now() + kUntilAnyRunEnds);
    }
  }
  return due;
}

std::optional<Instant> next_planned_sync(Tx& tx, bool scheduled, std::string_view region) {
  static const std::string notified = "SELECT min(notified_due_at) FROM connections WHERE notified_due_at IS NOT NULL AND state='connected' AND region=?1" + std::string(kNotPaused);
  static const std::string planned = "SELECT min(next_sync_at) FROM connections WHERE next_sync_at IS NOT NULL AND region=?1" + std::string(kNotPaused);
  std::optional<std::int64_t> at = tx.integer(notified, region);
  if (const auto by_clock = scheduled ? tx.integer(planned, region) : std::nullopt; by_clock && (!at || *by_clock < *at)) at = by_clock;
  return at ? std::optional(from_us(*at)) : std::nullopt;
}

bool remember_notification(Tx& tx, std::string_view id) {
  return tx.run("INSERT INTO notifications(notification_id, at) VALUES(?1, ?2) ON CONFLICT DO NOTHING", id, tx.now()) == 1;
}

void plan_unplanned(Tx& tx, Duration period, Duration longest) {
  constexpr std::int64_t kSpread = 64;
  tx.run("UPDATE connections SET next_sync_at=NULL WHERE next_sync_at>?1", tx.now() + longest);
  tx.run("UPDATE connections SET next_sync_at=?1 + (connection_no % ?2) * ?3 WHERE state='connected' AND next_sync_at IS NULL AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.user_no=connections.user_no AND "
         "r.status IN ('queued', 'in_progress', 'detecting'))",
         tx.now(), kSpread, std::chrono::duration_cast<std::chrono::microseconds>(period).count() / kSpread);
}

void hasten_notified(Tx& tx) { tx.run("UPDATE connections SET notified_due_at=?1 WHERE notified_due_at>?2", tx.now(), tx.now() + kClocksDiffer); }

void forget_notifications(Tx& tx, const UserId& user) {
  tx.run("DELETE FROM notifications WHERE notification_id>=?1 AND notification_id<?2", user.text() + "\n", user.text() + "\x0b");
}

void trim_notifications(Tx& tx, Instant before) { tx.run("DELETE FROM notifications WHERE at<?1", before); }

std::vector<UserNo> users_of_seller(Tx& tx, std::string_view region, const SellerId& seller) {
  std::vector<UserNo> users;
  Rows r = tx.rows("SELECT user_no FROM connections WHERE region=?1 AND seller_id=?2 AND seller_id<>'' AND state='connected' ORDER BY user_no", region, seller);
  while (r.next()) users.push_back(r.id<UserNo>(0));
  return users;
}

std::optional<Instant> plan_notified_sync(Tx& tx, UserNo user, std::string_view streams, Duration apart) {
  std::optional<Instant> last, due;
  std::string asked;
  {
    Rows r = tx.rows("SELECT notified_at, notified_due_at, notified_asked FROM connections WHERE user_no=?1", user);
    if (!r.next()) return std::nullopt;
    last = r.maybe_instant(0);
    due = r.maybe_instant(1);
    asked = r.text(2);
  }
  // A clock that was ahead is not waited for.
  if (last && *last > tx.now()) last.reset();
  if (due && is_to_come(*due, tx.now())) due = tx.now() + apart;
  if (!due && (!last || *last + apart <= tx.now())) {
    tx.run("UPDATE connections SET notified_at=?2 WHERE user_no=?1", user, tx.now());
    return std::nullopt;
  }
  asked = due ? joined_streams(asked, streams) : std::string(streams);
  if (!due) due = *last + apart;
  tx.run("UPDATE connections SET notified_due_at=?2, notified_asked=?3 WHERE user_no=?1", user, *due, asked);
  return due;
}

std::vector<Expiring> take_expiring(Tx& tx, std::int64_t days_left, Instant authorised_before, int limit) {
  std::vector<Expiring> expiring;
  tx.run("UPDATE connections SET expiry_told=NULL WHERE expiry_told=?1 AND authorised_at>?2", days_left, authorised_before + std::chrono::hours(24));
  Rows r = tx.rows(
      "UPDATE connections SET expiry_told=?1 WHERE connection_no IN (SELECT connection_no FROM connections WHERE state='connected' AND authorised_at<=?2 AND "
      "(expiry_told IS NULL OR expiry_told>?1) ORDER BY authorised_at LIMIT ?3) RETURNING user_no, authorised_at",
      days_left, authorised_before, limit);
  while (r.next()) expiring.push_back({r.id<UserNo>(0), r.instant(1)});
  return expiring;
}

void open_consent(Tx& tx, const Sha256& hash, const Consent& c, Instant expires) {
  tx.run(
      "INSERT INTO consents(state_hash, user_no, region, frontend_url, redirect_uri, marketplace, created_at, expires_at) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      Blob{view(hash)}, c.user, c.region, c.frontend_url, c.redirect_uri, c.marketplace, tx.now(), expires);
}

std::optional<ConsumedConsent> peek_consent(Tx& tx, const Sha256& hash) {
  Rows r = tx.rows("SELECT user_no, region, frontend_url, redirect_uri, marketplace, consumed_at, expires_at FROM consents WHERE state_hash=?1", Blob{view(hash)});
  if (!r.next()) return std::nullopt;
  return ConsumedConsent{read_consent(r, 0), r.is_null(5) && r.instant(6) > tx.now()};
}

std::optional<ConsumedConsent> consume_consent(Tx& tx, const Sha256& hash, const SellerId& seller, std::string_view sealed_code, EngineNo me) {
  auto found = peek_consent(tx, hash);
  if (!found || !found->usable) return found;
  found->usable = tx.run("UPDATE consents SET consumed_at=?2, seller_id=?3, code=?4, engine_no=?5, claimed_at=?2 WHERE state_hash=?1 AND consumed_at IS NULL", Blob{view(hash)}, tx.now(),
                         seller, Blob{sealed_code}, me) == 1;
  if (found->usable) ensure_pending_connection(tx, found->consent.user, found->consent.region);
  return found;
}

bool close_consent(Tx& tx, const Sha256& hash, std::string_view outcome) {
  const bool connected = outcome == "connected";
  return tx.run("UPDATE consents SET code=NULL, outcome=?2 WHERE state_hash=?1 AND (outcome IS NULL OR ?3=1)", Blob{view(hash)}, outcome, connected) == 1;
}

bool claim_code(Tx& tx, const OrphanedCode& code, EngineNo me) {
  return tx.run("UPDATE consents SET engine_no=?2, claimed_at=?3 WHERE state_hash=?1 AND engine_no=?4 AND claimed_at=?5 AND code IS NOT NULL AND outcome IS NULL", Blob{view(code.state_hash)}, me, tx.now(),
                code.owner, code.claimed_at) == 1;
}

std::int64_t supersede_consents(Tx& tx, UserNo user, const std::optional<Sha256>& by) {
  if (by) {
    return tx.run("UPDATE consents SET code=NULL, outcome='superseded' WHERE user_no=?1 AND outcome IS NULL AND state_hash<>?2 AND consumed_at<=(SELECT c.consumed_at FROM consents c WHERE c.state_hash=?2)", user,
                  Blob{view(*by)});
  }
  return tx.run("UPDATE consents SET code=NULL, outcome='superseded' WHERE user_no=?1 AND outcome IS NULL AND consumed_at IS NOT NULL", user);
}

bool is_superseded(Tx& tx, const Sha256& hash) { return tx.integer("SELECT 1 FROM consents WHERE state_hash=?1 AND outcome='superseded'", Blob{view(hash)}).has_value(); }

std::vector<OrphanedCode> orphaned_codes(Tx& tx, Instant consumed_before) {
  std::vector<OrphanedCode> codes;
  Rows r = tx.rows(
      "SELECT state_hash, user_no, region, frontend_url, redirect_uri, marketplace, seller_id, code, consumed_at, claimed_at, engine_no, "
      "EXISTS (SELECT 1 FROM engines e WHERE e.engine_no=consents.engine_no AND e.closed_at IS NULL) FROM consents WHERE code IS NOT NULL AND outcome IS NULL AND consumed_at<?1",
      consumed_before);
  while (r.next()) {
    OrphanedCode code;
    std::memcpy(code.state_hash.data(), r.view(0).data(), std::min(r.view(0).size(), code.state_hash.size()));
    code.consent = read_consent(r, 1);
    code.seller = r.id<SellerId>(6);
    code.sealed_code = r.text(7);
    code.consumed_at = r.instant(8);
    code.claimed_at = r.instant(9);
    code.owner = r.id<EngineNo>(10);
    code.owner_closed = !r.flag(11);
    code.age = tx.now() - code.consumed_at;
    code.silence = tx.now() - code.claimed_at;
    codes.push_back(std::move(code));
  }
  return codes;
}

void give_up_pending(Tx& tx, UserNo user, ConnectionState instead, const Error& reason) {
  tx.run("UPDATE connections SET state=?2, state_reason=?3, updated_at=?4 WHERE user_no=?1 AND state='pending'", user, state_name(instead), reason.name(), tx.now());
}

void trim_consents(Tx& tx, Instant expired_before) {
  tx.run("DELETE FROM consents WHERE expires_at<?1 AND (code IS NULL OR outcome IS NOT NULL)", expired_before);
}

std::vector<Participation> participations(Tx& tx, UserNo user) {
  std::vector<Participation> list;
  Rows r = tx.rows(
      "SELECT marketplace_id, name, country, currency, language, domain, store_name, participating, suspended FROM participations "
      "WHERE user_no=?1 ORDER BY marketplace_id",
      user);
  while (r.next())
    list.push_back({r.id<MarketplaceId>(0), r.text(1), r.text(2), r.text(3), r.text(4), r.text(5), r.text(6), r.flag(7), r.flag(8)});
  return list;
}

ListChange replace_participations(Tx& tx, UserNo user, const std::vector<Participation>& list) {
  const auto key = [](const Participation& p) {
    return std::tie(p.name, p.country, p.currency, p.language, p.domain, p.store_name, p.participating, p.suspended);
  };
  std::map<std::string, Participation> known;
  for (Participation& p : participations(tx, user)) known.emplace(p.marketplace.text(), std::move(p));
  ListChange change;
  for (const Participation& p : list) {
    const auto old = known.find(p.marketplace.text());
    const bool is_new = old == known.end();
    const bool differs = !is_new && key(old->second) != key(p);
    if (!is_new) known.erase(old);
    if (!is_new && !differs) {
      ++change.unchanged;
      continue;
    }
    ++(is_new ? change.added : change.changed);
    tx.run(
        "INSERT INTO participations(user_no, marketplace_id, name, country, currency, language, domain, store_name, participating, suspended, read_at) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (user_no, marketplace_id) DO UPDATE SET name=excluded.name, country=excluded.country, "
        "currency=excluded.currency, language=excluded.language, domain=excluded.domain, store_name=excluded.store_name, "
        "participating=excluded.participating, suspended=excluded.suspended, read_at=excluded.read_at",
        user, p.marketplace, p.name, p.country, p.currency, p.language, p.domain, p.store_name, p.participating, p.suspended, tx.now());
  }
  for (const auto& [id, gone] : known) {
    tx.run("DELETE FROM participations WHERE user_no=?1 AND marketplace_id=?2", user, id);
    ++change.removed;
  }
  return change;
}

}  // namespace amzsync::store
