// SPDX-License-Identifier: Apache-2.0
// Every function of the header, called wrongly in every way that there is: wrong-calls AMAZON_URL DATABASE
// NULL, a handle of another kind, one that was freed, a closed engine, text that is no UTF-8, a megabyte of it; then all of that from inside a callback, and from
// sixteen threads at once; and rightly, with memory that runs out at every allocation in turn. What must come is what the header's rules say; tests/host/capi_test.py
// sees to it that no function is missing here.
#include <amzsync/amzsync.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

/// How many allocations this thread may still make; negative: as many as it likes.
thread_local long allocations_left = -1;

}  // namespace

// The library's are these, too.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  if (allocations_left == 0) {
    allocations_left = -1;   // what is then done about it has memory again
    return nullptr;
  }
  if (allocations_left > 0) --allocations_left;
  return std::malloc(size ? size : 1);
}
void* operator new(std::size_t size) {
  if (void* place = operator new(size, std::nothrow)) return place;
  throw std::bad_alloc();
}
void operator delete(void* place) noexcept { std::free(place); }
void operator delete(void* place, std::size_t) noexcept { std::free(place); }

namespace {

std::atomic<int> failures{0};

void check(bool right, const std::string& what) {
  if (right) return;
  ++failures;
  std::fprintf(stderr, "%s\n", what.c_str());
}

const std::string kMegabyte(1U << 20, 'x');
const char* const kNoUtf8 = "\xff\xfe\xc3";
constexpr int kAny = -1;   // NULL is allowed: what comes depends on the rest

/// A text parameter: a value that is in order, and what NULL leads to.
struct Arg {
  const char* good;
  int null_code;
  int no_utf8_code = AMZSYNC_ERROR_INVALID_ARGUMENT, megabyte_code = AMZSYNC_ERROR_INVALID_ARGUMENT;
};

using Texts = std::vector<const char*>;

/// What a function is called with and gives back.
struct Call {
  amzsync_engine* engine;
  amzsync_options* options;
  const Texts& texts;
  bool no_out;   // NULL where the answer goes
  amzsync_error** err;
};

struct Function {
  const char* name;
  std::vector<Arg> args;
  bool waits;       // WOULD_DEADLOCK inside a callback
  bool answers;     // has an out parameter
  std::function<int32_t(const Call&)> call;
};

template <class Function>
int32_t answered(const Call& c, Function call) {
  amzsync_answer* answer = reinterpret_cast<amzsync_answer*>(c.engine);
  const int32_t code = call(c.no_out ? nullptr : &answer);
  if (!c.no_out) {
    if ((code == AMZSYNC_OK) != (answer != nullptr)) check(false, "an answer without success, or the other way round");
    amzsync_answer_free(answer);
  }
  return code;
}

void ignore_event(void*, const amzsync_event*) {}
void ignore_done(void*, int32_t, const amzsync_answer*, const amzsync_error*) {}
void ignore_log(void*, int32_t, const char*, const char*) {}
void ignore_exchange(void*, amzsync_exchange*) {}
void ignore_put(void*, const char*, const char*, const char*, amzsync_token_call*) {}
void ignore_name(void*, const char*, amzsync_token_call*) {}
void count_free(void* data) { ++*static_cast<int*>(data); }

constexpr int kInvalid = AMZSYNC_ERROR_INVALID_ARGUMENT, kSetting = AMZSYNC_ERROR_SETTING_INVALID;
const Arg kSync{"sync", AMZSYNC_ERROR_NOT_FOUND, AMZSYNC_ERROR_NOT_FOUND, AMZSYNC_ERROR_NOT_FOUND};
const Arg kUser{"nobody", kInvalid}, kAnybody{"nobody", kAny}, kBy{"me", kAny};

#define TEXT(n) c.texts[n]
#define ANSWERED(name, ...) answered(c, [&](amzsync_answer** out) { return name(c.engine, __VA_ARGS__, out, c.err); })
#define ASKS(name, waits, args, ...) {#name, args, waits, true, [](const Call& c) { return ANSWERED(name, __VA_ARGS__); }}
#define ACTS(name, args, ...) {#name, args, true, false, [](const Call& c) { return name(c.engine, __VA_ARGS__, c.err); }}
#define ARGS(...) {__VA_ARGS__}

std::vector<Function> engine_functions() {
  return {
      ASKS(amzsync_consent_start, true, ARGS(kUser, {"https://app.example/x", kAny}, {"US", kAny}), TEXT(0), TEXT(1), TEXT(2)),
      ASKS(amzsync_consent_login, true, ARGS(kUser, {"https://app.example/x", kAny}, {"https://amazon.com/x", kInvalid}, {"state", kInvalid}), TEXT(0), TEXT(1), TEXT(2), TEXT(3)),
      ASKS(amzsync_consent_frontend, false, ARGS({"state", AMZSYNC_ERROR_NOT_FOUND, AMZSYNC_ERROR_NOT_FOUND, AMZSYNC_ERROR_NOT_FOUND}), TEXT(0)),
      ASKS(amzsync_connect, true, ARGS(kUser, {"Atzr|nobody", kInvalid}, {"ASELLER", kAny}), TEXT(0), TEXT(1), TEXT(2)),
      ASKS(amzsync_use_existing_connection, true, ARGS(kUser), TEXT(0)),
      ASKS(amzsync_connection, false, ARGS(kUser), TEXT(0)),
      ASKS(amzsync_erase, true, ARGS(kUser, kBy), TEXT(0), TEXT(1)),
      ASKS(amzsync_recoveries, true, ARGS(kUser), TEXT(0), 1),
      ASKS(amzsync_sync_start, true, ARGS(kUser, {"inventory", kAny}), TEXT(0), TEXT(1)),
      ASKS(amzsync_replay, true, ARGS(kUser, {"inventory", kAny}), TEXT(0), TEXT(1)),
      ASKS(amzsync_notify, true, ARGS(kAnybody, {"{}", kInvalid}), TEXT(0), TEXT(1), TEXT(1) ? std::strlen(TEXT(1)) : 0),
      ASKS(amzsync_sync_status, false, ARGS(kUser, kSync), TEXT(0), TEXT(1)),
      ASKS(amzsync_sync_wait, true, ARGS(kUser, kSync), TEXT(0), TEXT(1), 5),
      ASKS(amzsync_status, false, ARGS(kUser), TEXT(0)),
      ASKS(amzsync_history, false, ARGS(kUser), TEXT(0), 10, 0),
      ASKS(amzsync_findings, false, ARGS(kUser, {"open", kAny}, {"lost_warehouse", kAny}), TEXT(0), TEXT(1), TEXT(2), 10, 0),
      ASKS(amzsync_finding_statistics, false, ARGS(kUser), TEXT(0)),
      ASKS(amzsync_explain, false, ARGS(kUser, {"SKU", kInvalid}), TEXT(0), TEXT(1)),
      ASKS(amzsync_finding_set_state, true, ARGS(kUser, {"finding", kInvalid, AMZSYNC_ERROR_NOT_FOUND, AMZSYNC_ERROR_NOT_FOUND}, {"won", kInvalid}, {"case", kAny}), TEXT(0), TEXT(1), TEXT(2), TEXT(3)),
      ACTS(amzsync_sync_cancel, ARGS(kUser, kSync, kBy), TEXT(0), TEXT(1), TEXT(2)),
      ACTS(amzsync_disconnect, ARGS(kUser, kBy), TEXT(0), TEXT(1)),
      ACTS(amzsync_pause, ARGS({"nobody", AMZSYNC_OK}, kBy), TEXT(0), TEXT(1)),
      ACTS(amzsync_resume, ARGS({"nobody", AMZSYNC_OK}, kBy), TEXT(0), TEXT(1)),
      ACTS(amzsync_set_client_secret, ARGS({"secret", kInvalid}), TEXT(0)),
      ACTS(amzsync_supply, ARGS(kUser, {"costs", kInvalid}, {"[]", kInvalid}), TEXT(0), TEXT(1), TEXT(2)),
      ACTS(amzsync_changes_acknowledge, ARGS(kUser, {"reader", kInvalid}), TEXT(0), TEXT(1), 1),
      {"amzsync_changes_acknowledged", {kUser, {"reader", kInvalid}}, false, true, [](const Call& c) {
         int64_t position = 0;
         return amzsync_changes_acknowledged(c.engine, TEXT(0), TEXT(1), c.no_out ? nullptr : &position, c.err);
       }},
      {"amzsync_changes_open", {kUser, {"inventory", kAny}}, false, true, [](const Call& c) {
         amzsync_changes* changes = nullptr;
         const int32_t code = amzsync_changes_open(c.engine, TEXT(0), TEXT(1), 0, c.no_out ? nullptr : &changes, c.err);
         amzsync_changes_close(changes);
         return code;
       }},
      {"amzsync_events_open", {kAnybody}, false, true, [](const Call& c) {
         amzsync_events* events = nullptr;
         const int32_t code = amzsync_events_open(c.engine, TEXT(0), 0, c.no_out ? nullptr : &events, c.err);
         amzsync_events_close(events);
         return code;
       }},
      {"amzsync_subscribe", {kAnybody}, false, true, [](const Call& c) {
         int64_t id = 0;
         const int32_t code = amzsync_subscribe(c.engine, TEXT(0), AMZSYNC_EVENTS_LIVE, ignore_event, nullptr, nullptr, c.no_out ? nullptr : &id, c.err);
         if (code == AMZSYNC_OK) amzsync_unsubscribe(c.engine, id);   // refused inside a callback: the close ends it
         return code;
       }},
      {"amzsync_on_oauth_callback", {{"nobody", kAny}, {"state", AMZSYNC_ERROR_INVALID_STATE, AMZSYNC_ERROR_INVALID_STATE}, {"code", AMZSYNC_ERROR_INVALID_STATE, AMZSYNC_ERROR_INVALID_STATE}}, true, true, [](const Call& c) {
         amzsync_oauth_params params{};
         params.size = sizeof params;
         params.user = TEXT(0);
         params.state = TEXT(1);
         params.code = TEXT(2);
         return answered(c, [&](amzsync_answer** out) { return amzsync_on_oauth_callback(c.engine, &params, out, c.err); });
       }},
      {"amzsync_on_oauth_callback_start", {{"nobody", kAny}}, false, false, [](const Call& c) {
         amzsync_oauth_params params{};
         params.size = sizeof params;
         params.user = TEXT(0);
         return amzsync_on_oauth_callback_start(c.engine, &params, ignore_done, nullptr, c.err);
       }},
      {"amzsync_use_existing_connection_start", {kUser}, false, false, [](const Call& c) { return amzsync_use_existing_connection_start(c.engine, TEXT(0), ignore_done, nullptr, c.err); }},
      {"amzsync_check", {}, true, false, [](const Call& c) { return amzsync_check(c.engine, c.err); }},
      {"amzsync_doctor", {}, true, true, [](const Call& c) { return answered(c, [&](amzsync_answer** out) { return amzsync_doctor(c.engine, out, c.err); }); }},
      {"amzsync_rotate_key", {}, true, true, [](const Call& c) { return answered(c, [&](amzsync_answer** out) { return amzsync_rotate_key(c.engine, out, c.err); }); }},
      {"amzsync_measures", {}, false, true, [](const Call& c) { return answered(c, [&](amzsync_answer** out) { return amzsync_measures(c.engine, out, c.err); }); }},
      {"amzsync_stats_get", {}, false, true, [](const Call& c) {
         amzsync_stats stats{};
         stats.size = sizeof stats;
         return amzsync_stats_get(c.engine, c.no_out ? nullptr : &stats, c.err);
       }},
  };
}

#define SETS(name, args, ...) {#name, args, false, false, [](const Call& c) { return name(c.options, __VA_ARGS__, c.err); }}

std::vector<Function> option_functions() {
  return {
      SETS(amzsync_options_set_store, ARGS({"sqlite:x", kSetting}), TEXT(0)),
      SETS(amzsync_options_set_app, ARGS({"c", kSetting}, {"s", kSetting}, {"a", kAny}, {"https://host.example/x", kAny}), TEXT(0), TEXT(1), TEXT(2), TEXT(3)),
      SETS(amzsync_options_set_host, ARGS({"host", kSetting}, {"1", kAny}), TEXT(0), TEXT(1)),
      SETS(amzsync_options_set_region, ARGS({"na", kSetting}), TEXT(0)),
      SETS(amzsync_options_set_environment, ARGS({"sandbox", kSetting}), TEXT(0)),
      SETS(amzsync_options_set_endpoints, ARGS({"https://a.example", kAny}, {"https://b.example", kAny}, {"https://c.example", kAny}), TEXT(0), TEXT(1), TEXT(2)),
      SETS(amzsync_options_set_ca_file, ARGS({"/x.pem", kAny}), TEXT(0)),
      SETS(amzsync_options_set_proxy, ARGS({"http://proxy.example:1", kAny}), TEXT(0)),
      SETS(amzsync_options_set_master_key, ARGS({"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", kSetting}), TEXT(0)),
      SETS(amzsync_options_set_finances, ARGS({"v0", kSetting}), TEXT(0)),
      SETS(amzsync_options_set_streams, ARGS({"inventory", kAny}), TEXT(0)),
      SETS(amzsync_options_set_policy, ARGS({"windows.json", kSetting}, {"{}", kSetting}), TEXT(0), TEXT(1)),
      SETS(amzsync_options_set_synchronous_full, {}, 2),
      SETS(amzsync_options_set_app_draft, {}, 2),
      SETS(amzsync_options_set_history_days, {}, 0),
      SETS(amzsync_options_set_sync_every_minutes, {}, 1),
      SETS(amzsync_options_set_journal_days, {}, 0),
      SETS(amzsync_options_set_archive_days, {}, -1),
      SETS(amzsync_options_set_archive_pages, {}, 2),
      SETS(amzsync_options_set_shared_sellers, {}, 2),
      SETS(amzsync_options_set_max_runs, {}, -1),
      SETS(amzsync_options_set_log, {}, 9, ignore_log, nullptr, nullptr),
  };
}

Texts good_texts(const Function& f) {
  Texts texts;
  for (const Arg& arg : f.args) texts.push_back(arg.good);
  return texts;
}

/// Calls it, and sees that the code and the error object agree.
int32_t tried(const Function& f, amzsync_engine* engine, amzsync_options* options, const Texts& texts, bool no_out = false) {
  amzsync_error* err = nullptr;
  const int32_t code = f.call({engine, options, texts, no_out, &err});
  check(amzsync_error_code(err) == code, std::string(f.name) + ": the code and its error disagree");
  check((code == AMZSYNC_OK) == (err == nullptr), std::string(f.name) + ": an error without a failure, or the other way round");
  if (err) check(amzsync_error_message(err)[0] != '\0' && std::strlen(amzsync_error_message(err)) < 2000, std::string(f.name) + ": no message that anybody could read");
  amzsync_error_free(err);
  check(f.call({engine, options, texts, no_out, nullptr}) == code || code == AMZSYNC_OK, std::string(f.name) + ": another code without an error object");
  return code;
}

void expect(const Function& f, int32_t code, int32_t expected, const std::string& how) {
  if (expected == kAny) return;
  check(code == expected, std::string(f.name) + " " + how + ": " + amzsync_status_name(code) + " in place of " + amzsync_status_name(expected));
}

/// The parameters, one wrong at a time. `otherwise`: what wrong text leads to.
void wrong_texts(const Function& f, amzsync_engine* engine, amzsync_options* options, int32_t otherwise) {
  for (std::size_t n = 0; n < f.args.size(); ++n) {
    const std::string which = "with parameter " + std::to_string(n + 1);
    Texts texts = good_texts(f);
    texts[n] = nullptr;
    expect(f, tried(f, engine, options, texts), f.args[n].null_code, which + " NULL");
    texts[n] = kNoUtf8;
    expect(f, tried(f, engine, options, texts), otherwise == kInvalid ? f.args[n].no_utf8_code : otherwise, which + " no UTF-8");
    texts[n] = kMegabyte.c_str();
    expect(f, tried(f, engine, options, texts), otherwise == kInvalid ? f.args[n].megabyte_code : otherwise, which + " a megabyte");
  }
}

void wrong_engine_calls(const std::vector<Function>& all, amzsync_engine* engine, amzsync_options* other, bool in_callback) {
  for (const Function& f : all) {
    const Texts texts = good_texts(f);
    expect(f, tried(f, nullptr, nullptr, texts), kInvalid, "without an engine");
    expect(f, tried(f, reinterpret_cast<amzsync_engine*>(other), nullptr, texts), kInvalid, "with another handle for the engine");
    if (in_callback && f.waits) {
      expect(f, tried(f, engine, nullptr, texts), AMZSYNC_ERROR_WOULD_DEADLOCK, "inside a callback");
      continue;
    }
    if (f.answers) expect(f, tried(f, engine, nullptr, texts, true), kInvalid, "with NULL where the answer goes");
    wrong_texts(f, engine, nullptr, kInvalid);
  }
}

void wrong_option_calls(const std::vector<Function>& all) {
  amzsync_options* options = amzsync_options_new();
  amzsync_options* freed = amzsync_options_new();
  amzsync_options_free(freed);
  amzsync_options_free(freed);
  amzsync_error* other = nullptr;
  amzsync_options_set_region(options, "moon", &other);
  for (const Function& f : all) {
    const Texts texts = good_texts(f);
    expect(f, tried(f, nullptr, nullptr, texts), kInvalid, "without options");
    expect(f, tried(f, nullptr, reinterpret_cast<amzsync_options*>(other), texts), kInvalid, "with another handle for the options");
    expect(f, tried(f, nullptr, freed, texts), kInvalid, "with options that were freed");
    wrong_texts(f, nullptr, options, kSetting);
    if (f.args.empty()) expect(f, tried(f, nullptr, options, texts), kSetting, "with a number that can't be");
  }
  amzsync_engine* engine = nullptr;
  check(amzsync_open(nullptr, &engine, nullptr) == kInvalid && amzsync_open(options, nullptr, nullptr) == kInvalid, "amzsync_open without options, or a place for the engine");
  check(amzsync_open(freed, &engine, nullptr) == kInvalid && !engine, "amzsync_open with options that were freed");
  check(amzsync_open(reinterpret_cast<amzsync_options*>(other), &engine, nullptr) == kInvalid && !engine, "amzsync_open with another handle");
  amzsync_error_free(other);
  amzsync_options_free(options);
}

/// A getter gives 0 or "" for NULL, for what was freed, and for a handle of another kind.
template <class Handle, class Get>
void wrong_getter(const char* name, const void* freed, const void* other, Get get, decltype(get(static_cast<Handle*>(nullptr))) nothing, bool null_too = true) {
  for (const void* handle : {static_cast<const void*>(nullptr), freed, other}) {
    if (!handle && !null_too) continue;
    const auto got = get(static_cast<Handle*>(const_cast<void*>(handle)));
    if constexpr (std::is_same_v<decltype(nothing), const char*>)
      check(std::strcmp(got, nothing) == 0, std::string(name) + " of no handle gives something");
    else
      check(got == nothing, std::string(name) + " of no handle gives something");
  }
}

#define NO_TEXT(Handle, name, freed, other) wrong_getter<const Handle>(#name, freed, other, [](const Handle* h) { return name(h); }, "")
#define NO_TEXT_SIZED(Handle, name, freed, other) \
  wrong_getter<const Handle>(#name, freed, other, [](const Handle* h) { std::size_t size = 7; const char* text = name(h, &size); check(size == 0, #name " has a size"); return text; }, "")
#define NO_NUMBER(Handle, name, freed, other, nothing) wrong_getter<const Handle>(#name, freed, other, [](const Handle* h) { return name(h); }, nothing)

void wrong_getters(amzsync_engine* engine) {
  amzsync_options* other = amzsync_options_new();
  amzsync_error* err = nullptr;
  amzsync_status(engine, nullptr, nullptr, &err);
  amzsync_error_free(err);
  amzsync_error_free(err);   // twice harms nothing
  NO_TEXT(amzsync_error, amzsync_error_message, err, other);
  NO_TEXT(amzsync_error, amzsync_error_api_code, err, other);
  NO_TEXT(amzsync_error, amzsync_error_request_id, err, other);
  NO_NUMBER(amzsync_error, amzsync_error_retry, err, other, AMZSYNC_RETRY_NEVER);
  NO_NUMBER(amzsync_error, amzsync_error_http_status, err, other, 0);
  check(amzsync_error_code(nullptr) == AMZSYNC_OK && amzsync_error_code(err) == kInvalid && amzsync_error_code(reinterpret_cast<amzsync_error*>(other)) == kInvalid, "amzsync_error_code of no error");

  amzsync_answer* answer = nullptr;
  amzsync_status(engine, "nobody", &answer, nullptr);
  amzsync_answer_free(answer);
  amzsync_answer_free(answer);
  NO_TEXT_SIZED(amzsync_answer, amzsync_answer_json, answer, other);
  NO_TEXT(amzsync_answer, amzsync_answer_sync_id, answer, other);
  NO_TEXT(amzsync_answer, amzsync_answer_url, answer, other);
  NO_TEXT(amzsync_answer, amzsync_answer_user, answer, other);
  NO_TEXT(amzsync_answer, amzsync_answer_status, answer, other);
  NO_NUMBER(amzsync_answer, amzsync_answer_triggered, answer, other, 0);
  NO_NUMBER(amzsync_answer, amzsync_answer_verified, answer, other, 0);

  amzsync_events* events = nullptr;
  check(amzsync_events_open(engine, "seller", 0, &events, nullptr) == AMZSYNC_OK, "no reader");
  amzsync_event* event = nullptr;
  check(amzsync_events_next(events, 10'000, &event, nullptr) == AMZSYNC_OK && event, "no event");
  amzsync_event_free(event);
  amzsync_event_free(event);
  check(amzsync_events_next(events, 0, nullptr, nullptr) == kInvalid, "amzsync_events_next with NULL where the event goes");
  amzsync_events_close(events);
  amzsync_events_close(events);
  NO_NUMBER(amzsync_event, amzsync_event_seq, event, other, 0);
  NO_NUMBER(amzsync_event, amzsync_event_journal, event, other, 0);
  NO_TEXT(amzsync_event, amzsync_event_type, event, other);
  NO_TEXT(amzsync_event, amzsync_event_user, event, other);
  NO_TEXT_SIZED(amzsync_event, amzsync_event_json, event, other);
  NO_TEXT_SIZED(amzsync_event, amzsync_event_sse, event, other);
  NO_NUMBER(amzsync_events, amzsync_events_gap, events, other, 0);
  NO_NUMBER(amzsync_events, amzsync_events_position, events, other, 0);
  NO_NUMBER(amzsync_events, amzsync_events_journal, events, other, 0);
  NO_NUMBER(amzsync_events, amzsync_events_fd, events, other, -1);
  wrong_getter<amzsync_events>("amzsync_events_sse_hello", events, other, [](amzsync_events* e) { return amzsync_events_sse_hello(e, nullptr); }, "");
  wrong_getter<amzsync_events>("amzsync_events_next", events, other, [](amzsync_events* e) { amzsync_event* none = nullptr; return amzsync_events_next(e, 0, &none, nullptr); }, kInvalid);

  amzsync_changes* changes = nullptr;
  const char* json = nullptr;
  check(amzsync_changes_open(engine, "seller", nullptr, 0, &changes, nullptr) == AMZSYNC_OK, "no changes");
  check(amzsync_changes_next(changes, nullptr, nullptr, nullptr) == kInvalid, "amzsync_changes_next with NULL where the change goes");
  amzsync_changes_close(changes);
  amzsync_changes_close(changes);
  wrong_getter<amzsync_changes>("amzsync_changes_next", changes, other, [&](amzsync_changes* c) { return amzsync_changes_next(c, &json, nullptr, nullptr); }, kInvalid);
  NO_NUMBER(amzsync_changes, amzsync_changes_position, changes, other, 0);
  NO_NUMBER(amzsync_changes, amzsync_changes_gap, changes, other, 0);

  check(amzsync_unsubscribe(nullptr, 1) == kInvalid && amzsync_unsubscribe(reinterpret_cast<amzsync_engine*>(other), 1) == kInvalid, "amzsync_unsubscribe without an engine");
  check(amzsync_unsubscribe(engine, 4711) == AMZSYNC_ERROR_NOT_FOUND, "amzsync_unsubscribe of nothing");
  check(amzsync_close(reinterpret_cast<amzsync_engine*>(other)) == kInvalid, "amzsync_close of another handle");
  for (const char* from : {static_cast<const char*>(nullptr), kNoUtf8, kMegabyte.c_str(), "elsewhere"})
    check(amzsync_migrate(from, "postgresql://nobody", nullptr, nullptr, &answer, nullptr) == (from ? kSetting : kInvalid) && !answer, "amzsync_migrate from nowhere");
  check(amzsync_migrate("sqlite:x", nullptr, nullptr, nullptr, &answer, nullptr) == kInvalid && amzsync_migrate("sqlite:x", "postgresql://nobody", nullptr, nullptr, nullptr, nullptr) == kInvalid,
        "amzsync_migrate to nowhere");
  // A free function leaves a handle of another kind alone.
  amzsync_answer_free(reinterpret_cast<amzsync_answer*>(other));
  amzsync_error_free(reinterpret_cast<amzsync_error*>(other));
  amzsync_event_free(reinterpret_cast<amzsync_event*>(other));
  amzsync_events_close(reinterpret_cast<amzsync_events*>(other));
  amzsync_changes_close(reinterpret_cast<amzsync_changes*>(other));
  check(amzsync_options_set_region(other, "eu", nullptr) == AMZSYNC_OK, "it was freed as another kind");
  amzsync_options_free(other);

  // What needs no handle.
  for (const int32_t code : {-1, 4711, INT32_MAX, INT32_MIN}) check(std::strcmp(amzsync_status_name(code), "unknown") == 0 && amzsync_status_sentence(code)[0], "a code that is none");
  check(amzsync_version()[0] && amzsync_abi_version() == AMZSYNC_ABI_VERSION, "no version");
}

/// Each function, called rightly, with the first allocation of this thread failing, the second, and so on until none does.
void without_memory(const std::vector<Function>& all, amzsync_engine* engine, amzsync_options* options) {
  for (const Function& f : all) {
    const Texts texts = good_texts(f);
    const int32_t undisturbed = f.call({engine, options, texts, false, nullptr});
    bool ran_out = true;
    for (long n = 0; ran_out && n < 10'000; ++n) {
      allocations_left = n;
      amzsync_error* err = nullptr;
      const int32_t code = f.call({engine, options, texts, false, &err});
      ran_out = allocations_left < 0;
      allocations_left = -1;
      amzsync_error_free(err);
      check(code == undisturbed || (ran_out && code == AMZSYNC_ERROR_NO_MEMORY), std::string(f.name) + " without memory at allocation " + std::to_string(n) + ": " + amzsync_status_name(code));
    }
    check(!ran_out, std::string(f.name) + " allocates without end");
  }
}

/// Opening an engine with the first allocation of this thread failing, the second, and so on until none does; and closing one, which waits for memory.
void opened_without_memory(const amzsync_options* options) {
  bool ran_out = true;
  for (long n = 0; ran_out && n < 10'000; ++n) {
    amzsync_engine* engine = nullptr;
    allocations_left = n;
    const int32_t opened = amzsync_open(options, &engine, nullptr);
    ran_out = allocations_left < 0;
    allocations_left = -1;
    check((opened == AMZSYNC_OK) == (engine != nullptr) && (opened == AMZSYNC_OK || (ran_out && opened == AMZSYNC_ERROR_NO_MEMORY)), "open without memory at allocation " + std::to_string(n) + ": " + amzsync_status_name(opened));
    if (engine) check(amzsync_close(engine) == AMZSYNC_OK, "not closed");
  }
  check(!ran_out, "open allocates without end");
  ran_out = true;
  for (long n = 0; ran_out && n < 100; ++n) {
    amzsync_engine* engine = nullptr;
    int64_t id = 0;
    check(amzsync_open(options, &engine, nullptr) == AMZSYNC_OK, "no engine");
    check(amzsync_subscribe(engine, nullptr, AMZSYNC_EVENTS_LIVE, ignore_event, nullptr, nullptr, &id, nullptr) == AMZSYNC_OK, "no subscription");
    allocations_left = n;
    const int32_t closed = amzsync_close(engine);
    ran_out = allocations_left < 0;
    allocations_left = -1;
    check(closed == AMZSYNC_OK && amzsync_close(engine) == AMZSYNC_ERROR_CLOSED, "close without memory at allocation " + std::to_string(n) + ": " + amzsync_status_name(closed));
  }
  check(!ran_out, "close allocates without end");
}

/// What is lent is the library's from the call that succeeded on, and freed once.
void lent_without_memory() {
  amzsync_http_client client{};
  client.size = sizeof client;
  client.perform = ignore_exchange;
  amzsync_token_store tokens{};
  tokens.size = sizeof tokens;
  tokens.put = ignore_put;
  tokens.get = tokens.remove = ignore_name;
  for (int which = 0; which < 3; ++which)
    for (long n = 0; n < 20; ++n) {
      int freed = 0;
      amzsync_options* options = amzsync_options_new();
      allocations_left = n;
      const int32_t code = which == 0   ? amzsync_options_set_http_client(options, &client, &freed, count_free, nullptr)
                           : which == 1 ? amzsync_options_set_token_store(options, &tokens, &freed, count_free, nullptr)
                                        : amzsync_options_set_log(options, AMZSYNC_LOG_INFO, ignore_log, &freed, count_free, nullptr);
      allocations_left = -1;
      check(freed == 0, "freed by the setter");
      amzsync_options_free(options);
      check(freed == (code == AMZSYNC_OK ? 1 : 0), "not freed once if and only if it was taken");
    }
}

/// Runs `inside` in the first callback, and waits for it.
void inside_a_callback(amzsync_engine* engine, std::function<void()> inside) {
  struct Waiting {
    std::mutex mutex;
    std::condition_variable changed;
    std::function<void()> inside;
    bool done = false;
  } waiting;
  waiting.inside = std::move(inside);
  const auto on_event = [](void* data, const amzsync_event* event) {
    auto& w = *static_cast<Waiting*>(data);
    amzsync_event_free(const_cast<amzsync_event*>(event));   // it is lent
    check(amzsync_event_type(event)[0] != '\0', "an event that is lent was freed");
    if (w.inside) std::exchange(w.inside, nullptr)();
    std::lock_guard lock(w.mutex);
    w.done = true;
    w.changed.notify_all();
  };
  int64_t id = 0;
  check(amzsync_subscribe(engine, "seller", 0, on_event, &waiting, nullptr, &id, nullptr) == AMZSYNC_OK, "no subscription");
  std::unique_lock lock(waiting.mutex);
  waiting.changed.wait(lock, [&] { return waiting.done; });
  lock.unlock();
  check(amzsync_unsubscribe(engine, id) == AMZSYNC_OK, "no end of the subscription");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::vector<Function> engines = engine_functions(), options = option_functions();
  wrong_option_calls(options);

  const auto good_options = [&] {
    amzsync_options* good = amzsync_options_new();
    amzsync_options_set_store(good, (std::string("sqlite:") + argv[2]).c_str(), nullptr);
    amzsync_options_set_app(good, "client", "secret", "app", "https://host.example/callback", nullptr);
    amzsync_options_set_master_key(good, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", nullptr);
    amzsync_options_set_endpoints(good, argv[1], argv[1], argv[1], nullptr);
    return good;
  };
  amzsync_options* o = good_options();
  amzsync_engine* engine = nullptr;
  check(amzsync_open(o, &engine, nullptr) == AMZSYNC_OK, "no engine");
  amzsync_answer* run = nullptr;
  check(amzsync_connect(engine, "seller", "Atzr|sim-seller-1", nullptr, &run, nullptr) == AMZSYNC_OK, "not connected");
  amzsync_answer_free(run);

  wrong_engine_calls(engines, engine, o, false);
  wrong_getters(engine);
  inside_a_callback(engine, [&] {
    wrong_engine_calls(engines, engine, o, true);
    check(amzsync_close(engine) == AMZSYNC_ERROR_WOULD_DEADLOCK && amzsync_unsubscribe(engine, 1) == AMZSYNC_ERROR_WOULD_DEADLOCK, "it would wait for itself");
    amzsync_event* event = nullptr;
    amzsync_events* events = nullptr;
    check(amzsync_events_open(engine, "seller", 0, &events, nullptr) == AMZSYNC_OK && amzsync_events_next(events, 1000, &event, nullptr) == AMZSYNC_ERROR_WOULD_DEADLOCK, "it would wait for itself");
    amzsync_events_close(events);
  });
  std::vector<std::thread> threads;
  for (int n = 0; n < 16; ++n)
    threads.emplace_back([&] {
      wrong_engine_calls(engines, engine, o, false);
      wrong_option_calls(options);
      wrong_getters(engine);
    });
  for (std::thread& t : threads) t.join();

  without_memory(engines, engine, nullptr);
  without_memory(options, nullptr, o);
  lent_without_memory();

  check(amzsync_resume(engine, nullptr, nullptr, nullptr) == AMZSYNC_OK, "not resumed");
  check(amzsync_close(engine) == AMZSYNC_OK, "not closed");
  check(amzsync_close(engine) == AMZSYNC_ERROR_CLOSED, "closed twice");
  amzsync_options* again = good_options();   // the others were set to all sorts of things
  opened_without_memory(again);
  amzsync_options_free(again);
  check(amzsync_unsubscribe(engine, 1) == AMZSYNC_ERROR_CLOSED, "amzsync_unsubscribe on a closed engine");
  for (const Function& f : engines) expect(f, tried(f, engine, nullptr, good_texts(f)), AMZSYNC_ERROR_CLOSED, "on a closed engine");
  amzsync_options_free(o);
  if (failures == 0) std::printf("no wrong call does harm\n");
  return failures == 0 ? 0 : 1;
}
