// SPDX-License-Identifier: Apache-2.0
// The ways in which a sync is asked for: a seller authorised the app, an existing connection is used again, the recoveries are
// empty, somebody pressed the button. All go through one transaction (store::trigger), so none is lost and none doubles.
#pragma once

#include <set>

#include "auth/lwa.hpp"
#include "auth/tokens.hpp"
#include "auth/vault.hpp"
#include "sync/manager.hpp"

namespace amzsync::sync {

struct AppSettings {
  std::string application_id;     ///< in the consent URL: amzn1.sp.solution.…
  std::string redirect_uri;
  std::string consent_endpoint;   ///< base URL that overrides Seller Central's host; empty: the marketplace's own
  bool draft = false;             ///< version=beta, while the app is a draft
};

struct ConsentLink {
  std::string url;
  std::string state;
};

struct OAuthCallback {
  std::optional<UserId> user;     ///< whom the host's session says it is; nullopt: only the state says
  std::string state;
  Secret code;
  std::string seller_id;
  std::string error;              ///< what Amazon put into `error`, if anything
};
/// Where a browser goes after a callback, also when it failed, if the state is known.
struct CallbackOutcome {
  UserId user;
  std::string frontend_url;
  SyncId sync_id;
  bool triggered = false;         ///< false: a sync was there already
};
struct CallbackFailure {
  Error error;
  std::string frontend_url;       ///< empty: the state is unknown
};

struct ExistingOutcome {
  bool verified = false;          ///< Amazon gave a token within the time
  std::optional<SyncId> sync_id;
  bool triggered = false;
};

/// Reasons beside the codes of errors.
inline constexpr std::string_view kNoneFound = "no_reimbursements_found", kMoneyNotSynced = "money_not_synced";

/// Why the recoveries did or did not start a sync.
struct RecoveriesTrigger {
  bool needs_sync = false;
  bool triggered = false;
  std::string reason;             ///< empty when triggered or nothing is needed
  std::optional<SyncId> sync_id;
  std::optional<Instant> next_try;
};

/// What became of one notification.
struct NotificationOutcome {
  std::string id, type;
  bool connected = false;             ///< its seller is
  bool known = false;                 ///< it is of a kind that a sync can follow
  bool duplicate = false;             ///< it came before
  std::optional<SyncId> sync_id;      ///< that reads what it is about
  std::optional<Instant> planned_at;  ///< when it will be read, together with what else is told until then
};

/// Where the browser of a consent trip belongs, whatever became of the trip.
std::optional<std::string> consent_frontend(store::Tx& tx, std::string_view state);

class Triggers {
 public:
  Triggers(Services& services, AppSettings app, const auth::Vault& vault, Manager& manager, CancelToken life)
      : services_(services), app_(std::move(app)), vault_(vault), manager_(manager), life_(std::move(life)) {}

  /// Opens a consent trip for the user. `marketplace` (id or country) chooses where the seller signs in.
  /// Errors: invalid_argument (unknown marketplace), setting_invalid (the application's id or redirect URI is not set).
  Async<Result<ConsentLink>> start_consent(UserId user, std::string frontend_url, std::string marketplace);
  /// The trip that began at Amazon's appstore: the link back to Amazon. `callback_uri` must be one of Amazon's hosts (or the
  /// consent override's). Errors: invalid_argument.
  Async<Result<ConsentLink>> start_appstore_login(UserId user, std::string frontend_url, std::string callback_uri, std::string amazon_state);

  /// Errors (in the failure): missing_code, consent_denied, invalid_state, state_user_mismatch, invalid_grant,
  /// app_credentials_invalid, amazon_unavailable (within 10 s), seller_already_connected, seller_mismatch.
  Async<std::variant<CallbackOutcome, CallbackFailure>> on_oauth_callback(OAuthCallback callback);

  /// Stores a refresh token that came another way (self-authorisation). Verified by one refresh first.
  Async<Result<store::TriggerOutcome>> connect_with_refresh_token(UserId user, Secret refresh_token, std::string seller_id);

  /// Errors: not_connected, needs_reauth, app_credentials_invalid.
  Async<Result<ExistingOutcome>> use_existing_connection(UserId user);

  /// Decides, after the recoveries were found empty, whether to sync.
  Async<Result<RecoveriesTrigger>> on_empty_recoveries(UserId user);

  /// What `start` would answer where it would change nothing: an active run covers it. On the calling thread, any, and without a wait for whoever
  /// writes; nullopt: `start` must be asked, also where the read failed.
  std::optional<store::TriggerOutcome> attach(const UserId& user, const std::string& streams);
  /// Errors: not_connected, needs_reauth. An active run is attached to.
  Async<Result<store::TriggerOutcome>> start(UserId user, std::string streams);

  /// Amazon's notifications, in whatever a queue delivered them: what they are about is synced, soon and together where many come. `user`: whose
  /// they must be; nullopt: whoever is connected with their seller.
  /// Errors: invalid_argument (no notification), not_found (none of its sellers is connected, or they are another user's).
  Async<Result<std::vector<NotificationOutcome>>> on_notification(std::optional<UserId> user, std::string message);

  SyncId new_sync_id();
  /// Where this engine's sellers are.
  std::string region() const;

  /// Reads what lies in the archive anew, as a run that asks Amazon nothing. `streams`: by name; empty: all.
  /// Errors: not_connected (the user never was), sync_in_progress.
  Async<Result<store::TriggerOutcome>> replay(UserId user, std::string streams);

  /// Exchanges codes whose exchange never ended, because the process died or Amazon was silent.
  Async<void> adopt_codes(Duration older_than);

 private:
  Async<Result<store::TriggerOutcome>> trigger(UserId user, store::Cause cause, std::string streams, bool covers_new);
  /// A code that came back from a consent trip.
  struct Brought {
    Sha256 state_hash;
    store::Consent consent;
    SellerId seller;
    Secret code;
    UserId owner;                         ///< who brought it; empty: an engine that did not get to its end left it
    bool left_over() const noexcept { return owner.empty(); }
  };
  struct Waiter;
  /// What becomes of a code, or what there is to say of it until a browser has waited long enough.
  Async<Result<store::TriggerOutcome>> exchanged(Brought brought);
  Async<void> exchange(Brought brought, std::shared_ptr<Waiter> waiter);
  Async<Result<store::TriggerOutcome>> bring(Brought& brought, Waiter& waiter);
  void tell_lost(UserNo user, const Error& why) const;
  /// Ends a consent trip that came to nothing. False: it had ended otherwise.
  Async<bool> refuse(Sha256 state_hash, UserNo user, Error reason);
  /// Where an authorisation came from.
  struct GrantOrigin {
    std::string region, marketplace;      ///< marketplace: where the seller signed in; may be empty
    SellerId seller;
    std::optional<Sha256> state_hash;     ///< of the consent trip, if there was one
    std::int64_t since = 0;               ///< the connection's generation when it was begun, where there was none
  };
  Async<Result<store::TriggerOutcome>> store_grant(UserNo user, GrantOrigin from, auth::TokenGrant grant);
  std::string consent_url(const std::string& marketplace, const std::string& state) const;

  Services& services_;
  AppSettings app_;
  const auth::Vault& vault_;
  Manager& manager_;
  CancelToken life_;
  std::set<Sha256> exchanging_;   // whose code is at Amazon just now
};

}  // namespace amzsync::sync
