// SPDX-License-Identifier: Apache-2.0
// A transaction, and the SQL that every store speaks.
//
// The store's logic is written once, in the common subset of SQLite and PostgreSQL (`?1` parameters, ON CONFLICT, RETURNING),
// over this thin layer. What differs lives in the adapters: how transactions are run, and the schema's DDL.
//
// Errors are sticky: the first failing statement is remembered, everything after it does nothing and reads as empty, and the
// transaction is rolled back and answers with that error. So the logic reads top to bottom, and can't forget a check.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto.hpp"
#include "base/id.hpp"
#include "base/money.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace amzsync::store {
using namespace base;

/// Bytes, as opposed to text.
struct Blob {
  std::string_view bytes;
};

/// What a value would be where there is none; any: what the column is.
enum class SqlType : std::uint8_t { any, integer, real, text, blob };

/// A column of a table, as the database itself tells it.
struct Column {
  std::string table, name;
  SqlType type = SqlType::any;
  bool needed = false;   ///< a row can't be without it, and the database does not give it
  int key = 0;           ///< its place in the primary key, from 1; 0: none
};

/// One prepared statement of the store's connection. What stands between /*! and */ in its SQL is for the databases whose keys are led by the user; to the others it is a
/// comment, and what is bound there is nobody's. Belongs to its transaction.
class Statement {
 public:
  virtual ~Statement() = default;
  virtual void bind_integer(int place, std::int64_t value) = 0;
  virtual void bind_real(int place, double value) = 0;
  virtual void bind_text(int place, std::string_view text) = 0;
  virtual void bind_blob(int place, std::string_view bytes) = 0;
  virtual void bind_null(int place, SqlType type) = 0;
  /// True: a row is there. False: finished. An error is remembered by the transaction.
  virtual bool step() = 0;
  virtual void reset() = 0;
  virtual std::int64_t changes() const = 0;
  /// Runs it for its effect, without waiting for a server far away: in the order of posts, and before anything else that the transaction asks. `told` then hears the
  /// first column of its first row, an integer, or that there is none; it must ask nothing itself.
  virtual void post(std::function<void(std::optional<std::int64_t>)> told) = 0;

  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual double real(int column) const = 0;
  /// Text or bytes; borrowed until the next step.
  virtual std::string_view text(int column) const = 0;
  /// For rows whose columns are not known beforehand.
  virtual int columns() const = 0;
  virtual std::string_view column_name(int column) const = 0;
  virtual bool is_text(int column) const = 0;
};

template <std::integral Number>
void bind_value(Statement& s, int place, Number v) {
  s.bind_integer(place, static_cast<std::int64_t>(v));
}
inline void bind_value(Statement& s, int place, double v) { s.bind_real(place, v); }
inline void bind_value(Statement& s, int place, std::string_view v) { s.bind_text(place, v); }
inline void bind_value(Statement& s, int place, const std::string& v) { s.bind_text(place, v); }
inline void bind_value(Statement& s, int place, const char* v) { s.bind_text(place, v); }
inline void bind_value(Statement& s, int place, Blob v) { s.bind_blob(place, v.bytes); }
inline void bind_value(Statement& s, int place, const Hash128& v) { s.bind_blob(place, v.view()); }
inline void bind_value(Statement& s, int place, Instant v) { s.bind_integer(place, to_us(v)); }
inline void bind_value(Statement& s, int place, Day v) { s.bind_integer(place, to_number(v)); }
inline void bind_value(Statement& s, int place, Micros v) { s.bind_integer(place, v.value); }
template <class Tag>
void bind_value(Statement& s, int place, const TextId<Tag>& v) {
  s.bind_text(place, v.text());
}
template <class Tag>
void bind_value(Statement& s, int place, NumberId<Tag> v) {
  s.bind_integer(place, v.value);
}
template <class T>
constexpr SqlType type_of = std::convertible_to<T, std::string_view> || requires(const T& v) { { v.text() } -> std::convertible_to<std::string_view>; } ? SqlType::text
                            : std::same_as<T, Blob> || std::same_as<T, Hash128>                                                                 ? SqlType::blob
                            : std::floating_point<T>                                                                                           ? SqlType::real
                                                                                                                                               : SqlType::integer;
template <class T>
void bind_value(Statement& s, int place, const std::optional<T>& v) {
  if (v) {
    bind_value(s, place, *v);
  } else {
    s.bind_null(place, type_of<T>);
  }
}

/// The rows of a query, one at a time. Gives the statement back when it goes.
class Rows {
 public:
  explicit Rows(Statement& statement) : statement_(&statement) {}
  Rows(Rows&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Rows& operator=(Rows&&) = delete;
  ~Rows() {
    if (statement_) statement_->reset();
  }
  bool next() { return statement_->step(); }

  bool is_null(int column) const { return statement_->is_null(column); }
  std::int64_t integer(int column) const { return statement_->integer(column); }
  double real(int column) const { return statement_->real(column); }
  bool flag(int column) const { return statement_->integer(column) != 0; }
  std::string_view view(int column) const { return statement_->text(column); }
  std::string text(int column) const { return std::string(statement_->text(column)); }
  int columns() const { return statement_->columns(); }
  std::string_view column_name(int column) const { return statement_->column_name(column); }
  bool is_text(int column) const { return statement_->is_text(column); }
  Instant instant(int column) const { return from_us(statement_->integer(column)); }
  std::optional<Instant> maybe_instant(int column) const { return is_null(column) ? std::nullopt : std::optional(instant(column)); }
  std::optional<DayRange> maybe_days(int from, int until) const {
    return is_null(from) || is_null(until) ? std::nullopt : std::optional(DayRange{day_from(integer(from)), day_from(integer(until))});
  }
  std::optional<std::int64_t> maybe_integer(int column) const { return is_null(column) ? std::nullopt : std::optional(integer(column)); }
  template <class Id>
  Id id(int column) const {
    if constexpr (requires(Id i) { i.value; }) {
      return Id{statement_->integer(column)};
    } else {
      return Id(text(column));
    }
  }

 private:
  Statement* statement_;
};

class Tx {
 public:
  virtual ~Tx() = default;

  /// Runs a statement for its effect; the number of rows changed.
  template <class... Args>
  std::int64_t run(std::string_view sql, const Args&... args) {
    Statement& s = bound(sql, args...);
    s.step();
    const std::int64_t changed = s.changes();
    s.reset();
    return changed;
  }
  /// The same where nobody needs to know how many: without waiting (Statement::post).
  template <class... Args>
  void post(std::string_view sql, const Args&... args) {
    bound(sql, args...).post({});
  }
  /// Until what was posted is done, and who asked has been told.
  virtual void settle() = 0;
  template <class... Args>
  Rows rows(std::string_view sql, const Args&... args) {
    return Rows(bound(sql, args...));
  }
  /// First column of the first row as an integer.
  template <class... Args>
  std::optional<std::int64_t> integer(std::string_view sql, const Args&... args) {
    Rows r = rows(sql, args...);
    return r.next() ? r.maybe_integer(0) : std::nullopt;
  }
  template <class... Args>
  std::optional<std::string> text(std::string_view sql, const Args&... args) {
    Rows r = rows(sql, args...);
    if (!r.next() || r.is_null(0)) return std::nullopt;
    return r.text(0);
  }
  /// For loops that bind and step one statement many times. Reset it after each use.
  virtual Statement& statement(std::string_view sql) = 0;

  /// The store's clock when the transaction began; leases are measured by it.
  virtual Instant now() const = 0;

  virtual const std::optional<Error>& error() const = 0;

  /// The first of so many numbers of a counter, which nobody is given again, whatever becomes of this transaction.
  virtual std::int64_t take_numbers(std::string_view counter, std::int64_t count) = 0;
  /// Where to put what readers of all users' news follow by place. In one transaction they grow.
  virtual std::int64_t next_place() = 0;
  /// All that will ever stand at places up to here is there, for readers to see; what comes later stands above.
  virtual std::int64_t settled_place() = 0;
  /// Above every place that was given out. A reader who stands there comes from another server, or from this one before it lost something.
  virtual std::int64_t place_to_come() = 0;
  /// All tables of the schema.
  virtual std::vector<Column> columns() = 0;
  /// The highest number that a table ever gave by itself; 0: it gives none, or gave none yet.
  virtual std::int64_t last_number(const std::string& table) = 0;
  /// From now on the table gives higher ones than this, and than all it holds. Nothing where it gives none.
  virtual void number_above(const std::string& table, std::int64_t last) = 0;
  /// What stands behind a query for one row to take, which others want too: they get another one, or nothing.
  virtual std::string_view lock_unclaimed() const = 0;

 private:
  template <class... Args>
  Statement& bound(std::string_view sql, const Args&... args) {
    Statement& s = statement(sql);
    int place = 0;
    (bind_value(s, ++place, args), ...);
    return s;
  }
};

}  // namespace amzsync::store
