/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * amzsync: syncs the money, stock and reports of Amazon sellers into a database, keeps them current, and finds what Amazon owes.
 * This header is the whole interface; everything else in the library is private.
 *
 * Rules that hold for every function:
 *  - Threads: any thread may call any function on an engine, unless the function says otherwise. Options, event cursors, answers and
 *    errors belong to one thread at a time. A child that is forked while an engine is open has none of its threads, and can't trust the
 *    locks of its database: there every call on the engine, and amzsync_open and amzsync_migrate, give FORKED, and free nothing. What the host's own parts were
 *    called for (exchanges, calls of a token store) goes on in the parent, and is no handle in the child.
 *  - Results: functions that can fail return an int32_t: AMZSYNC_OK (0), or one of the AMZSYNC_ERROR_ codes, which are stable
 *    and never reused. Functions that can't fail return their value.
 *  - Errors: the last parameter `err` may be NULL. On failure it is set to a new error object, to be freed by the caller; on success it
 *    is set to NULL. There is no thread-local or global last error.
 *  - Handles that are given out (`out_*`) are the caller's to free, and are NULL on failure. A handle that can't be used (NULL, freed, of another
 *    kind) harms nothing: functions give INVALID_ARGUMENT, those on an engine that was closed CLOSED; getters give 0 or "" (amzsync_error_code INVALID_ARGUMENT), and free functions do
 *    nothing, as they do with what a callback is given. An address that was given out again since is the new handle's.
 *  - Text is UTF-8, zero-terminated; what is passed in is copied before the function returns. Text that is not UTF-8, or longer than 64 KB (tables of
 *    policy and supplied rows: 256 MB), is refused with INVALID_ARGUMENT, in options with SETTING_INVALID; as the name of a sync, a finding or a trip it is NOT_FOUND. A `const char *` that is returned is borrowed
 *    and lives as long as the handle it came from.
 *  - Secrets go in and never come out: no getter, log line, message or event holds a token, a code or the client secret.
 *  - Callbacks run on a thread of the library's own, one at a time, in order, never inside the call that causes them. They must not
 *    block for long, and must not throw.
 *  - The library never prints, aborts, exits, installs signal handlers or changes the locale, and starts no thread before amzsync_open. Where the
 *    caller's memory runs out a call gives NO_MEMORY, amzsync_open also where the system gives no thread; amzsync_close waits for memory. Where it runs out on the
 *    library's own threads, what was under way ends in an error; where there is not even memory for that, it may still end the process.
 *  - Engines are to be closed before the process exits. At exit() the threads of those that are open are stopped, once what they are at is done (a callback, too), and no callback begins:
 *    syncs go on elsewhere as after a crash. (The Python package closes them.)
 *  - Times are ISO 8601 UTC with milliseconds, money is an exact decimal in JSON; currencies are never added up together.
 */
#ifndef AMZSYNC_H
#define AMZSYNC_H

#include <stddef.h>
#include <stdint.h>

#define AMZSYNC_VERSION_MAJOR 0
#define AMZSYNC_VERSION_MINOR 1
#define AMZSYNC_VERSION_PATCH 0
/** Grows when a program built against the old header can no longer use the new library. Before version 1.0 it may grow at any release. */
#define AMZSYNC_ABI_VERSION 0

#if defined(AMZSYNC_STATIC)
#define AMZSYNC_API
#elif defined(__GNUC__)
#define AMZSYNC_API __attribute__((visibility("default")))
#else
#define AMZSYNC_API
#endif

#ifdef __cplusplus
extern "C" {
#define AMZSYNC_NOEXCEPT noexcept
#else
#define AMZSYNC_NOEXCEPT
#endif

/* ---- Codes ---------------------------------------------------------------------------------------------------------------------- */

#define AMZSYNC_OK 0
#define AMZSYNC_ERROR_INVALID_ARGUMENT 1
#define AMZSYNC_ERROR_SETTING_INVALID 2
#define AMZSYNC_ERROR_NOT_FOUND 3
#define AMZSYNC_ERROR_CLOSED 4
#define AMZSYNC_ERROR_WOULD_DEADLOCK 5
#define AMZSYNC_ERROR_BUSY 6
#define AMZSYNC_ERROR_NO_MEMORY 7
#define AMZSYNC_ERROR_INTERNAL 8
#define AMZSYNC_ERROR_TIMEOUT 9
#define AMZSYNC_ERROR_NOT_SUPPORTED 10
#define AMZSYNC_ERROR_CANCELLED 11
#define AMZSYNC_ERROR_PAUSED 12
#define AMZSYNC_ERROR_FORKED 13
/** The seller's authorisation. */
#define AMZSYNC_ERROR_NOT_CONNECTED 20
#define AMZSYNC_ERROR_NEEDS_REAUTH 21
#define AMZSYNC_ERROR_MISSING_CODE 22
#define AMZSYNC_ERROR_INVALID_STATE 23
#define AMZSYNC_ERROR_STATE_USER_MISMATCH 24
#define AMZSYNC_ERROR_INVALID_GRANT 25
#define AMZSYNC_ERROR_SELLER_ALREADY_CONNECTED 26
#define AMZSYNC_ERROR_SELLER_MISMATCH 27
#define AMZSYNC_ERROR_APP_CREDENTIALS_INVALID 28
#define AMZSYNC_ERROR_AMAZON_UNAVAILABLE 29
#define AMZSYNC_ERROR_CONSENT_DENIED 30
#define AMZSYNC_ERROR_WRONG_REGION 31
/** Syncs. */
#define AMZSYNC_ERROR_SYNC_IN_PROGRESS 40
#define AMZSYNC_ERROR_SYNC_OVER 41
#define AMZSYNC_ERROR_ROWS_QUARANTINED 42
#define AMZSYNC_ERROR_STALLED 43
/** Amazon's API; these end up in a sync's error. */
#define AMZSYNC_ERROR_UNAUTHORISED 60
#define AMZSYNC_ERROR_THROTTLED 61
#define AMZSYNC_ERROR_AMAZON_ERROR 62
#define AMZSYNC_ERROR_NETWORK_ERROR 63
#define AMZSYNC_ERROR_BAD_ANSWER 64
#define AMZSYNC_ERROR_REQUEST_REJECTED 65
#define AMZSYNC_ERROR_PAGE_LOOP 66
#define AMZSYNC_ERROR_PAGE_TOKEN_EXPIRED 67
#define AMZSYNC_ERROR_ANSWER_TOO_LARGE 68
#define AMZSYNC_ERROR_NO_MARKETPLACE 69
#define AMZSYNC_ERROR_REPORT_FAILED 70
/** The database. */
#define AMZSYNC_ERROR_STORE_UNAVAILABLE 80
#define AMZSYNC_ERROR_STORE_BUSY 81
#define AMZSYNC_ERROR_STORE_FULL 82
#define AMZSYNC_ERROR_STORE_READ_ONLY 83
#define AMZSYNC_ERROR_STORE_CORRUPT 84
#define AMZSYNC_ERROR_STORE_NEWER 85
#define AMZSYNC_ERROR_FENCED 86
#define AMZSYNC_ERROR_KEY_UNKNOWN 87

/** What to do about a failure (amzsync_error_retry). */
#define AMZSYNC_RETRY_NEVER 0
#define AMZSYNC_RETRY_LATER 1
#define AMZSYNC_RETRY_AFTER_REAUTH 2

/** How much a log sink is told (amzsync_options_set_log). */
#define AMZSYNC_LOG_DEBUG 0
#define AMZSYNC_LOG_INFO 1
#define AMZSYNC_LOG_WARN 2
#define AMZSYNC_LOG_ERROR 3

/** Where an event reader begins (amzsync_events_open, amzsync_subscribe). */
#define AMZSYNC_EVENTS_LIVE (-1)

/** No time limit. */
#define AMZSYNC_WAIT_FOREVER (-1)

typedef struct amzsync_options amzsync_options; /**< how an engine is to be opened */
typedef struct amzsync_engine amzsync_engine;   /**< an open database and the workers on it */
typedef struct amzsync_error amzsync_error;     /**< why a function failed */
typedef struct amzsync_answer amzsync_answer;   /**< what a function answered: JSON, and the few fields a caller branches on */
typedef struct amzsync_events amzsync_events;   /**< a reader's place in the journal of events */
typedef struct amzsync_changes amzsync_changes; /**< a reader's place in a user's changes */
typedef struct amzsync_event amzsync_event;     /**< one event */

/* ---- About the library ---------------------------------------------------------------------------------------------------------- */

/** "0.1.0", static. Since: 0.1 */
AMZSYNC_API const char *amzsync_version(void) AMZSYNC_NOEXCEPT;

/** AMZSYNC_ABI_VERSION of the library that is loaded; compare it with the header's. Since: 0.1 */
AMZSYNC_API int32_t amzsync_abi_version(void) AMZSYNC_NOEXCEPT;

/** The stable name of a code, as it appears in events and HTTP answers ("not_connected"); static; "unknown" for any other number.
 * Since: 0.1 */
AMZSYNC_API const char *amzsync_status_name(int32_t code) AMZSYNC_NOEXCEPT;

/** One sentence about a code, for a person; static. Since: 0.1 */
AMZSYNC_API const char *amzsync_status_sentence(int32_t code) AMZSYNC_NOEXCEPT;

/* ---- Errors --------------------------------------------------------------------------------------------------------------------- */

/** One of AMZSYNC_ERROR_; AMZSYNC_OK for NULL. Since: 0.1 */
AMZSYNC_API int32_t amzsync_error_code(const amzsync_error *err) AMZSYNC_NOEXCEPT;
/** One clear sentence. Borrowed from `err`. Since: 0.1 */
AMZSYNC_API const char *amzsync_error_message(const amzsync_error *err) AMZSYNC_NOEXCEPT;
/** One of AMZSYNC_RETRY_. Since: 0.1 */
AMZSYNC_API int32_t amzsync_error_retry(const amzsync_error *err) AMZSYNC_NOEXCEPT;
/** HTTP status of Amazon's answer; 0 when there was none. Since: 0.1 */
AMZSYNC_API int32_t amzsync_error_http_status(const amzsync_error *err) AMZSYNC_NOEXCEPT;
/** Amazon's own error code, and its request id (its support asks for it); empty when there is none. Borrowed. Since: 0.1 */
AMZSYNC_API const char *amzsync_error_api_code(const amzsync_error *err) AMZSYNC_NOEXCEPT;
AMZSYNC_API const char *amzsync_error_request_id(const amzsync_error *err) AMZSYNC_NOEXCEPT;
/** Since: 0.1 */
AMZSYNC_API void amzsync_error_free(amzsync_error *err) AMZSYNC_NOEXCEPT;

/* ---- Options -------------------------------------------------------------------------------------------------------------------- */
/** Each setter checks its value at once: AMZSYNC_ERROR_SETTING_INVALID says which setting is wrong and what would be right, never a secret. */

/** New options with the defaults named below; NULL when out of memory. Since: 0.1 */
AMZSYNC_API amzsync_options *amzsync_options_new(void) AMZSYNC_NOEXCEPT;
AMZSYNC_API void amzsync_options_free(amzsync_options *options) AMZSYNC_NOEXCEPT;

/** The database: "sqlite:PATH", or "postgresql://…" as libpq takes it, which any number of processes on any number of machines share. Default
 * "sqlite:var/amzsync.db". Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_store(amzsync_options *options, const char *store, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** 1: a committed trigger survives power loss too, at a price for each commit. 0 (default): it survives the process being killed.
 * Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_synchronous_full(amzsync_options *options, int32_t on, amzsync_error **err) AMZSYNC_NOEXCEPT;

/** The application as registered with Amazon: Login-with-Amazon client id and secret, application id (amzn1.sp.solution…), and one of its
 * redirect URIs. Required. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_app(amzsync_options *options, const char *client_id, const char *client_secret, const char *application_id,
                                            const char *redirect_uri, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** 1 while the application is a draft at Amazon. Default 0. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_app_draft(amzsync_options *options, int32_t draft, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** Name and version of the host, for the user agent that Amazon asks for. Default "amzsync" and the library's version. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_host(amzsync_options *options, const char *name, const char *version, amzsync_error **err) AMZSYNC_NOEXCEPT;

/** "na" (default), "eu" or "fe"; the marketplaces follow. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_region(amzsync_options *options, const char *region, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** "production" (default) or "sandbox". Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_environment(amzsync_options *options, const char *environment, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** Base URLs in place of Amazon's own: https, or http to a loopback address. NULL or "" leaves Amazon's. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_endpoints(amzsync_options *options, const char *lwa, const char *spapi, const char *consent,
                                                  amzsync_error **err) AMZSYNC_NOEXCEPT;
/** A PEM file of certificates to trust in place of the system's. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_ca_file(amzsync_options *options, const char *path, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** A proxy through which Amazon is reached: http://, https:// or socks5h://, then [user:password@]host:port. What goes through it is a tunnel: it
 * sees host names, and neither tokens nor answers. Loopback addresses are reached without it. NULL or "" (default): none; what the environment
 * says of proxies (HTTPS_PROXY) is never used. Errors: SETTING_INVALID. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_proxy(amzsync_options *options, const char *url, amzsync_error **err) AMZSYNC_NOEXCEPT;

/** The keys that seal tokens: base64 of 32 bytes, or several `id:base64` with commas between, of which the first seals. Required.
 * Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_master_key(amzsync_options *options, const char *keys, amzsync_error **err) AMZSYNC_NOEXCEPT;

/** Source of the money: "2024-06-19" (default) or "v0". Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_finances(amzsync_options *options, const char *source, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** Datasets by name, with commas between; NULL or "" (default): all that the application's roles allow. A stream that is named here and
 * can't be read makes a sync partial. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_streams(amzsync_options *options, const char *streams, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** How many days back the first sync goes: 1 to 730, default 540. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_history_days(amzsync_options *options, int32_t days, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** Takes one of the embedded tables of policy by another: `file` "windows.json", "values.json" or "rate_cards.json", `json` its text, of the form that
 * the files in policy/ have. Findings tell which version they were judged by, and the next detection judges them anew. Errors: SETTING_INVALID, which
 * names the place that is wrong. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_policy(amzsync_options *options, const char *file, const char *json, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** How often each seller is synced again, in minutes: 0 (never) or 15 to 10080, default 360. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_sync_every_minutes(amzsync_options *options, int32_t minutes, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** How long events are kept for readers who come back: 1 to 365 days, default 7. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_journal_days(amzsync_options *options, int32_t days, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** How long the documents of reports are kept after they were read: 0 (not at all) to 3650 days, default 90. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_archive_days(amzsync_options *options, int32_t days, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** 1: the pages of what comes by lists (money, stock, shipments) are kept as long, too, for amzsync_replay. 0 (default): only reports are.
 * Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_archive_pages(amzsync_options *options, int32_t on, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** 1: several users may connect the same seller. 0 (default): the second one is refused. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_shared_sellers(amzsync_options *options, int32_t allowed, amzsync_error **err) AMZSYNC_NOEXCEPT;

/** How many syncs this engine performs at once: 0 to 10000, default 10000. With 0 it performs none: a process that only triggers, reads and
 * follows what others perform. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_max_runs(amzsync_options *options, int32_t runs, amzsync_error **err) AMZSYNC_NOEXCEPT;

/** A log record: `fields_json` is an object ({"userId":"u1"}). All three texts are borrowed for the call. */
typedef void (*amzsync_log_fn)(void *user_data, int32_t level, const char *message, const char *fields_json);
/** Frees what a callback was given; called exactly once, after its last call. May be NULL. */
typedef void (*amzsync_free_fn)(void *user_data);
/** Where log records of `least` (AMZSYNC_LOG_) and above go. Unlike other callbacks this one is called on whatever thread of the library
 * has something to say, so it must be safe to call from several at once; it must not call the library. `free_fn` is called when the
 * last engine or options object that uses it is gone. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_log(amzsync_options *options, int32_t least, amzsync_log_fn log, void *user_data, amzsync_free_fn free_fn,
                                            amzsync_error **err) AMZSYNC_NOEXCEPT;

/* ---- An HTTP client of the host's own ------------------------------------------------------------------------------------------ */
/** A host that has one client for all its traffic (metrics, a proxy, certificates of its own) lends it. The library keeps what is its own: the order, Amazon's limits, repetition,
 * time limits and sizes. Amazon's certificates are then the client's to verify, by TLS 1.2 or later; it follows no redirect, keeps no cookies, and gives out no header or
 * body, for tokens are among them. */

/** One exchange: what is asked, and where the answer goes. It is the host's from the call of `perform` until amzsync_exchange_finish, which frees it. */
typedef struct amzsync_exchange amzsync_exchange;

/** Bits of amzsync_exchange_rules. ONCE: a request that may have reached the server must not be sent again (not even after a kept connection broke). PUBLIC_ONLY: the address must
 * not be one of this machine or its networks, whatever the name resolves to. */
#define AMZSYNC_EXCHANGE_ONCE 1
#define AMZSYNC_EXCHANGE_PUBLIC_ONLY 2

/** The host's functions. None may throw; inside them calls that wait for the library give WOULD_DEADLOCK. */
typedef struct amzsync_http_client {
  uint32_t size;     /**< sizeof(amzsync_http_client) */
  uint32_t threads;  /**< calls of `perform` at once, at most 256; 0: 8. Sign-ins have as many of their own */
  /** Performs one exchange, here or by a thread of the host's: must lead to one amzsync_exchange_finish, at any time. On a thread of the library's for this purpose. */
  void (*perform)(void *user_data, amzsync_exchange *exchange);
  /** Nobody waits for this exchange any more (cancelled, too late): it is to be finished soon, with any code. On another thread than `perform`, and not after the exchange
   * was finished. May be NULL; then the next amzsync_exchange_answer_body tells. */
  void (*cancel)(void *user_data, amzsync_exchange *exchange);
} amzsync_http_client;

/** Has Amazon be reached by the host's client; `client` NULL (default): by the library's own, to which alone amzsync_options_set_ca_file and amzsync_options_set_proxy apply. The
 * table is copied. `free_fn` is called when the last engine, options object and exchange that uses it is gone; amzsync_close waits for functions that are being called, and not for
 * exchanges that are not finished. Errors: SETTING_INVALID, INVALID_ARGUMENT; then `free_fn` is not called. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_http_client(amzsync_options *options, const amzsync_http_client *client, void *user_data, amzsync_free_fn free_fn,
                                                    amzsync_error **err) AMZSYNC_NOEXCEPT;

/* What is asked; borrowed from the exchange; any thread. */
/** "GET", "POST", "PUT" or "DELETE"; an absolute URL. Since: 0.1 */
AMZSYNC_API const char *amzsync_exchange_method(const amzsync_exchange *exchange) AMZSYNC_NOEXCEPT;
AMZSYNC_API const char *amzsync_exchange_url(const amzsync_exchange *exchange) AMZSYNC_NOEXCEPT;
/** Name of the header at `index` (0 is the first), and its value; NULL: there are no more. Since: 0.1 */
AMZSYNC_API const char *amzsync_exchange_header(const amzsync_exchange *exchange, size_t index, const char **out_value) AMZSYNC_NOEXCEPT;
/** The body; it may hold zeros. Since: 0.1 */
AMZSYNC_API const char *amzsync_exchange_body(const amzsync_exchange *exchange, size_t *out_size) AMZSYNC_NOEXCEPT;
/** So long it is waited for: for the whole exchange, in a long download for silence. Since: 0.1 */
AMZSYNC_API int64_t amzsync_exchange_timeout_ms(const amzsync_exchange *exchange) AMZSYNC_NOEXCEPT;
/** AMZSYNC_EXCHANGE_ bits. Since: 0.1 */
AMZSYNC_API int32_t amzsync_exchange_rules(const amzsync_exchange *exchange) AMZSYNC_NOEXCEPT;

/* The answer, in this order, by one thread at a time. Errors of all three: CANCELLED (nobody waits any more: finish it), INVALID_ARGUMENT, NO_MEMORY (then there is no answer, however it
 * is finished). */
/** The status, 100 to 599; again: what came before (100 Continue) is forgotten. Since: 0.1 */
AMZSYNC_API int32_t amzsync_exchange_answer(amzsync_exchange *exchange, int32_t status) AMZSYNC_NOEXCEPT;
/** One header, all of which must be passed on: Amazon's limits come by them. Since: 0.1 */
AMZSYNC_API int32_t amzsync_exchange_answer_header(amzsync_exchange *exchange, const char *name, const char *value) AMZSYNC_NOEXCEPT;
/** The next piece of the body, as it came; copied. Blocks while what reads it has enough. Errors: also ANSWER_TOO_LARGE. Since: 0.1 */
AMZSYNC_API int32_t amzsync_exchange_answer_body(amzsync_exchange *exchange, const char *data, size_t size) AMZSYNC_NOEXCEPT;
/** 1 while somebody waits for the answer. Since: 0.1 */
AMZSYNC_API int32_t amzsync_exchange_is_wanted(amzsync_exchange *exchange) AMZSYNC_NOEXCEPT;
/** Ends the exchange and frees it. AMZSYNC_OK: the answer is whole, whatever its status. AMZSYNC_ERROR_TIMEOUT, or AMZSYNC_ERROR_NETWORK_ERROR for everything else: there was none, and
 * `message` (may be NULL) says why, in one sentence that shows no secret. Any thread. Since: 0.1 */
AMZSYNC_API void amzsync_exchange_finish(amzsync_exchange *exchange, int32_t code, const char *message) AMZSYNC_NOEXCEPT;

/* ---- A token store of the host's own -------------------------------------------------------------------------------------------- */
/** A host that has a vault for its secrets keeps the sellers' refresh tokens there. The database then holds names, sealed as tokens are; access tokens, which last an hour, stay in
 * it. A token is written before its connection is stored, under a name that was never used, so whatever fails in between leaves the connection that was there as it was. */

/** One call of the host's functions; ended by amzsync_token_call_done. */
typedef struct amzsync_token_call amzsync_token_call;

/** The host's functions, called on threads of the library's for this purpose; texts are borrowed for the call. Each leads to one amzsync_token_call_done, there or later, from any
 * thread; after five seconds nobody waits for it any more. A `put` that ends later than ten minutes after its call leaves a token that nobody removes. None may throw; inside them calls
 * that wait for the library give WOULD_DEADLOCK. */
typedef struct amzsync_token_store {
  uint32_t size;     /**< sizeof(amzsync_token_store) */
  uint32_t threads;  /**< calls at once, at most 256; 0: 4 */
  /** Keeps `token` under `name`, 32 characters 0-9a-f. `user` is told for the host's own order: the name alone tells tokens apart. */
  void (*put)(void *user_data, const char *user, const char *name, const char *token, amzsync_token_call *call);
  /** Gives the token, or NOT_FOUND: then the seller must authorise again. */
  void (*get)(void *user_data, const char *name, amzsync_token_call *call);
  /** Forgets it. What is not there was removed. Asked again until it succeeds. */
  void (*remove)(void *user_data, const char *name, amzsync_token_call *call);
} amzsync_token_store;

/** Has refresh tokens lie with the host; `tokens` NULL (default): in the database, sealed. All engines on a database must have the same. Tokens that lie in the database move when they
 * are next used; the way back is a new authorisation. The table is copied; `free_fn` is called when the last engine and options object that uses it is gone. Errors: SETTING_INVALID,
 * INVALID_ARGUMENT; then `free_fn` is not called. Since: 0.1 */
AMZSYNC_API int32_t amzsync_options_set_token_store(amzsync_options *options, const amzsync_token_store *tokens, void *user_data, amzsync_free_fn free_fn,
                                                    amzsync_error **err) AMZSYNC_NOEXCEPT;
/** Ends a call and frees it. AMZSYNC_OK, with the `token` after `get`; AMZSYNC_ERROR_NOT_FOUND; any other code: it failed, and `message` (may be NULL) says why, in one sentence that
 * shows no secret. `token` is copied, and may be wiped afterwards. Any thread. Since: 0.1 */
AMZSYNC_API void amzsync_token_call_done(amzsync_token_call *call, int32_t code, const char *token, const char *message) AMZSYNC_NOEXCEPT;

/* ---- Engine --------------------------------------------------------------------------------------------------------------------- */

/** Opens the database (creating it, or bringing its schema up to date), starts the workers, and goes on with syncs that wait or that a
 * dead process left. `options` are copied. Several engines, in one process or many, may have the same database open.
 * Errors: SETTING_INVALID (a required one is missing, or the database is another program's), STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_open(const amzsync_options *options, amzsync_engine **out_engine, amzsync_error **err) AMZSYNC_NOEXCEPT;

/** Closes the engine and frees it. Ends no sync: it goes on in another process, or at the next open. Waits for a transaction under way, for an authorisation
 * code that is at Amazon (9 s at most; 40 s more while the database does not take what came) and for callbacks that run; subscribers get a last event `engine.closed`. All event readers must be closed before. Other threads may be in the midst
 * of a call: it is waited for, and what waits for Amazon or for time ends with CLOSED. Errors: WOULD_DEADLOCK (from inside a callback), BUSY (a reader of
 * events or changes is open, or amzsync_sync_wait is under way); the engine is then still open. CLOSED (it was closed before). NULL is no error. Since: 0.1 */
AMZSYNC_API int32_t amzsync_close(amzsync_engine *engine) AMZSYNC_NOEXCEPT;

/* ---- Answers -------------------------------------------------------------------------------------------------------------------- */

/** The answer as one JSON object; zero-terminated, `out_size` (may be NULL) without the zero. Borrowed. Since: 0.1 */
AMZSYNC_API const char *amzsync_answer_json(const amzsync_answer *answer, size_t *out_size) AMZSYNC_NOEXCEPT;
/** The sync that the answer is about, or ""; borrowed. Since: 0.1 */
AMZSYNC_API const char *amzsync_answer_sync_id(const amzsync_answer *answer) AMZSYNC_NOEXCEPT;
/** A URL to send the browser to, or ""; borrowed. Since: 0.1 */
AMZSYNC_API const char *amzsync_answer_url(const amzsync_answer *answer) AMZSYNC_NOEXCEPT;
/** The user that the answer is about, or ""; borrowed. Since: 0.1 */
AMZSYNC_API const char *amzsync_answer_user(const amzsync_answer *answer) AMZSYNC_NOEXCEPT;
/** Public status of the sync ("queued", "in_progress", "detecting", "completed", "partial", "failed", "cancelled"), or ""; borrowed.
 * Since: 0.1 */
AMZSYNC_API const char *amzsync_answer_status(const amzsync_answer *answer) AMZSYNC_NOEXCEPT;
/** 1 when this call started a sync; 0 when none was started, or one was there already. Since: 0.1 */
AMZSYNC_API int32_t amzsync_answer_triggered(const amzsync_answer *answer) AMZSYNC_NOEXCEPT;
/** 1 when Amazon confirmed the connection. Since: 0.1 */
AMZSYNC_API int32_t amzsync_answer_verified(const amzsync_answer *answer) AMZSYNC_NOEXCEPT;
AMZSYNC_API void amzsync_answer_free(amzsync_answer *answer) AMZSYNC_NOEXCEPT;

/* ---- Connecting a seller -------------------------------------------------------------------------------------------------------- */
/** `user` is the host's own name of its user: 1 to 200 bytes, as verified by the host. The library believes it. */

/** Begins a consent trip: the answer's url is where the browser goes, its JSON {"authUrl","state"}. `frontend_url` is kept with the trip for
 * amzsync_consent_frontend. `marketplace` (id or country, NULL for the region's default) chooses where the seller signs in.
 * Errors: INVALID_ARGUMENT, SETTING_INVALID (application id or redirect URI are not set), STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_consent_start(amzsync_engine *engine, const char *user, const char *frontend_url, const char *marketplace,
                                          amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** Goes on with a trip that began at Amazon's appstore (the application's login URI was opened with these two parameters). The callback URI
 * is checked to be Amazon's. Answer and errors as amzsync_consent_start. Since: 0.1 */
AMZSYNC_API int32_t amzsync_consent_login(amzsync_engine *engine, const char *user, const char *frontend_url, const char *amazon_callback_uri,
                                          const char *amazon_state, amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** The front end that a trip began with: the answer's url. For the redirect of a callback that failed. Errors: NOT_FOUND. Since: 0.1 */
AMZSYNC_API int32_t amzsync_consent_frontend(amzsync_engine *engine, const char *state, amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;

/** What came back from Amazon, as it came: a state of no trip's, whatever it is made of, is INVALID_STATE; more than 4096 bytes are INVALID_ARGUMENT. NULL and "" mean that the
 * parameter was absent. */
typedef struct amzsync_oauth_params {
  uint32_t size;          /**< sizeof(amzsync_oauth_params) */
  const char *user;       /**< whom the host's session says it is; NULL: only the state says */
  const char *state;      /**< `state` */
  const char *code;       /**< `spapi_oauth_code` or `code` */
  const char *seller_id;  /**< `selling_partner_id` */
  const char *error;      /**< `error` */
} amzsync_oauth_params;

/** First trigger. Exchanges the code, stores the connection, and starts a sync, the last two in one transaction. Blocks until Amazon's token
 * endpoint has answered, at most 10 s; whatever else Amazon does makes no difference. Answer: user, sync id, triggered, url (the front end).
 * Errors: MISSING_CODE, CONSENT_DENIED, INVALID_STATE, STATE_USER_MISMATCH, INVALID_GRANT, SELLER_ALREADY_CONNECTED, SELLER_MISMATCH, WRONG_REGION,
 * APP_CREDENTIALS_INVALID, AMAZON_UNAVAILABLE, STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_on_oauth_callback(amzsync_engine *engine, const amzsync_oauth_params *params, amzsync_answer **out_answer,
                                              amzsync_error **err) AMZSYNC_NOEXCEPT;

/** Ends a call that was started without waiting: `answer` on success, `error` on failure, both borrowed for the call. Called exactly once if
 * and only if the start returned AMZSYNC_OK, on a thread of the library, always after the start has returned or while it returns. */
typedef void (*amzsync_done_fn)(void *user_data, int32_t code, const amzsync_answer *answer, const amzsync_error *error);
/** The same without blocking. Since: 0.1 */
AMZSYNC_API int32_t amzsync_on_oauth_callback_start(amzsync_engine *engine, const amzsync_oauth_params *params, amzsync_done_fn done, void *user_data,
                                                    amzsync_error **err) AMZSYNC_NOEXCEPT;

/** Stores a refresh token that came another way (a self-authorised application), after Amazon has accepted it, and starts a sync.
 * `seller_id` may be NULL. Errors: INVALID_GRANT, and as amzsync_on_oauth_callback. Since: 0.1 */
AMZSYNC_API int32_t amzsync_connect(amzsync_engine *engine, const char *user, const char *refresh_token, const char *seller_id, amzsync_answer **out_answer,
                                    amzsync_error **err) AMZSYNC_NOEXCEPT;

/** Second trigger. Uses the connection that is there: verified by a token of the last hour, else by one refresh within 2 s; starts a sync, also
 * when Amazon is silent. Answer: verified, sync id, triggered. The users "default-user" and "demo-user" never start one this way.
 * Errors: NOT_CONNECTED, NEEDS_REAUTH, APP_CREDENTIALS_INVALID, STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_use_existing_connection(amzsync_engine *engine, const char *user, amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;
AMZSYNC_API int32_t amzsync_use_existing_connection_start(amzsync_engine *engine, const char *user, amzsync_done_fn done, void *user_data,
                                                          amzsync_error **err) AMZSYNC_NOEXCEPT;

/** Finds out whether the settings work: the master key opens what is stored, Amazon's token endpoint knows the application, the API's endpoint
 * answers. Nothing is changed. Errors, in this order: KEY_UNKNOWN, APP_CREDENTIALS_INVALID, AMAZON_UNAVAILABLE (the token endpoint did not
 * answer within 10 s), NETWORK_ERROR (the API's endpoint did not). Since: 0.1 */
AMZSYNC_API int32_t amzsync_check(amzsync_engine *engine, amzsync_error **err) AMZSYNC_NOEXCEPT;

/** Looks at what usually goes wrong, one by one: the database and its disk, the master key, the application's credentials, the endpoints, the clock, the
 * redirect URI, the region, roles that Amazon refused, connections that are lost, a call for the seller who connected last, and whether anybody works.
 * Takes half a minute at most. Answer: the JSON {"healthy","checks":[{"name","state","message","fix"?}]} with the states "ok", "wrong", "warning" and
 * "unknown" (another fault stands before it). Errors: WOULD_DEADLOCK, STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_doctor(amzsync_engine *engine, amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;

/** State of the connection, its expiry dates and marketplaces. Also for a user who never connected. Since: 0.1 */
AMZSYNC_API int32_t amzsync_connection(amzsync_engine *engine, const char *user, amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** Forgets the tokens and cancels the sync under way; the data stays. `by` says who asked. Errors: NOT_CONNECTED, STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_disconnect(amzsync_engine *engine, const char *user, const char *by, amzsync_error **err) AMZSYNC_NOEXCEPT;

/** Deletes everything that is stored of a user, in every table: cancels the sync under way, forgets the tokens, then deletes the rows, and cuts what was
 * deleted off the database's files. `by` says who asked. The answer is the receipt: {"userId", "known", "state", "pending", "rows", "total",
 * "outOfReach"}. `state` is "erased", or "pending" where it takes longer than half a minute, or another program still reads what was there before; then
 * it goes on by itself, also after a restart, and nobody finds the user meanwhile. A user of whom nothing is known is no error ("known" false).
 * Errors: WOULD_DEADLOCK, STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_erase(amzsync_engine *engine, const char *user, const char *by, amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;

/** How far a move is: so many rows of a table were copied. On the thread that called amzsync_migrate. */
typedef void (*amzsync_migrate_fn)(void *user_data, const char *table, int64_t rows);

/** Copies what an SQLite database holds ("sqlite:PATH") into a PostgreSQL database ("postgresql://..."), for hosts that have outgrown one machine, and
 * compares every table of both by a digest of all its rows. No engine is needed; no engine may be open on either meanwhile. A copy that was broken
 * off goes on where it stopped when it is called again, and until it is over no engine opens the database copied into. The file stays as it was.
 * `progress` may be NULL. The answer: {"tables": [{"name", "rows", "copied", "digest"}], "rows", "copied"}. Blocks until it is over.
 * Errors: SETTING_INVALID, NOT_FOUND (no such file), STORE_BUSY (a host is open on it, or the database copied into holds users), STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_migrate(const char *from, const char *to, amzsync_migrate_fn progress, void *user_data, amzsync_answer **out_answer,
                                    amzsync_error **err) AMZSYNC_NOEXCEPT;

/* ---- Recoveries and syncs ------------------------------------------------------------------------------------------------------- */

/** Third trigger. What Amazon has paid back, from the database alone. Where there is nothing, and the rules of the back-off allow it, starts a
 * sync; the JSON says whether, and why not. `by_month` 1 adds the series. Errors: STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_recoveries(amzsync_engine *engine, const char *user, int32_t by_month, amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;

/** Starts a sync, or attaches to the one that is active (then triggered is 0). `streams`: names with commas between, NULL for the default ones.
 * Answer: the JSON {"syncId","triggered","paused","runsAgain"}; runsAgain is true where the active sync does not read what was asked for: the one that
 * begins with its end does, the next in the history. Errors: NOT_CONNECTED, NEEDS_REAUTH, WRONG_REGION, INVALID_ARGUMENT (unknown stream), STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_sync_start(amzsync_engine *engine, const char *user, const char *streams, amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** Rebuilds rows from what is archived with the decoders of this version, without one call to Amazon: each day as its newest document tells
 * it. It is a sync like another, with a status, events and counts that say what changed. `streams`: names with commas between, NULL for all.
 * Errors: NOT_CONNECTED (never connected), SYNC_IN_PROGRESS, INVALID_ARGUMENT (unknown stream), STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_replay(amzsync_engine *engine, const char *user, const char *streams, amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** Asks for a sync to be cancelled; it ends within a second, by the event sync.cancelled. `by` says who asked, for the record.
 * Errors: NOT_FOUND (also for another user's), SYNC_OVER, STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_sync_cancel(amzsync_engine *engine, const char *user, const char *sync_id, const char *by, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** Stops the syncs of a user, with `user` NULL of everybody, until they are resumed: within a second, whatever they are doing. They keep what they
 * have read and go on from there; what is triggered meanwhile is kept and begins then. `by` says who asked, for the record. Pausing what is
 * paused, or resuming what is not, is no error. Errors: NOT_FOUND (no such user), STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_pause(amzsync_engine *engine, const char *user, const char *by, amzsync_error **err) AMZSYNC_NOEXCEPT;
AMZSYNC_API int32_t amzsync_resume(amzsync_engine *engine, const char *user, const char *by, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** Takes what a queue delivered of Amazon's notifications (Notifications v1): the message of SQS, the event of EventBridge, or the notification
 * itself. What it is about is synced: at once, or together with what else comes within five minutes of the last. `user`: whose it must be; NULL:
 * whoever is connected with its seller. Answer: the JSON {"notifications":[{"id","type","connected","known","duplicate","syncId"?,"plannedAt"?}]}.
 * Errors: INVALID_ARGUMENT (no notification of Amazon's), NOT_FOUND (its seller is not connected, or not this user's), STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_notify(amzsync_engine *engine, const char *user, const char *message, size_t size, amzsync_answer **out_answer,
                                   amzsync_error **err) AMZSYNC_NOEXCEPT;
/** The application's new client secret, used from now on; no connection is lost by it. Syncs that failed for want of it begin anew. Every process
 * must be told. Errors: INVALID_ARGUMENT (empty), STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_set_client_secret(amzsync_engine *engine, const char *client_secret, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** Seals every stored secret with the first of the master keys that the engine was opened with, for which the others must still be among them. It can be
 * broken off and called again, and hosts may work meanwhile, but they must all have the new key before. Connections that were lost only because no key had
 * opened their token work again. Answer: the JSON {"key","secrets","resealed","restored","unreadable":[users whose token no key opens]}; when that list is
 * empty, the other keys are needed no more. Errors: WOULD_DEADLOCK, STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_rotate_key(amzsync_engine *engine, amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** One sync. Answer: status. Errors: NOT_FOUND (also for another user's), STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_sync_status(amzsync_engine *engine, const char *user, const char *sync_id, amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** Blocks until a sync is over, wherever it runs, then answers as amzsync_sync_status.
 * Errors: TIMEOUT (it goes on), WOULD_DEADLOCK, NOT_FOUND, STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_sync_wait(amzsync_engine *engine, const char *user, const char *sync_id, int64_t timeout_ms, amzsync_answer **out_answer,
                                      amzsync_error **err) AMZSYNC_NOEXCEPT;
/** {"hasActiveSync", "lastSync"}. Since: 0.1 */
AMZSYNC_API int32_t amzsync_status(amzsync_engine *engine, const char *user, amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** {"syncs", "total"}, newest first. Errors: INVALID_ARGUMENT (limit not 1 to 100, offset negative), STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_history(amzsync_engine *engine, const char *user, int32_t limit, int64_t offset, amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;

/* ---- What Amazon owes ----------------------------------------------------------------------------------------------------------- */
/** Each sync ends with a detection over all that is stored (docs/detection.md). Reads answer from the database and never call Amazon; whether a
 * finding can be claimed today is worked out when it is read. */

/** {"findings", "total", "limit", "offset", "rules"}, what expires first at the head. `status`: claim_ready, not_mature, review, expired, blocked,
 * open, filed, won or lost, NULL for all; `type`: the name of a rule, NULL for all. `limit`: 1 to 1000. Errors: INVALID_ARGUMENT, STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_findings(amzsync_engine *engine, const char *user, const char *status, const char *type, int32_t limit, int64_t offset, amzsync_answer **out_answer,
                                     amzsync_error **err) AMZSYNC_NOEXCEPT;
/** {"claimable", "paid", "atRisk", "claimableUnits", "unpriced", "byRule", "total", "rules"}; the three sums are never added up. Since: 0.1 */
AMZSYNC_API int32_t amzsync_finding_statistics(amzsync_engine *engine, const char *user, amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** Why a finding is one. `what` may also be an SKU, FNSKU, ASIN, order, shipment, removal order or reference of the ledger: then what is claimed of it, and why the rest is not.
 * The latter judges anew, which takes as long as a detection. Errors: NOT_FOUND, STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_explain(amzsync_engine *engine, const char *user, const char *what, amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** What became of a claim: "open", "filed", "won" or "lost"; `case_id` NULL keeps the one that is there. Later detections keep both. The answer is the
 * finding. Errors: NOT_FOUND, INVALID_ARGUMENT, WOULD_DEADLOCK, STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_finding_set_state(amzsync_engine *engine, const char *user, const char *finding_id, const char *state, const char *case_id, amzsync_answer **out_answer,
                                              amzsync_error **err) AMZSYNC_NOEXCEPT;
/** What only the host knows of a seller and detection needs: `kind` "costs", "sizes", "removal_receipts", "removal_shipments", "deliveries" or
 * "partnered", `rows` a JSON array of objects (docs/detection.md). A row takes the place of the one with the same key; the next detection takes it
 * into account. Errors: INVALID_ARGUMENT (which row, and what is wrong), WOULD_DEADLOCK, STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_supply(amzsync_engine *engine, const char *user, const char *kind, const char *rows, amzsync_error **err) AMZSYNC_NOEXCEPT;

/* ---- Events --------------------------------------------------------------------------------------------------------------------- */
/** Every event is a row of the database, numbered per user, and is seen by readers in every process that has it open. Passing progress between
 * the milestones has no number (0) and is not replayed. */

/** Number in the user's journal; 0 for passing progress. Since: 0.1 */
AMZSYNC_API int64_t amzsync_event_seq(const amzsync_event *event) AMZSYNC_NOEXCEPT;
/** Which journal that number is of: a user who was erased and has come again has another one, whose numbers begin anew. 0 for passing progress. Since: 0.1 */
AMZSYNC_API int64_t amzsync_event_journal(const amzsync_event *event) AMZSYNC_NOEXCEPT;
/** "sync_progress", "sync.completed", …; the user; the payload as one JSON object; borrowed. Since: 0.1 */
AMZSYNC_API const char *amzsync_event_type(const amzsync_event *event) AMZSYNC_NOEXCEPT;
AMZSYNC_API const char *amzsync_event_user(const amzsync_event *event) AMZSYNC_NOEXCEPT;
AMZSYNC_API const char *amzsync_event_json(const amzsync_event *event, size_t *out_size) AMZSYNC_NOEXCEPT;
/** The event as a frame of a server-sent event stream, ready to be written; borrowed. Since: 0.1 */
AMZSYNC_API const char *amzsync_event_sse(const amzsync_event *event, size_t *out_size) AMZSYNC_NOEXCEPT;
AMZSYNC_API void amzsync_event_free(amzsync_event *event) AMZSYNC_NOEXCEPT;

/** Opens a reader: of one user from after event `after` (AMZSYNC_EVENTS_LIVE: from now on), or with `user` NULL of all users from now on.
 * To be closed before the engine. Since: 0.1 */
AMZSYNC_API int32_t amzsync_events_open(amzsync_engine *engine, const char *user, int64_t after, amzsync_events **out_events, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** 1 when some of what was asked for is no longer kept, or the number is none of this journal's. Since: 0.1 */
AMZSYNC_API int32_t amzsync_events_gap(const amzsync_events *events) AMZSYNC_NOEXCEPT;
/** The number of the last event that this reader gave out, or after which it began; where to resume. 0 for a reader of all users. Since: 0.1 */
AMZSYNC_API int64_t amzsync_events_position(const amzsync_events *events) AMZSYNC_NOEXCEPT;
/** The journal of the user that this reader is in (amzsync_event_journal). 0 for a reader of all users, and while there is no such user. Since: 0.1 */
AMZSYNC_API int64_t amzsync_events_journal(const amzsync_events *events) AMZSYNC_NOEXCEPT;
/** The first bytes of a server-sent event stream: `retry:` and the event `connected` with a snapshot of the user's connection and last sync.
 * Borrowed from `events`. For a reader of one user; "" for one of all. Since: 0.1 */
AMZSYNC_API const char *amzsync_events_sse_hello(amzsync_events *events, size_t *out_size) AMZSYNC_NOEXCEPT;
/** The next event, waiting for it at most `timeout_ms` (0: not at all). *out_event is NULL when none came in time.
 * Errors: WOULD_DEADLOCK (waiting inside a callback), STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_events_next(amzsync_events *events, int64_t timeout_ms, amzsync_event **out_event, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** A descriptor that becomes readable when there may be something to read, for event loops: when it does, call amzsync_events_next with timeout 0
 * until it gives nothing. Owned by `events`; do not read from it or close it. -1 for a handle that is none. Since: 0.1 */
AMZSYNC_API int32_t amzsync_events_fd(const amzsync_events *events) AMZSYNC_NOEXCEPT;
AMZSYNC_API void amzsync_events_close(amzsync_events *events) AMZSYNC_NOEXCEPT;

/** An event for a subscriber; borrowed for the call. */
typedef void (*amzsync_event_fn)(void *user_data, const amzsync_event *event);
/** Has `on_event` called with every event; parameters as amzsync_events_open. `free_fn` is called once, when no call will follow.
 * Errors: CLOSED, STORE_*; then `free_fn` is not called. Since: 0.1 */
AMZSYNC_API int32_t amzsync_subscribe(amzsync_engine *engine, const char *user, int64_t after, amzsync_event_fn on_event, void *user_data, amzsync_free_fn free_fn,
                                      int64_t *out_id, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** When it returns OK, no callback runs and none will; `free_fn` has been called, on this thread. Errors: NOT_FOUND, WOULD_DEADLOCK. Since: 0.1 */
AMZSYNC_API int32_t amzsync_unsubscribe(amzsync_engine *engine, int64_t id) AMZSYNC_NOEXCEPT;

/* ---- Changes -------------------------------------------------------------------------------------------------------------------- */
/** For hosts that keep a copy of the data: what became of a user's rows, each change once or more, in the order of the commits. */

/** Opens a reader of a user's changes after number `after`, of the named streams (commas between; NULL: all). With 0, or a number that is no longer kept (90 days), it begins with all rows that
 * are there. To be closed before the engine; of one thread at a time. Errors: NOT_FOUND (no such user), INVALID_ARGUMENT (no such stream),
 * STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_changes_open(amzsync_engine *engine, const char *user, const char *streams, int64_t after, amzsync_changes **out_changes, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** The next change as one JSON object: {"seq","stream","id","op":"put","row":{…}} or {…,"op":"delete"}; `row` as the stream's view amz_<stream>
 * shows it now, "seq" 0 for what was there at the beginning. Borrowed until the next call. *out_json is NULL when everything that is committed
 * was given; a later call may find more. Errors: STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_changes_next(amzsync_changes *changes, const char **out_json, size_t *out_size, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** Number of the last change that was given; where to go on. 0 until everything that was there at the beginning was given. Since: 0.1 */
AMZSYNC_API int64_t amzsync_changes_position(const amzsync_changes *changes) AMZSYNC_NOEXCEPT;
/** 1 when `after` was no longer kept, and the copy must be begun anew. Since: 0.1 */
AMZSYNC_API int32_t amzsync_changes_gap(const amzsync_changes *changes) AMZSYNC_NOEXCEPT;
AMZSYNC_API void amzsync_changes_close(amzsync_changes *changes) AMZSYNC_NOEXCEPT;
/** Keeps, under a reader's name, the number up to which it has dealt with the user's changes; never goes back.
 * Errors: NOT_FOUND, INVALID_ARGUMENT (name empty or over 100 bytes), STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_changes_acknowledge(amzsync_engine *engine, const char *user, const char *reader, int64_t position, amzsync_error **err) AMZSYNC_NOEXCEPT;
/** That number, 0 for a new reader. Errors: NOT_FOUND, STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_changes_acknowledged(amzsync_engine *engine, const char *user, const char *reader, int64_t *out_position, amzsync_error **err) AMZSYNC_NOEXCEPT;

/* ---- Figures -------------------------------------------------------------------------------------------------------------------- */

/** What the engine does now. The caller sets `size`; the library writes no more than that and sets it to what it wrote. */
typedef struct amzsync_stats {
  uint32_t size;
  uint32_t reserved;
  int64_t runs_here;          /**< performed by this engine */
  int64_t runs_active;        /**< of all users, in the database */
  int64_t runs_queued;        /**< of those, which nobody performs: new ones, paused ones, and those whose worker let go of them or died */
  int64_t connections;        /**< connected users */
  int64_t needs_reauth;
} amzsync_stats;
/** Errors: INVALID_ARGUMENT, STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_stats_get(amzsync_engine *engine, amzsync_stats *stats, amzsync_error **err) AMZSYNC_NOEXCEPT;

/** What an operator watches, as JSON: {"room","paused","runs":{"here","active","queued","lapsed","oldestSeconds","ended":{STATUS:n}},"connections":{"connected","needsReauth","paused",
 * "overdueSeconds"},"calls":[{"operation","made","throttled","failed","seconds","waitedSeconds"}],"rows":[{"stream","fetched","added","changed","removed","rejected"}],
 * "findings":{"opened","changed","closed"},"writes":{"seconds","upTo":[{"seconds"?,"times"}]}}. "runs" but for "here" and "ended", and "connections", are of the whole
 * database; the rest is of this engine since it was opened, and only grows. "writes": transactions, by how long they took from the asking to the commit; each is in the first
 * of "upTo" that it fits in, and the last has no limit. "room": whether the database's disk has some to spare; "paused": everybody is. Reads on the calling thread. Errors: STORE_*. Since: 0.1 */
AMZSYNC_API int32_t amzsync_measures(amzsync_engine *engine, amzsync_answer **out_answer, amzsync_error **err) AMZSYNC_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif /* AMZSYNC_H */
