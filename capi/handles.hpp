// SPDX-License-Identifier: Apache-2.0
// What stands behind the C handles, and the firewall that every C function runs behind: no exception crosses, every failure
// becomes a code and an error object.
#pragma once

#include <map>
#include <amzsync/amzsync.h>

#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <initializer_list>
#include <memory>
#include <new>
#include <string>

#include "capi/http_client.hpp"
#include "capi/live.hpp"
#include "capi/token_store.hpp"
#include "runtime.hpp"

namespace amzsync::capi {

/// An options object; copied by open.
struct Options {
  std::string store = "sqlite:var/amzsync.db";
  bool synchronous_full = false;
  std::string client_id;
  Secret client_secret;
  std::string application_id, redirect_uri;
  bool draft = false;
  std::string host_name = "amzsync", host_version;
  spapi::Region region = spapi::Region::na;
  spapi::Environment environment = spapi::Environment::production;
  std::string lwa_endpoint, spapi_endpoint, consent_endpoint;
  std::string ca_file;
  std::string proxy;
  std::optional<HttpClient> http_client;
  std::optional<HostTokens> token_store;
  std::optional<auth::MasterKeys> master_keys;
  sync::SyncSettings sync;
  std::map<std::string, std::string, std::less<>> policy;   // texts by the names of the files
  Log log;
};

/// Builds what the runtime needs; the last checks, which need several options together.
Result<RuntimeSettings> to_settings(const Options& options);

/// Names of streams with commas between, each one known; else the error `otherwise`, naming the wrong one.
Result<std::vector<std::string>> parse_streams(std::string_view text, Code otherwise);

}  // namespace amzsync::capi

struct amzsync_options : amzsync::capi::Alive<amzsync::capi::Kind::options> {
  amzsync::capi::Options options;
};

struct amzsync_error : amzsync::capi::Alive<amzsync::capi::Kind::error> {
  explicit amzsync_error(amzsync::Error e) : error(std::move(e)) {}
  amzsync::Error error;
};

struct amzsync_answer : amzsync::capi::Alive<amzsync::capi::Kind::answer> {
  std::string json, sync_id, url, user, status;
  bool triggered = false;
  bool verified = false;
};

struct amzsync_event : amzsync::capi::Alive<amzsync::capi::Kind::event> {
  amzsync::events::Item item;
  std::string sse;
};

namespace amzsync::capi {

/// Lives as long as a database may be open here. A child that is forked meanwhile has none of the threads, and what SQLite knows of the process's own locks
/// is wrong there: what it opened would be open without a lock, and any mutex may be held by nobody. So it opens nothing, until it is another program.
class Occupied {
 public:
  /// forked: in a child of a process that was occupied at the fork.
  static Result<Occupied> begin() {
    if (count_ > 0 && process_ != ::getpid()) return Code::forked;
    process_ = ::getpid();
    return Occupied();
  }
  Occupied(Occupied&& other) noexcept : is_counted_(std::exchange(other.is_counted_, false)) {}
  Occupied& operator=(Occupied&&) = delete;
  ~Occupied() {
    if (is_counted_) --count_;
  }

 private:
  Occupied() noexcept { ++count_; }
  static inline std::atomic<int> count_{0};
  static inline std::atomic<::pid_t> process_{0};   // set before it is counted, so that nobody who counts finds another one
  bool is_counted_ = true;
};

}  // namespace amzsync::capi

struct amzsync_engine : amzsync::capi::Alive<amzsync::capi::Kind::engine> {
  amzsync_engine(amzsync::capi::Occupied o, std::unique_ptr<amzsync::Runtime> r) : occupied(std::move(o)), runtime(std::move(r)) {}
  amzsync::capi::Occupied occupied;
  const ::pid_t opened_by = ::getpid();   // its threads are in no child of that process
  std::unique_ptr<amzsync::Runtime> runtime;
};

namespace amzsync::capi {

inline std::int32_t fail(amzsync_error** err, Error error) noexcept {
  const auto code = static_cast<std::int32_t>(error.code);
  try {
    if (err) *err = new amzsync_error(std::move(error));
  } catch (const std::bad_alloc&) {
    // The code has to do.
  }
  return code;
}

/// Runs a C function's body: `Result<Done>` or `Result<T*>`'s error becomes its code; anything thrown too.
template <class Body>
std::int32_t guarded(amzsync_error** err, Body body) noexcept {
  if (err) *err = nullptr;
  try {
    Status status = body();
    return status ? AMZSYNC_OK : fail(err, std::move(status.error()));
  } catch (const std::bad_alloc&) {
    return fail(err, Error(Code::no_memory));
  } catch (const std::exception& e) {
    return fail(err, Error(Code::internal, std::string("An internal error: ") + e.what()));
  } catch (...) {
    return fail(err, Error(Code::internal));
  }
}

inline Error missing(const char* what) { return Error(Code::invalid_argument, std::string(what) + " must not be NULL."); }
/// A call on an engine: `body(Runtime&) -> Status`, during which it is not freed. An engine is there, and its threads are.
template <class Body>
Status on_engine(amzsync_engine* engine, Body body) {
  AMZ_TRY(use, Live::use(engine));
  if (engine->opened_by != ::getpid()) return Code::forked;
  Status status = body(*engine->runtime);
  // What the close of the engine broke off.
  if (!status && status.code() == Code::cancelled && Live::is_closing(engine)) return Code::closed;
  return status;
}
/// A text that the host passes, by the header's name for it. NULL is for whoever uses it to judge.
struct Given {
  const char* name;
  const char* text;
  std::size_t most;
};
inline constexpr std::size_t kLongestText = 64U << 10, kLargestTable = 256U << 20;
#define AMZ_GIVEN_UP_TO(text, most) ::amzsync::capi::Given{#text, text, ::amzsync::capi::most}
#define AMZ_GIVEN(text) AMZ_GIVEN_UP_TO(text, kLongestText)
/// Each is UTF-8, and no longer than it can be; else the error `otherwise`.
inline Status check_texts(std::initializer_list<Given> texts, Code otherwise) {
  for (const Given& given : texts) {
    if (!given.text) continue;
    const std::size_t size = ::strnlen(given.text, given.most + 1);
    if (size > given.most) return Error(otherwise, std::string(given.name) + " is longer than " + std::to_string(given.most) + " bytes.");
    if (!valid_utf8(std::string_view(given.text, size))) return Error(otherwise, std::string(given.name) + " is not valid UTF-8.");
  }
  return Done{};
}

template <class Body>
std::int32_t calling(amzsync_engine* engine, amzsync_error** err, std::initializer_list<Given> texts, Body body) noexcept {
  return guarded(err, [&]() -> Status {
    return on_engine(engine, [&](Runtime& runtime) -> Status {
      AMZ_CHECK(check_texts(texts, Code::invalid_argument));
      return body(runtime);
    });
  });
}
/// Whether this thread is one that the engine waits for: its own, a callback's, or one that runs a function of the host's.
inline bool must_not_wait(const Runtime& runtime) noexcept { return runtime.on_own_thread() || InsideHost::now(); }
/// One that waits for the engine's own threads, on which it would wait for itself.
template <class Body>
std::int32_t waiting(amzsync_engine* engine, amzsync_error** err, std::initializer_list<Given> texts, Body body) noexcept {
  return calling(engine, err, texts, [&](Runtime& runtime) -> Status { return must_not_wait(runtime) ? Status(Code::would_deadlock) : body(runtime); });
}
/// A call on a reader of an engine's; `name` is what the header calls it.
template <class Reader, class Body>
std::int32_t reading(Reader* reader, const char* name, amzsync_error** err, Body body) noexcept {
  return guarded(err, [&]() -> Status {
    if (!reader) return missing(name);
    if (!is_live(reader)) return Error(Code::invalid_argument, std::string("What was passed as ") + name + " was closed, or is another handle.");
    return on_engine(reader->engine, body);
  });
}
/// Text of the host's in a sentence: whole, and no longer than one likes to read.
inline std::string quoted(std::string_view text) { return "'" + clean_utf8(text, 80) + "'"; }
inline std::string text_or_empty(const char* text) { return text ? std::string(text) : std::string(); }

}  // namespace amzsync::capi
