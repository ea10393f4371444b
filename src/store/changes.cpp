// SPDX-License-Identifier: Apache-2.0
#include "store/changes.hpp"

#include <algorithm>

#include "base/json_writer.hpp"
#include "store/users.hpp"

namespace amzsync::store {

/// Where the rows of a stream are: its table, the view that shows them, and the column of both that names a row.
struct ChangeEntity {
  std::string stream, row;
  std::string first_day, rows_of_day, content;

  /// `of`: which rows of the table are entities.
  ChangeEntity(const std::string& name, const std::string& key, const std::string& of, bool by_day)
      : stream(name),
        row(key),
        first_day(by_day ? "SELECT day FROM " + name + " WHERE user_no=?1 AND day>?2 ORDER BY day LIMIT 1" : ""),
        rows_of_day("SELECT " + key + " FROM " + name + " WHERE user_no=?1 AND " + (by_day ? "day=?2" : "?2=?2") + of + " ORDER BY 1 DESC"),
        content("SELECT * FROM amz_" + name + " WHERE " + key + ">=?1 AND " + key + "<?2 AND user_id=?3 ORDER BY " + key) {}
};

namespace {

constexpr std::size_t kAtOnce = 500;

const std::vector<ChangeEntity>& entities() {
  static const std::vector<ChangeEntity> list = [] {
    std::vector<ChangeEntity> all;
    for (const char* money : {"transactions", "financial_events"}) all.emplace_back(money, "event_id", " AND continues IS NULL", true);
    all.emplace_back("inventory", "inventory_id", " AND closed_at IS NULL", false);
    for (const char* report : {"reimbursements", "ledger", "ledger_summary", "returns", "removals", "storage_fees", "fee_preview", "managed_inventory", "settlements", "inbound_shipments", "inbound_items"}) all.emplace_back(report, "row_id", "", true);
    return all;
  }();
  return list;
}

std::string row_json(const Rows& r) {
  JsonWriter json;
  json.begin_object();
  for (int i = 0; i < r.columns(); ++i) {
    const std::string_view name = r.column_name(i);
    if (r.is_null(i)) {
      json.field_null(name);
    } else if (!r.is_text(i)) {
      json.field(name, r.integer(i));
    } else if (name == "detail") {
      json.field_raw(name, r.view(i));   // JSON itself
    } else {
      json.field(name, r.view(i));
    }
  }
  return std::move(json.end_object()).text();
}

/// Rows of [first, end) that are there, numbered from `seq` on where they have numbers.
void read_rows(Tx& tx, const ChangeEntity& e, const std::string& user, std::int64_t first, std::int64_t end, std::int64_t seq, std::vector<Change>& out) {
  Rows r = tx.rows(e.content, first, end, user);
  int key = -1;
  while (r.next()) {
    for (int i = 0; key < 0 && i < r.columns(); ++i)
      if (r.column_name(i) == e.row) key = i;
    const std::int64_t row = r.integer(key);
    out.push_back({seq > 0 ? seq + (row - first) : 0, e.stream, row, row_json(r)});
  }
}

}  // namespace

void ChangeLog::add(std::int64_t row, bool gone) {
  if (!changes_.empty() && changes_.back().gone == gone && changes_.back().first + changes_.back().count == row) {
    ++changes_.back().count;
  } else {
    changes_.push_back({row, 1, gone});
  }
}

void ChangeLog::write() {
  if (changes_.empty()) return;
  std::int64_t all = 0;
  for (const Rows& c : changes_) all += c.count;
  std::int64_t seq = tx_.integer("UPDATE users SET change_seq = change_seq + ?2 WHERE user_no=?1 RETURNING change_seq - ?2 + 1", user_, all).value_or(0);
  for (const Rows& c : changes_) {
    tx_.post("INSERT INTO changes(user_no, change_seq, stream, first_row, count, gone, at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)", user_, seq, stream_, c.first, c.count, c.gone, tx_.now());
    seq += c.count;
  }
  changes_.clear();
}

ChangeReader::ChangeReader(Tx& tx, UserNo user, std::int64_t after, const std::vector<std::string>& streams) : user_(user), user_id_(user_id_of(tx, user).text()), after_(after) {
  for (const ChangeEntity& e : entities())
    if (streams.empty() || std::find(streams.begin(), streams.end(), e.stream) != streams.end()) streams_.push_back(&e);
  const auto newest = tx.integer("SELECT change_seq FROM users WHERE user_no=?1", user).value_or(0);
  const auto trimmed = tx.integer("SELECT changes_after FROM users WHERE user_no=?1", user).value_or(0);
  const bool kept = after >= trimmed && after <= newest;
  began_anew_ = !kept && after != 0;
  if (after > 0 && kept) {
    place_ = streams_.size();
  } else {
    after_ = newest;   // what changes while the snapshot is read comes after it
  }
}

bool ChangeReader::fill_from_snapshot(Tx& tx, std::vector<Change>& out) {
  for (; place_ < streams_.size(); ++place_, day_.reset()) {
    const ChangeEntity& e = *streams_[place_];
    while (true) {
      while (!rows_.empty() && out.size() < kAtOnce) {
        // Neighbours are read together; they mostly are some.
        const std::int64_t first = rows_.back();
        std::int64_t end = first;
        while (!rows_.empty() && rows_.back() == end && static_cast<std::size_t>(end - first) < kAtOnce) {
          rows_.pop_back();
          ++end;
        }
        read_rows(tx, e, user_id_, first, end, 0, out);
      }
      if (!rows_.empty()) return true;
      std::optional<std::int64_t> next;
      if (!e.first_day.empty()) {
        next = tx.integer(e.first_day, user_, day_.value_or(INT64_MIN));
      } else if (!day_) {
        next = 0;   // all of it at once
      }
      if (!next) break;
      day_ = next;
      Rows r = tx.rows(e.rows_of_day, user_, *next);
      while (r.next()) rows_.push_back(r.integer(0));
    }
  }
  return !out.empty();
}

std::vector<Change> ChangeReader::next(Tx& tx) {
  std::vector<Change> out;
  if (place_ < streams_.size() && fill_from_snapshot(tx, out)) return out;
  // From the run of neighbours in which the next number lies.
  struct Run {
    std::int64_t seq;
    std::string stream;
    std::int64_t first, count;
    bool gone;
  };
  while (out.size() < kAtOnce) {
    std::optional<Run> run;
    {
      Rows r = tx.rows("SELECT change_seq, stream, first_row, count, gone FROM changes WHERE user_no=?1 AND change_seq>=coalesce((SELECT max(change_seq) FROM changes WHERE user_no=?1 AND "
                       "change_seq<=?2), ?2) AND change_seq+count>?2 ORDER BY change_seq LIMIT 1",
                       user_, after_ + 1);
      if (r.next()) run = Run{r.integer(0), r.text(1), r.integer(2), r.integer(3), r.flag(4)};
    }
    if (!run) break;
    const std::int64_t skipped = std::max<std::int64_t>(0, after_ + 1 - run->seq);
    const std::int64_t seq = run->seq + skipped, first = run->first + skipped;
    const std::int64_t count = std::min<std::int64_t>(run->count - skipped, static_cast<std::int64_t>(kAtOnce));
    const auto e = std::find_if(streams_.begin(), streams_.end(), [&](const ChangeEntity* of) { return of->stream == run->stream; });
    if (e != streams_.end() && run->gone) {
      for (std::int64_t i = 0; i < count; ++i) out.push_back({seq + i, (*e)->stream, first + i, {}});
    } else if (e != streams_.end()) {
      read_rows(tx, **e, user_id_, first, first + count, seq, out);
    }
    after_ = seq + count - 1;
  }
  return out;
}

void acknowledge_changes(Tx& tx, UserNo user, std::string_view reader, std::int64_t seq) {
  tx.run("INSERT INTO change_readers(user_no, reader, change_seq, at) VALUES(?1, ?2, ?3, ?4) ON CONFLICT (user_no, reader) DO UPDATE SET change_seq=CASE WHEN excluded.change_seq>change_readers.change_seq THEN excluded.change_seq ELSE change_readers.change_seq END, "
         "at=excluded.at",
         user, reader, seq, tx.now());
}

std::int64_t acknowledged_changes(Tx& tx, UserNo user, std::string_view reader) {
  return tx.integer("SELECT change_seq FROM change_readers WHERE user_no=?1 AND reader=?2", user, reader).value_or(0);
}

std::int64_t trim_changes(Tx& tx, Instant before, int limit) {
  struct Old {
    std::int64_t user, seq, count;
  };
  std::vector<Old> old;
  {
    // Of each user the oldest come first, so what is left has no holes.
    Rows r = tx.rows("SELECT c.user_no, c.change_seq, c.count FROM changes c WHERE c.at<?1 ORDER BY c.user_no, c.change_seq LIMIT ?2", before, limit);
    while (r.next()) old.push_back({r.integer(0), r.integer(1), r.integer(2)});
  }
  for (const Old& o : old) {
    tx.run("UPDATE users SET changes_after=?2 WHERE user_no=?1", UserNo{o.user}, o.seq + o.count - 1);
    tx.run("DELETE FROM changes WHERE user_no=?1 AND change_seq=?2", UserNo{o.user}, o.seq);
  }
  return static_cast<std::int64_t>(old.size());
}

std::vector<std::string_view> change_streams() {
  std::vector<std::string_view> names;
  for (const ChangeEntity& e : entities()) names.push_back(e.stream);
  return names;
}

}  // namespace amzsync::store
