// SPDX-License-Identifier: Apache-2.0
#include <asio/post.hpp>

#include "base/json_writer.hpp"
#include "base/memory.hpp"
#include "capi/exit.hpp"
#include "capi/handles.hpp"
#include "migrate.hpp"
#include "store/documents.hpp"
#include "store/health.hpp"
#include "store/users.hpp"

using namespace amzsync;         // NOLINT: this file is the library's edge
using namespace amzsync::capi;   // NOLINT

// The header's constants are the core's codes.
#define AMZ_ERROR_CONSTANT(upper, name) static_assert(AMZSYNC_ERROR_##upper == static_cast<std::int32_t>(Code::name))
AMZ_ERROR_CONSTANT(INVALID_ARGUMENT, invalid_argument);
AMZ_ERROR_CONSTANT(SETTING_INVALID, setting_invalid);
AMZ_ERROR_CONSTANT(NOT_FOUND, not_found);
AMZ_ERROR_CONSTANT(CLOSED, closed);
AMZ_ERROR_CONSTANT(WOULD_DEADLOCK, would_deadlock);
AMZ_ERROR_CONSTANT(BUSY, busy);
AMZ_ERROR_CONSTANT(NO_MEMORY, no_memory);
AMZ_ERROR_CONSTANT(INTERNAL, internal);
AMZ_ERROR_CONSTANT(TIMEOUT, timeout);
AMZ_ERROR_CONSTANT(NOT_SUPPORTED, not_supported);
AMZ_ERROR_CONSTANT(CANCELLED, cancelled);
AMZ_ERROR_CONSTANT(PAUSED, paused);
AMZ_ERROR_CONSTANT(FORKED, forked);
AMZ_ERROR_CONSTANT(NOT_CONNECTED, not_connected);
AMZ_ERROR_CONSTANT(NEEDS_REAUTH, needs_reauth);
AMZ_ERROR_CONSTANT(MISSING_CODE, missing_code);
AMZ_ERROR_CONSTANT(INVALID_STATE, invalid_state);
AMZ_ERROR_CONSTANT(STATE_USER_MISMATCH, state_user_mismatch);
AMZ_ERROR_CONSTANT(INVALID_GRANT, invalid_grant);
AMZ_ERROR_CONSTANT(SELLER_ALREADY_CONNECTED, seller_already_connected);
AMZ_ERROR_CONSTANT(SELLER_MISMATCH, seller_mismatch);
AMZ_ERROR_CONSTANT(APP_CREDENTIALS_INVALID, app_credentials_invalid);
AMZ_ERROR_CONSTANT(AMAZON_UNAVAILABLE, amazon_unavailable);
AMZ_ERROR_CONSTANT(CONSENT_DENIED, consent_denied);
AMZ_ERROR_CONSTANT(WRONG_REGION, wrong_region);
AMZ_ERROR_CONSTANT(SYNC_IN_PROGRESS, sync_in_progress);
AMZ_ERROR_CONSTANT(SYNC_OVER, sync_over);
AMZ_ERROR_CONSTANT(ROWS_QUARANTINED, rows_quarantined);
AMZ_ERROR_CONSTANT(STALLED, stalled);
AMZ_ERROR_CONSTANT(UNAUTHORISED, unauthorised);
AMZ_ERROR_CONSTANT(THROTTLED, throttled);
AMZ_ERROR_CONSTANT(AMAZON_ERROR, amazon_error);
AMZ_ERROR_CONSTANT(NETWORK_ERROR, network_error);
AMZ_ERROR_CONSTANT(BAD_ANSWER, bad_answer);
AMZ_ERROR_CONSTANT(REQUEST_REJECTED, request_rejected);
AMZ_ERROR_CONSTANT(PAGE_LOOP, page_loop);
AMZ_ERROR_CONSTANT(PAGE_TOKEN_EXPIRED, page_token_expired);
AMZ_ERROR_CONSTANT(ANSWER_TOO_LARGE, answer_too_large);
AMZ_ERROR_CONSTANT(NO_MARKETPLACE, no_marketplace);
AMZ_ERROR_CONSTANT(REPORT_FAILED, report_failed);
AMZ_ERROR_CONSTANT(STORE_UNAVAILABLE, store_unavailable);
AMZ_ERROR_CONSTANT(STORE_BUSY, store_busy);
AMZ_ERROR_CONSTANT(STORE_FULL, store_full);
AMZ_ERROR_CONSTANT(STORE_READ_ONLY, store_read_only);
AMZ_ERROR_CONSTANT(STORE_CORRUPT, store_corrupt);
AMZ_ERROR_CONSTANT(STORE_NEWER, store_newer);
AMZ_ERROR_CONSTANT(FENCED, fenced);
AMZ_ERROR_CONSTANT(KEY_UNKNOWN, key_unknown);
static_assert(AMZSYNC_RETRY_NEVER == static_cast<int>(Retry::never) && AMZSYNC_RETRY_LATER == static_cast<int>(Retry::later) &&
              AMZSYNC_RETRY_AFTER_REAUTH == static_cast<int>(Retry::after_reauth));
static_assert(AMZSYNC_LOG_DEBUG == static_cast<int>(LogLevel::debug) && AMZSYNC_LOG_ERROR == static_cast<int>(LogLevel::error));

#define AMZ_TEXT_OF(x) #x
#define AMZ_TEXT(x) AMZ_TEXT_OF(x)

namespace {

using Answer = std::unique_ptr<amzsync_answer>;

/// A call on an engine that gives an answer. `body(Runtime&) -> Result<Answer>`.
template <class Body>
std::int32_t answering(amzsync_engine* engine, amzsync_answer** out, amzsync_error** err, std::initializer_list<Given> texts, Body body) noexcept {
  if (out) *out = nullptr;
  return calling(engine, err, texts, [&](Runtime& runtime) -> Status {
    if (!out) return missing("out_answer");
    AMZ_TRY(answer, body(runtime));
    *out = answer.release();
    return Done{};
  });
}

/// The same for a call that waits for the engine's own threads, on which it would wait for itself.
template <class Body>
std::int32_t blocking(amzsync_engine* engine, amzsync_answer** out, amzsync_error** err, std::initializer_list<Given> texts, Body body) noexcept {
  return answering(engine, out, err, texts, [&](Runtime& runtime) -> Result<Answer> {
    if (must_not_wait(runtime)) return Code::would_deadlock;
    return body(runtime);
  });
}

Result<UserId> user_of(const char* user) {
  if (!user) return missing("user");
  return parse_user_id(user);
}

/// What names something that the library gave out. Whatever else it is made of, nothing has that name.
Result<std::string> name_of(const char* name, const char* missing_thing) {
  constexpr std::size_t kLongest = 200;
  const std::size_t size = name ? ::strnlen(name, kLongest + 1) : 0;
  if (size == 0 || size > kLongest || !valid_utf8(std::string_view(name, size))) return Error(Code::not_found, missing_thing);
  return std::string(name, size);
}
constexpr const char* kNoSync = "There is no such sync.";

Answer with_json(std::string json) {
  auto answer = std::make_unique<amzsync_answer>();
  answer->json = std::move(json);
  return answer;
}

Answer consent_answer(const sync::ConsentLink& link) {
  JsonWriter json;
  json.begin_object().field("authUrl", link.url).field("state", link.state).end_object();
  Answer answer = with_json(std::move(json).text());
  answer->url = link.url;
  return answer;
}

Answer run_answer(const UserId& user, const store::TriggerOutcome& run) {
  JsonWriter json;
  json.begin_object().field("syncId", run.id.text()).field("triggered", !run.attached).field("paused", run.paused).field("runsAgain", run.runs_again).end_object();
  Answer answer = with_json(std::move(json).text());
  answer->user = user.text();
  answer->sync_id = run.id.text();
  answer->triggered = !run.attached;
  return answer;
}

Result<Answer> callback_answer(std::variant<sync::CallbackOutcome, sync::CallbackFailure> outcome) {
  if (auto* failure = std::get_if<sync::CallbackFailure>(&outcome)) return std::move(failure->error);
  const auto& done = std::get<sync::CallbackOutcome>(outcome);
  Answer answer = run_answer(done.user, {done.sync_id, !done.triggered});
  answer->url = done.frontend_url;
  answer->verified = true;
  return answer;
}

Answer existing_answer(const UserId& user, const sync::ExistingOutcome& outcome) {
  JsonWriter json;
  json.begin_object().field("connectionVerified", outcome.verified).field("syncTriggered", outcome.triggered);
  if (outcome.sync_id) json.field("syncId", outcome.sync_id->text());
  Answer answer = with_json(std::move(json.end_object()).text());
  answer->user = user.text();
  if (outcome.sync_id) answer->sync_id = outcome.sync_id->text();
  answer->triggered = outcome.triggered;
  answer->verified = outcome.verified;
  return answer;
}

/// The text of one member of a JSON object of our own making.
std::string member_text(const std::string& json, std::string_view name) {
  const auto document = JsonDocument::parse(json);
  return document ? std::string((*document)[name].text()) : std::string();
}

Result<sync::OAuthCallback> callback_of(const amzsync_oauth_params* params) {
  if (!params) return missing("params");
  if (params->size < sizeof(amzsync_oauth_params)) return Error(Code::invalid_argument, "params->size is too small; set it to sizeof(amzsync_oauth_params).");
  sync::OAuthCallback callback;
  if (params->user && *params->user) {
    AMZ_TRY(user, parse_user_id(params->user));
    callback.user = user;
  }
  constexpr std::size_t kMost = 4096;  // Amazon's longest are 2048
  for (const char* text : {params->state, params->code, params->seller_id, params->error})
    if (text && ::strnlen(text, kMost + 1) > kMost) return Error(Code::invalid_argument, "A parameter of the callback is longer than 4096 bytes.");
  callback.state = text_or_empty(params->state);
  callback.code = Secret(text_or_empty(params->code));
  callback.seller_id = clean_utf8(text_or_empty(params->seller_id), 100);
  callback.error = clean_utf8(text_or_empty(params->error), 100);
  return callback;
}

/// Brings a result to a `done` callback of the host, on the thread of the callbacks: the loop waits for no host. It comes, whatever memory that takes.
struct DoneCall {
  Runtime& runtime;
  amzsync_done_fn done;
  void* user_data;
  void operator()(Result<Answer> result) const noexcept {
    std::shared_ptr<Result<Answer>> kept;
    insist([&] { kept = std::make_shared<Result<Answer>>(std::move(result)); });   // moved only where there is a place for it
    insist([&] { runtime.engine().dispatcher().call_out([call = done, data = user_data, kept] { tell(call, data, *kept); }); });
  }
  static void tell(amzsync_done_fn call, void* data, const Result<Answer>& result) {
    if (result) {
      Live::lend(result->get());
      return call(data, AMZSYNC_OK, result->get(), nullptr);
    }
    std::optional<amzsync_error> error;
    insist([&] { error.emplace(result.error()); });
    Live::lend(&*error);
    call(data, static_cast<std::int32_t>(result.code()), nullptr, &*error);
  }
};

using CallbackResult = std::variant<sync::CallbackOutcome, sync::CallbackFailure>;
/// The coroutine's variant as a Result, so that the runtime can say "internal" in its place.
Async<Result<CallbackResult>> as_result(Async<CallbackResult> task) {
  CallbackResult outcome = co_await std::move(task);
  co_return outcome;
}

Result<amzsync_stats> gather_stats(Runtime& runtime) {
  return runtime.engine().store().read_now([&](store::Tx& tx) -> Result<amzsync_stats> {
    const store::Load load = store::load_of(tx, runtime.engine().parts().me);
    amzsync_stats s{};
    s.runs_here = load.runs_here;
    s.runs_active = load.runs_active;
    s.runs_queued = load.runs_queued;
    s.connections = load.connected;
    s.needs_reauth = load.needs_reauth;
    return s;
  });
}

}  // namespace

extern "C" {

const char* amzsync_version(void) noexcept { return AMZ_TEXT(AMZSYNC_VERSION_MAJOR) "." AMZ_TEXT(AMZSYNC_VERSION_MINOR) "." AMZ_TEXT(AMZSYNC_VERSION_PATCH); }
int32_t amzsync_abi_version(void) noexcept { return AMZSYNC_ABI_VERSION; }

namespace {
bool is_code(int32_t code) noexcept { return code == AMZSYNC_OK || static_cast<int32_t>(code_from_name(code_name(static_cast<Code>(code))).value_or(Code::ok)) == code; }
}  // namespace
const char* amzsync_status_name(int32_t code) noexcept { return is_code(code) ? code_name(static_cast<Code>(code)).data() : "unknown"; }
const char* amzsync_status_sentence(int32_t code) noexcept { return is_code(code) ? code_sentence(static_cast<Code>(code)).data() : "Unknown code."; }

int32_t amzsync_error_code(const amzsync_error* err) noexcept {
  return from_live(err, err ? AMZSYNC_ERROR_INVALID_ARGUMENT : AMZSYNC_OK, [](const amzsync_error& e) { return static_cast<int32_t>(e.error.code); });
}
const char* amzsync_error_message(const amzsync_error* err) noexcept {
  return text_from_live(err, nullptr, [](const amzsync_error& e) -> const std::string& { return e.error.message; });
}
int32_t amzsync_error_retry(const amzsync_error* err) noexcept {
  return from_live(err, AMZSYNC_RETRY_NEVER, [](const amzsync_error& e) { return e.error.retry; });
}
int32_t amzsync_error_http_status(const amzsync_error* err) noexcept {
  return from_live(err, 0, [](const amzsync_error& e) { return e.error.http_status; });
}
const char* amzsync_error_api_code(const amzsync_error* err) noexcept {
  return text_from_live(err, nullptr, [](const amzsync_error& e) -> const std::string& { return e.error.api_code; });
}
const char* amzsync_error_request_id(const amzsync_error* err) noexcept {
  return text_from_live(err, nullptr, [](const amzsync_error& e) -> const std::string& { return e.error.request_id; });
}
void amzsync_error_free(amzsync_error* err) noexcept { free_live(err); }

int32_t amzsync_open(const amzsync_options* options, amzsync_engine** out_engine, amzsync_error** err) noexcept {
  if (out_engine) *out_engine = nullptr;
  return guarded(err, [&]() -> Status {
    if (!options) return missing("options");
    if (!is_live(options)) return Error(Code::invalid_argument, "What was passed as the options was freed, or is another handle.");
    if (!out_engine) return missing("out_engine");
    AMZ_TRY(occupied, Occupied::begin());
    halt_at_exit();
    AMZ_TRY(settings, to_settings(options->options));
    AMZ_TRY(runtime, Runtime::open(std::move(settings), options->options.log));
    *out_engine = new amzsync_engine(std::move(occupied), std::move(runtime));
    return Done{};
  });
}

int32_t amzsync_close(amzsync_engine* engine) noexcept {
  return guarded(nullptr, [&]() -> Status {
    if (!engine) return Done{};
    AMZ_CHECK(on_engine(engine, [&](Runtime& runtime) -> Status {
      if (must_not_wait(runtime)) return Code::would_deadlock;
      return Live::begin_close(engine);
    }));
    engine->runtime->break_off();
    Live::await_unused(engine);
    delete engine;
    return Done{};
  });
}

const char* amzsync_answer_json(const amzsync_answer* answer, size_t* out_size) noexcept {
  return text_from_live(answer, out_size, [](const amzsync_answer& a) -> const std::string& { return a.json; });
}
const char* amzsync_answer_sync_id(const amzsync_answer* answer) noexcept {
  return text_from_live(answer, nullptr, [](const amzsync_answer& a) -> const std::string& { return a.sync_id; });
}
const char* amzsync_answer_url(const amzsync_answer* answer) noexcept {
  return text_from_live(answer, nullptr, [](const amzsync_answer& a) -> const std::string& { return a.url; });
}
const char* amzsync_answer_user(const amzsync_answer* answer) noexcept {
  return text_from_live(answer, nullptr, [](const amzsync_answer& a) -> const std::string& { return a.user; });
}
const char* amzsync_answer_status(const amzsync_answer* answer) noexcept {
  return text_from_live(answer, nullptr, [](const amzsync_answer& a) -> const std::string& { return a.status; });
}
int32_t amzsync_answer_triggered(const amzsync_answer* answer) noexcept {
  return from_live(answer, 0, [](const amzsync_answer& a) { return a.triggered; });
}
int32_t amzsync_answer_verified(const amzsync_answer* answer) noexcept {
  return from_live(answer, 0, [](const amzsync_answer& a) { return a.verified; });
}
void amzsync_answer_free(amzsync_answer* answer) noexcept { free_live(answer); }

int32_t amzsync_consent_start(amzsync_engine* engine, const char* user, const char* frontend_url, const char* marketplace, amzsync_answer** out_answer,
                              amzsync_error** err) noexcept {
  return blocking(engine, out_answer, err, {AMZ_GIVEN(user), AMZ_GIVEN(frontend_url), AMZ_GIVEN(marketplace)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    AMZ_TRY(link, runtime.wait(runtime.engine().triggers().start_consent(id, text_or_empty(frontend_url), text_or_empty(marketplace))));
    return consent_answer(link);
  });
}

int32_t amzsync_consent_login(amzsync_engine* engine, const char* user, const char* frontend_url, const char* amazon_callback_uri, const char* amazon_state,
                              amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return blocking(engine, out_answer, err, {AMZ_GIVEN(user), AMZ_GIVEN(frontend_url), AMZ_GIVEN(amazon_callback_uri), AMZ_GIVEN(amazon_state)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    AMZ_TRY(link, runtime.wait(runtime.engine().triggers().start_appstore_login(id, text_or_empty(frontend_url), text_or_empty(amazon_callback_uri), text_or_empty(amazon_state))));
    return consent_answer(link);
  });
}

int32_t amzsync_consent_frontend(amzsync_engine* engine, const char* state, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return answering(engine, out_answer, err, {}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(its_state, name_of(state, "There is no such consent trip."));
    AMZ_TRY(url, runtime.engine().consent_frontend(its_state));
    Answer answer = with_json("{}");
    answer->url = url;
    return answer;
  });
}

int32_t amzsync_on_oauth_callback(amzsync_engine* engine, const amzsync_oauth_params* params, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return blocking(engine, out_answer, err, {}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(callback, callback_of(params));
    AMZ_TRY(outcome, runtime.wait(as_result(runtime.engine().triggers().on_oauth_callback(std::move(callback)))));
    return callback_answer(std::move(outcome));
  });
}

int32_t amzsync_on_oauth_callback_start(amzsync_engine* engine, const amzsync_oauth_params* params, amzsync_done_fn done, void* user_data, amzsync_error** err) noexcept {
  return calling(engine, err, {}, [&](Runtime& runtime) -> Status {
    if (!done) return missing("done");
    AMZ_TRY(callback, callback_of(params));
    runtime.start(as_result(runtime.engine().triggers().on_oauth_callback(std::move(callback))), [call = DoneCall{runtime, done, user_data}](Result<CallbackResult> outcome) {
      call(outcome ? callback_answer(std::move(*outcome)) : Result<Answer>(outcome.error()));
    });
    return Done{};
  });
}

int32_t amzsync_connect(amzsync_engine* engine, const char* user, const char* refresh_token, const char* seller_id, amzsync_answer** out_answer,
                        amzsync_error** err) noexcept {
  return blocking(engine, out_answer, err, {AMZ_GIVEN(user), AMZ_GIVEN(refresh_token), AMZ_GIVEN(seller_id)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    if (text_or_empty(refresh_token).empty()) return Error(Code::invalid_argument, "The refresh token is empty.");
    AMZ_TRY(run, runtime.wait(runtime.engine().triggers().connect_with_refresh_token(id, Secret(refresh_token), text_or_empty(seller_id))));
    return run_answer(id, run);
  });
}

int32_t amzsync_use_existing_connection(amzsync_engine* engine, const char* user, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return blocking(engine, out_answer, err, {AMZ_GIVEN(user)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    AMZ_TRY(outcome, runtime.wait(runtime.engine().triggers().use_existing_connection(id)));
    return existing_answer(id, outcome);
  });
}

int32_t amzsync_use_existing_connection_start(amzsync_engine* engine, const char* user, amzsync_done_fn done, void* user_data, amzsync_error** err) noexcept {
  return calling(engine, err, {AMZ_GIVEN(user)}, [&](Runtime& runtime) -> Status {
    if (!done) return missing("done");
    AMZ_TRY(id, user_of(user));
    runtime.start(runtime.engine().triggers().use_existing_connection(id), [call = DoneCall{runtime, done, user_data}, id = id](Result<sync::ExistingOutcome> outcome) {
      call(outcome ? Result<Answer>(existing_answer(id, *outcome)) : Result<Answer>(outcome.error()));
    });
    return Done{};
  });
}

int32_t amzsync_check(amzsync_engine* engine, amzsync_error** err) noexcept {
  return waiting(engine, err, {}, [&](Runtime& runtime) -> Status {
    return runtime.wait(runtime.engine().check());
  });
}

int32_t amzsync_connection(amzsync_engine* engine, const char* user, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return answering(engine, out_answer, err, {AMZ_GIVEN(user)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    AMZ_TRY(json, runtime.engine().connection_document(id));
    return with_json(std::move(json));
  });
}

int32_t amzsync_measures(amzsync_engine* engine, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return answering(engine, out_answer, err, {}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(json, runtime.engine().measures_document());
    return with_json(std::move(json));
  });
}

int32_t amzsync_erase(amzsync_engine* engine, const char* user, const char* by, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return blocking(engine, out_answer, err, {AMZ_GIVEN(user), AMZ_GIVEN(by)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    AMZ_TRY(json, runtime.wait(runtime.engine().erase(id, clean_utf8(text_or_empty(by), 200))));
    return with_json(std::move(json));
  });
}

int32_t amzsync_doctor(amzsync_engine* engine, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return blocking(engine, out_answer, err, {}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(json, runtime.wait(runtime.engine().examine()));
    return with_json(std::move(json));
  });
}

int32_t amzsync_rotate_key(amzsync_engine* engine, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return blocking(engine, out_answer, err, {}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(json, runtime.wait(runtime.engine().rotate_key()));
    return with_json(std::move(json));
  });
}

int32_t amzsync_migrate(const char* from, const char* to, amzsync_migrate_fn progress, void* user_data, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  if (out_answer) *out_answer = nullptr;
  return guarded(err, [&]() -> Status {
    if (!from) return missing("from");
    if (!to) return missing("to");
    AMZ_CHECK(check_texts({AMZ_GIVEN(from), AMZ_GIVEN(to)}, Code::setting_invalid));
    if (!out_answer) return missing("out_answer");
    AMZ_TRY(occupied, Occupied::begin());
    const auto tell = [&](const std::string& table, std::int64_t rows) {
      if (progress) progress(user_data, table.c_str(), rows);
    };
    AMZ_TRY(json, migrate(from, to, tell, Log()));
    *out_answer = with_json(std::move(json)).release();
    return Done{};
  });
}

int32_t amzsync_disconnect(amzsync_engine* engine, const char* user, const char* by, amzsync_error** err) noexcept {
  return waiting(engine, err, {AMZ_GIVEN(user), AMZ_GIVEN(by)}, [&](Runtime& runtime) -> Status {
    AMZ_TRY(id, user_of(user));
    return runtime.wait(runtime.engine().disconnect(id, clean_utf8(text_or_empty(by), 200)));
  });
}

int32_t amzsync_recoveries(amzsync_engine* engine, const char* user, int32_t by_month, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return blocking(engine, out_answer, err, {AMZ_GIVEN(user)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    AMZ_TRY(json, runtime.wait(runtime.engine().recoveries(id, by_month != 0)));
    Answer answer = with_json(std::move(json));
    answer->sync_id = member_text(answer->json, "syncId");
    const auto document = JsonDocument::parse(answer->json);
    answer->triggered = document && (*document)["syncTriggered"].boolean().value_or(false);
    return answer;
  });
}

namespace {
/// Names of streams as a run keeps them.
Result<std::string> asked_streams(const char* streams) {
  AMZ_TRY(names, parse_streams(text_or_empty(streams), Code::invalid_argument));
  std::string asked;
  for (const std::string& name : names) asked += (asked.empty() ? "" : ",") + name;
  return asked;
}
}  // namespace

int32_t amzsync_sync_start(amzsync_engine* engine, const char* user, const char* streams, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return blocking(engine, out_answer, err, {AMZ_GIVEN(user), AMZ_GIVEN(streams)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    AMZ_TRY(asked, asked_streams(streams));
    if (const auto attached = runtime.engine().triggers().attach(id, asked)) return run_answer(id, *attached);
    AMZ_TRY(run, runtime.wait(runtime.engine().triggers().start(id, asked)));
    return run_answer(id, run);
  });
}

int32_t amzsync_replay(amzsync_engine* engine, const char* user, const char* streams, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return blocking(engine, out_answer, err, {AMZ_GIVEN(user), AMZ_GIVEN(streams)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    AMZ_TRY(asked, asked_streams(streams));
    AMZ_TRY(run, runtime.wait(runtime.engine().triggers().replay(id, asked)));
    return run_answer(id, run);
  });
}

namespace {

std::int32_t pause_or_resume(amzsync_engine* engine, const char* user, const char* by, amzsync_error** err, Async<Status> (Engine::*act)(std::optional<UserId>, std::string)) noexcept {
  return waiting(engine, err, {AMZ_GIVEN(user), AMZ_GIVEN(by)}, [&](Runtime& runtime) -> Status {
    std::optional<UserId> whom;
    if (user) {
      AMZ_TRY(id, parse_user_id(user));
      whom = id;
    }
    return runtime.wait((runtime.engine().*act)(whom, clean_utf8(text_or_empty(by), 200)));
  });
}

}  // namespace

int32_t amzsync_pause(amzsync_engine* engine, const char* user, const char* by, amzsync_error** err) noexcept { return pause_or_resume(engine, user, by, err, &Engine::pause); }
int32_t amzsync_resume(amzsync_engine* engine, const char* user, const char* by, amzsync_error** err) noexcept { return pause_or_resume(engine, user, by, err, &Engine::resume); }

int32_t amzsync_notify(amzsync_engine* engine, const char* user, const char* message, size_t size, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return blocking(engine, out_answer, err, {AMZ_GIVEN(user)}, [&](Runtime& runtime) -> Result<Answer> {
    if (!message) return missing("message");
    constexpr std::size_t kMost = 1U << 20;
    if (size > kMost) return Error(Code::invalid_argument, "A notification must not be larger than a megabyte.");
    std::optional<UserId> whose;
    if (user) {
      AMZ_TRY(id, parse_user_id(user));
      whose = id;
    }
    AMZ_TRY(outcomes, runtime.wait(runtime.engine().triggers().on_notification(whose, std::string(message, size))));
    JsonWriter json;
    json.begin_object().key("notifications").begin_array();
    for (const sync::NotificationOutcome& o : outcomes) {
      json.begin_object().field("id", o.id).field("type", o.type).field("connected", o.connected).field("known", o.known).field("duplicate", o.duplicate);
      if (o.sync_id) json.field("syncId", o.sync_id->text());
      if (o.planned_at) json.field("plannedAt", *o.planned_at);
      json.end_object();
    }
    Answer answer = with_json(std::move(json.end_array().end_object()).text());
    for (const sync::NotificationOutcome& o : outcomes) {
      if (!o.sync_id) continue;
      answer->sync_id = o.sync_id->text();
      answer->triggered = true;
    }
    return answer;
  });
}

int32_t amzsync_set_client_secret(amzsync_engine* engine, const char* client_secret, amzsync_error** err) noexcept {
  return waiting(engine, err, {AMZ_GIVEN(client_secret)}, [&](Runtime& runtime) -> Status {
    if (!client_secret) return missing("client_secret");
    return runtime.wait(runtime.engine().set_client_secret(Secret(std::string(client_secret))));
  });
}

int32_t amzsync_sync_cancel(amzsync_engine* engine, const char* user, const char* sync_id, const char* by, amzsync_error** err) noexcept {
  return waiting(engine, err, {AMZ_GIVEN(user), AMZ_GIVEN(by)}, [&](Runtime& runtime) -> Status {
    AMZ_TRY(id, user_of(user));
    AMZ_TRY(sync, name_of(sync_id, kNoSync));
    return runtime.wait(runtime.engine().cancel(id, SyncId(sync), clean_utf8(text_or_empty(by), 200)));
  });
}

namespace {
Result<Answer> status_answer(Runtime& runtime, const UserId& user, const std::string& sync_id) {
  AMZ_TRY(json, runtime.engine().run_document(user, SyncId(sync_id)));
  Answer answer = with_json(std::move(json));
  answer->user = user.text();
  answer->sync_id = sync_id;
  answer->status = member_text(answer->json, "status");
  return answer;
}
}  // namespace

int32_t amzsync_sync_status(amzsync_engine* engine, const char* user, const char* sync_id, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return answering(engine, out_answer, err, {AMZ_GIVEN(user)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    AMZ_TRY(sync, name_of(sync_id, kNoSync));
    return status_answer(runtime, id, sync);
  });
}

int32_t amzsync_sync_wait(amzsync_engine* engine, const char* user, const char* sync_id, int64_t timeout_ms, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return blocking(engine, out_answer, err, {AMZ_GIVEN(user)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    AMZ_TRY(run, name_of(sync_id, kNoSync));
    // Woken by whatever is journalled for the user; the run's row is asked each time, so no event can be missed.
    amzsync_events* events = nullptr;
    amzsync_error* failed = nullptr;
    if (amzsync_events_open(engine, user, AMZSYNC_EVENTS_LIVE, &events, &failed) != AMZSYNC_OK) {
      const std::unique_ptr<amzsync_error> owner(failed);
      return owner ? owner->error : Error(Code::no_memory);
    }
    const std::unique_ptr<amzsync_events, void (*)(amzsync_events*)> closer(events, [](amzsync_events* e) { amzsync_events_close(e); });
    const Steady start = runtime.clock().steady();
    for (;;) {
      AMZ_TRY(answer, status_answer(runtime, id, run));
      if (store::is_over(store::status_from(answer->status))) return std::move(answer);
      std::int64_t wait = AMZSYNC_WAIT_FOREVER;
      if (timeout_ms >= 0) {
        wait = timeout_ms - std::chrono::duration_cast<std::chrono::milliseconds>(runtime.clock().steady() - start).count();
        if (wait <= 0) return Error(Code::timeout, "The sync goes on; it was not over in time.");
      }
      amzsync_event* event = nullptr;
      if (amzsync_events_next(events, wait, &event, &failed) != AMZSYNC_OK) {
        const std::unique_ptr<amzsync_error> owner(failed);
        return owner ? owner->error : Error(Code::no_memory);
      }
      amzsync_event_free(event);
    }
  });
}

int32_t amzsync_status(amzsync_engine* engine, const char* user, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return answering(engine, out_answer, err, {AMZ_GIVEN(user)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    AMZ_TRY(json, runtime.engine().status_document(id));
    return with_json(std::move(json));
  });
}

int32_t amzsync_history(amzsync_engine* engine, const char* user, int32_t limit, int64_t offset, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return answering(engine, out_answer, err, {AMZ_GIVEN(user)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    AMZ_TRY(json, runtime.engine().history_document(id, limit, offset));
    return with_json(std::move(json));
  });
}

int32_t amzsync_findings(amzsync_engine* engine, const char* user, const char* status, const char* type, int32_t limit, int64_t offset, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return answering(engine, out_answer, err, {AMZ_GIVEN(user), AMZ_GIVEN(status), AMZ_GIVEN(type)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    AMZ_TRY(json, runtime.engine().findings_document(id, {.readiness = std::string(text_or_empty(status)), .rule = std::string(text_or_empty(type)), .state = {}, .limit = limit, .offset = offset}));
    return with_json(std::move(json));
  });
}

int32_t amzsync_finding_statistics(amzsync_engine* engine, const char* user, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return answering(engine, out_answer, err, {AMZ_GIVEN(user)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    AMZ_TRY(json, runtime.engine().finding_statistics_document(id));
    return with_json(std::move(json));
  });
}

int32_t amzsync_explain(amzsync_engine* engine, const char* user, const char* what, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return answering(engine, out_answer, err, {AMZ_GIVEN(user), AMZ_GIVEN(what)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    if (!what || !*what) return missing("what");
    AMZ_TRY(json, runtime.engine().explain_document(id, what));
    return with_json(std::move(json));
  });
}

int32_t amzsync_finding_set_state(amzsync_engine* engine, const char* user, const char* finding_id, const char* state, const char* case_id, amzsync_answer** out_answer, amzsync_error** err) noexcept {
  return blocking(engine, out_answer, err, {AMZ_GIVEN(user), AMZ_GIVEN(state), AMZ_GIVEN(case_id)}, [&](Runtime& runtime) -> Result<Answer> {
    AMZ_TRY(id, user_of(user));
    if (!finding_id || !*finding_id) return missing("finding_id");
    AMZ_TRY(finding, name_of(finding_id, "There is no such finding."));
    AMZ_TRY(json, runtime.wait(runtime.engine().set_finding_state(id, finding, std::string(text_or_empty(state)), std::string(text_or_empty(case_id)))));
    return with_json(std::move(json));
  });
}

int32_t amzsync_supply(amzsync_engine* engine, const char* user, const char* kind, const char* rows, amzsync_error** err) noexcept {
  return waiting(engine, err, {AMZ_GIVEN(user), AMZ_GIVEN(kind), AMZ_GIVEN_UP_TO(rows, kLargestTable)}, [&](Runtime& runtime) -> Status {
    AMZ_TRY(id, user_of(user));
    AMZ_TRY(count, runtime.wait(runtime.engine().supply(id, std::string(text_or_empty(kind)), std::string(text_or_empty(rows)))));
    return Done{};
  });
}

int32_t amzsync_stats_get(amzsync_engine* engine, amzsync_stats* stats, amzsync_error** err) noexcept {
  return calling(engine, err, {}, [&](Runtime& runtime) -> Status {
    if (!stats) return missing("stats");
    if (stats->size < offsetof(amzsync_stats, runs_here)) return Error(Code::invalid_argument, "stats->size is too small; set it to sizeof(amzsync_stats).");
    AMZ_TRY(gathered, gather_stats(runtime));
    const auto size = std::min<std::uint32_t>(stats->size, sizeof(amzsync_stats));
    gathered.size = size;
    std::char_traits<char>::copy(reinterpret_cast<char*>(stats), reinterpret_cast<const char*>(&gathered), size);
    return Done{};
  });
}

}  // extern "C"
