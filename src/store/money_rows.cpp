// SPDX-License-Identifier: Apache-2.0
#include "store/money_rows.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <functional>
#include <map>

#include "store/changes.hpp"
#include "store/documents.hpp"

namespace amzsync::store {
namespace {

constexpr std::array<std::string_view, 6> kCellStates{"open", "provisional", "settled", "failed", "unauthorised", "assumed"};

/// The statements of one money stream. The two differ in their table names only. Amounts tell of their user only where keys are led by him (Tx::rows).
struct Tables {
  std::string name, find, same, lines_of, undated, insert, update, insert_line, delete_lines, continuations, delete_event, rows_of_day, count_day, orders_first, orders_after, count_fee_lines;

  /// `stays`: SQL that holds for rows which no walk removes by not showing them.
  Tables(const std::string& stream, const std::string& events, const std::string& lines, const std::string& stays)
      : name(stream),
        find("SELECT event_id, content, run_no FROM " + events + " WHERE user_no=?1 AND day=?2 AND identity=?3 AND occurrence=?4"),
        same("SELECT 1 FROM " + events +
             " WHERE event_id=?1 AND content IS NOT DISTINCT FROM ?2 AND type_id IS NOT DISTINCT FROM ?3 AND posted_at IS NOT DISTINCT FROM ?4 AND order_id IS NOT DISTINCT FROM ?5 AND native_id IS NOT DISTINCT FROM ?6 AND status IS NOT DISTINCT FROM ?7 AND marketplace IS NOT DISTINCT FROM ?8 AND description IS NOT DISTINCT FROM ?9 AND "
             "total_micros IS NOT DISTINCT FROM ?10 AND currency_id IS NOT DISTINCT FROM ?11 AND detail IS NOT DISTINCT FROM ?12 AND user_no=?13"),
        lines_of("SELECT shape_id, currency_id, micros, sku_id FROM " + lines + " WHERE line_id>=?1 AND line_id<?2 /*! AND user_no=?3 */ ORDER BY line_id"),
        undated("SELECT day, event_id FROM " + events + " WHERE user_no=?1 AND identity=?2 AND posted_at IS NULL AND continues IS NULL"),
        insert("INSERT INTO " + events +
               "(event_id, user_no, day, identity, occurrence, content, type_id, posted_at, order_id, native_id, status, marketplace, description, "
               "total_micros, currency_id, detail, run_no, continues) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) "
               "ON CONFLICT (user_no, day, identity, occurrence) DO NOTHING"),
        update("UPDATE " + events +
               " SET content=?2, type_id=?3, posted_at=?4, order_id=?5, native_id=?6, status=?7, marketplace=?8, description=?9, total_micros=?10, "
               "currency_id=?11, detail=?12, run_no=?13 WHERE event_id=?1 AND user_no=?14"),
        insert_line("INSERT INTO " + lines + "(line_id, shape_id, currency_id, micros, sku_id /*!, user_no */) VALUES(?1, ?2, ?3, ?4, ?5 /*!, ?6 */)"),
        delete_lines("DELETE FROM " + lines + " WHERE line_id>=?1 AND line_id<?2 /*! AND user_no=?3 */"),
        continuations("SELECT event_id FROM " + events + " WHERE user_no=?1 AND day=?2 AND continues=?3 ORDER BY event_id"),
        delete_event("DELETE FROM " + events + " WHERE event_id=?1 AND user_no=?2"),
        rows_of_day("SELECT event_id, identity, occurrence, run_no FROM " + events + " WHERE user_no=?1 AND day=?2 AND continues IS NULL AND NOT (" + stays + ")"),
        count_day("SELECT count(*) FROM " + events + " WHERE user_no=?1 AND day=?2 AND continues IS NULL"),
        // Finances puts ids of inbound shipments where orders have theirs (AmazonOrderId of v0's service fees).
        orders_first("SELECT day, identity, occurrence, order_id FROM " + events + " WHERE user_no=?1 ORDER BY day, identity, occurrence LIMIT ?2"),
        orders_after("SELECT day, identity, occurrence, order_id FROM " + events + " WHERE user_no=?1 AND (day, identity, occurrence)>(?3, ?4, ?5) ORDER BY day, identity, occurrence LIMIT ?2"),
        count_fee_lines("SELECT count(*) FROM " + lines + " l JOIN shapes s ON s.shape_id = l.shape_id WHERE l.line_id>=?1 AND l.line_id<?2 /*! AND l.user_no=?3 */ AND s.fee=1") {}
};

const Tables& tables(MoneyStream stream) {
  static const Tables kTransactions("transactions", "transactions", "transaction_lines", "posted_at IS NULL");
  static const Tables kEvents("financial_events", "financial_events", "financial_event_lines", "FALSE");
  return stream == MoneyStream::transactions ? kTransactions : kEvents;
}

std::int64_t first_line(std::int64_t event_id) noexcept { return event_id * kLinesPerRow; }

/// nullopt for the empty text: what Amazon did not tell is NULL.
std::optional<std::string_view> told(const std::string& text) { return text.empty() ? std::nullopt : std::optional<std::string_view>(text); }

/// Finds or makes the dictionary numbers of everything a batch names.
class Dictionary {
 public:
  Dictionary(Tx& tx, UserNo user, const MoneyBatch& batch, KnownNumbers* known)
      : tx_(tx), user_(user), batch_(batch), known_(known), shapes_(batch.shapes.size()), skus_(batch.skus.size()), types_(batch.types.size()) {
    if (known_) known_->begin();
  }

  std::int64_t shape(std::uint32_t index) {
    return number(shapes_, index, [&] {
      const Shape& s = batch_.shapes[index];
      const std::string_view kind = s.total ? "total" : "component";
      return look_up("shape\n" + s.list + '\n' + s.path + '\n' + s.type + '\n' + std::string(kind), [&] {
        const auto find = [&] { return tx_.integer("SELECT shape_id FROM shapes WHERE list=?1 AND path=?2 AND type=?3 AND kind=?4", s.list, s.path, s.type, kind); };
        if (const auto id = find()) return *id;
        tx_.run("INSERT INTO shapes(list, path, type, kind, fee) VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING", s.list, s.path, s.type, kind, s.fee);
        return find().value_or(0);
      });
    });
  }
  std::int64_t type(std::uint32_t index) {
    return number(types_, index, [&] {
      const std::string& name = batch_.types[index];
      return look_up("type\n" + name, [&] {
        const auto find = [&] { return tx_.integer("SELECT type_id FROM event_types WHERE name=?1", name); };
        if (const auto id = find()) return *id;
        tx_.run("INSERT INTO event_types(name) VALUES(?1) ON CONFLICT DO NOTHING", name);
        return find().value_or(0);
      });
    });
  }
  std::optional<std::int64_t> sku(std::uint32_t index) {
    if (index == kNone) return std::nullopt;
    return number(skus_, index, [&] {
      const std::string& text = batch_.skus[index];
      return look_up("sku\n" + text, [&] {
        const auto find = [&] { return tx_.integer("SELECT sku_id FROM skus WHERE user_no=?1 AND sku=?2", user_, text); };
        if (const auto id = find()) return *id;
        tx_.run("INSERT INTO skus(user_no, sku) VALUES(?1, ?2) ON CONFLICT DO NOTHING", user_, text);
        return find().value_or(0);
      });
    });
  }
  std::optional<std::int64_t> currency(const std::optional<Currency>& code) {
    if (!code) return std::nullopt;
    const auto found = currencies_.find(*code);
    if (found != currencies_.end()) return found->second;
    const std::int64_t id = look_up("currency\n" + std::string(code->text()), [&] {
      const auto find = [&] { return tx_.integer("SELECT currency_id FROM currencies WHERE code=?1", code->text()); };
      if (const auto known = find()) return *known;
      tx_.run("INSERT INTO currencies(code) VALUES(?1) ON CONFLICT DO NOTHING", code->text());
      return find().value_or(0);
    });
    return currencies_.emplace(*code, id).first->second;
  }

 private:
  template <class Find>
  static std::int64_t number(std::vector<std::int64_t>& ids, std::uint32_t index, const Find& find) {
    std::int64_t& id = ids[index];
    if (id == 0) id = find();
    return id;
  }
  template <class Find>
  std::int64_t look_up(std::string word, const Find& find) {
    if (const auto known = known_ ? known_->find(word) : std::nullopt) return *known;
    const std::int64_t id = find();
    if (known_ && id != 0) known_->made(std::move(word), id);
    return id;
  }
  Tx& tx_;
  UserNo user_;
  const MoneyBatch& batch_;
  KnownNumbers* known_;
  std::vector<std::int64_t> shapes_, skus_, types_;
  std::map<Currency, std::int64_t> currencies_;
};

/// One page being stored.
class PageWriter {
 public:
  /// `rewriting`: the run that told the page, where it is not this one.
  PageWriter(const RunTx& run, MoneyStream stream, const MoneyBatch& batch, KnownNumbers* known, std::optional<RunNo> rewriting = std::nullopt)
      : run_(run), rewriting_(rewriting), told_by_(rewriting.value_or(run.run())), tx_(run.tx()), t_(tables(stream)), stream_(stream), batch_(batch), dictionary_(tx_, run.user(), batch, known), changes_(tx_, run.user(), t_.name) {}

  Counts store(Existing existing) {
    Counts counts;
    // Numbers for all that may be new, in one piece. Those of events that turn out to be known are lost, which costs nothing.
    std::int64_t rows = 0;
    std::vector<std::optional<std::pair<std::int64_t, bool>>> known(batch_.events.size());  // event_id, same content
    for (std::size_t i = 0; i < batch_.events.size(); ++i) {
      if (existing == Existing::possible) known[i] = look_up(batch_.events[i]);
      rows += known[i] && known[i]->second ? 0 : rows_needed(batch_.events[i]);
    }
    if (rows > 0) next_id_ = tx_.take_numbers("event", rows);

    for (std::size_t i = 0; i < batch_.events.size(); ++i) {
      const MoneyEvent& e = batch_.events[i];
      ++counts.fetched;
      std::int64_t id = known[i] ? known[i]->first : 0;
      if (!known[i]) {
        if (e.unique_id && e.dated) forget_undated(e.identity);
        id = next_id_++;
        insert(e, id);
        changes_.put(id);
        ++counts.added;
        ++days_[e.day].rows;
      } else if (!known[i]->second) {
        replace(e, id);
        changes_.put(id);
        ++counts.changed;
      } else {
        ++counts.unchanged;
        continue;  // its faults are in quarantine already
      }
      for (const Fault& fault : e.faults)
        if (quarantine(run_, t_.name, e.day, id, fault, e.identity)) ++counts.rejected;
    }
    Twins twins;
    for (const Fault& fault : batch_.unreadable) {
      ++counts.fetched;
      if (quarantine(run_, t_.name, std::nullopt, std::nullopt, fault, twins.next(fault))) ++counts.rejected;
    }
    for (const auto& [day, change] : days_)
      tx_.post(
          "INSERT INTO cells(user_no, stream, day, state, row_count, fee_count) VALUES(?1, ?2, ?3, 'open', ?4, ?5) "
          "ON CONFLICT (user_no, stream, day) DO UPDATE SET row_count=cells.row_count+excluded.row_count, fee_count=cells.fee_count+excluded.fee_count",
          run_.user(), t_.name, day, change.rows, change.fees);
    changes_.write();
    return counts;
  }

 private:
  struct DayChange {
    std::int64_t rows = 0, fees = 0;
  };

  static std::int64_t rows_needed(const MoneyEvent& e) { return 1 + static_cast<std::int64_t>((std::max<std::size_t>(e.lines.size(), 1) - 1)) / kLinesPerRow; }

  /// The stored row, and whether it stays as it is.
  std::optional<std::pair<std::int64_t, bool>> look_up(const MoneyEvent& e) {
    std::int64_t id = 0;
    {
      Rows r = tx_.rows(t_.find, run_.user(), e.day, e.identity, e.occurrence);
      if (!r.next()) return std::nullopt;
      id = r.integer(0);
      if (!rewriting_) return std::pair(id, r.view(1) == e.content.view());
      if (r.integer(2) > rewriting_->value) return std::pair(id, true);   // a later run knew better
    }
    return std::pair(id, stands_so(e, id));
  }

  /// Whether a row and its amounts are stored just as they are decoded now.
  bool stands_so(const MoneyEvent& e, std::int64_t id) {
    if (!tx_.integer(t_.same, id, e.content, dictionary_.type(e.type), e.posted_at, told(e.order_id), told(e.native_id), told(e.status), told(e.marketplace), told(e.description), e.total,
                     dictionary_.currency(e.currency), e.detail, run_.user()))
      return false;
    std::size_t n = 0;
    for (const std::int64_t row : rows_of(tx_, t_, run_.user(), e.day, id)) {
      Rows r = tx_.rows(t_.lines_of, first_line(row), first_line(row + 1), run_.user());
      for (; r.next(); ++n) {
        if (n >= e.lines.size()) return false;
        const Line& line = e.lines[n];
        const bool same_amount = r.is_null(2) ? !line.amount : line.amount && r.integer(2) == line.amount->value;
        if (r.integer(0) != dictionary_.shape(line.shape) || r.maybe_integer(1) != dictionary_.currency(line.currency) || !same_amount || r.maybe_integer(3) != dictionary_.sku(line.sku)) return false;
      }
    }
    if (n != e.lines.size()) return false;
    n = 0;
    Rows r = tx_.rows("SELECT currency_id, micros FROM credits WHERE user_no=?1 AND source=?2 AND day=?3 AND event_id=?4 ORDER BY seq", run_.user(), t_.name, e.day, id);
    for (; r.next(); ++n)
      if (n >= e.credits.size() || r.maybe_integer(0) != dictionary_.currency(e.credits[n].currency) || r.integer(1) != e.credits[n].amount.value) return false;
    return n == e.credits.size();
  }

  /// What had no date when it was stored has one now: its row moves to that day.
  void forget_undated(const Hash128& identity) {
    Day day;
    std::int64_t id = 0;
    {
      Rows r = tx_.rows(t_.undated, run_.user(), identity);
      if (!r.next()) return;
      day = day_from(r.integer(0));
      id = r.integer(1);
    }
    days_[day].fees -= remove_event(tx_, t_, run_.user(), day, id);
    changes_.gone(id);
    --days_[day].rows;
  }

  void insert(const MoneyEvent& e, std::int64_t id) {
    write_row(e, id, e.identity, std::nullopt);
    write_lines(e, id);
  }

  void write_row(const MoneyEvent& e, std::int64_t id, const Hash128& identity, std::optional<std::int64_t> continues) {
    tx_.post(t_.insert, id, run_.user(), e.day, identity, static_cast<std::int64_t>(e.occurrence), e.content, dictionary_.type(e.type), e.posted_at, told(e.order_id),
            told(e.native_id), told(e.status), told(e.marketplace), told(e.description), e.total, dictionary_.currency(e.currency),
            continues ? std::string_view("{}") : std::string_view(e.detail), told_by_, continues);
  }

  /// The content of a known identity changed: the row keeps its number, its amounts are written anew.
  void replace(const MoneyEvent& e, std::int64_t id) {
    days_[e.day].fees -= remove_lines(tx_, t_, run_.user(), e.day, id);
    tx_.run(t_.update, id, e.content, dictionary_.type(e.type), e.posted_at, told(e.order_id), told(e.native_id), told(e.status), told(e.marketplace),
            told(e.description), e.total, dictionary_.currency(e.currency), e.detail, told_by_, run_.user());
    tx_.run("DELETE FROM credits WHERE user_no=?1 AND source=?2 AND day=?3 AND event_id=?4", run_.user(), t_.name, e.day, id);
    write_lines(e, id);
  }

  void write_lines(const MoneyEvent& e, std::int64_t id) {
    Statement& s = tx_.statement(t_.insert_line);
    std::int64_t row = id;
    std::int64_t fees = 0;
    for (std::size_t n = 0; n < e.lines.size(); ++n) {
      if (n > 0 && n % static_cast<std::size_t>(kLinesPerRow) == 0) {
        row = next_id_++;
        write_row(e, row, Hash128::of(std::string(e.identity.view()) + "#" + std::to_string(n / static_cast<std::size_t>(kLinesPerRow))), id);
      }
      const Line& line = e.lines[n];
      s.bind_integer(1, first_line(row) + static_cast<std::int64_t>(n) % kLinesPerRow);
      s.bind_integer(2, dictionary_.shape(line.shape));
      bind_value(s, 3, dictionary_.currency(line.currency));
      bind_value(s, 4, line.amount);
      bind_value(s, 5, dictionary_.sku(line.sku));
      bind_value(s, 6, run_.user());
      s.post({});
      fees += batch_.shapes[line.shape].fee ? 1 : 0;
    }
    if (fees != 0) days_[e.day].fees += fees;
    int seq = 0;
    for (const Credit& credit : e.credits)
      tx_.post("INSERT INTO credits(user_no, source, day, event_id, seq, currency_id, micros) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)", run_.user(), t_.name, e.day, id,
              seq++, dictionary_.currency(credit.currency), credit.amount);
  }

 public:
  /// Removes an event's amounts, and the rows that continue it; how many fees were among them.
  static std::int64_t remove_lines(Tx& tx, const Tables& t, UserNo user, Day day, std::int64_t id) {
    std::int64_t fees = 0;
    for (const std::int64_t row : rows_of(tx, t, user, day, id)) {
      fees += tx.integer(t.count_fee_lines, first_line(row), first_line(row + 1), user).value_or(0);
      tx.run(t.delete_lines, first_line(row), first_line(row + 1), user);
      if (row != id) tx.run(t.delete_event, row, user);
    }
    return fees;
  }

  /// An event's row and those that continue it, in the order of their amounts.
  static std::vector<std::int64_t> rows_of(Tx& tx, const Tables& t, UserNo user, Day day, std::int64_t id) {
    std::vector<std::int64_t> rows{id};
    Rows r = tx.rows(t.continuations, user, day, id);
    while (r.next()) rows.push_back(r.integer(0));
    return rows;
  }

  /// Removes an event and all that belongs to it; how many fees were among its amounts.
  static std::int64_t remove_event(Tx& tx, const Tables& t, UserNo user, Day day, std::int64_t id) {
    const std::int64_t fees = remove_lines(tx, t, user, day, id);
    tx.run("DELETE FROM credits WHERE user_no=?1 AND source=?2 AND day=?3 AND event_id=?4", user, t.name, day, id);
    tx.run(t.delete_event, id, user);
    return fees;
  }

 private:
  const RunTx& run_;
  std::optional<RunNo> rewriting_;
  RunNo told_by_;
  Tx& tx_;
  const Tables& t_;
  MoneyStream stream_;
  const MoneyBatch& batch_;
  Dictionary dictionary_;
  ChangeLog changes_;
  std::int64_t next_id_ = 0;
  std::map<Day, DayChange> days_;
};

CellState cell_state_from(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kCellStates.size(); ++i)
    if (kCellStates[i] == name) return static_cast<CellState>(i);
  return CellState::open;
}

}  // namespace

std::string_view money_stream_name(MoneyStream stream) noexcept { return stream == MoneyStream::transactions ? "transactions" : "financial_events"; }
std::string_view cell_state_name(CellState state) noexcept { return kCellStates[static_cast<std::size_t>(state)]; }

bool settle_undated(Tx& tx, UserNo user, MoneyStream stream, MoneyBatch& batch) {
  bool moved = false;
  for (MoneyEvent& e : batch.events) {
    if (e.dated) continue;
    Rows r = tx.rows(tables(stream).undated, user, e.identity);
    if (!r.next()) continue;
    e.day = day_from(r.integer(0));
    moved = true;
  }
  return moved;
}

void KnownNumbers::committed() {
  constexpr std::size_t kMost = 50'000;   // some megabytes
  if (numbers_.size() > kMost) numbers_.clear();
  for (auto& [word, number] : made_) numbers_.insert_or_assign(std::move(word), number);
  made_.clear();
}

Counts store_page(const RunTx& run, MoneyStream stream, const MoneyBatch& batch, Existing existing, KnownNumbers* known) { return PageWriter(run, stream, batch, known).store(existing); }

Counts rewrite_page(const RunTx& run, MoneyStream stream, const MoneyBatch& batch, RunNo told_by) { return PageWriter(run, stream, batch, nullptr, told_by).store(Existing::possible); }

std::vector<Cell> cells(Tx& tx, UserNo user, std::string_view stream, Day first, Day end) {
  std::vector<Cell> found;
  Rows r = tx.rows("SELECT day, state, row_count, digest, read_until, first_read_at, read_at FROM cells WHERE user_no=?1 AND stream=?2 AND day>=?3 AND day<?4 ORDER BY day",
                   user, stream, first, end);
  while (r.next()) {
    Cell c;
    c.day = day_from(r.integer(0));
    c.state = cell_state_from(r.view(1));
    c.row_count = r.integer(2);
    if (!r.is_null(3)) c.digest = Hash128::from(r.view(3));
    c.read_until = r.maybe_instant(4);
    c.first_read_at = r.maybe_instant(5);
    c.read_at = r.maybe_instant(6);
    found.push_back(c);
  }
  return found;
}

namespace {

struct StoredDay {
  std::int64_t rows = 0;
  std::optional<Hash128> digest;
  bool doubted = false;        // only an answer without a list told of it
  bool in_part = false;        // of what told of it a part could not be read
  bool known = false;          // it was told whole once
  bool assumed = false;
  Instant read_at{}, read_until{};

  /// An answer without a list removes nothing. Where it contradicts nothing it is believed of a day that a list told to be empty, or when it comes again long enough after.
  bool believes(const SeenDay& seen, const ClosedDay& how, Instant now) const {
    if (!how.without_list) return true;
    if (!digest || seen.count < rows) return false;
    return doubted ? now - read_at >= kSureOfNothing : rows == 0 && !in_part && read_until >= how.read_until;
  }
};

StoredDay stored_day(const RunTx& run, const Tables& t, Day day) {
  StoredDay stored;
  Rows r = run.tx().rows("SELECT row_count, digest, by_word, read_at, read_until, state FROM cells WHERE user_no=?1 AND stream=?2 AND day=?3", run.user(), t.name, day);
  if (!r.next()) return stored;
  stored.rows = r.integer(0);
  if (!r.is_null(1)) stored.digest = Hash128::from(r.view(1));
  const auto told_by = static_cast<ToldBy>(r.integer(2));
  stored.doubted = told_by == ToldBy::want;
  stored.in_part = told_by == ToldBy::some_rows || told_by == ToldBy::known_rows;
  stored.known = stored.digest && (told_by == ToldBy::rows || told_by == ToldBy::known_rows);
  stored.assumed = r.view(5) == "assumed";
  stored.read_at = r.maybe_instant(3).value_or(Instant{});
  stored.read_until = r.maybe_instant(4).value_or(Instant{});
  return stored;
}

struct Removed {
  std::int64_t events = 0, fees = 0;
};

/// Every identity that was seen is stored, so a surplus is what Amazon no longer shows.
Removed remove_surplus(const RunTx& run, const Tables& t, const SeenDay& seen, std::int64_t most) {
  Tx& tx = run.tx();
  std::vector<std::int64_t> gone;
  {
    Rows r = tx.rows(t.rows_of_day, run.user(), seen.day);
    while (std::ssize(gone) < most && r.next()) {
      const auto found = seen.occurrences.find(Hash128::from(r.view(1)));
      if (found == seen.occurrences.end() || r.integer(2) >= found->second) gone.push_back(r.integer(0));
    }
  }
  Removed removed;
  ChangeLog changes(tx, run.user(), t.name);
  for (const std::int64_t id : gone) {
    removed.fees += PageWriter::remove_event(tx, t, run.user(), seen.day, id);
    changes.gone(id);
    ++removed.events;
  }
  changes.write();
  return removed;
}

}  // namespace

Counts remove_unseen(const RunTx& run, MoneyStream stream, const SeenDay& seen, const ClosedDay& how, std::int64_t most) {
  const Tables& t = tables(stream);
  const StoredDay stored = stored_day(run, t, seen.day);
  if (stored.rows == seen.count || how.unreadable || !stored.believes(seen, how, run.tx().now())) return {};
  const Removed removed = remove_surplus(run, t, seen, most);
  run.tx().run("UPDATE cells SET row_count=row_count-?4, fee_count=fee_count-?5 WHERE user_no=?1 AND stream=?2 AND day=?3", run.user(), t.name, seen.day, removed.events, removed.fees);
  Counts counts;
  counts.removed = removed.events;
  return counts;
}

Counts close_day(const RunTx& run, MoneyStream stream, const SeenDay& seen, const ClosedDay& how) {
  Tx& tx = run.tx();
  const Tables& t = tables(stream);
  Counts counts;
  const StoredDay known = stored_day(run, t, seen.day);
  const std::int64_t stored = known.rows;
  const std::optional<Hash128>& digest = known.digest;
  if (!known.believes(seen, how, tx.now())) {
    // When it is believed goes by the time at which it was said first.
    tx.run(
        "INSERT INTO cells(user_no, stream, day, state, row_count, digest, read_until, first_read_at, read_at, changed_at, by_word) VALUES(?1, ?2, ?3, 'assumed', ?7, ?4, ?5, ?6, ?6, ?6, 1) "
        "ON CONFLICT (user_no, stream, day) DO UPDATE SET state='assumed', digest=coalesce(cells.digest, excluded.digest), read_until=excluded.read_until, "
        "first_read_at=coalesce(cells.first_read_at, excluded.first_read_at), read_at=CASE WHEN cells.by_word=1 AND cells.read_at<=excluded.read_at THEN cells.read_at ELSE excluded.read_at END, by_word=1",
        run.user(), t.name, seen.day, seen.digest, how.read_until, tx.now(), stored);
    return counts;
  }
  const Removed removed = stored == seen.count || how.unreadable ? Removed() : remove_surplus(run, t, seen, std::numeric_limits<std::int64_t>::max());
  counts.removed = removed.events;
  const bool changed = !digest || *digest != seen.digest;
  const ToldBy told_by = !how.unreadable ? ToldBy::rows : known.known ? ToldBy::known_rows : ToldBy::some_rows;
  const bool new_doubt = how.unreadable && (!digest || !known.in_part || (known.assumed && tx.now() - known.read_at < kSureOfNothing));
  // What is deferred changes when it is released, on the day on which it stands (facts: spapi 3.2), so the day is not done with, within a year or so.
  constexpr std::chrono::days kLongestDeferral(400);
  const bool waits = how.may_settle && !changed && stream == MoneyStream::transactions && day_of(tx.now()) - seen.day < kLongestDeferral &&
                     tx.integer("SELECT 1 FROM transactions WHERE user_no=?1 AND day=?2 AND upper(status)='DEFERRED' LIMIT 1", run.user(), seen.day).has_value();
  tx.run(
      "INSERT INTO cells(user_no, stream, day, state, row_count, digest, read_until, first_read_at, read_at, changed_at, by_word) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?8, ?11) ON CONFLICT (user_no, stream, day) DO UPDATE SET state=excluded.state, row_count=?5, "
      "fee_count=cells.fee_count-?9, digest=excluded.digest, read_until=excluded.read_until, first_read_at=coalesce(cells.first_read_at, ?8), "
      "read_at=CASE WHEN excluded.state='assumed' AND cells.state='assumed' AND cells.by_word>1 THEN cells.read_at ELSE ?8 END, "
      "changed_at=CASE WHEN ?10=1 THEN ?8 ELSE cells.changed_at END, by_word=?11",
      run.user(), t.name, seen.day, cell_state_name(new_doubt ? CellState::assumed : how.may_settle && told_by == ToldBy::rows && !how.without_list && !changed && !waits ? CellState::settled : CellState::provisional), stored - removed.events, seen.digest, how.read_until, tx.now(), removed.fees, changed, static_cast<std::int64_t>(told_by));
  return counts;
}

Counts recount_day(const RunTx& run, MoneyStream stream, const SeenDay& seen, RunNo told_by) {
  Tx& tx = run.tx();
  const Tables& t = tables(stream);
  std::vector<std::int64_t> gone;
  {
    Rows r = tx.rows(t.rows_of_day, run.user(), seen.day);
    while (r.next()) {
      const auto found = seen.occurrences.find(Hash128::from(r.view(1)));
      const bool shown = found != seen.occurrences.end() && r.integer(2) < found->second;
      if (!shown && r.integer(3) <= told_by.value) gone.push_back(r.integer(0));
    }
  }
  Counts counts;
  std::int64_t fees_removed = 0;
  ChangeLog changes(tx, run.user(), t.name);
  for (const std::int64_t id : gone) {
    fees_removed += PageWriter::remove_event(tx, t, run.user(), seen.day, id);
    changes.gone(id);
    ++counts.removed;
  }
  changes.write();
  // A day that holds more than this reading showed keeps its own digest: the next reading will tell.
  const std::int64_t rows = tx.integer(t.count_day, run.user(), seen.day).value_or(0);
  const bool whole = rows == seen.count;
  tx.run("UPDATE cells SET row_count=?4, fee_count=fee_count-?5, digest=CASE WHEN ?6=1 THEN ?7 ELSE digest END WHERE user_no=?1 AND stream=?2 AND day=?3", run.user(), t.name, seen.day, rows,
         fees_removed, whole, seen.digest);
  return counts;
}

void mark_day(const RunTx& run, std::string_view stream, Day day, CellState state) {
  run.tx().run(
      "INSERT INTO cells(user_no, stream, day, state) VALUES(?1, ?2, ?3, ?4) ON CONFLICT (user_no, stream, day) DO UPDATE SET state=excluded.state "
      "WHERE cells.digest IS NULL",
      run.user(), stream, day, cell_state_name(state));
}

std::vector<Window> windows(Tx& tx, UserNo user, std::string_view stream) {
  std::vector<Window> grid;
  Rows r = tx.rows("SELECT first_day, days FROM windows WHERE user_no=?1 AND stream=?2 ORDER BY first_day", user, stream);
  while (r.next()) grid.push_back({day_from(r.integer(0)), static_cast<int>(r.integer(1))});
  return grid;
}

void store_window(Tx& tx, UserNo user, std::string_view stream, Window window) {
  tx.run("INSERT INTO windows(user_no, stream, first_day, days) VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING", user, stream, window.first, window.days);
}

void split_window(Tx& tx, UserNo user, std::string_view stream, Day first, std::span<const Window> parts) {
  tx.run("DELETE FROM windows WHERE user_no=?1 AND stream=?2 AND first_day=?3", user, stream, first);
  for (const Window& part : parts) store_window(tx, user, stream, part);
}

std::optional<StreamState> stream_state(Tx& tx, UserNo user, std::string_view stream) {
  Rows r = tx.rows("SELECT coverage, last_success_at, probe_at FROM stream_states WHERE user_no=?1 AND stream=?2", user, stream);
  if (!r.next()) return std::nullopt;
  return StreamState{r.text(0), r.maybe_instant(1), r.maybe_instant(2)};
}

void set_stream_state(Tx& tx, UserNo user, std::string_view stream, std::string_view coverage, bool success, std::optional<Instant> probe_at, const std::optional<Error>& error) {
  tx.run(
      "INSERT INTO stream_states(user_no, stream, coverage, since, last_success_at, probe_at, error) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) "
      "ON CONFLICT (user_no, stream) DO UPDATE SET since=CASE WHEN stream_states.coverage=excluded.coverage THEN stream_states.since ELSE excluded.since END, "
      "coverage=excluded.coverage, last_success_at=coalesce(excluded.last_success_at, stream_states.last_success_at), probe_at=excluded.probe_at, error=excluded.error",
      user, stream, coverage, tx.now(), success ? std::optional(tx.now()) : std::nullopt, probe_at, error ? std::optional(error_json(*error)) : std::nullopt);
}

namespace {

Hash128 fingerprint_of(const Fault& fault, const Hash128& about) { return Hash128::of(std::string(about.view()) + fault.reason + '\0' + fault.path + '\0' + fault.raw); }

}  // namespace

Hash128 Twins::next(const Fault& fault, const Hash128& about) {
  const std::uint32_t before = seen_[fingerprint_of(fault, about)]++;
  return before == 0 ? about : Hash128::of(std::string(about.view()) + std::to_string(before));
}

bool quarantine(const RunTx& run, std::string_view stream, std::optional<Day> day, std::optional<std::int64_t> event_id, const Fault& fault, const Hash128& about, const std::optional<StrayOf>& stray) {
  const Hash128 fingerprint = fingerprint_of(fault, about);
  return run.tx().run(
             "INSERT INTO quarantine(user_no, stream, run_no, day, event_id, reason, path, raw, fingerprint, at, identity, occurrence) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) "
             "ON CONFLICT (user_no, stream, fingerprint) DO NOTHING",
             run.user(), stream, run.run(), day, event_id, fault.reason, fault.path, Blob{fault.raw}, fingerprint, run.tx().now(),
             stray ? std::optional(stray->identity) : std::nullopt, static_cast<std::int64_t>(stray ? stray->occurrence : 0)) == 1;
}

bool OrderCount::step(Tx& tx) {
  constexpr std::int64_t kAtOnce = 20'000;
  const Tables& t = tables(stream_);
  Rows r = last_ ? tx.rows(t.orders_after, user_, kAtOnce, last_->day, last_->identity, last_->occurrence) : tx.rows(t.orders_first, user_, kAtOnce);
  std::int64_t rows = 0;
  for (; r.next(); ++rows) {
    last_ = Place{day_from(r.integer(0)), Hash128::from(r.view(1)), r.integer(2)};
    // Shipments to Amazon stand there too.
    if (const std::string_view order = r.view(3); !order.empty() && !order.starts_with("FBA")) orders_.push_back(std::hash<std::string_view>()(order));
  }
  return rows == kAtOnce;
}

std::int64_t OrderCount::count() {
  std::sort(orders_.begin(), orders_.end());
  return std::distance(orders_.begin(), std::unique(orders_.begin(), orders_.end()));
}

std::int64_t fee_count(Tx& tx, UserNo user, MoneyStream stream) { return tx.integer("SELECT sum(fee_count) FROM cells WHERE user_no=?1 AND stream=?2", user, money_stream_name(stream)).value_or(0); }

}  // namespace amzsync::store
