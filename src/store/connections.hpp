// SPDX-License-Identifier: Apache-2.0
// A user's connection to one seller account in one region, and the consent trips that lead to it. Tokens and codes come and
// go sealed; this folder never sees one open.
#pragma once

#include <vector>

#include "store/sql.hpp"

namespace amzsync::store {

enum class ConnectionState : std::uint8_t { pending, connected, needs_reauth, disconnected };
std::string_view state_name(ConnectionState state) noexcept;

struct Connection {
  ConnectionNo number;
  UserNo user;
  std::string region;
  SellerId seller;
  ConnectionState state = ConnectionState::disconnected;
  std::string state_reason;       ///< an error code, when needs_reauth
  std::int64_t generation = 0;    ///< one more with each authorisation
  std::string app_id;             ///< the LWA client id that the refresh token belongs to
  MarketplaceId marketplace;      ///< where the seller signed in; may be empty
  std::string sealed_refresh_token;
  std::string sealed_access_token;
  std::optional<Instant> access_obtained_at;
  std::optional<Instant> access_expires_at;
  std::optional<Instant> authorised_at;
  std::optional<Day> history_from;   ///< the oldest day to be had; fixed when the seller first connected
  std::optional<Instant> next_sync_at, notified_due_at;   ///< by the clock, and for what Amazon's notifications told
  std::int64_t empty_syncs = 0;
  std::int64_t failed_syncs = 0;     ///< on end
  std::string token_print;           ///< of the refresh token, which stays when that is forgotten; empty: none was noted
};

std::optional<Connection> find_connection(Tx& tx, UserNo user);
/// The one authorised last, of any user; for the check of the master key.
std::optional<Connection> newest_connection(Tx& tx);

struct Authorisation {
  UserNo user;
  std::string region;
  SellerId seller;                ///< may be empty where none is known, or where the authorisation is that of before
  std::string app_id;
  std::string sealed_refresh_token;
  std::string token_print;        ///< tells the refresh token apart
  std::string sealed_access_token;
  Instant access_obtained_at{};
  Instant access_expires_at{};
  Day history_from{};             ///< for a first connection
  std::string marketplace;        ///< where the seller signed in; empty: one known from before stays
  bool allow_shared_seller = false;
  bool is_known_token = false;    ///< the refresh token is the one that is, or was, stored
  bool by_consent = false;        ///< the seller agreed to it now; else a known token is as old as it was
};
/// Stores a fresh authorisation: the connection is connected, one generation on.
/// Errors: seller_mismatch (another seller than what is stored was read of, or nobody knows which), wrong_region (likewise), seller_already_connected (unless `allow_shared_seller`).
Result<Connection> store_authorisation(Tx& tx, const Authorisation& authorisation);

/// Makes sure that a row is there before the first exchange, without disturbing a working connection.
void ensure_pending_connection(Tx& tx, UserNo user, const std::string& region);

/// One engine at a time asks for an access token. Granted for `lease`, unless somebody else is asking for this authorisation.
bool hold_refresh(Tx& tx, UserNo user, std::int64_t generation, EngineNo me, Duration lease);
void end_refresh(Tx& tx, UserNo user, EngineNo me);
/// Only if nobody authorised anew meanwhile; false when somebody did.
bool store_access_token(Tx& tx, UserNo user, std::int64_t generation, std::string_view sealed, Instant obtained, Instant expires);
bool mark_needs_reauth(Tx& tx, const Connection& connection, const Error& reason);
/// needs_reauth, in the words of `reason`, a `state_reason`.
Error must_agree_anew(std::string_view reason);

/// Notes what tells the stored refresh token apart, where that was not noted with it.
void note_token_print(Tx& tx, UserNo user, std::string_view print);

/// Forgets the tokens; the data stays. False when there was nothing to disconnect.
bool disconnect(Tx& tx, UserNo user);

/// What becomes of a plan that is there already.
enum class Plan : std::uint8_t {
  replace,
  keep,         ///< it stays
  keep_earlier  ///< it stays if it comes first
};
void plan_next_sync(Tx& tx, ConnectionNo connection, std::optional<Instant> at, Plan plan);
/// Plans the next sync of every connection that has none and is not being synced, as after a time without a schedule; spread over `period` from now on. A plan that is farther off than
/// `longest` is none: a wrong clock made it.
void plan_unplanned(Tx& tx, Duration period, Duration longest);
/// The sync that follows a notification is minutes off; one that is farther off was planned by a clock that was ahead.
void hasten_notified(Tx& tx);
/// So far off is the plan of a sync that was taken, lest its run never gets to make the next one.
constexpr Duration kUntilAnyRunEnds = std::chrono::hours(24);
/// A sync whose time has come; its plan is cleared by taking it.
struct DueSync {
  UserNo user;
  bool notified = false;      ///< by Amazon's notifications, not by the clock
  std::string asked;
};
/// `scheduled`: also those by the clock. Of sellers of that region; users who are paused are left alone.
std::vector<DueSync> take_due_syncs(Tx& tx, bool scheduled, int limit, std::string_view region);
std::optional<Instant> next_planned_sync(Tx& tx, bool scheduled, std::string_view region);

// ---- notifications ----

/// False: this one was seen before.
bool remember_notification(Tx& tx, std::string_view id);
/// Those that were for this user alone.
void forget_notifications(Tx& tx, const UserId& user);
void trim_notifications(Tx& tx, Instant before);
/// Who is connected with that seller.
std::vector<UserNo> users_of_seller(Tx& tx, std::string_view region, const SellerId& seller);
/// What a notification about `streams` leads to: a sync now (nullopt), or together with others' at a moment soon.
std::optional<Instant> plan_notified_sync(Tx& tx, UserNo user, std::string_view streams, Duration apart);

// ---- what ends ----

/// An authorisation that ends within `days_left` days, which was not told so since it had more.
struct Expiring {
  UserNo user;
  Instant authorised_at{};
};
/// Also those who were told so, a day too early at least: by a clock that was ahead.
std::vector<Expiring> take_expiring(Tx& tx, std::int64_t days_left, Instant authorised_before, int limit);

// ---- consent trips ----

struct Consent {
  UserNo user;
  std::string region;
  std::string frontend_url;
  std::string redirect_uri;
  std::string marketplace;
};
void open_consent(Tx& tx, const Sha256& state_hash, const Consent& consent, Instant expires);

/// What became of the state that a callback brought.
struct ConsumedConsent {
  Consent consent;
  bool usable = false;  ///< false: already used, or expired
};
/// Looks without using it up; for the redirect of a failed callback.
std::optional<ConsumedConsent> peek_consent(Tx& tx, const Sha256& state_hash);
/// Uses the state up and keeps the sealed code, which is `me`'s to bring to Amazon, until the outcome is known. nullopt: no such state.
std::optional<ConsumedConsent> consume_consent(Tx& tx, const Sha256& state_hash, const SellerId& seller, std::string_view sealed_code, EngineNo me);
/// The code is forgotten, its outcome ("connected" or an error code) kept. False: it had an outcome already, which only "connected" takes the place of.
bool close_consent(Tx& tx, const Sha256& state_hash, std::string_view outcome);
/// The user's consents whose outcome is open come to nothing, whatever Amazon gives for their codes: the user was disconnected, or authorised anew.
/// `by`: by that consent, so only those that were given before it. How many.
std::int64_t supersede_consents(Tx& tx, UserNo user, const std::optional<Sha256>& by);
bool is_superseded(Tx& tx, const Sha256& state_hash);

/// A code that was stored and whose exchange never ended: the process died in between, or Amazon was silent.
struct OrphanedCode {
  Sha256 state_hash;
  Consent consent;
  SellerId seller;
  std::string sealed_code;
  Instant consumed_at{}, claimed_at{};
  EngineNo owner;               ///< whose it is to bring to Amazon; 0: anybody's
  bool owner_closed = false;
  Duration age{}, silence{};    ///< since it came, and since its owner was last about to bring it, by the store's clock
};
/// The code is `me`'s to bring from here on, unless somebody else has claimed or closed it since it was looked for.
bool claim_code(Tx& tx, const OrphanedCode& code, EngineNo me);
std::vector<OrphanedCode> orphaned_codes(Tx& tx, Instant consumed_before);
/// A connection that never came about: the seller must authorise again where the code was lost (`needs_reauth`), or is where
/// it was before, not connected, where Amazon or a rule refused it.
void give_up_pending(Tx& tx, UserNo user, ConnectionState instead, const Error& reason);
void trim_consents(Tx& tx, Instant expired_before);

// ---- marketplaces ----

struct Participation {
  MarketplaceId marketplace;
  std::string name, country, currency, language, domain, store_name;
  bool participating = false;
  bool suspended = false;
};
/// Replaces the user's list; what changed: {added, changed, removed}.
struct ListChange {
  int added = 0, changed = 0, removed = 0, unchanged = 0;
};
ListChange replace_participations(Tx& tx, UserNo user, const std::vector<Participation>& list);
std::vector<Participation> participations(Tx& tx, UserNo user);

}  // namespace amzsync::store
