// SPDX-License-Identifier: Apache-2.0
// The C++20 face of amzsync.h: the same functions as types that free themselves. Header-only; nothing but the C functions is
// linked. Functions that can fail return Expected<T>; nothing is thrown but std::bad_alloc, by the standard library. Compiles with -fno-exceptions.
//
// Functions of the host's (listeners, ends, sinks, parts that it lends) may throw: it ends there, and never passes into C.
//
// Threads: as in amzsync.h. An Engine may be used from any thread; everything else belongs to one at a time.
#pragma once

#include <amzsync/amzsync.h>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace amzsync {

namespace detail {
template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* handle) const noexcept {
    Free(handle);
  }
};
inline const char* or_null(const std::string& text) noexcept { return text.empty() ? nullptr : text.c_str(); }
/// Runs what the host wrote, where nothing may be thrown. What it threw; NULL: nothing.
template <class Work>
std::exception_ptr thrown_by(Work work) noexcept {
#if defined(__cpp_exceptions)
  try {
    work();
  } catch (...) {
    return std::current_exception();
  }
#else
  work();
#endif
  return nullptr;
}
}  // namespace detail

/// Why a function failed. Copyable.
class Failure {
 public:
  /// Takes `err` over; NULL (no memory for it) leaves the code alone.
  Failure(std::int32_t code, amzsync_error* err) : code_(code), name_(amzsync_status_name(code)) {
    message_ = err ? amzsync_error_message(err) : amzsync_status_sentence(code);
    if (err) {
      retry_ = amzsync_error_retry(err);
      http_status_ = amzsync_error_http_status(err);
      api_code_ = amzsync_error_api_code(err);
      request_id_ = amzsync_error_request_id(err);
    }
    amzsync_error_free(err);
  }
  std::int32_t code() const noexcept { return code_; }             ///< AMZSYNC_ERROR_…
  const std::string& name() const noexcept { return name_; }       ///< "not_connected"
  const std::string& message() const noexcept { return message_; } ///< one sentence
  std::int32_t retry() const noexcept { return retry_; }           ///< AMZSYNC_RETRY_…
  // Of Amazon's answer, where there was one.
  std::int32_t http_status() const noexcept { return http_status_; }
  const std::string& api_code() const noexcept { return api_code_; }
  const std::string& request_id() const noexcept { return request_id_; }   ///< its support asks for it

 private:
  std::int32_t code_;
  std::int32_t retry_ = AMZSYNC_RETRY_NEVER, http_status_ = 0;
  std::string name_, message_, api_code_, request_id_;
};

/// A value or a Failure. Asked for the value of a failure, or the other way round, it throws std::bad_variant_access (without exceptions: aborts), which is the program's mistake.
template <class T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}         // NOLINT: implicit by design
  Expected(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {} // NOLINT
  explicit operator bool() const noexcept { return state_.index() == 0; }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Failure& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Failure> state_;
};
struct Nothing {};

/// What a function answered.
class Answer {
 public:
  explicit Answer(amzsync_answer* handle) : handle_(handle) {}
  std::string_view json() const noexcept {
    std::size_t size = 0;
    const char* text = amzsync_answer_json(handle_.get(), &size);
    return {text, size};
  }
  std::string_view sync_id() const noexcept { return amzsync_answer_sync_id(handle_.get()); }
  std::string_view url() const noexcept { return amzsync_answer_url(handle_.get()); }
  std::string_view user() const noexcept { return amzsync_answer_user(handle_.get()); }
  std::string_view status() const noexcept { return amzsync_answer_status(handle_.get()); }
  bool triggered() const noexcept { return amzsync_answer_triggered(handle_.get()) != 0; }
  bool verified() const noexcept { return amzsync_answer_verified(handle_.get()) != 0; }

 private:
  std::unique_ptr<amzsync_answer, detail::Freer<amzsync_answer_free>> handle_;
};

/// One event.
class Event {
 public:
  explicit Event(amzsync_event* handle) : handle_(handle) {}
  std::int64_t seq() const noexcept { return amzsync_event_seq(handle_.get()); }
  std::int64_t journal() const noexcept { return amzsync_event_journal(handle_.get()); }
  std::string_view type() const noexcept { return amzsync_event_type(handle_.get()); }
  std::string_view user() const noexcept { return amzsync_event_user(handle_.get()); }
  std::string_view json() const noexcept {
    std::size_t size = 0;
    const char* text = amzsync_event_json(handle_.get(), &size);
    return {text, size};
  }
  std::string_view sse() const noexcept {
    std::size_t size = 0;
    const char* text = amzsync_event_sse(handle_.get(), &size);
    return {text, size};
  }

 private:
  std::unique_ptr<amzsync_event, detail::Freer<amzsync_event_free>> handle_;
};

/// A reader's place in the journal. Closed before its engine.
class Events {
 public:
  explicit Events(amzsync_events* handle) : handle_(handle) {}
  /// nullopt: none came in time.
  Expected<std::optional<Event>> next(std::chrono::milliseconds timeout) {
    amzsync_event* event = nullptr;
    amzsync_error* err = nullptr;
    if (const auto code = amzsync_events_next(handle_.get(), timeout.count(), &event, &err)) return Failure(code, err);
    return event ? std::optional<Event>(Event(event)) : std::nullopt;
  }
  std::int64_t position() const noexcept { return amzsync_events_position(handle_.get()); }
  std::int64_t journal() const noexcept { return amzsync_events_journal(handle_.get()); }
  bool gap() const noexcept { return amzsync_events_gap(handle_.get()) != 0; }
  int fd() const noexcept { return amzsync_events_fd(handle_.get()); }
  std::string_view sse_hello() {
    std::size_t size = 0;
    const char* text = amzsync_events_sse_hello(handle_.get(), &size);
    return {text, size};
  }

 private:
  std::unique_ptr<amzsync_events, detail::Freer<amzsync_events_close>> handle_;
};

/// A reader of a user's changes; see amzsync_changes_open.
class Changes {
 public:
  explicit Changes(amzsync_changes* handle) : handle_(handle) {}
  /// JSON of the next change, good until the next call; nullopt when everything that is committed was given.
  Expected<std::optional<std::string_view>> next() {
    const char* json = nullptr;
    std::size_t size = 0;
    amzsync_error* err = nullptr;
    if (const auto code = amzsync_changes_next(handle_.get(), &json, &size, &err)) return Failure(code, err);
    return json ? std::optional<std::string_view>({json, size}) : std::nullopt;
  }
  std::int64_t position() const noexcept { return amzsync_changes_position(handle_.get()); }
  bool gap() const noexcept { return amzsync_changes_gap(handle_.get()) != 0; }

 private:
  std::unique_ptr<amzsync_changes, detail::Freer<amzsync_changes_close>> handle_;
};

/// One exchange that a client of the host's performs: what is asked, and where the answer goes. Ends without an answer when it goes before it was finished.
class Exchange {
 public:
  explicit Exchange(amzsync_exchange* handle) : handle_(handle) {}
  std::string_view method() const noexcept { return amzsync_exchange_method(handle_.get()); }
  std::string url() const { return amzsync_exchange_url(handle_.get()); }
  std::vector<std::pair<std::string, std::string>> headers() const {
    std::vector<std::pair<std::string, std::string>> all;
    const char* value = nullptr;
    while (const char* name = amzsync_exchange_header(handle_.get(), all.size(), &value)) all.emplace_back(name, value);
    return all;
  }
  std::string_view body() const noexcept {
    std::size_t size = 0;
    const char* text = amzsync_exchange_body(handle_.get(), &size);
    return {text, size};
  }
  std::chrono::milliseconds timeout() const noexcept { return std::chrono::milliseconds(amzsync_exchange_timeout_ms(handle_.get())); }
  bool once() const noexcept { return (amzsync_exchange_rules(handle_.get()) & AMZSYNC_EXCHANGE_ONCE) != 0; }
  bool public_only() const noexcept { return (amzsync_exchange_rules(handle_.get()) & AMZSYNC_EXCHANGE_PUBLIC_ONLY) != 0; }
  bool is_wanted() const noexcept { return amzsync_exchange_is_wanted(handle_.get()) != 0; }

  // False: nobody waits any more, or it is not in order; the exchange is to be finished.
  bool answer(std::int32_t status) noexcept { return amzsync_exchange_answer(handle_.get(), status) == AMZSYNC_OK; }
  bool answer_header(const std::string& name, const std::string& value) noexcept { return amzsync_exchange_answer_header(handle_.get(), name.c_str(), value.c_str()) == AMZSYNC_OK; }
  bool answer_body(std::string_view piece) noexcept { return amzsync_exchange_answer_body(handle_.get(), piece.data(), piece.size()) == AMZSYNC_OK; }
  /// The answer is whole; or, with another code, there was none.
  void finish(std::int32_t code = AMZSYNC_OK, const std::string& why = {}) noexcept { amzsync_exchange_finish(handle_.release(), code, detail::or_null(why)); }

 private:
  struct Finisher {
    void operator()(amzsync_exchange* handle) const noexcept { amzsync_exchange_finish(handle, AMZSYNC_ERROR_NETWORK_ERROR, nullptr); }
  };
  std::unique_ptr<amzsync_exchange, Finisher> handle_;
};
/// Performs an exchange, there or later. Called on several threads; what it throws ends the exchange without an answer.
using HttpClient = std::function<void(Exchange)>;

/// A vault of the host's for refresh tokens (amzsync_token_store). Called on several threads; what a function throws means that it failed.
struct TokenStore {
  std::function<bool(const std::string& user, const std::string& name, const std::string& token)> put;   ///< false: it failed
  std::function<std::optional<std::string>(const std::string& name)> get;                                ///< nullopt: there is none, and the seller must authorise again
  std::function<bool(const std::string& name)> remove;                                                   ///< false: it failed
};

/// How an engine is to be opened; the settings are documented at their C functions.
class Options {
 public:
  /// Without memory every function of it gives NO_MEMORY, and so does Engine::open; once it was moved away, INVALID_ARGUMENT.
  Options() : handle_(amzsync_options_new()), missing_(handle_ ? AMZSYNC_ERROR_INVALID_ARGUMENT : AMZSYNC_ERROR_NO_MEMORY) {}
  Expected<Nothing> set_store(const std::string& v) { return set(amzsync_options_set_store, v.c_str()); }
  Expected<Nothing> set_synchronous_full(bool v) { return set(amzsync_options_set_synchronous_full, v ? 1 : 0); }
  Expected<Nothing> set_app(const std::string& client_id, const std::string& client_secret, const std::string& application_id, const std::string& redirect_uri) {
    return set(amzsync_options_set_app, client_id.c_str(), client_secret.c_str(), application_id.c_str(), redirect_uri.c_str());
  }
  Expected<Nothing> set_app_draft(bool v) { return set(amzsync_options_set_app_draft, v ? 1 : 0); }
  Expected<Nothing> set_host(const std::string& name, const std::string& version) { return set(amzsync_options_set_host, name.c_str(), version.c_str()); }
  Expected<Nothing> set_region(const std::string& v) { return set(amzsync_options_set_region, v.c_str()); }
  Expected<Nothing> set_environment(const std::string& v) { return set(amzsync_options_set_environment, v.c_str()); }
  Expected<Nothing> set_endpoints(const std::string& lwa, const std::string& spapi, const std::string& consent) {
    return set(amzsync_options_set_endpoints, lwa.c_str(), spapi.c_str(), consent.c_str());
  }
  Expected<Nothing> set_ca_file(const std::string& v) { return set(amzsync_options_set_ca_file, v.c_str()); }
  Expected<Nothing> set_proxy(const std::string& v) { return set(amzsync_options_set_proxy, v.c_str()); }
  Expected<Nothing> set_master_key(const std::string& v) { return set(amzsync_options_set_master_key, v.c_str()); }
  Expected<Nothing> set_finances(const std::string& v) { return set(amzsync_options_set_finances, v.c_str()); }
  Expected<Nothing> set_streams(const std::string& v) { return set(amzsync_options_set_streams, v.c_str()); }
  Expected<Nothing> set_policy(const std::string& file, const std::string& json) { return set(amzsync_options_set_policy, file.c_str(), json.c_str()); }
  Expected<Nothing> set_history_days(std::int32_t v) { return set(amzsync_options_set_history_days, v); }
  Expected<Nothing> set_sync_every_minutes(std::int32_t v) { return set(amzsync_options_set_sync_every_minutes, v); }
  Expected<Nothing> set_archive_days(std::int32_t v) { return set(amzsync_options_set_archive_days, v); }
  Expected<Nothing> set_archive_pages(bool v) { return set(amzsync_options_set_archive_pages, v ? 1 : 0); }
  Expected<Nothing> set_journal_days(std::int32_t v) { return set(amzsync_options_set_journal_days, v); }
  Expected<Nothing> set_shared_sellers(bool v) { return set(amzsync_options_set_shared_sellers, v ? 1 : 0); }

  Expected<Nothing> set_max_runs(std::int32_t v) { return set(amzsync_options_set_max_runs, v); }

  /// Called on any of the library's threads, several at once.
  using LogSink = std::function<void(std::int32_t level, std::string_view message, std::string_view fields_json)>;
  Expected<Nothing> set_log(std::int32_t least, LogSink sink) {
    if (!sink) return Failure(AMZSYNC_ERROR_INVALID_ARGUMENT, nullptr);
    auto owned = std::make_unique<LogSink>(std::move(sink));
    const auto call = [](void* data, std::int32_t level, const char* message, const char* fields) { (void)detail::thrown_by([&] { (*static_cast<LogSink*>(data))(level, message, fields); }); };
    const auto free_sink = [](void* data) { delete static_cast<LogSink*>(data); };
    return given(std::move(owned), set(amzsync_options_set_log, least, call, owned.get(), free_sink));
  }
  /// `threads`: calls at once; 0: the library's number.
  Expected<Nothing> set_http_client(HttpClient client, std::uint32_t threads = 0) {
    if (!client) return Failure(AMZSYNC_ERROR_INVALID_ARGUMENT, nullptr);
    amzsync_http_client table{};
    table.size = sizeof table;
    table.threads = threads;
    table.perform = [](void* data, amzsync_exchange* exchange) {
      (void)detail::thrown_by([&] { (*static_cast<HttpClient*>(data))(Exchange(exchange)); });   // the exchange has ended on its way up here
    };
    return lend(amzsync_options_set_http_client, table, std::move(client));
  }
  Expected<Nothing> set_token_store(TokenStore tokens, std::uint32_t threads = 0) {
    if (!tokens.put || !tokens.get || !tokens.remove) return Failure(AMZSYNC_ERROR_INVALID_ARGUMENT, nullptr);
    amzsync_token_store table{};
    table.size = sizeof table;
    table.threads = threads;
    table.put = [](void* data, const char* user, const char* name, const char* token, amzsync_token_call* call) {
      end(call, [&] { return static_cast<TokenStore*>(data)->put(user, name, token); });
    };
    table.get = [](void* data, const char* name, amzsync_token_call* call) {
      std::optional<std::string> token;
      const bool failed = detail::thrown_by([&] { token = static_cast<TokenStore*>(data)->get(name); }) != nullptr;
      amzsync_token_call_done(call, failed ? AMZSYNC_ERROR_STORE_UNAVAILABLE : token ? AMZSYNC_OK : AMZSYNC_ERROR_NOT_FOUND, token ? token->c_str() : nullptr, nullptr);
    };
    table.remove = [](void* data, const char* name, amzsync_token_call* call) { end(call, [&] { return static_cast<TokenStore*>(data)->remove(name); }); };
    return lend(amzsync_options_set_token_store, table, std::move(tokens));
  }
  const amzsync_options* get() const noexcept { return handle_.get(); }

 private:
  template <class Work>
  static void end(amzsync_token_call* call, Work work) noexcept {
    bool done = false;
    (void)detail::thrown_by([&] { done = work(); });   // then it failed
    amzsync_token_call_done(call, done ? AMZSYNC_OK : AMZSYNC_ERROR_STORE_UNAVAILABLE, nullptr, nullptr);
  }
  template <class Setter, class Table, class Part>
  Expected<Nothing> lend(Setter setter, const Table& table, Part part) {
    auto owned = std::make_unique<Part>(std::move(part));
    const auto free_part = [](void* data) { delete static_cast<Part*>(data); };
    return given(std::move(owned), set(setter, &table, owned.get(), free_part));
  }
  /// What C has taken over once it said so.
  template <class Owned>
  static Expected<Nothing> given(std::unique_ptr<Owned> owned, Expected<Nothing> taken) {
    if (taken) owned.release();
    return taken;
  }
  template <class Function, class... Args>
  Expected<Nothing> set(Function function, Args... args) {
    if (!handle_) return Failure(missing_, nullptr);
    amzsync_error* err = nullptr;
    if (const auto code = function(handle_.get(), args..., &err)) return Failure(code, err);
    return Nothing{};
  }
  friend class Engine;
  std::unique_ptr<amzsync_options, detail::Freer<amzsync_options_free>> handle_;
  std::int32_t missing_;   // what it lacks without a handle
};

/// What came back from Amazon's consent page.
struct OAuthParams {
  std::string user, state, code, seller_id, error;
};

/// Moves what an SQLite database holds into a PostgreSQL one (amzsync_migrate); the receipt. `progress(const char* table, std::int64_t rows)`.
template <class Progress>
Expected<Answer> migrate(const std::string& from, const std::string& to, Progress progress) {
  amzsync_answer* answer = nullptr;
  amzsync_error* error = nullptr;
  const auto tell = [](void* p, const char* table, std::int64_t rows) { (void)detail::thrown_by([&] { (*static_cast<Progress*>(p))(table, rows); }); };
  if (const auto code = amzsync_migrate(from.c_str(), to.c_str(), tell, &progress, &answer, &error); code != AMZSYNC_OK) return Failure(code, error);
  return Answer(answer);
}

/// A sync whose end is waited for in an event loop: by any coroutine library, or by none, and without a thread. Asked first, and then whenever fd() is readable.
/// Gone before its engine.
class SyncEnd {
 public:
  SyncEnd(amzsync_engine* engine, Events events, std::string user, std::string sync_id) : engine_(engine), events_(std::move(events)), user_(std::move(user)), sync_id_(std::move(sync_id)) {}
  /// Readable when there may be news; the loop's to watch, never to read or to close.
  int fd() const noexcept { return events_.fd(); }
  /// What amzsync_sync_status tells, once the sync is over; nullopt: it goes on. Blocks for no longer than a read of the database.
  Expected<std::optional<Answer>> poll() {
    bool may_be_over = std::exchange(is_first_, false);   // it may have ended before this was made
    for (;;) {
      auto event = events_.next(std::chrono::milliseconds(0));
      if (!event) return event.error();
      if (!*event) break;
      may_be_over |= (*event)->json().find(sync_id_) != std::string_view::npos;
    }
    if (!may_be_over && !events_.gap()) return std::optional<Answer>();
    amzsync_answer* answer = nullptr;
    amzsync_error* err = nullptr;
    if (const auto code = amzsync_sync_status(engine_, user_.c_str(), sync_id_.c_str(), &answer, &err)) return Failure(code, err);
    Answer status(answer);
    for (const std::string_view active : {"queued", "in_progress", "detecting"})
      if (status.status() == active) return std::optional<Answer>();
    return std::optional<Answer>(std::move(status));
  }

 private:
  amzsync_engine* engine_;
  Events events_;
  std::string user_, sync_id_;
  bool is_first_ = true;
};

/// An open database and the workers on it. Closed by its destructor, which must not run inside a callback or before the
/// engine's Events are gone.
class Engine {
 public:
  static Expected<Engine> open(const Options& options) {
    if (!options.get()) return Failure(options.missing_, nullptr);
    if (amzsync_abi_version() != AMZSYNC_ABI_VERSION) return Failure(AMZSYNC_ERROR_NOT_SUPPORTED, nullptr);   // the library is not the header's
    amzsync_engine* engine = nullptr;
    amzsync_error* err = nullptr;
    if (const auto code = amzsync_open(options.get(), &engine, &err)) return Failure(code, err);
    return Engine(engine);
  }

  /// What the destructor does, told: BUSY while Events or Changes of it are open, WOULD_DEADLOCK in a callback; then it stays open.
  Expected<Nothing> close() {
    if (const auto code = amzsync_close(handle_.get())) return Failure(code, nullptr);
    (void)handle_.release();
    return Nothing{};
  }

  Expected<Answer> consent_start(const std::string& user, const std::string& frontend_url, const std::string& marketplace = {}) {
    return answer(amzsync_consent_start, user.c_str(), frontend_url.c_str(), detail::or_null(marketplace));
  }
  Expected<Answer> consent_login(const std::string& user, const std::string& frontend_url, const std::string& callback_uri, const std::string& amazon_state) {
    return answer(amzsync_consent_login, user.c_str(), frontend_url.c_str(), callback_uri.c_str(), amazon_state.c_str());
  }
  Expected<Answer> consent_frontend(const std::string& state) { return answer(amzsync_consent_frontend, state.c_str()); }
  Expected<Answer> on_oauth_callback(const OAuthParams& params) {
    const amzsync_oauth_params c = to_c(params);
    return answer(amzsync_on_oauth_callback, &c);
  }
  Expected<Answer> connect(const std::string& user, const std::string& refresh_token, const std::string& seller_id = {}) {
    return answer(amzsync_connect, user.c_str(), refresh_token.c_str(), detail::or_null(seller_id));
  }
  Expected<Answer> use_existing_connection(const std::string& user) { return answer(amzsync_use_existing_connection, user.c_str()); }
  Expected<Nothing> check() { return plain(amzsync_check); }
  Expected<Answer> connection(const std::string& user) { return answer(amzsync_connection, user.c_str()); }
  Expected<Nothing> disconnect(const std::string& user, const std::string& by) { return plain(amzsync_disconnect, user.c_str(), by.c_str()); }

  /// The usual mistakes of a set-up, with what to do.
  Expected<Answer> doctor() { return answer(amzsync_doctor); }
  Expected<Answer> rotate_key() { return answer(amzsync_rotate_key); }
  /// Everything of a user's; the receipt.
  Expected<Answer> erase(const std::string& user, const std::string& by) { return answer(amzsync_erase, user.c_str(), by.c_str()); }

  Expected<Answer> recoveries(const std::string& user, bool by_month = false) { return answer(amzsync_recoveries, user.c_str(), by_month ? 1 : 0); }
  Expected<Answer> sync_start(const std::string& user, const std::string& streams = {}) { return answer(amzsync_sync_start, user.c_str(), detail::or_null(streams)); }
  Expected<Answer> replay(const std::string& user, const std::string& streams = {}) { return answer(amzsync_replay, user.c_str(), detail::or_null(streams)); }
  Expected<Nothing> sync_cancel(const std::string& user, const std::string& sync_id, const std::string& by) {
    return plain(amzsync_sync_cancel, user.c_str(), sync_id.c_str(), by.c_str());
  }
  /// `user` empty: everybody.
  Expected<Nothing> pause(const std::string& user, const std::string& by) { return plain(amzsync_pause, detail::or_null(user), by.c_str()); }
  Expected<Nothing> resume(const std::string& user, const std::string& by) { return plain(amzsync_resume, detail::or_null(user), by.c_str()); }
  /// `user` empty: whoever is connected with the notification's seller.
  Expected<Answer> notify(const std::string& user, std::string_view message) { return answer(amzsync_notify, detail::or_null(user), message.data(), message.size()); }
  Expected<Nothing> set_client_secret(const std::string& secret) { return plain(amzsync_set_client_secret, secret.c_str()); }
  Expected<Answer> sync_status(const std::string& user, const std::string& sync_id) { return answer(amzsync_sync_status, user.c_str(), sync_id.c_str()); }
  Expected<Answer> sync_wait(const std::string& user, const std::string& sync_id, std::optional<std::chrono::milliseconds> timeout = std::nullopt) {
    return answer(amzsync_sync_wait, user.c_str(), sync_id.c_str(), timeout ? static_cast<std::int64_t>(timeout->count()) : AMZSYNC_WAIT_FOREVER);
  }
  Expected<Answer> status(const std::string& user) { return answer(amzsync_status, user.c_str()); }
  Expected<Answer> findings(const std::string& user, const std::string& status = "", const std::string& type = "", std::int32_t limit = 100, std::int64_t offset = 0) {
    return answer(amzsync_findings, user.c_str(), status.c_str(), type.c_str(), limit, offset);
  }
  Expected<Answer> finding_statistics(const std::string& user) { return answer(amzsync_finding_statistics, user.c_str()); }
  Expected<Answer> explain(const std::string& user, const std::string& what) { return answer(amzsync_explain, user.c_str(), what.c_str()); }
  Expected<Answer> set_finding_state(const std::string& user, const std::string& id, const std::string& state, const std::string& case_id = "") {
    return answer(amzsync_finding_set_state, user.c_str(), id.c_str(), state.c_str(), case_id.c_str());
  }
  Expected<Nothing> supply(const std::string& user, const std::string& kind, const std::string& rows) { return plain(amzsync_supply, user.c_str(), kind.c_str(), rows.c_str()); }
  Expected<Answer> history(const std::string& user, std::int32_t limit, std::int64_t offset) { return answer(amzsync_history, user.c_str(), limit, offset); }

  /// Called once on a thread of the library, with the answer or the failure; the Answer is the callee's to keep no longer
  /// than the call.
  using Done = std::function<void(const amzsync_answer* answer, const amzsync_error* error)>;
  Expected<Nothing> on_oauth_callback(const OAuthParams& params, Done done) {
    const amzsync_oauth_params c = to_c(params);
    return started(std::move(done), [&](amzsync_done_fn call, void* data, amzsync_error** err) { return amzsync_on_oauth_callback_start(handle_.get(), &c, call, data, err); });
  }
  Expected<Nothing> use_existing_connection(const std::string& user, Done done) {
    return started(std::move(done), [&](amzsync_done_fn call, void* data, amzsync_error** err) { return amzsync_use_existing_connection_start(handle_.get(), user.c_str(), call, data, err); });
  }

  /// The end of a sync, for an event loop; sync_wait blocks instead.
  Expected<SyncEnd> sync_end(const std::string& user, const std::string& sync_id) {
    auto news = events(user, AMZSYNC_EVENTS_LIVE);
    if (!news) return news.error();
    return SyncEnd(handle_.get(), std::move(*news), user, sync_id);
  }

  /// Of one user after an event number (or AMZSYNC_EVENTS_LIVE).
  Expected<Events> events(const std::string& user, std::int64_t after) { return open_events(user.c_str(), after); }
  /// Of all users, from now on.
  Expected<Events> all_events() { return open_events(nullptr, AMZSYNC_EVENTS_LIVE); }

  /// After a change's number (0: all that is there first), of the named streams (empty: all).
  Expected<Changes> changes(const std::string& user, const std::string& streams, std::int64_t after) {
    amzsync_changes* changes = nullptr;
    amzsync_error* err = nullptr;
    if (const auto code = amzsync_changes_open(handle_.get(), user.c_str(), detail::or_null(streams), after, &changes, &err)) return Failure(code, err);
    return Changes(changes);
  }
  Expected<Nothing> changes_acknowledge(const std::string& user, const std::string& reader, std::int64_t position) {
    return plain(amzsync_changes_acknowledge, user.c_str(), reader.c_str(), position);
  }
  Expected<std::int64_t> changes_acknowledged(const std::string& user, const std::string& reader) {
    std::int64_t position = 0;
    amzsync_error* err = nullptr;
    if (const auto code = amzsync_changes_acknowledged(handle_.get(), user.c_str(), reader.c_str(), &position, &err)) return Failure(code, err);
    return position;
  }

  /// `user` empty: all. The id for unsubscribe. What the listener throws goes to `on_thrown`, where there is one; the next event comes all the same.
  Expected<std::int64_t> subscribe(const std::string& user, std::int64_t after, std::function<void(const amzsync_event*)> listener, std::function<void(std::exception_ptr)> on_thrown = {}) {
    if (!listener) return Failure(AMZSYNC_ERROR_INVALID_ARGUMENT, nullptr);
    struct Listener {
      std::function<void(const amzsync_event*)> hear;
      std::function<void(std::exception_ptr)> on_thrown;
    };
    auto owned = std::make_unique<Listener>(Listener{std::move(listener), std::move(on_thrown)});
    std::int64_t id = 0;
    amzsync_error* err = nullptr;
    const auto call = [](void* data, const amzsync_event* event) {
      const Listener& its = *static_cast<Listener*>(data);
      const auto thrown = detail::thrown_by([&] { its.hear(event); });
      if (thrown && its.on_thrown) (void)detail::thrown_by([&] { its.on_thrown(thrown); });
    };
    const auto free_listener = [](void* data) { delete static_cast<Listener*>(data); };
    if (const auto code = amzsync_subscribe(handle_.get(), detail::or_null(user), after, call, owned.get(), free_listener, &id, &err)) return Failure(code, err);
    owned.release();
    return id;
  }
  Expected<Nothing> unsubscribe(std::int64_t id) {
    if (const auto code = amzsync_unsubscribe(handle_.get(), id)) return Failure(code, nullptr);
    return Nothing{};
  }

  /// What an operator watches; JSON.
  Expected<Answer> measures() { return answer(amzsync_measures); }
  Expected<amzsync_stats> stats() {
    amzsync_stats stats{};
    stats.size = sizeof stats;
    amzsync_error* err = nullptr;
    if (const auto code = amzsync_stats_get(handle_.get(), &stats, &err)) return Failure(code, err);
    return stats;
  }
  amzsync_engine* get() const noexcept { return handle_.get(); }

 private:
  explicit Engine(amzsync_engine* engine) : handle_(engine) {}
  static amzsync_oauth_params to_c(const OAuthParams& p) {
    return {sizeof(amzsync_oauth_params), detail::or_null(p.user), p.state.c_str(), p.code.c_str(), p.seller_id.c_str(), p.error.c_str()};
  }
  template <class Function, class... Args>
  Expected<Answer> answer(Function function, Args... args) {
    amzsync_answer* out = nullptr;
    amzsync_error* err = nullptr;
    if (const auto code = function(handle_.get(), args..., &out, &err)) return Failure(code, err);
    return Answer(out);
  }
  template <class Function, class... Args>
  Expected<Nothing> plain(Function function, Args... args) {
    amzsync_error* err = nullptr;
    if (const auto code = function(handle_.get(), args..., &err)) return Failure(code, err);
    return Nothing{};
  }
  template <class Start>
  Expected<Nothing> started(Done done, Start start) {
    if (!done) return Failure(AMZSYNC_ERROR_INVALID_ARGUMENT, nullptr);
    auto owned = std::make_unique<Done>(std::move(done));
    const auto call = [](void* data, std::int32_t, const amzsync_answer* answer, const amzsync_error* error) {
      const std::unique_ptr<Done> once(static_cast<Done*>(data));
      (void)detail::thrown_by([&] { (*once)(answer, error); });
    };
    amzsync_error* err = nullptr;
    if (const auto code = start(call, owned.get(), &err)) return Failure(code, err);
    owned.release();
    return Nothing{};
  }
  Expected<Events> open_events(const char* user, std::int64_t after) {
    amzsync_events* events = nullptr;
    amzsync_error* err = nullptr;
    if (const auto code = amzsync_events_open(handle_.get(), user, after, &events, &err)) return Failure(code, err);
    return Events(events);
  }
  struct Closer {
    void operator()(amzsync_engine* engine) const noexcept { amzsync_close(engine); }
  };
  std::unique_ptr<amzsync_engine, Closer> handle_;
};

}  // namespace amzsync
