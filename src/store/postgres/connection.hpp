// SPDX-License-Identifier: Apache-2.0
// One PostgreSQL connection with its statements kept prepared, and a transaction on it. Thin: names the errors, hides libpq's binary values.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "store/postgres/wire.hpp"
#include "store/sql.hpp"

namespace amzsync::store {

class PostgresConnection;

class PostgresStatement final : public Statement {
 public:
  /// `name`: under which the connection prepares it.
  PostgresStatement(PostgresConnection& connection, std::string sql, std::string name) : connection_(connection), sql_(std::move(sql)), name_(std::move(name)) {}
  PostgresStatement(const PostgresStatement&) = delete;
  PostgresStatement& operator=(const PostgresStatement&) = delete;

  void bind_integer(int place, std::int64_t value) override;
  void bind_real(int place, double value) override;
  void bind_text(int place, std::string_view text) override;
  void bind_blob(int place, std::string_view bytes) override;
  void bind_null(int place, SqlType type) override;
  bool step() override;
  void reset() override;
  std::int64_t changes() const override { return changes_; }
  void post(std::function<void(std::optional<std::int64_t>)> told) override;

  bool is_null(int column) const override { return row_ < 0 || PQgetisnull(result_.get(), row_, column) != 0; }
  std::int64_t integer(int column) const override;
  double real(int column) const override;
  std::string_view text(int column) const override;
  int columns() const override { return result_ ? PQnfields(result_.get()) : 0; }
  std::string_view column_name(int column) const override { return PQfname(result_.get(), column); }
  bool is_text(int column) const override;

 private:
  struct Arguments;
  Arguments arguments() const;
  bool is_prepared_for(const std::vector<Oid>& types) const;
  bool prepare(const Arguments& arguments);
  int send(const Arguments& arguments);
  struct Value {
    SqlType type = SqlType::text;
    bool null = true;
    std::string bytes;
  };
  Value& value(int place, SqlType type);
  std::string_view raw(int column) const;

  PostgresConnection& connection_;
  std::string sql_, name_;
  std::vector<Value> values_;
  std::vector<Oid> prepared_as_;          // the types that it is prepared for
  bool is_prepared_ = false;
  PostgresResult result_;
  int row_ = -1;
  std::int64_t changes_ = 0;
  mutable std::vector<std::string> texts_;   // of numbers that were asked for as text
};

/// Used by one thread at a time. As a Tx it is only meaningful between begin and commit or rollback.
class PostgresConnection final : public Tx {
 public:
  /// Hands out numbers for good, whatever becomes of the transaction that asks: the first of them, from 1 on; 0: there are none to be had.
  using Numbers = std::function<std::int64_t(std::string_view counter, std::int64_t count)>;

  /// `server_clock`: time is the server's; else `clock`'s.
  static Result<std::unique_ptr<PostgresConnection>> open(const PostgresAddress& address, const Clock& clock, bool server_clock, Patience patience = {}, Numbers numbers = {});

  // ---- Tx ----
  Statement& statement(std::string_view sql) override;
  Instant now() const override { return now_; }
  const std::optional<Error>& error() const override { return error_; }
  void settle() override;
  std::int64_t take_numbers(std::string_view counter, std::int64_t count) override;
  std::int64_t next_place() override { return integer("SELECT amz_place()").value_or(0); }
  std::int64_t settled_place() override;
  std::int64_t place_to_come() override;
  std::vector<Column> columns() override;
  std::int64_t last_number(const std::string& table) override;
  void number_above(const std::string& table, std::int64_t last) override;
  std::string_view lock_unclaimed() const override { return " FOR UPDATE SKIP LOCKED"; }

  /// What a transaction is for: the schema, whose changes take their time, or a counter, which both there are of any version; or the rows, of which a version tells. A caller whose
  /// thread waits asks; he waits less long.
  enum class For : std::uint8_t { schema, counter, reading, asking, writing };
  /// Begins a transaction, clears the sticky error and takes the time. `how`: what stands after BEGIN. A writer gets a number, by which its end can be asked for.
  Status begin(const char* how, For what);
  /// How old a program the database bears, of those that do what this transaction is for.
  int oldest_borne() const noexcept { return oldest_borne_; }
  /// Of the transaction that writes; empty: none.
  const std::string& transaction() const noexcept { return transaction_; }
  /// Runs SQL without parameters, outside the sticky error.
  Status exec(const char* sql);
  /// The same; the first value of its first row, empty where there is none.
  Result<std::string> ask(const std::string& sql);
  /// Whether the connection is of no use any more.
  bool is_lost() const noexcept { return wire_->is_lost(); }
  /// Whether a statement of this transaction changed a row.
  bool has_written() const noexcept { return has_written_; }
  void count_written() noexcept { has_written_ = true; }
  /// The last failure was one after which the same may succeed: others wrote what it was about.
  bool may_try_again() const noexcept { return may_try_again_; }
  /// It was that a key is there already: another one wrote it meanwhile, or it may not be written.
  bool met_key() const noexcept { return met_key_; }
  /// Something was sent of which the server has not told yet.
  void sent(std::function<void(std::optional<std::int64_t>)> told);
  bool is_sending() const noexcept { return PQpipelineStatus(wire_->raw()) != PQ_PIPELINE_OFF; }
  /// Remembers what the server said of the last failing call.
  void remember(const PostgresResult& result);
  PostgresWire& wire() noexcept { return *wire_; }
  /// Whether a transaction under way kept back, as far as this one could tell, what others have committed.
  bool is_kept_back() const noexcept { return is_kept_back_; }
  /// Whether statements are to be kept prepared.
  bool may_prepare() const noexcept { return !is_pooled_; }

 private:
  PostgresConnection(const Clock& clock, bool server_clock, bool is_pooled, std::unique_ptr<PostgresWire> wire, Numbers numbers)
      : clock_(clock), server_clock_(server_clock), is_pooled_(is_pooled), wire_(std::move(wire)), numbers_(std::move(numbers)) {}

  const Clock& clock_;
  bool server_clock_;
  bool is_pooled_;
  std::unique_ptr<PostgresWire> wire_;
  Numbers numbers_;
  Instant now_{};
  std::string transaction_;
  int oldest_borne_ = 0;
  std::optional<Error> error_;
  For what_ = For::schema;
  Error failure(const PostgresResult& result) const;
  bool may_try_again_ = false, met_key_ = false, has_written_ = false, is_kept_back_ = false;
  std::optional<bool> may_see_locks_;
  std::int64_t oldest_under_way_ = 0;   // since then the same
  Steady under_way_since_{};
  std::deque<std::function<void(std::optional<std::int64_t>)>> sent_;
  const std::string names_ = "s" + std::to_string(std::random_device{}()) + "_";   // of statements: behind a pooler that nobody told of, another's must not be met by its name
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view t) const noexcept { return std::hash<std::string_view>()(t); }
  };
  std::unordered_map<std::string, std::unique_ptr<PostgresStatement>, TextHash, std::equal_to<>> statements_;
};

/// So long a transaction is taken for one that writes here, before it is found out.
inline constexpr Duration kMostUnderWay = std::chrono::milliseconds(200);

/// What an SQLSTATE means for our callers, after a statement of a transaction that is for this.
Error postgres_error(std::string_view sqlstate, std::string_view detail, PostgresConnection::For what = PostgresConnection::For::reading);

}  // namespace amzsync::store
