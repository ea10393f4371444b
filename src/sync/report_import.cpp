// SPDX-License-Identifier: Apache-2.0
#include "sync/report_import.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/gunzip.hpp"
#include "spapi/reports/datasets.hpp"
#include "sync/run_write.hpp"
#include "sync/slice_plan.hpp"

namespace amzsync::sync {
namespace {

constexpr std::size_t kBytesPerStep = 16U << 10;           // packed; unpacked at most a thousand times as many
constexpr std::uint64_t kMostBytes = 16ULL << 30;
constexpr std::int64_t kRowsInMemory = 200'000;
constexpr std::size_t kRowsPerWrite = 400;
constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
constexpr std::string_view kJapan = "A1VC38T7YXB528";
constexpr std::string_view kNotAskedFor = "date_not_asked";

/// One walk over a document, a step at a time; each step runs on a work thread.
class DocumentWalk {
 public:
  DocumentWalk(store::Store& store, const store::ArchivedDocument& document) : store_(store), user_(document.user), archive_(document.number), gunzip_(kMostBytes) {}

  /// Unpacks some more of the document. False: it is over.
  Result<bool> step(const Gunzip::Out& out) {
    if (used_ == piece_.size()) {
      auto next = store_.read_now([&](store::Tx& tx) -> Result<std::optional<std::string>> { return store::archived_piece(tx, user_, archive_, number_); });
      if (!next) return next.error();
      if (!*next) {
        AMZ_CHECK(gunzip_.finish(out));
        return false;
      }
      piece_ = std::move(**next);
      used_ = 0;
      ++number_;
    }
    const std::string_view some = std::string_view(piece_).substr(used_, kBytesPerStep);
    used_ += some.size();
    AMZ_CHECK(gunzip_.push(some, out));
    return true;
  }

 private:
  store::Store& store_;
  UserNo user_;
  std::int64_t archive_;
  Gunzip gunzip_;
  std::string piece_;
  std::size_t used_ = 0;
  std::int64_t number_ = 0;
};

/// A walk that yields rows.
class RowWalk {
 public:
  RowWalk(store::Store& store, const store::ArchivedDocument& document, const spapi::ReportDataset& dataset, Charset charset) : walk_(store, document), decoder_(dataset, charset) {
    // Rows may be of more days than were asked for, each of which is read by a report of its own; but none are of what Amazon keeps no more, or of what is
    // yet to come.
    constexpr std::chrono::days kKept(580), kAhead(2), kMonth(31);
    const Day read = day_of(document.kept_at);
    if (dataset.day_column.empty() || !dataset.part.empty()) return;
    decoder_.expect(document.rows.value_or(DayRange{std::min(document.from, read - kKept), std::max(document.until, read) + kAhead + (dataset.whole_months ? kMonth : std::chrono::days(1))}));
  }

  /// Calls `take` for some more rows, where it asks for that with a function that tells all of the row. False: the document is over.
  template <class Take>
  Result<bool> step(const Take& take) {
    const spapi::TableReader::RowFn row = [&](std::span<const std::string_view> cells, std::string_view line) -> Status {
      if (std::exchange(first_, false)) return decoder_.header(cells, line);
      const auto whole = [&] { return decoder_.kept_of(cells); };
      if constexpr (std::is_invocable_v<const Take&, spapi::DecodedRow, decltype(whole)>) {
        take(decoder_.decode(cells, reader_.is_unended()), whole);
      } else {
        take(decoder_.decode(cells, reader_.is_unended()));
      }
      return Done{};
    };
    const Gunzip::Out out = [&](std::string_view bytes) { return reader_.push(bytes, row); };
    AMZ_TRY(more, walk_.step(out));
    if (!more) AMZ_CHECK(reader_.finish(row));
    return more;
  }
  /// Whether no line has come so far.
  bool blank() const noexcept { return first_; }
  bool tells_persons() const noexcept { return decoder_.tells_persons(); }

 private:
  DocumentWalk walk_;
  spapi::TableReader reader_;
  spapi::RowDecoder decoder_;
  bool first_ = true;
};

struct DaySum {
  std::int64_t count = 0;
  Hash128 digest;
  void add(const store::ReportRow& row) {
    ++count;
    digest += Hash128::of(std::string(row.identity.view()) + std::string(row.content.view()));
  }
  friend bool operator==(const DaySum&, const DaySum&) = default;
};

struct RowKey {
  Day day;
  Hash128 identity, content;
  friend auto operator<=>(const RowKey&, const RowKey&) = default;
};
struct RowKeyHasher {
  std::size_t operator()(const RowKey& key) const noexcept { return Hash128Hasher()(key.identity) ^ Hash128Hasher()(key.content); }
};

/// What is to be done with a row of the document that is not stored as it is.
struct Action {
  std::uint32_t occurrence = 0;
  std::optional<std::int64_t> replaces;
};
struct Difference {
  std::unordered_map<RowKey, std::vector<Action>, RowKeyHasher> actions;
  std::vector<std::int64_t> gone;
  std::map<Day, std::int64_t> of_gone;   // rows
};

/// Compares what the document shows of some days with what is stored of them. Equal rows are twins, so counts matter; rows that
/// are equal stay (`rewrite`: are written again in their places), then a changed one takes the place of one that is no longer shown, and
/// only then rows come and go.
Difference compare(std::vector<RowKey> shown, std::vector<store::StoredRow> stored, bool rewrite) {
  std::sort(shown.begin(), shown.end());
  std::sort(stored.begin(), stored.end(), [](const auto& a, const auto& b) { return std::tie(a.day, a.identity, a.content, a.occurrence) < std::tie(b.day, b.identity, b.content, b.occurrence); });
  Difference difference;
  auto s = stored.begin();
  for (auto d = shown.begin(); d != shown.end() || s != stored.end();) {
    const auto group = d != shown.end() && (s == stored.end() || std::tie(d->day, d->identity) <= std::tie(s->day, s->identity)) ? std::pair(d->day, d->identity)
                                                                                                                          : std::pair(s->day, s->identity);
    std::vector<RowKey> fresh;
    std::vector<store::StoredRow> left;
    std::vector<std::uint32_t> taken;
    const auto in_group = [&](const auto& row) { return row.day == group.first && row.identity == group.second; };
    while (true) {
      const bool more_shown = d != shown.end() && in_group(*d), more_stored = s != stored.end() && in_group(*s);
      if (!more_shown && !more_stored) break;
      if (more_stored) taken.push_back(s->occurrence);
      if (more_shown && more_stored && d->content == s->content) {
        if (rewrite) difference.actions[*d].push_back({s->occurrence, s->row_id});
        ++d;
        ++s;
      } else if (more_shown && (!more_stored || d->content < s->content)) {
        if (more_stored) taken.pop_back();
        fresh.push_back(*d++);
      } else {
        left.push_back(*s++);
      }
    }
    std::size_t n = 0;
    std::uint32_t number = 0;
    for (const RowKey& key : fresh) {
      Action action;
      if (n < left.size()) {
        action = {left[n].occurrence, left[n].row_id};
        ++n;
      } else {
        while (std::find(taken.begin(), taken.end(), number) != taken.end()) ++number;
        action = {number++, std::nullopt};
      }
      difference.actions[key].push_back(action);
    }
    for (; n < left.size(); ++n) {
      difference.gone.push_back(left[n].row_id);
      ++difference.of_gone[group.first];
    }
  }
  return difference;
}

class Import {
 public:
  Import(ImportContext context, const spapi::ReportDataset& dataset, store::ArchivedDocument document)
      : context_(std::move(context)), services_(context_.services), dataset_(dataset), table_(spapi::table_of(dataset)), document_(std::move(document)) {
    while (is_part() && table_.columns[part_column_] != table_.part) ++part_column_;
  }

  Async<Result<Imported>> perform() {
    AMZ_CO_CHECK(co_await load_cells());
    AMZ_CO_CHECK(co_await choose_charset());
    AMZ_CO_CHECK(co_await sum_up());
    if (result_.blank) co_return result_;
    AMZ_CO_CHECK(co_await keep_unreadable());
    sort_out_days();
    AMZ_CO_CHECK(co_await close_unchanged());
    while (!changed_.empty()) {
      std::vector<Day> days = take_days(changed_);
      AMZ_CO_CHECK(co_await write_days(std::move(days)));
    }
    while (!strays_.empty()) {
      const std::vector<Day> days = take_days(strays_);
      AMZ_CO_CHECK(co_await sort_out_strays(days));
    }
    result_.counts.fetched -= told_rows_;
    co_return result_;
  }

 private:
  /// Whether others tell of the same days, so that this document is no more than a part of each.
  bool is_part() const { return !table_.part.empty(); }
  std::string part_of(const store::ReportRow& row) const {
    const auto* part = std::get_if<std::string>(&row.values[part_column_]);
    return part ? *part : std::string();
  }
  /// Whether the document is heard about a row: in a replay a newer one may have told of it.
  bool tells(const store::ReportRow& row) const {
    if (!is_part()) return result_.days.contains(row.day);
    return !context_.replay || !context_.replay->told_parts.contains(part_of(row));
  }

  /// Rows of other days than the document's have reports of their own. Where those tell nothing of them they would be lost: what is not stored is kept,
  /// until that report tells it.
  Async<Status> sort_out_strays(const std::vector<Day>& days) {
    RowWalk walk(services_.store, document_, dataset_, charset_);
    store::Twins twins;
    std::unordered_map<RowKey, std::uint32_t, RowKeyHasher> shown, equal;
    for (bool more = true; more;) {
      if (context_.cancel.cancelled()) co_return Code::cancelled;
      std::vector<store::Stray> found;
      auto step = [&] {
        return walk.step([&](spapi::DecodedRow decoded, const auto& whole) {
          if (!decoded.readable || !std::binary_search(days.begin(), days.end(), decoded.row.day)) return;
          const store::ReportRow& row = decoded.row;
          store::Stray stray{row.day, row.identity, row.content, shown[{row.day, row.identity, {}}]++, equal[{row.day, row.identity, row.content}]++, {std::string(kNotAskedFor), std::string(dataset_.day_column), whole()}, {}};
          stray.about = twins.next(stray.fault);
          found.push_back(std::move(stray));
        });
      };
      auto stepped = co_await run_on(services_.work, std::move(step));
      if (!stepped) co_return stepped.error();
      more = *stepped;
      for (std::size_t from = 0; from < found.size(); from += kRowsPerWrite) {
        const auto some = std::span(found).subspan(from, std::min(kRowsPerWrite, found.size() - from));
        auto keep = [&table = table_, some](const store::RunTx& run) { return store::keep_strays(run, table, some); };
        AMZ_CO_CHECK(co_await write_counted(std::move(keep)));
      }
    }
    co_return Done{};
  }

  /// Counts in the run what is written, along with it: what a worker wrote that died is the run's all the same, and so is what it could not read.
  template <class Change>
  Async<Status> write_counted(Change change) {
    auto write = [stream = dataset_.stream, change = std::move(change)](const store::RunTx& run) mutable {
      const store::Counts counts = change(run);
      store::add_counts(run, stream, counts);
      return counts;
    };
    AMZ_CO_TRY(counts, co_await write_fenced(services_, context_.fence, std::move(write)));
    told_ += counts;
    co_return Done{};
  }

  void note_part(const store::ReportRow& row) {
    result_.days.insert(row.day);
    result_.parts.insert(part_of(row));
  }

  /// Runs the steps of a walk on a work thread, one at a time, so that a cancellation is heard in between.
  template <class Walk, class Take>
  Async<Status> walk_all(Walk& walk, Take take) {
    for (;;) {
      if (context_.cancel.cancelled()) co_return Code::cancelled;
      auto step = [&walk, &take] { return walk.step(take); };
      auto more = co_await run_on(services_.work, std::move(step));
      if (!more) co_return more.error();
      if (!*more) co_return Done{};
    }
  }

  /// By a mark at its beginning, else by the answer's own word, else by its bytes (facts 3.4).
  Async<Status> choose_charset() {
    std::string head;
    DocumentWalk beginning(services_.store, document_);
    const Gunzip::Out take_head = [&head](std::string_view bytes) -> Status {
      head += bytes.substr(0, kUtf8Mark.size());
      return Done{};
    };
    for (bool more = true; more && head.size() < kUtf8Mark.size();) {
      auto step = [&] { return beginning.step(take_head); };
      auto stepped = co_await run_on(services_.work, std::move(step));
      if (!stepped) co_return stepped.error();
      more = *stepped;
    }
    if (head.starts_with(kUtf8Mark)) {
      charset_ = Charset::utf8;
      co_return Done{};
    }
    if (const auto named = charset_of(document_.content_type)) {
      charset_ = *named;
      co_return Done{};
    }
    bool utf8 = true;
    std::string rest;   // the end of a piece may cut a character
    DocumentWalk walk(services_.store, document_);
    const Gunzip::Out out = [&](std::string_view bytes) -> Status {
      if (!utf8) return Done{};
      rest += bytes;
      const std::size_t end = rest.find_last_of('\n');
      if (end == std::string::npos && rest.size() < (1U << 20)) return Done{};
      const std::size_t whole = end == std::string::npos ? rest.size() : end + 1;
      utf8 = valid_utf8(std::string_view(rest).substr(0, whole));
      rest.erase(0, whole);
      return Done{};
    };
    AMZ_CO_CHECK(co_await walk_all(walk, out));
    utf8 = utf8 && valid_utf8(rest);
    charset_ = utf8 ? Charset::utf8 : document_.marketplace == kJapan ? Charset::shift_jis : Charset::cp1252;
    co_return Done{};
  }

  Async<Status> sum_up() {
    RowWalk walk(services_.store, document_, dataset_, charset_);
    std::map<Day, DaySum> others;
    const auto take = [this, &others](spapi::DecodedRow decoded) {
      if (!decoded.readable) {
        ++unreadable_;
        lacks_rows_ |= decoded.row.faults.empty() || decoded.row.faults.front().reason != "date_not_asked";
        return;
      }
      if (!tells(decoded.row)) {
        if (!is_part() && context_.history.contains(decoded.row.day)) {
          others[decoded.row.day].add(decoded.row);
        } else {
          ++left_;
        }
        return;
      }
      if (is_part()) note_part(decoded.row);
      shown_[decoded.row.day].add(decoded.row);
      ++result_.counts.fetched;
    };
    auto walked = co_await walk_all(walk, take);
    for (const auto& [day, sum] : others)
      if (!is_stored(day, sum)) strays_.push_back({day, sum.count});
    result_.blank = walk.blank();
    result_.personal = walk.tells_persons();
    if (left_ > 0 && !context_.replay)
      services_.log.debug("Rows were left to the reports of their own days", {{"stream", dataset_.stream}, {"rows", left_}, {"from", format_day(document_.from)}, {"until", format_day(document_.until)}});
    co_return walked;
  }

  /// Rows that belong to no day. A walk of their own, so that a document of nothing else does not fill the memory.
  Async<Status> keep_unreadable() {
    result_.counts.fetched += unreadable_;
    if (unreadable_ == 0) co_return Done{};
    RowWalk walk(services_.store, document_, dataset_, charset_);
    store::Twins twins;
    for (bool more = true; more;) {
      if (context_.cancel.cancelled()) co_return Code::cancelled;
      std::vector<std::pair<store::Fault, Hash128>> faults;
      auto step = [&] {
        return walk.step([&](spapi::DecodedRow decoded) {
          if (decoded.readable) return;
          store::Fault& fault = decoded.row.faults.front();
          const Hash128 about = twins.next(fault);
          faults.emplace_back(std::move(fault), about);
        });
      };
      auto stepped = co_await run_on(services_.work, std::move(step));
      if (!stepped) co_return stepped.error();
      more = *stepped;
      for (std::size_t from = 0; from < faults.size(); from += kRowsPerWrite) {
        const auto some = std::span(faults).subspan(from, std::min(kRowsPerWrite, faults.size() - from));
        auto write = [stream = dataset_.stream, some](const store::RunTx& run) {
          store::Counts counts;
          counts.fetched = static_cast<std::int64_t>(some.size());
          for (const auto& [fault, about] : some) counts.rejected += store::quarantine(run, stream, std::nullopt, std::nullopt, fault, about) ? 1 : 0;
          return counts;
        };
        AMZ_CO_CHECK(co_await write_counted(std::move(write)));
        told_rows_ += static_cast<std::int64_t>(some.size());
      }
    }
    co_return Done{};
  }

  /// What is known of the document's days, and which of them it tells of. In a replay these are days that were read whole, neither by a
  /// newer document nor later than this one was made.
  Async<Status> load_cells() {
    if (is_part()) {
      // The document alone says which days it tells of; those that were asked for are read by it.
      for (Day day = document_.from; !dataset_.listed && !context_.replay && day < document_.until && Instant(day) < document_.read_until; day += std::chrono::days(1)) result_.days.insert(day);
      co_return Done{};
    }
    const bool snapshot = dataset_.day_column.empty();
    const Day first = snapshot ? store::kSnapshotDay : document_.from, end = snapshot ? store::kSnapshotDay + std::chrono::days(1) : document_.until;
    const DayRange all{std::min(first, context_.history.from), std::max(end + std::chrono::days(1), context_.history.until)};
    auto load = [user = context_.fence.user, stream = dataset_.stream, all](store::Tx& tx) -> Result<std::vector<store::Cell>> { return store::cells(tx, user, stream, all.from, all.until); };
    AMZ_CO_TRY(cells, co_await services_.store.read(std::move(load)));
    for (const store::Cell& cell : cells) known_.emplace(cell.day, cell);
    for (Day day = first; day < end && Instant(day) < document_.read_until; day = next_cell(day))
      if (!context_.replay || told_last(day)) result_.days.insert(day);
    if (!snapshot) look_ahead();
    co_return Done{};
  }

  /// Dates are local, so a report that is of now may tell of the day (or the month) to come: what it tells holds until that day's own report is read.
  void look_ahead() {
    Day ahead = document_.from;
    while (ahead < document_.until && Instant(ahead) < document_.read_until) ahead = next_cell(ahead);
    const bool of_now = Instant(document_.until) > document_.read_until || (context_.asked_at && *context_.asked_at < Instant(document_.until) + kNotYet);
    const auto known = known_.find(ahead);
    const bool newer = known != known_.end() && known->second.read_until.value_or(Instant{}) > document_.read_until;
    if (of_now && !newer && (!context_.replay || told_last(ahead))) result_.days.insert(ahead);
  }

  /// Of a replay: whether no newer document told of the day.
  bool told_last(Day day) const {
    const auto cell = known_.find(day);
    const Instant until = day == store::kSnapshotDay ? document_.read_until : std::min(document_.read_until, Instant(day + std::chrono::days(1)));
    return cell != known_.end() && cell->second.digest && cell->second.read_until.value_or(Instant{}) <= until && !context_.replay->told.contains(day);
  }

  bool is_stored(Day day, const DaySum& sum) const {
    const auto cell = known_.find(day);
    return cell != known_.end() && cell->second.digest && DaySum{cell->second.row_count, *cell->second.digest} == sum;
  }

  /// Which days differ from what is stored. Days of the span that the document does not mention have nothing.
  void sort_out_days() {
    for (const Day day : result_.days) {
      if (is_part()) {
        changed_.push_back({day, shown_[day].count});
        continue;
      }
      const auto shown = shown_.find(day);
      const DaySum sum = shown == shown_.end() ? DaySum() : shown->second;
      const auto cell = known_.find(day);
      const bool same = is_stored(day, sum);
      const bool nothing = sum.count == 0 && (cell == known_.end() || cell->second.row_count == 0);
      const std::int64_t rows = std::max(sum.count, cell == known_.end() ? std::int64_t{0} : cell->second.row_count);
      // A cell that was never closed may hold rows of a reading that broke off.
      const bool clean = cell == known_.end() ? false : cell->second.digest.has_value();
      if (nothing && Instant(day) >= document_.read_until && day != store::kSnapshotDay) continue;   // to come
      if (context_.replay) {
        if (!nothing) changed_.push_back({day, rows});
      } else if (same || (nothing && clean)) {
        unchanged_.push_back({day, sum.count, sum.digest});
        result_.counts.unchanged += sum.count;
      } else {
        changed_.push_back({day, rows});
      }
    }
  }

  /// Days that are older are read again only by chance, and a snapshot changes for ever.
  Day settle_before() const { return dataset_.day_column.empty() ? store::kSnapshotDay : day_of(document_.read_until) - std::chrono::days(dataset_.read_again_days); }

  Day next_cell(Day day) const {
    if (!dataset_.whole_months) return day + std::chrono::days(1);
    const std::chrono::year_month_day date(day);
    return std::chrono::sys_days((date.year() / date.month() + std::chrono::months(1)) / std::chrono::day(1));
  }

  Async<Status> close_unchanged() {
    while (!unchanged_.empty()) {
      std::vector<store::ReportDay> some;
      for (; !unchanged_.empty() && some.size() < kRowsPerWrite; unchanged_.pop_back()) some.push_back(unchanged_.back());
      std::vector<std::int64_t> none;
      AMZ_CO_CHECK(co_await close(std::move(some), std::move(none)));
    }
    co_return Done{};
  }

  Async<Status> close(std::vector<store::ReportDay> days, std::vector<std::int64_t> gone) {
    // Of a part's days those that were not asked for are not read by it; only their rows are counted anew.
    std::vector<store::ReportDay> others;
    if (is_part() && !dataset_.listed) {
      const auto asked = [&](const store::ReportDay& d) { return d.day >= document_.from && d.day < document_.until; };
      std::copy_if(days.begin(), days.end(), std::back_inserter(others), [&](const store::ReportDay& d) { return !asked(d); });
      std::erase_if(days, [&](const store::ReportDay& d) { return !asked(d); });
    }
    auto write = [table = table_, days = std::move(days), gone = std::move(gone), others = std::move(others), settle_before = settle_before(), until = document_.read_until, replay = context_.replay.has_value(), by = lacks_rows_ ? store::ToldBy::some_rows : store::ToldBy::rows](const store::RunTx& run) {
      (void)store::recount_report_days(run, table, others, {});
      if (replay) return store::recount_report_days(run, table, days, gone);
      return store::close_report_days(run, table, days, gone, settle_before, until, by);
    };
    co_return co_await write_counted(std::move(write));
  }

  struct DayRows {
    Day day;
    std::int64_t rows;
  };
  /// As many days as fit in memory together.
  static std::vector<Day> take_days(std::vector<DayRows>& of) {
    std::vector<Day> days;
    for (std::int64_t rows = 0; !of.empty() && (days.empty() || rows + of.back().rows <= kRowsInMemory); of.pop_back()) {
      rows += of.back().rows;
      days.push_back(of.back().day);
    }
    std::sort(days.begin(), days.end());
    return days;
  }

  Async<Status> write_days(std::vector<Day> days) {
    const auto wanted = [&days](Day day) { return std::binary_search(days.begin(), days.end(), day); };
    std::vector<RowKey> shown;
    RowWalk first(services_.store, document_, dataset_, charset_);
    const auto collect = [&](const spapi::DecodedRow& decoded) {
      if (decoded.readable && wanted(decoded.row.day) && tells(decoded.row)) shown.push_back({decoded.row.day, decoded.row.identity, decoded.row.content});
    };
    AMZ_CO_CHECK(co_await walk_all(first, collect));
    auto load = [user = context_.fence.user, table = table_, days, parts = is_part() ? &result_.parts : nullptr](store::Tx& tx) -> Result<std::vector<store::StoredRow>> {
      return store::stored_rows(tx, user, table, days, parts);
    };
    AMZ_CO_TRY(stored, co_await services_.store.read(std::move(load)));
    const auto shown_count = static_cast<std::int64_t>(shown.size());
    Difference difference = compare(std::move(shown), std::move(stored), context_.replay.has_value());

    const std::int64_t written_before = told_.added + told_.changed;
    RowWalk second(services_.store, document_, dataset_, charset_);
    while (!difference.actions.empty()) {
      if (context_.cancel.cancelled()) co_return Code::cancelled;
      std::vector<std::pair<store::ReportRow, Action>> batch;
      auto step = [&] {
        return second.step([&](spapi::DecodedRow decoded) {
          if (!decoded.readable || !wanted(decoded.row.day) || !tells(decoded.row)) return;
          const auto found = difference.actions.find({decoded.row.day, decoded.row.identity, decoded.row.content});
          if (found == difference.actions.end()) return;
          batch.emplace_back(std::move(decoded.row), found->second.back());
          found->second.pop_back();
          if (found->second.empty()) difference.actions.erase(found);
        });
      };
      auto more = co_await run_on(services_.work, std::move(step));
      if (!more) co_return more.error();
      AMZ_CO_CHECK(co_await write_batch(std::move(batch)));
      if (!*more) break;
    }
    result_.counts.unchanged += shown_count - (told_.added + told_.changed - written_before);
    std::vector<store::ReportDay> closed;
    if (lacks_rows_) difference.gone.clear();   // what is not shown may be what can't be read
    for (const Day day : days) {
      const auto sum = shown_.find(day);
      closed.push_back(sum == shown_.end() ? store::ReportDay{day, 0, {}} : store::ReportDay{day, sum->second.count, sum->second.digest});
      const auto kept = difference.of_gone.find(day);
      if (!lacks_rows_ || kept == difference.of_gone.end()) continue;
      closed.back().count += kept->second;
      closed.back().digest += Hash128::of("rows that the document does not show");   // so that whatever is shown next is compared with what is there
    }
    co_return co_await close(std::move(closed), std::move(difference.gone));
  }

  Async<Status> write_batch(std::vector<std::pair<store::ReportRow, Action>> batch) {
    for (std::size_t from = 0; from < batch.size(); from += kRowsPerWrite) {
      const auto some = std::span(batch).subspan(from, std::min(kRowsPerWrite, batch.size() - from));
      // The batch outlives the transaction, since its outcome is awaited here.
      auto write = [&table = table_, some](const store::RunTx& run) {
        std::vector<store::RowChange> changes;
        for (const auto& [row, action] : some) changes.push_back({&row, action.occurrence, action.replaces});
        store::Counts counts = store::write_report_rows(run, table, changes);
        counts.fetched = counts.added + counts.changed;
        return counts;
      };
      const std::int64_t written_before = told_.fetched;
      AMZ_CO_CHECK(co_await write_counted(std::move(write)));
      told_rows_ += told_.fetched - written_before;
    }
    co_return Done{};
  }

  ImportContext context_;
  Services& services_;
  const spapi::ReportDataset& dataset_;
  store::ReportTable table_;
  store::ArchivedDocument document_;
  Charset charset_ = Charset::utf8;
  std::map<Day, store::Cell> known_;
  std::map<Day, DaySum> shown_;
  std::size_t part_column_ = 0;
  std::int64_t unreadable_ = 0, left_ = 0;
  bool lacks_rows_ = false;   // some that are of the document's days, for all that is known
  store::Counts told_;             // in the run, along with what they count
  std::int64_t told_rows_ = 0;     // of the document's own
  std::vector<store::ReportDay> unchanged_;
  std::vector<DayRows> changed_, strays_;   // strays: of which the document shows something else than is stored, and tells nothing
  Imported result_;
};

}  // namespace

Async<Result<Imported>> import_document(ImportContext context, const spapi::ReportDataset& dataset, store::ArchivedDocument document) {
  const auto import = std::make_unique<Import>(std::move(context), dataset, std::move(document));
  auto imported = co_await import->perform();
  co_return imported;
}

}  // namespace amzsync::sync
