// SPDX-License-Identifier: Apache-2.0
// What goes to a PostgreSQL server and comes back, of which nothing waits for ever: libpq's own calls do, where a server, a pooler or a network takes what is sent and says nothing.
#pragma once

#include <libpq-fe.h>

#include <functional>
#include <memory>

#include "base/result.hpp"
#include "base/time.hpp"
#include "store/postgres/address.hpp"

namespace amzsync::store {
using namespace base;

/// An answer of the server.
class PostgresResult {
 public:
  PostgresResult() = default;
  explicit PostgresResult(PGresult* raw) : raw_(raw) {}
  PGresult* get() const noexcept { return raw_.get(); }
  explicit operator bool() const noexcept { return raw_ != nullptr; }
  void clear() { raw_.reset(); }

 private:
  struct Clear {
    void operator()(PGresult* r) const { PQclear(r); }
  };
  std::unique_ptr<PGresult, Clear> raw_;
};

/// How long an answer is waited for.
struct Patience {
  static constexpr Duration kEndless = Duration::max();
  Duration most = std::chrono::seconds(10);   ///< for one answer
  std::function<bool()> is_over = [] { return false; };   ///< asked every moment: nobody waits any more
};

/// One connection; one thread at a time.
class PostgresWire {
 public:
  /// Errors: setting_invalid, store_unavailable, no_memory.
  static Result<std::unique_ptr<PostgresWire>> open(const PostgresAddress& address, Patience patience);
  ~PostgresWire() { PQfinish(raw_); }
  PostgresWire(const PostgresWire&) = delete;
  PostgresWire& operator=(const PostgresWire&) = delete;

  /// For what libpq does without waiting.
  PGconn* raw() const noexcept { return raw_; }
  /// Whether it is of no use any more.
  bool is_lost() const noexcept { return gave_up_ || PQstatus(raw_) != CONNECTION_OK; }
  /// The server's words on the last failure, or ours.
  const char* message() const noexcept { return gave_up_ ? "it does not answer" : PQerrorMessage(raw_); }
  void wait_at_most(Duration most) noexcept { patience_.most = most; }

  /// The next answer to what was sent; none: there is no more, or the connection is lost.
  PostgresResult next();
  /// The last of all answers to what was sent; `sent` is what libpq said of the sending.
  PostgresResult last(int sent);
  /// Of a statement, or several, without parameters.
  PostgresResult run(const char* sql) { return last(is_lost() ? 0 : PQsendQuery(raw_, sql)); }

 private:
  PostgresWire(const PostgresAddress& address, Patience patience) : address_(address), patience_(std::move(patience)) {}
  bool wait();
  bool server_is_silent() const;

  const PostgresAddress address_;
  Patience patience_;
  PGconn* raw_ = nullptr;
  bool gave_up_ = false;
};

}  // namespace amzsync::store
