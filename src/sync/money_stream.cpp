// SPDX-License-Identifier: Apache-2.0
#include "sync/money_stream.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <set>

#include "spapi/transactions.hpp"
#include "store/connections.hpp"
#include "sync/money_walk.hpp"
#include "sync/page_archive.hpp"
#include "sync/slice_plan.hpp"

namespace amzsync::sync {
namespace {

constexpr int kMaxRestarts = 2;
constexpr int kMostRefused = 2;
constexpr int kTriesOfWide = 3;        // 500 may well say that the span is too wide, and halves of it help more than patience
constexpr Duration kNarrowest = std::chrono::hours(1), kWhole = std::chrono::days(1);   // F12
constexpr std::int64_t kRemovedAtOnce = 500;   // events in one transaction, of some twelve rows each
constexpr std::int64_t kMostEventsInMemory = 250'000;   // about 16 MB; a slice with more is split

/// One finance API.
struct Source {
  store::MoneyStream stream;
  spapi::Request (*request)(const spapi::MoneyWindow&, const std::string& page_token, int events_per_page);
  bool pages_may_be_smaller;
  Result<spapi::MoneyPage> (*decode)(const JsonDocument&, const spapi::MoneyWindow&);
  Result<std::string> (*next_token)(const JsonDocument&);
  SlicePolicy policy;

  std::string_view name() const noexcept { return store::money_stream_name(stream); }
};

constexpr SlicePolicy kWithDates{};
// Service fees, debt recoveries and loans of v0 have no date. Pages hold 100; walks were seen to fail after 153 pages (F3).
constexpr SlicePolicy kWithoutDates{.fixed_grid = true, .widest_days = 128, .events_per_page = 100};

spapi::Request request_transactions(const spapi::MoneyWindow& window, const std::string& page_token, int) { return spapi::list_transactions(window, page_token); }

constexpr Source kTransactions{store::MoneyStream::transactions, &request_transactions, false, &spapi::decode_transactions, &spapi::next_transactions, kWithDates};
constexpr Source kFinancialEvents{store::MoneyStream::financial_events, &spapi::list_financial_events, true, &spapi::decode_financial_events, &spapi::next_financial_events, kWithoutDates};

/// How a walk can end other than well.
enum class Trouble : std::uint8_t {
  again,    ///< the same walk, from its start
  narrower, ///< the slice is too much: walk its halves
  give_up
};

Trouble judge(const Error& error) noexcept {
  switch (error.code) {
    case Code::page_token_expired:
    case Code::page_loop: return Trouble::again;
    case Code::answer_too_large:
    case Code::request_rejected:  // v0 answers 400 when a page would pass 10 MB
    case Code::amazon_error:      // 500 on wide windows of large accounts (F12)
    case Code::timeout: return Trouble::narrower;
    default: return Trouble::give_up;
  }
}

class MoneyReader {
 public:
  MoneyReader(RunContext& run, const Source& source) : run_(run), source_(source), caller_(make_caller(run, source.name())) {}

  Async<std::optional<Error>> read() {
    auto begun = co_await begin_stream(run_, source_.name());
    if (!begun) co_return begun.error();
    auto planned = co_await plan();
    if (!planned) co_return planned.error();

    std::optional<Error> failure;
    while (const auto slice = plan_->next()) {
      if (run_.turn.cancelled()) co_return Error(Code::cancelled);
      auto walked = co_await walk_slice(*slice);
      if (!walked) {
        keep_gravest(failure, walked.error());
        // Two days on end that Amazon refuses, asked for alone: it is not about the days.
        refused_ = walked.code() == Code::request_rejected ? refused_ + 1 : 0;
        if (ends_stream(walked.error()) || run_.budget.spent() || refused_ >= kMostRefused) break;
        // Everything that was complete is kept; the next slice may be fine.
      }
      auto told = co_await tell_slices();
      if (!told) co_return told.error();
    }
    co_return failure;
  }

  std::int64_t calls() const noexcept { return caller_.calls; }

 private:
  Async<Status> plan() {
    struct Known {
      Day start;
      std::vector<store::Cell> cells;
      std::vector<store::Window> grid;
      std::int64_t slices_done = 0;
    };
    const Instant now = run_.services.clock.now();
    auto load = [user = run_.fence.user, number = run_.fence.run, name = source_.name(), &settings = run_.services.settings, now, end = day_of(now) + std::chrono::days(1)](store::Tx& tx) -> Result<Known> {
      const auto connection = store::find_connection(tx, user);
      const Day start = history_begins(settings, now, connection ? connection->history_from : std::nullopt);
      return Known{start, store::cells(tx, user, name, start, end), store::windows(tx, user, name), store::slices_done(tx, number, name)};
    };
    AMZ_CO_TRY(known, co_await run_.services.store.read(std::move(load)));
    for (const store::Cell& cell : known.cells)
      if (cell.row_count > 0) days_with_rows_.insert(cell.day);
    slices_before_ = known.slices_done;
    plan_ = std::make_unique<SlicePlan>(source_.policy, known.start, now, known.cells, known.grid);
    co_return Done{};
  }

  /// Walks a slice, as a whole or in halves, until it is complete or nothing helps.
  Async<Status> walk_slice(Slice slice) {
    int restarts = 0;
    events_per_page_ = spapi::kEventsPerPage;
    for (;;) {
      MoneyWalk walk;
      without_list_ = unreadable_ = false;
      PageArchive archive(run_, archive_of(slice));
      auto walked = co_await walk_pages(slice, walk, archive);
      if (walked) {
        refused_ = 0;
        plan_->walked(slice, walk.count());
        if (slice.days == 1 && part_ < kWhole && regrowth_.walked()) part_ = std::min(kWhole, part_ * 2);
        co_return co_await close_slice(slice, std::move(walk), std::move(archive));
      }
      for (Day day = slice.first; day < slice.end(); day += std::chrono::days(1)) days_with_rows_.insert(day);
      Trouble trouble = run_.budget.spent() ? Trouble::give_up : judge(walked.error());
      if (trouble == Trouble::again) {
        if (restarts++ < kMaxRestarts) continue;
        // Tokens that die again and again ask for a shorter walk; a circle of pages has no end at any width.
        trouble = walked.code() == Code::page_token_expired ? Trouble::narrower : Trouble::give_up;
      }
      if (trouble == Trouble::give_up) co_return co_await give_up(slice, walked.error());
      const auto halves = plan_->split(slice);
      // A day is seen and closed as one, but need not be asked for at once.
      if (halves.empty() && part_ > kNarrowest) {
        part_ = std::max(kNarrowest, part_ / 2);
        regrowth_.refused();
        continue;
      }
      // Of the shortest walk the pages may be smaller (F3: one of a hundred events can pass 10 MB).
      if (constexpr int kFewest = 5; halves.empty() && source_.pages_may_be_smaller && events_per_page_ > kFewest) {
        events_per_page_ /= 4;
        continue;
      }
      if (halves.empty()) co_return co_await give_up(slice, walked.error());
      too_wide_ = std::min(too_wide_, slice.days);
      run_.services.log.debug("Slice is walked in halves", {{"stream", source_.name()}, {"days", slice.days}, {"reason", walked.error().name()}});
      if (slice.on_grid) co_return co_await store_split(slice, halves);
      co_return Done{};
    }
  }

  store::ArchivedDocument archive_of(const Slice& slice) {
    const Instant latest = run_.services.clock.now() - kNotYet;
    read_until_ = std::min<Instant>(slice.end(), std::chrono::floor<std::chrono::seconds>(latest));
    store::ArchivedDocument document;
    document.stream = source_.name();
    document.from = slice.first;
    document.until = slice.end();
    document.read_until = read_until_;
    return document;
  }

  Async<Status> walk_pages(Slice slice, MoneyWalk& walk, PageArchive& archive) {
    const Duration part = slice.days > 1 ? slice.end() - slice.first : part_;
    for (Instant from = slice.first; from < read_until_; from += part) {   // none where the day has only just begun
      const spapi::MoneyWindow window{from, std::min(from + part, read_until_)};
      AMZ_CO_CHECK(co_await walk_window(slice, window, part > kNarrowest, walk, archive));
    }
    co_return Done{};
  }

  Async<Status> walk_window(Slice slice, spapi::MoneyWindow window, bool may_be_narrower, MoneyWalk& walk, PageArchive& archive) {
    const auto known = days_with_rows_.lower_bound(slice.first);
    const auto existing = known != days_with_rows_.end() && *known < slice.end() ? store::Existing::possible : store::Existing::none;
    const std::optional<int> tries = may_be_narrower ? std::optional(slice.days >= too_wide_ ? 1 : kTriesOfWide) : std::nullopt;
    walk.begin_window();
    std::string token;
    bool again = false;
    std::optional<Result<JsonDocument>> answer;
    auto first = fetch(window, token, tries, caller_.cancel, answer);
    co_await std::move(first);
    for (;;) {
      if (!*answer) co_return answer->error();
      // The next page is on its way while this one is decoded and stored.
      std::optional<Result<JsonDocument>> coming;
      CancelSource enough;
      const auto cancelled = caller_.cancel.on_cancel([&] { enough.cancel(caller_.cancel.reason()); });
      if (caller_.cancel.cancelled()) enough.cancel(caller_.cancel.reason());
      Group ahead(run_.services.tasks.loop(), run_.services.log);
      const auto next = source_.next_token(**answer);
      if (next && !next->empty()) ahead.spawn([&] { return fetch(window, *next, tries, enough.token(), coming); });
      auto kept = co_await keep_page(slice, window, token, existing, again, **answer, walk, archive);
      if (!kept) enough.cancel(CancelReason::sibling_failed);
      auto ended = co_await ahead.all_ended();
      if (!kept && kept.code() == Code::page_token_expired && token.empty() && !again) {   // there was none to expire
        again = true;
        auto once_more = fetch(window, token, tries, caller_.cancel, answer);
        co_await std::move(once_more);
        continue;
      }
      if (!kept) co_return kept.error();
      if (!ended) co_return ended.error();
      token = std::move(*kept);
      if (token.empty()) co_return Done{};
      answer = std::move(coming);
    }
  }

  /// One page, by its token.
  Async<void> fetch(spapi::MoneyWindow window, std::string token, std::optional<int> tries, CancelToken cancel, std::optional<Result<JsonDocument>>& answer) {
    spapi::Request request = source_.request(window, token, events_per_page_);
    if (tries) request.tries = *tries;
    spapi::Caller caller = caller_;
    caller.cancel = cancel;
    caller.calls = caller.throttled = 0;
    auto told = co_await run_.services.client.call(caller, std::move(request));
    answer.emplace(std::move(told));
    caller_.calls += caller.calls;
    caller_.throttled += caller.throttled;
  }

  /// Decodes a page and stores what is new; the token of the next one. `token`: its own. `again`: it was asked for a second time.
  Async<Result<std::string>> keep_page(Slice slice, spapi::MoneyWindow window, const std::string& token, store::Existing existing, bool again, const JsonDocument& answer, MoneyWalk& walk,
                                       PageArchive& archive) {
    std::string packed;
    auto decode = [this, &answer, &packed, &archive, &window] {
      packed = archive.pack(answer);
      return source_.decode(answer, window);
    };
    AMZ_CO_TRY(page, co_await run_on(run_.services.work, std::move(decode)));
    // In the middle of a walk an answer with no list in it is how Amazon takes a bad token (F4); at its beginning it is heard the second time, and not believed at once even then.
    if (page.bare && (!token.empty() || !again)) co_return Code::page_token_expired;
    without_list_ = without_list_ || page.bare;
    unreadable_ = unreadable_ || !page.batch.unreadable.empty();
    auto on_known_days = co_await settle_undated(page.batch);
    if (!on_known_days) co_return on_known_days.error();
    if (!walk.take(page)) co_return Code::page_loop;
    if (walk.count() > kMostEventsInMemory && slice.days > 1) co_return Code::answer_too_large;
    run_.progress.set_detail(std::string(source_.name()) + " of " + format_day(slice.first) + ", " + std::to_string(walk.count()) + " rows");
    AMZ_CO_CHECK(co_await store_page(std::move(page.batch), *on_known_days ? store::Existing::possible : existing, archive, std::move(packed)));
    co_return std::move(page.next_token);
  }

  /// An event without a date stays on the day under which it was first seen, whichever window shows it. A fixed grid needs no such care.
  Async<Result<bool>> settle_undated(store::MoneyBatch& batch) {
    const bool undated = std::any_of(batch.events.begin(), batch.events.end(), [](const store::MoneyEvent& e) { return !e.dated; });
    if (!undated || source_.policy.fixed_grid) co_return false;
    auto look_up = [user = run_.fence.user, stream = source_.stream, &batch](store::Tx& tx) -> Result<bool> { return store::settle_undated(tx, user, stream, batch); };
    auto known = co_await run_.services.store.read(std::move(look_up));
    co_return known;
  }

  Async<Status> store_page(store::MoneyBatch batch, store::Existing existing, PageArchive& archive, std::string packed) {
    if (batch.events.empty() && batch.unreadable.empty() && packed.empty()) co_return Done{};
    auto write = [stream = source_.stream, passing = run_.progress.due(), existing, batch = std::move(batch), &known = known_, &archive, packed = std::move(packed)](const store::RunTx& entered) {
      archive.keep(entered, packed);
      store::add_counts(entered, store::money_stream_name(stream), store::store_page(entered, stream, batch, existing, &known));
      if (passing) store::pass_progress(entered, *passing);
    };
    auto written = co_await write_for(run_, std::move(write));
    if (written) known_.committed();
    co_return written;
  }

  struct Closing {
    store::MoneyStream stream;
    Slice slice;
    Instant until, now;
    bool without_list, unreadable;
    MoneyWalk walk;
    PageArchive archive;

    /// False: there may be more.
    bool remove_unseen(const store::RunTx& run, store::Counts& counts) const {
      std::int64_t left = kRemovedAtOnce;
      each_day([&](const store::SeenDay& seen, const store::ClosedDay& how) {
        if (left == 0) return;
        const store::Counts gone = store::remove_unseen(run, stream, seen, how, left);
        counts += gone;
        left -= gone.removed;
      });
      return left > 0;
    }
    void close(const store::RunTx& run, store::Counts& counts) const {
      each_day([&](const store::SeenDay& seen, const store::ClosedDay& how) { counts += store::close_day(run, stream, seen, how); });
      if (slice.on_grid) store::store_window(run.tx(), run.user(), store::money_stream_name(stream), {slice.first, slice.days});
      if (!without_list && !unreadable) archive.close(run);   // no replay is to believe it
    }
    /// Of days without a list the newest are doubted in silence, since each of them is new once, and read again and again.
    bool is_doubted(const store::RunTx& run) const {
      if (!without_list && !unreadable) return false;
      const auto cells = store::cells(run.tx(), run.user(), store::money_stream_name(stream), slice.first, slice.end());
      return std::any_of(cells.begin(), cells.end(), [this](const store::Cell& cell) {
        return cell.state == store::CellState::assumed && (unreadable || cell.row_count > 0 || now - Instant(cell.day + std::chrono::days(1)) >= kAlwaysReadAgain);
      });
    }
    template <typename Do>
    void each_day(Do&& act) const {
      for (Day day = slice.first; day < slice.end() && Instant(day) < until; day += std::chrono::days(1)) {
        const auto seen = walk.days().find(day);
        store::SeenDay nothing;
        nothing.day = day;
        act(seen == walk.days().end() ? nothing : seen->second, store::ClosedDay{std::min(until, Instant(day + std::chrono::days(1))), may_settle(day, now), without_list, unreadable});
      }
    }
  };

  /// The end of a complete walk: what was not seen goes, digest and coverage are written.
  /// Where many go, they go by and by, since nobody else writes meanwhile.
  Async<Status> close_slice(Slice slice, MoneyWalk walk, PageArchive archive) {
    const auto closing = std::make_shared<const Closing>(Closing{source_.stream, slice, read_until_, run_.services.clock.now(), without_list_, unreadable_, std::move(walk), std::move(archive)});
    enum class Next : std::uint8_t { more, closed, doubted };
    for (;;) {
      auto write = [closing](const store::RunTx& entered) -> Result<Next> {
        store::Counts counts;
        const bool all = closing->remove_unseen(entered, counts);
        if (all) closing->close(entered, counts);
        store::add_counts(entered, store::money_stream_name(closing->stream), counts);
        return !all ? Next::more : closing->is_doubted(entered) ? Next::doubted : Next::closed;
      };
      AMZ_CO_TRY(next, co_await write_for(run_, std::move(write)));
      if (next == Next::closed) co_return Done{};
      if (next == Next::doubted && closing->unreadable)
        co_return Error(Code::rows_quarantined, "A part of Amazon's answer for some days can't be read, so rows of them may be missing. It is kept in quarantine, and they are asked for again.");
      if (next == Next::doubted) co_return Error(Code::bad_answer, "Amazon's answer for some days holds no list of money, which is no word that there is none. They are asked for again.");
    }
  }

  Async<Status> store_split(Slice slice, std::vector<Slice> halves) {
    auto write = [name = source_.name(), slice, halves = std::move(halves)](const store::RunTx& entered) {
      std::vector<store::Window> parts;
      for (const Slice& half : halves) parts.push_back({half.first, half.days});
      store::split_window(entered.tx(), entered.user(), name, slice.first, parts);
    };
    auto written = co_await write_for(run_, std::move(write));
    co_return written;
  }

  /// The days of the slice are marked; what was known of them stays. Answers with the reason.
  Async<Status> give_up(Slice slice, Error reason) {
    if (reason.code == Code::cancelled || reason.code == Code::fenced) co_return reason;
    const store::CellState state = reason.code == Code::unauthorised ? store::CellState::unauthorised : store::CellState::failed;
    auto write = [name = source_.name(), slice, state, today = day_of(run_.services.clock.now())](const store::RunTx& entered) {
      for (Day day = slice.first; day < slice.end() && day <= today; day += std::chrono::days(1)) store::mark_day(entered, name, day, state);
    };
    auto written = co_await write_for(run_, std::move(write));
    if (!written) co_return written;
    co_return reason;
  }

  Async<Status> tell_slices() {
    run_.progress.set_units(source_.name(), plan_->days_done(), plan_->days_known());
    auto write = [name = source_.name(), done = slices_before_ + plan_->slices_done(), known = slices_before_ + plan_->slices_known(), passing = run_.progress.due()](const store::RunTx& entered) {
      store::set_slices(entered, name, done, known);
      if (passing) store::pass_progress(entered, *passing);
    };
    auto written = co_await write_for(run_, std::move(write));
    co_return written;
  }

  RunContext& run_;
  const Source& source_;
  spapi::Caller caller_;
  std::unique_ptr<SlicePlan> plan_;
  std::int64_t slices_before_ = 0;   // walked in this run by earlier turns, or by a worker that is gone
  Instant read_until_{};           // of the slice that is being walked
  bool without_list_ = false;      // whether Amazon answered for a part of it with nothing, and with no list either
  bool unreadable_ = false;        // whether there was something in it that is no row
  Duration part_ = kWhole;         // what is asked for at once of a slice of a day; what helped for one will for the next
  Regrowth regrowth_;
  int refused_ = 0;                // slices on end
  int too_wide_ = std::numeric_limits<int>::max();   // days of the narrowest slice that had to be halved: others of that width get no patience
  int events_per_page_ = spapi::kEventsPerPage;
  store::KnownNumbers known_;
  std::set<Day> days_with_rows_;   // or that may have some, from a walk that broke off
};

Async<StreamResult> read_money(RunContext& run, const Source& source) {
  MoneyReader reader(run, source);
  auto error = co_await reader.read();
  co_return co_await conclude(run, source.name(), reader.calls(), std::move(error));
}

}  // namespace

Async<StreamResult> read_transactions(RunContext& run) { return read_money(run, kTransactions); }
Async<StreamResult> read_financial_events(RunContext& run) { return read_money(run, kFinancialEvents); }

}  // namespace amzsync::sync
