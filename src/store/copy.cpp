// SPDX-License-Identifier: Apache-2.0
#include "store/copy.hpp"

#include <algorithm>
#include <bit>
#include <future>
#include <map>
#include <optional>
#include <random>

#include "store/parts.hpp"

namespace amzsync::store {
namespace {

// A page of rows is as many as take this much, more or less.
constexpr std::int64_t kFirstPage = 100, kMostRows = 4'000;
constexpr std::size_t kPageBytes = 2U << 20;

constexpr std::string_view kMark = "copying";

/// Where a table is not simply what it is. All others are found in the schema.
bool is_left(std::string_view table) noexcept { return table == "meta" || table == "engines"; }
/// Each database gives it its own way.
bool is_own(const Column& c) noexcept { return c.table == "journal" && c.name == "journal_no"; }

struct Value {
  bool null = true;
  std::int64_t integer = 0;
  double real = 0;
  std::string bytes;
};
using Row = std::vector<Value>;

struct CopiedColumn : Column {
  std::string derived;              ///< SQL for what this database does not keep there, and another one does; empty: it does

  const std::string& sql() const noexcept { return derived.empty() ? name : derived; }
};

struct Table {
  std::string name;
  std::vector<CopiedColumn> columns;   ///< in the order of their names, which is the same in both databases
  std::vector<std::size_t> key;     ///< places in columns

  /// What is written when rows are copied into this database.
  std::vector<std::size_t> written() const {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (!is_own(columns[i]) && columns[i].derived.empty()) places.push_back(i);
    return places;
  }
  /// Whether the copy's own key tells how far it is.
  bool continues() const {
    return std::none_of(columns.begin(), columns.end(), is_own);
  }
};

/// Parts that tell of their user in some databases only.
constexpr const Parts* kTold[]{&kTransactionLines, &kFinancialEventLines, &kArchivePieces};

std::vector<Table> tables_of(Tx& tx) {
  std::map<std::string, Table> all;
  for (Column& c : tx.columns())
    if (!is_left(c.table)) all[c.table].columns.push_back({std::move(c), {}});
  for (const Parts* parts : kTold) {
    const std::string name(parts->table);
    auto& columns = all[name].columns;
    if (std::any_of(columns.begin(), columns.end(), [](const CopiedColumn& c) { return c.name == "user_no"; })) continue;
    columns.push_back({{name, "user_no", SqlType::integer, true, 0},
                       "(SELECT o.user_no FROM " + std::string(parts->owner) + " o WHERE o." + std::string(parts->owner_key) + " = " + name + "." + std::string(parts->key) + " / " + std::to_string(parts->each) + ")"});
  }
  std::vector<Table> tables;
  for (auto& [name, table] : all) {
    table.name = name;
    std::sort(table.columns.begin(), table.columns.end(), [](const CopiedColumn& a, const CopiedColumn& b) { return a.name < b.name; });
    for (std::size_t i = 0; i < table.columns.size(); ++i)
      if (table.columns[i].key > 0) table.key.push_back(i);
    std::sort(table.key.begin(), table.key.end(), [&](std::size_t a, std::size_t b) { return table.columns[a].key < table.columns[b].key; });
    tables.push_back(std::move(table));
  }
  // Whose parts are, their owners tell.
  std::stable_partition(tables.begin(), tables.end(), [](const Table& t) { return std::none_of(std::begin(kTold), std::end(kTold), [&](const Parts* p) { return p->table == t.name; }); });
  return tables;
}

// ---- reading ----

/// A key's columns, be it of this table or of the other database's.
std::string key_list(const Table& t, const std::vector<std::size_t>& key, std::string_view end) {
  std::string list;
  for (const std::size_t k : key) list += (list.empty() ? "" : ", ") + t.columns[k].sql() + std::string(end);
  return list;
}

std::string page_sql(const Table& t, bool from_start) {
  std::string names, places;
  for (const CopiedColumn& c : t.columns) names += (names.empty() ? "" : ", ") + c.sql();
  for (std::size_t i = 1; i <= t.key.size(); ++i) places += (i == 1 ? "?" : ", ?") + std::to_string(i);
  const std::string limit = "?" + std::to_string(from_start ? 1 : t.key.size() + 1);
  return "SELECT " + names + " FROM " + t.name + (from_start ? "" : " WHERE (" + key_list(t, t.key, "") + ") > (" + places + ")") + " ORDER BY " + key_list(t, t.key, "") + " LIMIT " + limit;
}

void bind(Statement& s, int place, SqlType type, const Value& v) {
  if (v.null) return s.bind_null(place, type);
  switch (type) {
    case SqlType::integer: return s.bind_integer(place, v.integer);
    case SqlType::real: return s.bind_real(place, v.real);
    case SqlType::blob: return s.bind_blob(place, v.bytes);
    case SqlType::text:
    case SqlType::any: return s.bind_text(place, v.bytes);
  }
}

Value value_of(const Statement& s, int place, SqlType type) {
  Value v;
  v.null = s.is_null(place);
  if (v.null) return v;
  switch (type) {
    case SqlType::integer: v.integer = s.integer(place); break;
    case SqlType::real: v.real = s.real(place); break;
    case SqlType::blob: v.bytes = s.text(place); break;
    case SqlType::text:
    case SqlType::any: v.bytes = storable_utf8(s.text(place)); break;
  }
  return v;
}

std::size_t size_of(const Row& row) {
  std::size_t bytes = 0;
  for (const Value& v : row) bytes += sizeof v + v.bytes.size();
  return bytes;
}

/// Reads a table in the order of its key, page by page.
class Pages {
 public:
  explicit Pages(const Table& t) : table_(t), first_(page_sql(t, true)), next_(page_sql(t, false)) {}
  /// Goes on behind this row's key.
  void continue_after(Row row) { last_ = std::move(row); }

  /// Empty: the table is over, or the transaction failed.
  std::vector<Row> next(Tx& tx) {
    Statement& s = tx.statement(last_ ? next_ : first_);
    int place = 0;
    if (last_)
      for (const std::size_t k : table_.key) bind(s, ++place, table_.columns[k].type, (*last_)[k]);
    s.bind_integer(++place, limit_);
    std::vector<Row> page;
    std::size_t bytes = 0;
    while (s.step()) {
      Row row;
      row.reserve(table_.columns.size());
      for (std::size_t i = 0; i < table_.columns.size(); ++i) row.push_back(value_of(s, static_cast<int>(i), table_.columns[i].type));
      bytes += size_of(row);
      page.push_back(std::move(row));
    }
    s.reset();
    if (!page.empty()) last_ = page.back();
    if (bytes > kPageBytes) limit_ = std::max<std::int64_t>(1, limit_ / 2);
    if (bytes < kPageBytes / 4) limit_ = std::min(kMostRows, limit_ * 2);
    return page;
  }

 private:
  const Table& table_;
  std::string first_, next_;
  std::optional<Row> last_;
  std::int64_t limit_ = kFirstPage;
};

// ---- digests ----

void add_number(std::string& text, std::uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) text += static_cast<char>(number >> static_cast<unsigned>(shift) & 0xFFU);
}

/// Each value says what it is and how long, so that no two rows look alike.
Hash128 digest_of(const Table& t, const Row& row) {
  std::string text;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (is_own(t.columns[i])) continue;
    const Value& v = row[i];
    text += v.null ? 'n' : t.columns[i].type == SqlType::integer ? 'i' : t.columns[i].type == SqlType::real ? 'r' : 't';
    if (v.null) continue;
    if (t.columns[i].type == SqlType::integer) {
      add_number(text, static_cast<std::uint64_t>(v.integer));
    } else if (t.columns[i].type == SqlType::real) {
      add_number(text, std::bit_cast<std::uint64_t>(v.real));
    } else {
      add_number(text, v.bytes.size());
      text += v.bytes;
    }
  }
  return Hash128::of(text);
}

struct Sum {
  std::int64_t rows = 0;
  Hash128 digest;
  void add(const Table& t, const std::vector<Row>& page) {
    for (const Row& row : page) digest += digest_of(t, row);
    rows += static_cast<std::int64_t>(page.size());
  }
  friend bool operator==(const Sum&, const Sum&) = default;
};

Result<Sum> sum_in(Tx& tx, const Table& t) {
  Sum sum;
  Pages pages(t);
  for (auto page = pages.next(tx); !page.empty(); page = pages.next(tx)) sum.add(t, page);
  if (tx.error()) return *tx.error();
  return sum;
}

// ---- writing ----

/// A transaction from the calling thread, which waits for it.
template <class Work>
auto write_now(Store& store, Work work) -> std::invoke_result_t<Work&, Tx&> {
  using R = std::invoke_result_t<Work&, Tx&>;
  struct There final : Job {
    explicit There(Work& w) : work(w) {}
    Status attempt(Tx& tx) override { return attempt_work(work, tx, result); }
    void finish(Status s) override { told.set_value(s ? std::move(*result) : R(s.error())); }
    Work& work;
    std::optional<R> result;
    std::promise<R> told;
  };
  auto job = std::make_unique<There>(work);
  auto answer = job->told.get_future();
  store.submit_write(Urgency::normal, std::move(job));
  return answer.get();
}

std::string insert_sql(const Table& t) {
  std::string names, places;
  int place = 0;
  for (const std::size_t i : t.written()) {
    names += (names.empty() ? "" : ", ") + t.columns[i].name;
    places += (places.empty() ? "?" : ", ?") + std::to_string(++place);
  }
  // A new database has begun its counters.
  const bool again = t.name == "counters";
  return "INSERT INTO " + t.name + "(" + names + ") VALUES(" + places + ") ON CONFLICT " + (again ? "(name) DO UPDATE SET next=excluded.next" : "DO NOTHING");
}

class Copy {
 public:
  using Progress = std::function<void(const std::string& table, std::int64_t rows)>;
  Copy(Tx& from, Store& to, const Progress& progress) : from_(from), to_(to), progress_(progress) {}

  Result<std::vector<CopiedTable>> perform() {
    const auto tables = tables_of(from_);
    if (from_.error()) return *from_.error();
    AMZ_CHECK(begin(tables));
    std::vector<CopiedTable> copied;
    for (const Table& t : tables) {
      AMZ_TRY(table, copy(t));
      copied.push_back(std::move(table));
    }
    AMZ_CHECK(end(tables));
    return copied;
  }

 private:
  /// Marks it, so that nobody works on what is not all there.
  Status begin(const std::vector<Table>& tables) {
    return write_now(to_, [&](Tx& tx) -> Status {
      const auto there = tables_of(tx);
      const auto same = [](const Table& a, const Table& b) {
        return a.name == b.name && std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                                              [](const CopiedColumn& x, const CopiedColumn& y) { return x.name == y.name && x.type == y.type; });
      };
      if (!std::equal(tables.begin(), tables.end(), there.begin(), there.end(), same)) return Error(Code::internal, "The two databases do not have the same tables and columns.");
      const bool begun = tx.integer("SELECT 1 FROM meta WHERE key=?1", kMark).has_value();
      if (!begun && tx.integer("SELECT 1 FROM users LIMIT 1").has_value())
        return Error(Code::store_busy, "The database to copy into holds users already. Copy into a new one.");
      // What it does meanwhile would be lost. Whether it is still there nobody can tell: it says when it goes.
      if (!begun && tx.integer("SELECT 1 FROM engines WHERE closed_at IS NULL LIMIT 1").has_value())
        return Error(Code::store_busy, "A host is open on the database to copy into, or was killed there. Stop it, or copy into a new one.");
      // One that goes on with another's work ends that: of two that wrote at once neither would be whole.
      tx.run("INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT (key) DO UPDATE SET value=excluded.value", kMark, mine_);
      for (const Table& t : there) there_[t.name] = t;
      return Done{};
    });
  }

  /// A transaction there, as long as this copy is the one that is under way.
  template <class Work>
  Status write_there(Work work) {
    return write_now(to_, [&](Tx& tx) -> Status {
      if (tx.text("SELECT value FROM meta WHERE key=?1", kMark) != mine_) return tx.error() ? Status(*tx.error()) : Error(Code::store_busy, "Another copy into this database has begun since, and goes on.");
      return work(tx);
    });
  }

  Status end(const std::vector<Table>& tables) {
    return write_there([&](Tx& tx) -> Status {
      for (const Table& t : tables) {
        std::int64_t last = from_.last_number(t.name);
        const Column& number = t.columns[t.key.back()];
        const bool is_numbered = t.key.size() == 1 || (t.key.size() == 2 && t.columns[t.key[0]].name == "user_no");
        if (is_numbered && number.type == SqlType::integer) last = std::max(last, from_.integer("SELECT max(" + number.name + ") FROM " + t.name).value_or(0));
        if (t.continues()) tx.number_above(t.name, last);
      }
      // A run's holder is known by its number, which nobody else may come by.
      tx.number_above("engines", std::max(from_.last_number("engines"), from_.integer("SELECT max(engine_no) FROM engines").value_or(0)));
      if (from_.error()) return *from_.error();
      tx.run("DELETE FROM meta WHERE key=?1", kMark);
      return Done{};
    });
  }

  Result<CopiedTable> copy(const Table& t) {
    CopiedTable result{.name = t.name, .digest = {}};
    AMZ_TRY(whole, sum_in(from_, t));
    for (const bool anew : {false, true}) {
      if (anew) AMZ_CHECK(empty(t));
      AMZ_TRY(written, write(t));
      result.written += written;
      AMZ_TRY(there, sum_there(t));
      if (there == whole) {
        result.rows = whole.rows;
        result.digest = hex(whole.digest.view());
        return result;
      }
    }
    return Error(Code::store_corrupt, "The table " + t.name + " is not the same in both databases after it was copied twice.");
  }

  Result<std::int64_t> write(const Table& t) {
    Pages pages(t);
    if (t.continues() && t.name != "counters") {
      AMZ_TRY(last, last_there(t));
      if (last) pages.continue_after(std::move(*last));
    }
    std::int64_t written = 0;
    const std::string insert = insert_sql(there_.at(t.name));
    const auto places = there_.at(t.name).written();
    for (auto page = pages.next(from_); !page.empty(); page = pages.next(from_)) {
      AMZ_CHECK(write_there([&](Tx& tx) -> Status {
        for (const Row& row : page) {
          Statement& s = tx.statement(insert);
          int place = 0;
          for (const std::size_t i : places) bind(s, ++place, t.columns[i].type, row[i]);
          s.post({});
        }
        return Done{};
      }));
      written += static_cast<std::int64_t>(page.size());
      if (progress_) progress_(t.name, written);
    }
    if (from_.error()) return *from_.error();
    return written;
  }

  /// Its key alone counts.
  Result<std::optional<Row>> last_there(const Table& t) {
    const Table& there = there_.at(t.name);
    return to_.read_now([&](Tx& tx) -> Result<std::optional<Row>> {
      Rows r = tx.rows("SELECT " + key_list(there, t.key, "") + " FROM " + t.name + " ORDER BY " + key_list(there, t.key, " DESC") + " LIMIT 1");
      if (!r.next()) return std::optional<Row>();
      Row row(t.columns.size());
      int place = 0;
      for (const std::size_t k : t.key) {
        Value& v = row[k];
        v.null = false;
        if (t.columns[k].type == SqlType::integer) {
          v.integer = r.integer(place);
        } else {
          v.bytes = r.text(place);
        }
        ++place;
      }
      return std::optional(std::move(row));
    });
  }

  Result<Sum> sum_there(const Table& t) {
    return to_.read_now([&](Tx& tx) { return sum_in(tx, there_.at(t.name)); });
  }

  Status empty(const Table& t) {
    return write_there([&](Tx& tx) -> Status { return tx.run("DELETE FROM " + t.name), Done{}; });
  }

  Tx& from_;
  Store& to_;
  const Progress& progress_;
  const std::string mine_ = std::to_string(std::random_device{}()) + "-" + std::to_string(std::random_device{}());
  std::map<std::string, Table> there_;   ///< the same tables, as the other database has them
};

/// An engine that works on it would change what was copied already.
Status refuse_worked_on(Store& store) {
  AMZ_TRY(open, store.read_now([](Tx& tx) -> Result<std::vector<EngineNo>> {
    std::vector<EngineNo> engines;
    Rows r = tx.rows("SELECT engine_no FROM engines WHERE closed_at IS NULL");
    while (r.next()) engines.push_back(r.id<EngineNo>(0));
    return engines;
  }));
  if (std::any_of(open.begin(), open.end(), [&](EngineNo engine) { return store.engine_may_live(engine); }))
    return Error(Code::store_busy, "A host is still open on the database to copy from. Stop it, and copy then.");
  return Done{};
}

}  // namespace

Result<std::vector<CopiedTable>> copy_store(Store& from, Store& to, const std::function<void(const std::string& table, std::int64_t rows)>& progress) {
  // Nothing is written there: but whoever opens it meanwhile finds it locked.
  return write_now(from, [&](Tx& tx) -> Result<std::vector<CopiedTable>> {
    AMZ_CHECK(refuse_worked_on(from));
    return Copy(tx, to, progress).perform();
  });
}

Status refuse_half_copied(Tx& tx) {
  if (tx.integer("SELECT 1 FROM meta WHERE key=?1", kMark)) return Error(Code::store_busy, "A copy into this database is not finished; copy again (amzsync migrate) before it is used.");
  return Done{};
}

}  // namespace amzsync::store
