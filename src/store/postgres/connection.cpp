// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/connection.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

namespace amzsync::store {
namespace {

// pg_type.dat
constexpr Oid kBool = 16, kBytea = 17, kInt8 = 20, kInt2 = 21, kInt4 = 23, kText = 25, kFloat4 = 700, kFloat8 = 701, kNumeric = 1700;
constexpr int kBinary = 1;
constexpr unsigned kPlaces = 20;   // amz_place()
// What the server itself gives a statement (begin), and a little.
constexpr Duration kMostAtAll = std::chrono::seconds(130), kMostToCaller = std::chrono::seconds(32);

Oid oid_of(SqlType type) noexcept {
  switch (type) {
    case SqlType::integer: return kInt8;
    case SqlType::real: return kFloat8;
    case SqlType::blob: return kBytea;
    case SqlType::text: return kText;
    case SqlType::any: break;
  }
  return 0;   // the server finds out
}

std::string big_endian(std::uint64_t value) {
  std::string bytes(sizeof value, '\0');
  for (std::size_t i = sizeof value; i-- > 0; value >>= 8U) bytes[i] = static_cast<char>(value & 0xFFU);
  return bytes;
}

std::uint64_t number_of(std::string_view bytes) noexcept {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8U | static_cast<unsigned char>(c);
  return value;
}

std::int64_t signed_of(std::string_view bytes) noexcept {
  const std::uint64_t value = number_of(bytes);
  switch (bytes.size()) {
    case 2: return static_cast<std::int16_t>(value);
    case 4: return static_cast<std::int32_t>(value);
    default: return static_cast<std::int64_t>(value);
  }
}

/// The whole part of a numeric, which sums of integers are: groups of four decimal digits.
std::int64_t whole_of_numeric(std::string_view bytes) noexcept {
  constexpr std::int64_t kGroup = 10'000;
  constexpr std::size_t kHeader = 8;
  constexpr std::uint64_t kNegative = 0x4000;
  if (bytes.size() < kHeader) return 0;
  const auto groups = static_cast<std::int64_t>(number_of(bytes.substr(0, 2)));
  const auto weight = static_cast<std::int16_t>(number_of(bytes.substr(2, 2)));
  const bool negative = number_of(bytes.substr(4, 2)) == kNegative;
  std::int64_t value = 0;
  for (std::int64_t i = 0; i <= weight; ++i) value = value * kGroup + (i < groups ? static_cast<std::int64_t>(number_of(bytes.substr(kHeader + static_cast<std::size_t>(i) * 2, 2))) : 0);
  return negative ? -value : value;
}

/// Empty: the server said nothing.
std::string_view state_of(const PostgresResult& result) noexcept {
  const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
  return state ? state : "";
}

/// `?1` is `$1` there, and what /*! and */ enclose is SQL; texts in quotes stay.
std::string with_dollars(std::string_view sql) {
  std::string out(sql);
  bool quoted = false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] == '\'') quoted = !quoted;
    if (!quoted && (out.compare(i, 3, "/*!") == 0 || out.compare(i, 2, "*/") == 0)) out.replace(i, out[i] == '/' ? 3 : 2, out[i] == '/' ? 3 : 2, ' ');
    if (!quoted && out[i] == '?' && i + 1 < out.size() && out[i + 1] >= '0' && out[i + 1] <= '9') out[i] = '$';
  }
  return out;
}

}  // namespace

Error postgres_error(std::string_view sqlstate, std::string_view detail, PostgresConnection::For what) {
  const auto say = [&](Code c, const char* sentence = nullptr) {
    Error e = sentence ? Error(c, sentence) : Error(c);
    while (!detail.empty() && detail.back() == '\n') detail.remove_suffix(1);
    std::string line(detail);   // of several lines
    for (std::size_t at = 0; (at = line.find_first_of("\n\t", at)) != std::string::npos;) line.replace(at, std::min(line.find_first_not_of("\n\t", at), line.size()) - at, " ");
    e.message += " (PostgreSQL: " + line + ")";
    return e;
  };
  const std::string_view group = sqlstate.substr(0, 2);
  if (sqlstate.empty() || group == "08" || group == "57" || group == "28" || group == "3D") return sqlstate == "57014" ? say(Code::store_busy) : say(Code::store_unavailable);
  if (group == "40" || sqlstate == "55P03" || sqlstate == "23505") return say(Code::store_busy);
  if (sqlstate == "53200") return say(Code::no_memory);
  if (sqlstate == "53100") return say(Code::store_full);
  if (group == "53") return say(Code::store_unavailable);
  if (sqlstate == "25006") return say(Code::store_read_only);
  if (sqlstate == "42501") return say(Code::store_read_only, "The role of the store's URL may not do that in the database.");
  if (sqlstate == "3F000") return say(Code::setting_invalid, "The role of the store's URL has no schema in which it could make tables.");
  // Tables, columns, functions that are there, or not, although only we make them.
  for (const std::string_view foreign : {"42P01", "42P07", "42703", "42710", "42723"})
    if (what == PostgresConnection::For::schema && sqlstate == foreign) return say(Code::setting_invalid, "The tables in the database are not amzsync's, or were changed; it needs a database, or a schema, of its own.");
  if (sqlstate == "42P05" || sqlstate == "26000") return say(Code::setting_invalid, "Between here and the database stands a pooler that works by the transaction; the store's URL must say so (pgbouncer=true).");
  if (group == "XX" && sqlstate != "XX000") return say(Code::store_corrupt);
  return say(Code::internal);
}

// ---- a statement ----

PostgresStatement::Value& PostgresStatement::value(int place, SqlType type) {
  if (values_.size() < static_cast<std::size_t>(place)) values_.resize(static_cast<std::size_t>(place));
  Value& v = values_[static_cast<std::size_t>(place) - 1];
  v.type = type;
  v.null = false;
  return v;
}

void PostgresStatement::bind_integer(int place, std::int64_t number) { value(place, SqlType::integer).bytes = big_endian(static_cast<std::uint64_t>(number)); }
void PostgresStatement::bind_real(int place, double number) { value(place, SqlType::real).bytes = big_endian(std::bit_cast<std::uint64_t>(number)); }
void PostgresStatement::bind_text(int place, std::string_view text) {
  value(place, SqlType::text).bytes = storable_utf8(text);
}
void PostgresStatement::bind_blob(int place, std::string_view bytes) { value(place, SqlType::blob).bytes = bytes; }
void PostgresStatement::bind_null(int place, SqlType type) { value(place, type).null = true; }

struct PostgresStatement::Arguments {
  std::vector<Oid> types;
  std::vector<const char*> pointers;
  std::vector<int> lengths, formats;
  int count = 0;
};

PostgresStatement::Arguments PostgresStatement::arguments() const {
  Arguments a;
  for (const Value& v : values_) {
    a.types.push_back(oid_of(v.type));
    a.pointers.push_back(v.null ? nullptr : v.bytes.data());
    a.lengths.push_back(static_cast<int>(v.bytes.size()));
    a.formats.push_back(kBinary);
  }
  a.count = static_cast<int>(values_.size());
  return a;
}

bool PostgresStatement::is_prepared_for(const std::vector<Oid>& types) const {
  const auto fits = [](Oid now, Oid before) { return now == before || now == 0 || before == 0; };
  return is_prepared_ && std::equal(types.begin(), types.end(), prepared_as_.begin(), prepared_as_.end(), fits);
}

bool PostgresStatement::prepare(const Arguments& a) {
  if (!connection_.may_prepare() || is_prepared_for(a.types)) return true;
  connection_.settle();
  if (connection_.error()) return false;
  if (is_prepared_) {
    const PostgresResult dropped = connection_.wire().run(("DEALLOCATE " + name_).c_str());
    is_prepared_ = false;
  }
  PostgresWire& wire = connection_.wire();
  const PostgresResult made = wire.last(PQsendPrepare(wire.raw(), name_.c_str(), sql_.c_str(), a.count, a.types.data()));
  if (PQresultStatus(made.get()) != PGRES_COMMAND_OK) {
    connection_.remember(made);
    return false;
  }
  is_prepared_ = true;
  prepared_as_ = a.types;
  return true;
}

/// What libpq says of it: 0, where it can't be sent.
int PostgresStatement::send(const Arguments& a) {
  PGconn* const to = connection_.wire().raw();
  return connection_.may_prepare() ? PQsendQueryPrepared(to, name_.c_str(), a.count, a.pointers.data(), a.lengths.data(), a.formats.data(), kBinary)
                                   : PQsendQueryParams(to, sql_.c_str(), a.count, a.types.data(), a.pointers.data(), a.lengths.data(), a.formats.data(), kBinary);
}

void PostgresStatement::post(std::function<void(std::optional<std::int64_t>)> told) {
  const Arguments a = arguments();
  if (connection_.error() || !prepare(a)) return;
  if (!connection_.is_sending() && PQenterPipelineMode(connection_.wire().raw()) == 0) return connection_.remember({});
  if (send(a) == 0) return connection_.remember({});
  connection_.sent(std::move(told));
}

bool PostgresStatement::step() {
  if (connection_.error()) {
    row_ = -1;
    return false;
  }
  if (!result_) {
    changes_ = 0;
    row_ = -1;
    const Arguments a = arguments();
    connection_.settle();
    if (connection_.error() || !prepare(a)) return false;
    PostgresResult result = connection_.wire().last(send(a));
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      connection_.remember(result);
      return false;
    }
    const std::string_view changed = PQcmdTuples(result.get());
    (void)std::from_chars(changed.data(), changed.data() + changed.size(), changes_);
    if (changes_ > 0 && !std::string_view(PQcmdStatus(result.get())).starts_with("SELECT")) connection_.count_written();
    result_ = std::move(result);
  }
  texts_.clear();
  if (row_ + 1 < PQntuples(result_.get())) {
    ++row_;
    return true;
  }
  row_ = -1;
  return false;
}

void PostgresStatement::reset() {
  result_.clear();
  texts_.clear();
  row_ = -1;
}

std::string_view PostgresStatement::raw(int column) const { return {PQgetvalue(result_.get(), row_, column), static_cast<std::size_t>(PQgetlength(result_.get(), row_, column))}; }

std::int64_t PostgresStatement::integer(int column) const {
  if (is_null(column)) return 0;
  const std::string_view bytes = raw(column);
  switch (PQftype(result_.get(), column)) {
    case kBool:
    case kInt2:
    case kInt4:
    case kInt8: return bytes.size() == 1 ? (bytes[0] != 0 ? 1 : 0) : signed_of(bytes);
    case kNumeric: return whole_of_numeric(bytes);
    case kFloat4:
    case kFloat8: return static_cast<std::int64_t>(real(column));
    default: {
      std::int64_t number = 0;
      (void)std::from_chars(bytes.data(), bytes.data() + bytes.size(), number);
      return number;
    }
  }
}

double PostgresStatement::real(int column) const {
  if (is_null(column)) return 0;
  const std::string_view bytes = raw(column);
  switch (PQftype(result_.get(), column)) {
    case kFloat8: return std::bit_cast<double>(number_of(bytes));
    case kFloat4: return std::bit_cast<float>(static_cast<std::uint32_t>(number_of(bytes)));
    default: return static_cast<double>(integer(column));
  }
}

bool PostgresStatement::is_text(int column) const {
  if (row_ < 0) return false;
  switch (PQftype(result_.get(), column)) {
    case kBool:
    case kInt2:
    case kInt4:
    case kInt8:
    case kNumeric: return false;
    default: return true;
  }
}

std::string_view PostgresStatement::text(int column) const {
  if (is_null(column)) return {};
  if (is_text(column)) return raw(column);
  texts_.resize(static_cast<std::size_t>(columns()));
  std::string& t = texts_[static_cast<std::size_t>(column)];
  if (t.empty()) t = std::to_string(integer(column));
  return t;
}

// ---- a connection ----

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::open(const PostgresAddress& address, const Clock& clock, bool server_clock, Patience patience, Numbers numbers) {
  AMZ_TRY(wire, PostgresWire::open(address, std::move(patience)));
  if (wire->is_lost()) return postgres_error("", wire->message());
  return std::unique_ptr<PostgresConnection>(new PostgresConnection(clock, server_clock, address.is_pooled, std::move(wire), std::move(numbers)));
}

Statement& PostgresConnection::statement(std::string_view sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) return *found->second;
  auto made = std::make_unique<PostgresStatement>(*this, with_dollars(sql), names_ + std::to_string(statements_.size()));
  return *statements_.emplace(std::string(sql), std::move(made)).first->second;
}

std::int64_t PostgresConnection::take_numbers(std::string_view counter, std::int64_t count) {
  if (error_) return 0;
  const std::int64_t first = numbers_(counter, count);
  if (first <= 0) error_ = Error(Code::store_unavailable);
  return first;
}

std::vector<Column> PostgresConnection::columns() {
  std::vector<Column> all;
  Rows r = rows(
      "SELECT t.relname, a.attname, y.typname, a.attnotnull AND NOT a.atthasdef AND a.attidentity='', coalesce(array_position(k.conkey, a.attnum), 0) FROM pg_class t "
      "JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'p' "
      "WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace ORDER BY t.relname, a.attnum");
  const auto type = [](std::string_view name) { return name == "int8" ? SqlType::integer : name == "float8" ? SqlType::real : name == "bytea" ? SqlType::blob : SqlType::text; };
  while (r.next()) all.push_back({r.text(0), r.text(1), type(r.view(2)), r.flag(3), static_cast<int>(r.integer(4))});
  return all;
}

// The server's oldest transaction is told at once, and may be of another database or program, and stay open for hours. Whose it is takes a look through all locks: a
// transaction that writes here has read `meta` before it got its number (begin), and keeps that lock to its end. What has ended since the snapshot may have been one of ours.
std::int64_t PostgresConnection::settled_place() {
  std::int64_t oldest = 0, next = 0;
  {
    Rows r = rows("SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() s");
    if (!r.next()) return 0;
    oldest = r.integer(0);
    next = r.integer(1);
  }
  if (oldest != next) {
    if (std::exchange(oldest_under_way_, oldest) != oldest) under_way_since_ = clock_.steady();
    if (!may_see_locks_) may_see_locks_ = integer("SELECT has_table_privilege('pg_locks', 'SELECT')").value_or(0) != 0;
    is_kept_back_ = !*may_see_locks_ || clock_.steady() - under_way_since_ < kMostUnderWay;
    if (!is_kept_back_)
      oldest = integer("WITH locks AS MATERIALIZED (SELECT locktype, virtualtransaction AS holder, transactionid::text::bigint AS number FROM pg_locks WHERE granted AND "
                       "(locktype='transactionid' AND mode='ExclusiveLock' OR locktype='relation' AND relation='meta'::regclass AND database=(SELECT oid FROM pg_database WHERE datname=current_database()))), "
                       "others AS MATERIALIZED (SELECT number FROM locks t WHERE locktype='transactionid' AND NOT EXISTS (SELECT 1 FROM locks r WHERE r.locktype='relation' AND r.holder=t.holder)) "
                       "SELECT min(x::text::bigint) FROM pg_snapshot_xip(pg_current_snapshot()) x "
                       "WHERE CASE WHEN (x::text::bigint & 4294967295) IN (SELECT number FROM others) THEN pg_xact_status(x) <> 'in progress' ELSE true END")
                   .value_or(next);
  }
  return (oldest << kPlaces) - 1;
}

std::int64_t PostgresConnection::place_to_come() { return integer("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").value_or(0) << kPlaces; }

namespace {
/// Of the sequence behind the table's own numbers, if it gives any.
constexpr std::string_view kSequence =
    "SELECT pg_get_serial_sequence(quote_ident(t.relname), a.attname) FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attidentity <> '' "
    "WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace AND t.relname = ?1";
}  // namespace

std::int64_t PostgresConnection::last_number(const std::string& table) {
  const auto sequence = text(kSequence, table);
  return sequence ? integer("SELECT pg_sequence_last_value(?1::text::regclass)", *sequence).value_or(0) : 0;
}

void PostgresConnection::number_above(const std::string& table, std::int64_t last) {
  const auto sequence = text(kSequence, table);
  if (!sequence || last <= 0) return;
  (void)integer("SELECT setval(?1::text::regclass, greatest(?2::bigint, coalesce(pg_sequence_last_value(?1::text::regclass), 1)))", *sequence, last);
}

void PostgresConnection::sent(std::function<void(std::optional<std::int64_t>)> told) {
  // So few that what the server answers meanwhile finds room on its way.
  constexpr std::size_t kMostUntold = 256;
  has_written_ = true;
  sent_.push_back(std::move(told));
  if (sent_.size() >= kMostUntold) settle();
}

void PostgresConnection::settle() {
  if (!is_sending()) return;
  if (PQpipelineSync(wire_->raw()) == 0) remember({});
  while (!sent_.empty()) {
    const PostgresResult result = wire_->next();
    const auto status = PQresultStatus(result.get());
    if (!result || (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)) {
      // What was sent after it was not done; of that the server says nothing new.
      remember(result);
      if (!result || is_lost()) break;
    }
    const bool row = status == PGRES_TUPLES_OK && PQntuples(result.get()) > 0 && PQgetisnull(result.get(), 0, 0) == 0;
    if (sent_.front()) sent_.front()(row ? std::optional(signed_of({PQgetvalue(result.get(), 0, 0), static_cast<std::size_t>(PQgetlength(result.get(), 0, 0))})) : std::nullopt);
    sent_.pop_front();
    const PostgresResult end = wire_->next();   // of this one
  }
  sent_.clear();
  const PostgresResult synced = wire_->next();
  if (PQexitPipelineMode(wire_->raw()) == 0) remember({});
}

Status PostgresConnection::begin(const char* how, For what) {
  error_.reset();
  what_ = what;
  may_try_again_ = met_key_ = has_written_ = is_kept_back_ = false;
  transaction_.clear();
  oldest_borne_ = 0;
  // A transaction whose process was stopped in the middle must be over before anybody gives up waiting for it (lock_timeout). Said of each, for the next one may run on another server connection.
  const bool is_asked = what == For::asking;
  std::string sql = std::string("BEGIN ") + how + "; SET LOCAL statement_timeout=" + (is_asked ? "30000" : "120000") + "; SET LOCAL lock_timeout=" + (is_asked ? "10000" : "30000") +
                    "; SET LOCAL idle_in_transaction_session_timeout=" + (what == For::writing || what == For::counter ? "8000" : "60000") + "; SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
  if (what == For::writing) sql += ", (SELECT value FROM meta WHERE key='min_writer'), pg_current_xact_id()";
  if (what == For::reading || is_asked) sql += ", (SELECT value FROM meta WHERE key='min_reader')";
  wire_->wait_at_most(what == For::schema ? Patience::kEndless : is_asked ? kMostToCaller : kMostAtAll);
  const PostgresResult begun = wire_->run(sql.c_str());
  if (PQresultStatus(begun.get()) != PGRES_TUPLES_OK) {
    remember(begun);
    const PostgresResult ended = wire_->run("ROLLBACK");   // what was begun, and came no further, must not be the next one's
    return *error_;
  }
  std::int64_t us = 0;
  const std::string_view time = PQgetvalue(begun.get(), 0, 0);
  (void)std::from_chars(time.data(), time.data() + time.size(), us);
  now_ = server_clock_ ? from_us(us) : clock_.now();
  if (what != For::schema && what != For::counter) {
    const std::string_view oldest = PQgetvalue(begun.get(), 0, 1);
    (void)std::from_chars(oldest.data(), oldest.data() + oldest.size(), oldest_borne_);
  }
  if (what == For::writing) transaction_ = PQgetvalue(begun.get(), 0, 2);
  return Done{};
}

Status PostgresConnection::exec(const char* sql) {
  settle();
  const PostgresResult done = wire_->run(sql);
  const auto status = PQresultStatus(done.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return Done{};
  may_try_again_ = state_of(done).starts_with("40");
  return failure(done);
}

Result<std::string> PostgresConnection::ask(const std::string& sql) {
  const PostgresResult told = wire_->run(sql.c_str());
  if (PQresultStatus(told.get()) != PGRES_TUPLES_OK) return failure(told);
  return std::string(PQntuples(told.get()) > 0 ? PQgetvalue(told.get(), 0, 0) : "");
}

Error PostgresConnection::failure(const PostgresResult& result) const { return postgres_error(state_of(result), wire_->message(), what_); }

void PostgresConnection::remember(const PostgresResult& result) {
  if (error_) return;
  met_key_ = state_of(result) == "23505";
  may_try_again_ = state_of(result).starts_with("40") || met_key_;
  error_ = failure(result);
}

}  // namespace amzsync::store
