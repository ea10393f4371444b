// SPDX-License-Identifier: Apache-2.0
// One SQLite connection with its statements kept prepared, and a transaction on it. Thin: names the errors, hides the C API.
#pragma once

#include <sqlite3.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "store/sql.hpp"

namespace amzsync::store {

class SqliteConnection;

class SqliteStatement final : public Statement {
 public:
  SqliteStatement(SqliteConnection& connection, sqlite3_stmt* raw) : connection_(connection), raw_(raw) {}
  ~SqliteStatement() override { sqlite3_finalize(raw_); }
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  void bind_integer(int place, std::int64_t value) override { sqlite3_bind_int64(raw_, place, value); }
  void bind_real(int place, double value) override { sqlite3_bind_double(raw_, place, value); }
  void bind_text(int place, std::string_view text) override;
  void bind_blob(int place, std::string_view bytes) override;
  void bind_null(int place, SqlType) override { sqlite3_bind_null(raw_, place); }
  bool step() override;
  void reset() override { sqlite3_reset(raw_); }
  std::int64_t changes() const override { return changes_; }
  void post(std::function<void(std::optional<std::int64_t>)> told) override;

  bool is_null(int column) const override { return !has_row_ || sqlite3_column_type(raw_, column) == SQLITE_NULL; }
  std::int64_t integer(int column) const override { return has_row_ ? sqlite3_column_int64(raw_, column) : 0; }
  double real(int column) const override { return has_row_ ? sqlite3_column_double(raw_, column) : 0; }
  std::string_view text(int column) const override;
  int columns() const override { return sqlite3_column_count(raw_); }
  std::string_view column_name(int column) const override { return sqlite3_column_name(raw_, column); }
  bool is_text(int column) const override { return has_row_ && sqlite3_column_type(raw_, column) != SQLITE_INTEGER; }

 private:
  SqliteConnection& connection_;
  sqlite3_stmt* raw_;
  std::int64_t changes_ = 0;
  bool has_row_ = false;
};

/// Used by one thread at a time. As a Tx it is only meaningful between begin and commit or rollback.
class SqliteConnection final : public Tx {
 public:
  enum class Mode { writer, reader };
  static Result<std::unique_ptr<SqliteConnection>> open(const std::string& path, const std::string& vfs, Mode mode, const Clock& clock);
  ~SqliteConnection() override;

  Statement& statement(std::string_view sql) override;
  Instant now() const override { return now_; }
  const std::optional<Error>& error() const override { return error_; }
  void settle() override {}
  std::int64_t take_numbers(std::string_view counter, std::int64_t count) override;
  std::int64_t next_place() override { return take_numbers("progress", 1) + 1; }
  std::int64_t settled_place() override { return INT64_MAX; }   // there is one writer at a time
  std::int64_t place_to_come() override { return INT64_MAX; }
  std::vector<Column> columns() override;
  std::int64_t last_number(const std::string& table) override;
  void number_above(const std::string& table, std::int64_t last) override;
  std::string_view lock_unclaimed() const override { return {}; }

  /// Clears the sticky error and takes the time.
  void start_attempt();
  /// Runs SQL without parameters, outside the sticky error.
  Status exec(const char* sql);
  /// Of a writer: from here on the log is written back whenever it holds much, as SQLite does by itself, and it is known how much of it is not.
  Status keep_log_short();
  /// Bytes that the database may grow by when the log is written back. Any thread.
  std::uint64_t unwritten_log() const noexcept { return unwritten_log_.load(std::memory_order_relaxed); }
  /// Writes the whole log back and cuts it off, outside any transaction and without waiting. False: somebody still reads what was there before.
  Result<bool> cut_log();
  /// The same, but it waits for those who read, as it would for a lock.
  Status save_log();
  /// From here on it waits for others' locks for 3 s in all. Any thread.
  void hurry() noexcept { hurries_.store(true, std::memory_order_relaxed); }
  /// Remembers what SQLite said of the last failing call.
  void remember(int code);
  sqlite3* raw() noexcept { return db_; }

 private:
  explicit SqliteConnection(const Clock& clock) : clock_(clock) {}
  Error error_of(int code) const;
  int system_error(int code) const;
  void logged(int pages) noexcept;
  void wait_for_locks();
  const Clock& clock_;
  sqlite3* db_ = nullptr;
  sqlite3_vfs* vfs_ = nullptr;         // where its time passes
  Instant now_{};
  std::optional<Error> error_;
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view t) const noexcept { return std::hash<std::string_view>()(t); }
  };
  std::unordered_map<std::string, std::unique_ptr<SqliteStatement>, TextHash, std::equal_to<>> statements_;
  struct Recent {
    const char* place = nullptr;       // where its text stood
    const std::string* text = nullptr;
    SqliteStatement* statement = nullptr;
  };
  std::array<Recent, 64> recent_;      // to hash a long text takes longer than some statements do
  std::uint64_t page_size_ = 0;
  std::atomic<std::uint64_t> unwritten_log_ = 0;
  std::atomic<bool> hurries_ = false;
  int patience_ms_ = 3'000;            // that is left to one that hurries
  std::unique_ptr<SqliteStatement> broken_;  // stands in for a statement that could not be prepared
};

/// What an SQLite result code means for our callers; `system_error` is what the system said of it (sqlite3_system_errno).
Error sqlite_error(int code, const char* detail, int system_error);

}  // namespace amzsync::store
