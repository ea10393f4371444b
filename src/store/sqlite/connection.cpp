// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace amzsync::store {
namespace {

/// SQLite itself knows ENOSPC alone, and that not everywhere; a quota and a limit on the size of files are the same to whoever has to make room.
bool is_want_of_room(int system_error) { return system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG; }

}  // namespace

Error sqlite_error(int code, const char* detail, int system_error) {
  const auto say = [&](Code c) {
    Error e(c);
    e.message += std::string(" (SQLite: ") + detail + ")";
    return e;
  };
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return say(Code::store_busy);
    case SQLITE_FULL: return say(Code::store_full);
    case SQLITE_READONLY:
    case SQLITE_PERM: return say(Code::store_read_only);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return say(Code::store_corrupt);
    case SQLITE_NOMEM: return say(Code::no_memory);
    case SQLITE_IOERR: return say(is_want_of_room(system_error) ? Code::store_full : Code::store_unavailable);
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL: return say(Code::store_unavailable);
    default: return say(Code::internal);
  }
}

void SqliteStatement::bind_text(int place, std::string_view text) {
  // An empty view may have no address, which SQLite would take for NULL.
  sqlite3_bind_text(raw_, place, text.data() ? text.data() : "", static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

void SqliteStatement::bind_blob(int place, std::string_view bytes) {
  sqlite3_bind_blob(raw_, place, bytes.data() ? bytes.data() : "", static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
}

bool SqliteStatement::step() {
  has_row_ = false;
  changes_ = 0;
  if (connection_.error() || !raw_) return false;
  const int code = sqlite3_step(raw_);
  if (code == SQLITE_ROW) {
    has_row_ = true;
    return true;
  }
  if (code == SQLITE_DONE) {
    changes_ = sqlite3_changes64(connection_.raw());
  } else {
    connection_.remember(code);
  }
  return false;
}

void SqliteStatement::post(std::function<void(std::optional<std::int64_t>)> told) {
  const bool row = step();
  if (told) told(row ? std::optional(integer(0)) : std::nullopt);
  reset();
}

std::string_view SqliteStatement::text(int column) const {
  if (!has_row_) return {};
  const auto* data = static_cast<const char*>(sqlite3_column_blob(raw_, column));
  const int size = sqlite3_column_bytes(raw_, column);
  return data ? std::string_view(data, static_cast<std::size_t>(size)) : std::string_view();
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& path, const std::string& vfs, Mode mode, const Clock& clock) {
  auto connection = std::unique_ptr<SqliteConnection>(new SqliteConnection(clock));
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | (mode == Mode::writer ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &connection->db_, flags, vfs.empty() ? nullptr : vfs.c_str());
  if (code != SQLITE_OK) return sqlite_error(code, connection->db_ ? sqlite3_errmsg(connection->db_) : sqlite3_errstr(code), sqlite3_system_errno(connection->db_));
  sqlite3_extended_result_codes(connection->db_, 1);
  connection->vfs_ = sqlite3_vfs_find(vfs.empty() ? nullptr : vfs.c_str());
  connection->wait_for_locks();
  connection->broken_ = std::make_unique<SqliteStatement>(*connection, nullptr);
  return connection;
}

/// For another process' lock: short steps first, because our own batches hold it for 5 ms at most, 10 s in all, of one that is in a hurry 3 s for all that it
/// still does. The wait is on the writer's own thread; no lock of ours is held meanwhile.
void SqliteConnection::wait_for_locks() {
  const auto wait = [](void* self, int count) {
    constexpr int kShort = 200, kStepMs = 1, kLongStepMs = 10, kMaxCalls = 1200;
    auto& connection = *static_cast<SqliteConnection*>(self);
    const int step = count < kShort ? kStepMs : kLongStepMs;
    if (connection.hurries_.load(std::memory_order_relaxed)) {
      if (connection.patience_ms_ <= 0) return 0;
      connection.patience_ms_ -= step;
    } else if (count >= kMaxCalls) {
      return 0;
    }
    connection.vfs_->xSleep(connection.vfs_, step * 1'000);
    return 1;
  };
  sqlite3_busy_handler(db_, wait, this);
}

SqliteConnection::~SqliteConnection() {
  statements_.clear();
  broken_.reset();
  sqlite3_close_v2(db_);
}

Statement& SqliteConnection::statement(std::string_view sql) {
  Recent& recent = recent_[(reinterpret_cast<std::uintptr_t>(sql.data()) >> 3U) % recent_.size()];
  if (recent.place == sql.data() && *recent.text == sql) return *recent.statement;
  if (const auto found = statements_.find(sql); found != statements_.end()) {
    recent = {sql.data(), &found->first, found->second.get()};
    return *found->second;
  }
  if (error_) return *broken_;
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) {
    remember(code);
    return *broken_;
  }
  std::unique_ptr<sqlite3_stmt, decltype([](sqlite3_stmt* s) { sqlite3_finalize(s); })> owned(raw);   // one that is left over keeps the database open, and locked
  auto made = std::make_unique<SqliteStatement>(*this, raw);
  (void)owned.release();
  return *statements_.emplace(std::string(sql), std::move(made)).first->second;
}

std::int64_t SqliteConnection::take_numbers(std::string_view counter, std::int64_t count) {
  return integer("UPDATE counters SET next = next + ?2 WHERE name=?1 RETURNING next - ?2", counter, count).value_or(0);
}

std::vector<Column> SqliteConnection::columns() {
  std::vector<Column> all;
  Rows r = rows(
      "SELECT m.name, c.name, c.type, (c.\"notnull\" OR c.pk>0) AND c.dflt_value IS NULL AND NOT (c.type='INTEGER' AND c.pk=1), c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c "
      "WHERE m.type='table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid");
  const auto type = [](std::string_view name) { return name == "INTEGER" ? SqlType::integer : name == "REAL" ? SqlType::real : name == "BLOB" ? SqlType::blob : SqlType::text; };
  while (r.next()) all.push_back({r.text(0), r.text(1), type(r.view(2)), r.flag(3), static_cast<int>(r.integer(4))});
  return all;
}

std::int64_t SqliteConnection::last_number(const std::string& table) { return integer("SELECT seq FROM sqlite_sequence WHERE name=?1", table).value_or(0); }

void SqliteConnection::number_above(const std::string& table, std::int64_t last) {
  if (run("UPDATE sqlite_sequence SET seq=max(seq, ?2) WHERE name=?1", table, last) == 0)
    run("INSERT INTO sqlite_sequence(name, seq) SELECT ?1, ?2 FROM sqlite_master WHERE type='table' AND name=?1 AND sql LIKE '%AUTOINCREMENT%'", table, last);
}

void SqliteConnection::start_attempt() {
  error_.reset();
  now_ = clock_.now();
}

Status SqliteConnection::exec(const char* sql) {
  const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(code);
  return Done{};
}

Status SqliteConnection::keep_log_short() {
  start_attempt();
  page_size_ = static_cast<std::uint64_t>(integer("PRAGMA page_size").value_or(0));
  if (error_) return *error_;
  // What another left there, which may all still be to do.
  std::error_code absent;
  const auto left = std::filesystem::file_size(sqlite3_filename_wal(sqlite3_db_filename(db_, "main")), absent);
  if (!absent) unwritten_log_ = left;
  const auto hook = [](void* self, sqlite3*, const char*, int pages) {
    static_cast<SqliteConnection*>(self)->logged(pages);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(db_, hook, this);
  return Done{};
}

/// After each commit; `pages` are in the log by then, whoever wrote them.
void SqliteConnection::logged(int pages) noexcept {
  constexpr int kMany = 2'000;
  int all = pages, done = 0;
  if (pages >= kMany && sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &all, &done) != SQLITE_OK) all = pages, done = 0;
  unwritten_log_ = static_cast<std::uint64_t>(std::max(0, all - done)) * page_size_;
}

Result<bool> SqliteConnection::cut_log() {
  sqlite3_busy_handler(db_, nullptr, nullptr);
  const int code = sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  wait_for_locks();
  if ((code & 0xFF) == SQLITE_BUSY || (code & 0xFF) == SQLITE_LOCKED) return false;
  if (code != SQLITE_OK) return error_of(code);
  unwritten_log_ = 0;
  return true;
}

Status SqliteConnection::save_log() {
  const int code = sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  return code == SQLITE_OK ? Status(Done{}) : Status(error_of(code));
}

void SqliteConnection::remember(int code) {
  if (!error_) error_ = error_of(code);
}

Error SqliteConnection::error_of(int code) const { return sqlite_error(code, sqlite3_errmsg(db_), system_error(code)); }

int SqliteConnection::system_error(int code) const {
  const int last = sqlite3_system_errno(db_);
  if ((code & 0xFF) != SQLITE_IOERR || is_want_of_room(last)) return last;
  // SQLite asks for the system's reason after it rolled back, which may have been told another; each of its files keeps its own.
  int of_database = 0, of_log = 0;
  sqlite3_file* log = nullptr;
  sqlite3_file_control(db_, "main", SQLITE_FCNTL_LAST_ERRNO, &of_database);
  sqlite3_file_control(db_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log && log->pMethods) log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &of_log);
  return is_want_of_room(of_log) ? of_log : is_want_of_room(of_database) ? of_database : last;
}

}  // namespace amzsync::store
