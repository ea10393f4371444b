// SPDX-License-Identifier: Apache-2.0
// What stands behind the C handles, and the firewall that every C function runs behind: no exception crosses, every failure
// becomes a code and an error object.
#pragma once

#include <map>
#include <amzsync/amzsync.h>

#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <new>
#include <string>

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

struct amzsync_options {
  amzsync::capi::Options options;
};

struct amzsync_error {
  amzsync::Error error;
};

struct amzsync_answer {
  std::string json, sync_id, url, user, status;
  bool triggered = false;
  bool verified = false;
};

struct amzsync_event {
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

struct amzsync_engine {
  amzsync::capi::Occupied occupied;
  const ::pid_t opened_by = ::getpid();   // its threads are in no child of that process
  std::unique_ptr<amzsync::Runtime> runtime;
  std::atomic<int> readers{0};
};

namespace amzsync::capi {

inline std::int32_t fail(amzsync_error** err, Error error) noexcept {
  const auto code = static_cast<std::int32_t>(error.code);
  if (err) *err = new (std::nothrow) amzsync_error{std::move(error)};
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
/// An engine is there, and its threads are.
inline Status usable(const amzsync_engine* engine) {
  if (!engine) return missing("engine");
  return engine->opened_by == ::getpid() ? Status(Done{}) : Status(Code::forked);
}
inline std::string text_or_empty(const char* text) { return text ? std::string(text) : std::string(); }

}  // namespace amzsync::capi
