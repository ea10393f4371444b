// SPDX-License-Identifier: Apache-2.0
// The engine: everything above the seams, wired together. It has no thread and names no concrete clock, transport or store;
// runtime.hpp gives it real ones, the tests' world gives it its own.
#pragma once

#include "events/dispatcher.hpp"
#include "events/hub.hpp"
#include "spapi/client.hpp"
#include "spapi/throttle.hpp"
#include "store/measured_store.hpp"
#include "sync/answers.hpp"
#include "sync/erasures.hpp"
#include "sync/triggers.hpp"

namespace amzsync {
using namespace base;

struct EngineSettings {
  auth::AppCredentials app;
  sync::AppSettings app_settings;
  std::string lwa_endpoint;
  spapi::ClientSettings spapi;
  auth::MasterKeys master_keys;
  sync::SyncSettings sync;
};

/// The seams and the executors; all outlive the engine.
struct EngineParts {
  Executor loop;        ///< one thread; everything below runs here unless it says otherwise
  Executor work;        ///< CPU pool
  Executor dispatcher;  ///< one thread; callbacks
  Clock& clock;
  Entropy& entropy;
  net::HttpTransport& transport;
  net::HttpTransport& sign_in;   ///< to the token endpoint; of its own, so that no sign-in stands in line behind what Amazon leaves hanging
  store::Store& store;
  EngineNo me;          ///< as registered with the store
  Log log;
  auth::TokenStore* token_store = nullptr;   ///< the host's; nullptr: refresh tokens lie in the database
};

class Engine {
 public:
  Engine(EngineSettings settings, EngineParts parts);

  /// Begins to work: takes runs up that wait, or that a dead engine left. Loop thread.
  void start();
  /// Begins to stop: what waits ends with `cancelled`, and nothing new begins. Loop thread.
  void break_off() {
    store_.hurry();
    life_.cancel(CancelReason::engine_closing);
  }
  /// Stops all work and waits for it; ends no run. After it the engine may be destroyed. Loop thread.
  Async<void> stop();

  // Each answers with what the contract promises; loop thread, but may be spawned there from any.
  sync::Triggers& triggers() noexcept { return triggers_; }
  /// Whether the settings work. Errors: key_unknown, app_credentials_invalid, amazon_unavailable (the token endpoint is silent),
  /// network_error (the API's endpoint is).
  Async<Status> check();
  /// JSON. Also starts a sync where there is nothing and the rules allow it.
  Async<Result<std::string>> recoveries(UserId user, bool by_month);
  /// Errors: not_found, sync_over.
  Async<Status> cancel(UserId user, SyncId id, std::string by);
  /// Forgets the tokens and cancels the active run. Errors: not_connected.
  Async<Status> disconnect(UserId user, std::string by);
  /// Deletes everything of a user's; the receipt (sync::Erasures::erase). Errors: store_*.
  Async<Result<std::string>> erase(UserId user, std::string by);

  /// Stops the syncs of a user (nullopt: of everybody) until they are resumed: within a second, whatever they are doing, with what they have kept.
  /// Triggers meanwhile are kept too. `by` says who asked. Doing it twice changes nothing. Errors: not_found (no such user).
  Async<Status> pause(std::optional<UserId> user, std::string by);
  Async<Status> resume(std::optional<UserId> user, std::string by);
  /// The application's new client secret, without a restart; syncs that failed for want of it begin anew. Errors: invalid_argument.
  Async<Status> set_client_secret(Secret secret);

  /// Seals every stored secret with the first of the master keys (auth::seal_anew); {key, secrets, resealed, restored, unreadable}. Errors: store_*.
  Async<Result<std::string>> rotate_key();

  /// What usually goes wrong, looked at one by one (sync/doctor.hpp). Errors: store_*.
  Async<Result<std::string>> examine();

  // Reads on the calling thread; any thread.
  /// What operators watch (sync/measures.hpp).
  Result<std::string> measures_document();
  /// Where the browser of a consent trip belongs; not_found for an unknown state.
  Result<std::string> consent_frontend(std::string_view state);
  Result<std::string> run_document(const UserId& user, const SyncId& id);
  Result<std::string> status_document(const UserId& user);
  Result<std::string> history_document(const UserId& user, int limit, std::int64_t offset);
  Result<std::string> connection_document(const UserId& user);
  /// What Amazon owes; see detect/records.hpp. Errors: invalid_argument.
  Result<std::string> findings_document(const UserId& user, const detect::Query& query);
  Result<std::string> finding_statistics_document(const UserId& user);
  /// Errors: not_found.
  Result<std::string> explain_document(const UserId& user, std::string_view what);

  // Loop thread.
  /// What became of a claim; the finding as it then is. Errors: not_found, invalid_argument.
  Async<Result<std::string>> set_finding_state(UserId user, std::string id, std::string state, std::string case_id);
  /// What only the host knows of a seller (detect::supply); the next detection takes it into account. How many rows. Errors: invalid_argument.
  Async<Result<std::int64_t>> supply(UserId user, std::string kind, std::string rows);
  Result<std::string> connected_document(const UserId& user, std::int64_t last_event_id, bool replay_gap);

  events::Dispatcher& dispatcher() noexcept { return dispatcher_; }
  events::Hub& hub() noexcept { return hub_; }
  store::Store& store() noexcept { return store_; }
  const EngineParts& parts() const noexcept { return parts_; }

 private:
  Async<void> adopt_codes();
  void on_change();
  void on_loop(void (Engine::*step)()) noexcept;
  void on_commit();
  void listen_or_not();

  EngineParts parts_;
  EngineSettings settings_;
  void look_again();

  bool looks_again_ = false;
  CancelSource life_;
  Tally tally_;
  store::MeasuredStore store_;
  Tasks tasks_;
  auth::Vault vault_;
  auth::LwaClient lwa_;
  auth::RefreshTokens refresh_tokens_;
  auth::Tokens tokens_;
  spapi::Throttle throttle_;
  spapi::Client client_;
  events::Hub hub_;
  events::Dispatcher dispatcher_;
  std::int64_t listening_ = 0;   // at the hub, for the callbacks
  sync::Services services_;
  sync::Manager manager_;
  sync::Triggers triggers_;
  sync::Erasures erasures_;
};

}  // namespace amzsync
