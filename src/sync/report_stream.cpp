// SPDX-License-Identifier: Apache-2.0
#include "sync/report_stream.hpp"

#include <algorithm>
#include <map>

#include "spapi/report_requests.hpp"
#include "spapi/reports/datasets.hpp"
#include "store/archive.hpp"
#include "store/connections.hpp"
#include "store/report_jobs.hpp"
#include "sync/listed_reports.hpp"
#include "sync/report_document.hpp"
#include "sync/report_plan.hpp"

namespace amzsync::sync {
namespace {

constexpr int kReportsAtOnce = 4;
constexpr int kMostMarketplaces = 25;                         // that one request may name
constexpr Duration kLongestPoll = std::chrono::minutes(2);
constexpr Duration kShortPause = std::chrono::hours(4), kLongPause = std::chrono::hours(24);
constexpr int kFailuresForLongPause = 3;
constexpr Duration kMadeAgainAfter = std::chrono::hours(4);
constexpr int kTries = 3;
constexpr Duration kClockSlack = std::chrono::minutes(1);     // between Amazon's clock and ours

using spapi::ReportInfo;
using store::JobState;

/// What a report came to.
struct Outcome {
  store::JobOutcome outcome = store::JobOutcome::none;
  std::string reason;
};

/// What a report still takes of the plans of one call a minute.
struct CallsToCome {
  CallsToCome(Progress& progress, const spapi::Caller& caller) : ask(progress, caller, spapi::kCreateReport), document(progress, caller, spapi::kGetReportDocument) {}
  Progress::Calls ask, document;
};

class ReportReader {
 public:
  ReportReader(RunContext& run, const spapi::ReportDataset& dataset)
      : run_(run), services_(run.services), dataset_(dataset), caller_(make_caller(run, dataset.stream)), documents_(run, dataset, caller_), gate_(kReportsAtOnce) {}

  Async<std::optional<Error>> read() {
    auto begun = co_await begin_stream(run_, dataset_.stream);
    if (!begun) co_return begun.error();
    if (run_.marketplaces.empty()) co_return Error(Code::no_marketplace);
    auto planned = co_await plan();
    if (!planned) co_return planned.error();
    if (windows_.empty()) co_return co_await settle_strays();
    known_ = static_cast<std::int64_t>(windows_.size());
    tell_units();

    Group group(services_.tasks.loop(), services_.log);
    for (const ReportWindow& window : windows_) group.spawn([this, window] { return read_one(window); });
    auto ended = co_await group.all_ended();
    if (!ended) co_return ended.error();
    if (failure_ && stops_run(*failure_)) co_return failure_;
    auto unsettled = co_await settle_strays();
    co_return failure_ ? failure_ : unsettled;
  }
  std::int64_t calls() const noexcept { return caller_.calls; }
  bool read_some() const noexcept { return read_some_; }

 private:
  // ---- what to read ----

  Async<Status> plan() {
    struct Known {
      Day history_from{};
      std::vector<store::Cell> cells;
      std::vector<ReportWindow> unfinished;
      std::vector<std::pair<std::int64_t, std::int64_t>> overtaken;   // jobs, and what is archived of each
      std::optional<store::CoolDown> pause;
    };
    const Instant now = services_.clock.now();
    auto load = [user = run_.fence.user, &settings = services_.settings, &dataset = dataset_, now](store::Tx& tx) -> Result<Known> {
      const auto connection = store::find_connection(tx, user);
      Known known;
      known.history_from = history_begins(settings, now, connection ? connection->history_from : std::nullopt);
      known.cells = store::cells(tx, user, dataset.stream, store::kSnapshotDay, day_of(now) + std::chrono::days(32));
      for (const store::ReportJob& job : store::unfinished_report_jobs(tx, user, dataset.report_type)) {
        // Its time may be Amazon's, which is far ahead of a clock of ours that is slow.
        if (now - job.asked_at < dataset.cadence && job.asked_at <= now + std::chrono::hours(24)) {
          known.unfinished.push_back({job.from, job.until});
        } else {
          known.overtaken.emplace_back(job.number, job.archive);
        }
      }
      known.pause = store::cool_down(tx, user, dataset.report_type);
      return known;
    };
    AMZ_CO_TRY(known, co_await services_.store.read(std::move(load)));
    if (!known.overtaken.empty()) {
      // What it tells is older than what Amazon would tell now; no replay is to read what no sync did.
      auto drop = [jobs = std::move(known.overtaken)](const store::RunTx& run) {
        for (const auto& [job, archive] : jobs) {
          store::end_report_job(run, job, store::JobOutcome::lost, "A newer report takes its place.");
          if (archive != 0) store::forget_archived(run, archive);
        }
      };
      AMZ_CO_CHECK(co_await write_for(run_, std::move(drop)));
    }
    first_day_ = first_day(dataset_, known.history_from, now);
    failures_before_ = known.pause ? known.pause->failures : 0;
    const bool paused = known.pause && known.pause->until > now && !is_to_come(known.pause->until, now + kLongPause);
    if (paused && !known.pause->reason.empty()) co_return Error(Code::report_failed, known.pause->reason);
    // A pause for want of data is no failure, and says nothing of days that were never read, nor of reports that are being made.
    windows_ = plan_reports(dataset_, known.history_from, now, known.cells, std::move(known.unfinished), paused);
    co_return Done{};
  }

  /// What Amazon made of this type lately, once a run, when it is first needed: a report that is there already saves a call of a plan of one a minute, and tells
  /// why Amazon makes no other. Who goes on with reports that were asked for needs it of none of them. `judged` is a report that came
  /// to nothing: a list from before it was asked for tells nothing of it. Fails where Amazon could not be brought to tell.
  Async<Status> list_made(const store::ReportJob* judged) {
    constexpr int kMostFailures = 2;   // its plan is a call in 45 seconds
    const Gate::Pass turn = co_await listing_.enter(run_.cancel);
    if (!turn) co_return Code::cancelled;
    const Instant now = services_.clock.now();
    Instant since = now - dataset_.cadence;
    if (judged) since = std::min<Instant>(since, judged->asked_at - kMadeAgainAfter - kClockSlack);
    const bool tells_of_it = !judged || (listed_at_ > when_made(*judged) && listed_since_ <= judged->asked_at - kMadeAgainAfter);
    const bool is_known = listed_ && (*listed_ ? tells_of_it : !judged || list_failures_ >= kMostFailures);
    if (is_known) co_return *listed_;
    auto listed = co_await add_made(since);
    if (!listed) ++list_failures_;
    listed_ = listed;
    listed_at_ = now;
    listed_since_ = since;
    co_return listed;
  }
  /// It may have waited long for its call since it was to be asked for.
  Instant when_made(const store::ReportJob& job) const {
    const auto here = made_at_.find(job.number);
    return here == made_at_.end() ? job.asked_at : here->second;
  }
  Async<Status> add_made(Instant since) {
    spapi::Request request = spapi::get_reports(dataset_, since);
    AMZ_CO_TRY(listed, co_await services_.client.call(caller_, std::move(request)));
    AMZ_CO_TRY(page, spapi::decode_reports(listed));
    std::move(page.reports.begin(), page.reports.end(), std::back_inserter(made_));
    co_return Done{};
  }

  Async<void> read_one(ReportWindow window) {
    CallsToCome calls(run_.progress, caller_);
    const Gate::Pass turn = co_await gate_.enter(run_.cancel);
    if (!turn || gave_up_) co_return;
    auto read = co_await read_window(window, calls, true);
    ++done_;
    tell_units();
    if (read) read_some_ = true;
    if (read) co_return;
    keep_gravest(failure_, read.error());
    // What would meet the next window too need not be met again.
    gave_up_ = ends_stream(read.error()) || run_.budget.spent();
    if (!stops_run(read.error())) co_await mark_failed(window, read.error());
  }

  /// Rows that came in the report of other days wait in quarantine until their own days' reports are read.
  Async<std::optional<Error>> settle_strays() {
    auto settle = [&dataset = dataset_](const store::RunTx& run) { store::settle_strays(run, spapi::table_of(dataset)); };
    auto settled = co_await write_for(run_, std::move(settle));
    co_return settled ? std::nullopt : std::optional(settled.error());
  }

  void tell_units() { run_.progress.set_units(dataset_.stream, done_, known_); }

  /// `may_halve`: a report that Amazon can't make for the span is tried in halves, once.
  Async<Status> read_window(ReportWindow window, CallsToCome& calls, bool may_halve) {
    store::OpenedJob opened;
    for (int lost = 0;; ++lost) {
      auto open = [type = dataset_.report_type, window](const store::RunTx& run) -> Result<store::OpenedJob> {
        return store::open_report_job(run.tx(), run.user(), type, window.from, window.until);
      };
      AMZ_CO_TRY(job, co_await write_for(run_, std::move(open)));
      opened = job;
      AMZ_CO_TRY(outcome, co_await follow(opened, calls));
      if (outcome.outcome == store::JobOutcome::lost && lost < 1) continue;   // asked for anew, once
      const auto half = outcome.outcome == store::JobOutcome::fatal && may_halve ? middle_of(dataset_, window) : std::nullopt;
      if (half) {
        const Day middle = *half;
        services_.log.debug("Report is asked for in halves", {{"stream", dataset_.stream}, {"reason", outcome.reason}});
        calls.document.made();   // of the halves
        CallsToCome of_newer(run_.progress, caller_), of_older(run_.progress, caller_);
        ++known_;
        tell_units();
        auto newer = co_await read_window({middle, window.until}, of_newer, false);
        if (!newer && stops_run(newer.error())) co_return newer;
        ++done_;
        tell_units();
        auto older = co_await read_window({window.from, middle}, of_older, false);   // whatever became of the other
        co_return newer ? older : newer;
      }
      if (outcome.outcome == store::JobOutcome::fatal || outcome.outcome == store::JobOutcome::lost || outcome.outcome == store::JobOutcome::too_soon)
        co_return Error(Code::report_failed, outcome.reason.empty() ? std::string(code_sentence(Code::report_failed)) : "Amazon could not make the report: " + outcome.reason);
      co_return Done{};
    }
  }

  // ---- one report, from wherever it stands ----

  Async<Result<Outcome>> follow(store::OpenedJob opened, CallsToCome& calls) {
    store::ReportJob job = opened.job;
    if (job.state == JobState::asking) {
      AMZ_CO_CHECK(co_await have_it_made(job, opened.is_new));
      auto made = [number = job.number, id = job.report_id, as_of = job.asked_at](const store::RunTx& run) { store::report_made(run, number, id, as_of); };
      AMZ_CO_CHECK(co_await write_for(run_, std::move(made)));
      job.state = JobState::waiting;
    }
    calls.ask.made();
    if (job.state == JobState::waiting) {
      AMZ_CO_TRY(end, co_await wait_for(job));
      if (end.outcome != store::JobOutcome::none) {
        pass_over(job.report_id, end.outcome == store::JobOutcome::fatal ? ReportInfo::Status::fatal : ReportInfo::Status::cancelled);
        co_return co_await conclude_job(job, end);
      }
      auto ready = [job](const store::RunTx& run) { store::report_ready(run, job); };
      AMZ_CO_CHECK(co_await write_for(run_, std::move(ready)));
      job.state = JobState::ready;
    }
    if (job.state == JobState::ready) {
      auto taken = co_await documents_.take(job);
      if (!taken && taken.code() == Code::not_found) {
        const Outcome gone{store::JobOutcome::lost, taken.error().message};
        pass_over(job.report_id, ReportInfo::Status::fatal);
        co_return co_await conclude_job(job, gone);
      }
      if (!taken) co_return taken.error();
      job.state = JobState::archived;
    }
    calls.document.made();
    AMZ_CO_CHECK(co_await import(job));
    co_return Outcome{store::JobOutcome::imported, {}};
  }

  /// A report that came to nothing is not found again in place of the one that is asked for next.
  void pass_over(const std::string& report_id, ReportInfo::Status status) {
    for (ReportInfo& report : made_)
      if (report.id == report_id) report.status = status;
  }

  spapi::ReportSpan span_of(const store::ReportJob& job) const {
    if (dataset_.day_column.empty()) {
      // The dates of a snapshot are ignored, but for the fee preview, which must begin three days ago.
      return {job.asked_at - std::chrono::hours(73), job.asked_at - kClockSlack};
    }
    const auto edge = std::chrono::days(dataset_.edge_days);
    return {Instant(job.from - edge), std::min<Instant>(job.until + edge, std::chrono::floor<std::chrono::seconds>(job.asked_at - kClockSlack))};
  }

  /// Amazon is asked once. Where it is unknown whether it heard us, and where somebody else had the same report made a while ago, the
  /// list of reports tells.
  Async<Status> have_it_made(store::ReportJob& job, bool is_new) {
    std::vector<MarketplaceId> marketplaces = run_.marketplaces;
    if (marketplaces.size() > kMostMarketplaces) marketplaces.resize(kMostMarketplaces);
    spapi::ReportSpan span = span_of(job);
    const bool reusable = dataset_.options.empty();   // the list does not tell a report's options
    bool look = !is_new;
    Instant since = job.asked_at - kClockSlack;
    if (is_new && reusable) {
      // Who can't have the list has the report made all the same.
      auto listed = co_await list_made(nullptr);
      if (!listed && (stops_run(listed.error()) || listed.code() == Code::unauthorised || listed.code() == Code::wrong_region)) co_return listed;
      if (const ReportInfo* found = find_made(made_, span, marketplaces, false)) {
        job.report_id = found->id;
        if (found->created_at) job.asked_at = std::min(job.asked_at, *found->created_at);   // it tells nothing of what came later
        co_return Done{};
      }
    }
    for (int attempt = 0;; ++attempt) {
      if (look) {
        spapi::Request request = spapi::get_reports(dataset_, since);
        AMZ_CO_TRY(listed, co_await services_.client.call(caller_, std::move(request)));
        AMZ_CO_TRY(page, spapi::decode_reports(listed));
        if (const ReportInfo* found = find_made(page.reports, span, marketplaces, true)) {
          job.report_id = found->id;
          co_return Done{};
        }
      }
      if (!is_new && attempt == 0) {
        // A request that never reached Amazon is made anew, of today; when that was must be known before it is sent.
        job.asked_at = services_.clock.now();
        span = span_of(job);
        since = job.asked_at - kClockSlack;
        auto stamp = [number = job.number, at = job.asked_at](const store::RunTx& run) { store::report_asked(run, number, at); };
        AMZ_CO_CHECK(co_await write_for(run_, std::move(stamp)));
      }
      spapi::Request request = spapi::create_report(dataset_, marketplaces, span);
      auto made = co_await services_.client.call(caller_, std::move(request));
      if (made) {
        AMZ_CO_TRY(id, spapi::decode_created_report(*made));
        job.report_id = id;
        made_at_[job.number] = services_.clock.now();
        remember(job, span, marketplaces);
        co_return Done{};
      }
      const Code code = made.code();
      const bool unheard = code == Code::amazon_error || code == Code::network_error || code == Code::timeout || code == Code::bad_answer;
      if (!unheard || attempt + 1 >= kTries || !run_.budget.take()) co_return made.error();
      co_await services_.clock.sleep_for(std::chrono::seconds(5) * (attempt + 1), run_.cancel);
      if (run_.cancel.cancelled()) co_return Code::cancelled;
      look = true;
    }
  }

  /// What this run has made explains a refusal to make the like again.
  void remember(const store::ReportJob& job, const spapi::ReportSpan& span, const std::vector<MarketplaceId>& marketplaces) {
    ReportInfo info;
    info.id = job.report_id;
    info.type = std::string(dataset_.report_type);
    info.created_at = job.asked_at;
    info.span = span;
    for (const MarketplaceId& m : marketplaces) info.marketplaces.push_back(m.text());
    made_.push_back(std::move(info));
  }

  /// A report that tells what we want to know. `ours`: it was made for just this request.
  const ReportInfo* find_made(const std::vector<ReportInfo>& made, const spapi::ReportSpan& wanted, const std::vector<MarketplaceId>& marketplaces, bool ours) const {
    for (const ReportInfo& report : made) {
      const bool failed = report.status == ReportInfo::Status::fatal || report.status == ReportInfo::Status::cancelled;
      if (report.type != dataset_.report_type || report.id.empty() || (failed && !ours)) continue;   // what became of ours is its answer
      const bool never_ends = report.status == ReportInfo::Status::under_way && report.created_at && services_.clock.now() - *report.created_at > dataset_.patience;
      if (never_ends) continue;
      const bool all = std::all_of(marketplaces.begin(), marketplaces.end(), [&](const MarketplaceId& m) {
        return std::find(report.marketplaces.begin(), report.marketplaces.end(), m.text()) != report.marketplaces.end();
      });
      if (!all) continue;
      if (dataset_.day_column.empty()) return &report;
      if (!report.span.from || !report.span.until) continue;
      // One that ends a little before now is as good as Amazon will give: it makes no other so soon.
      const bool to_now = *wanted.until > services_.clock.now() - std::chrono::hours(1) && *wanted.until - *report.span.until < kMadeAgainAfter;
      const bool covers = *report.span.from <= *wanted.from && (*report.span.until >= *wanted.until || to_now);
      if (ours ? *report.span.from == *wanted.from && *report.span.until == *wanted.until : covers) return &report;
    }
    return nullptr;
  }

  /// CANCELLED means "no data", or that such a report was made too short a while ago (R1). It is the latter where a report that tells
  /// most of what was asked for had been made before, or had failed (R2), and never a proof of emptiness then.
  bool made_lately(const store::ReportJob& job) const {
    const spapi::ReportSpan wanted = span_of(job);
    return std::any_of(made_.begin(), made_.end(), [&](const ReportInfo& report) {
      // The list is of this type alone; what it does not tell of a report may be what it would take.
      if ((!report.type.empty() && report.type != dataset_.report_type) || report.id == job.report_id || report.status == ReportInfo::Status::cancelled) return false;
      if (report.created_at && job.asked_at - *report.created_at > kMadeAgainAfter) return false;
      if (dataset_.day_column.empty() || !report.span.from || !report.span.until) return true;
      const Duration common = std::min(*report.span.until, *wanted.until) - std::max(*report.span.from, *wanted.from);
      return common * 2 > *wanted.until - *wanted.from;
    });
  }

  /// Whether a report tells of days that we did not ask for in place of those that we did (R12): Amazon takes a request that it does not
  /// understand for one of now. What else may differ is how it rounds.
  bool is_of_other_days(const store::ReportJob& job, const ReportInfo& report) const {
    if (dataset_.day_column.empty() || !report.span.from || !report.span.until) return false;
    const spapi::ReportSpan wanted = span_of(job);
    return *report.span.from > *wanted.from + std::chrono::hours(1) || *report.span.until < *wanted.until - std::chrono::hours(25);
  }

  /// The end of the days that a report tells whole, where those are fewer than it was asked for, though all of them are over.
  std::optional<Day> ends_early(const store::ReportJob& job, const ReportInfo& report) const {
    if (dataset_.day_column.empty() || dataset_.whole_months || !report.span.until) return std::nullopt;
    const Instant wanted = *span_of(job).until;
    if (wanted - *report.span.until <= std::chrono::hours(1) || wanted > services_.clock.now() - std::chrono::hours(25)) return std::nullopt;
    const Day end = day_of(*report.span.until + std::chrono::hours(1)) - std::chrono::days(dataset_.edge_days);
    return end < job.until ? std::optional(std::max(end, job.from + std::chrono::days(1))) : std::nullopt;
  }

  /// Days of which a report may have rows that are no part of what we want of it: those of the history have reports of their own, as the next one will
  /// have, which dates that are local may name already; and one that somebody else had made tells of the days that it was made of.
  std::optional<DayRange> told_elsewhere(const store::ReportJob& job, const ReportInfo& report) const {
    if (dataset_.day_column.empty()) return std::nullopt;
    DayRange days{std::min(first_day_, job.from), std::max(day_of(services_.clock.now()) + std::chrono::days(1), job.until)};
    if (report.span.from) days.from = std::min(days.from, day_of(*report.span.from));
    if (report.span.until) days.until = std::max(days.until, day_of(*report.span.until) + std::chrono::days(1));
    days.until += std::chrono::days(1);
    // Dates are local: its first hours may lie in the last ones of the day, or of the month, before.
    days.from -= std::chrono::days(dataset_.whole_months ? 31 : 1);
    return days;
  }

  Async<Result<Outcome>> wait_for(store::ReportJob& job) {
    Duration pause = std::chrono::seconds(1);
    for (;;) {
      caller_.on_wait(services_.clock.now() + pause);
      co_await services_.clock.sleep_for(pause, run_.cancel);
      caller_.on_wait(std::nullopt);
      if (run_.cancel.cancelled()) co_return Code::cancelled;
      spapi::Request request = spapi::get_report(job.report_id);
      auto answer = co_await services_.client.call(caller_, std::move(request));
      if (!answer && answer.code() == Code::request_rejected) co_return Outcome{store::JobOutcome::lost, answer.error().message};
      if (!answer) co_return answer.error();
      AMZ_CO_TRY(report, spapi::decode_report(*answer));
      job.document_id = report.document_id;
      switch (report.status) {
        case ReportInfo::Status::done:
          if (is_of_other_days(job, report)) co_return Outcome{store::JobOutcome::fatal, "The report tells of other days than it was asked for."};
          // "DONE: reportDocumentId present" (Reports 2021-06-30), so without one it is no word that there is nothing.
          if (report.document_id.empty()) co_return Outcome{store::JobOutcome::fatal, "The report is done, and Amazon names no document of it."};
          if (const auto end = ends_early(job, report)) {
            job.until = *end;   // the days behind it stay due
            keep_gravest(failure_, Error(Code::report_failed, "Amazon made a report of fewer days than it was asked for; it ends with " + format_day(*end - std::chrono::days(1)) + "."));
          }
          job.rows = told_elsewhere(job, report);
          co_return Outcome{store::JobOutcome::none, {}};
        case ReportInfo::Status::cancelled:
          // Without the list nobody knows what it means: the report stays as it is, and the next sync asks again.
          AMZ_CO_CHECK(co_await list_made(&job));
          if (made_lately(job)) co_return Outcome{store::JobOutcome::too_soon, "Amazon made this report a short while ago and makes it again later only."};
          co_return Outcome{store::JobOutcome::no_data, {}};
        case ReportInfo::Status::fatal: co_return co_await fatal(job);
        case ReportInfo::Status::under_way: break;
      }
      if (services_.clock.now() - job.asked_at > dataset_.patience) co_return Outcome{store::JobOutcome::lost, "The report was never finished."};
      pause = std::min<Duration>(pause * 2, kLongestPoll);
    }
  }

  /// A document may come with it that says why.
  Async<Result<Outcome>> fatal(const store::ReportJob& job) {
    Outcome outcome{store::JobOutcome::fatal, {}};
    if (job.document_id.empty()) co_return outcome;
    auto said = co_await documents_.explanation(job.document_id);
    if (!said && stops_run(said.error())) co_return said.error();
    if (said) outcome.reason = std::move(*said);   // without it the report failed all the same
    co_return outcome;
  }

  // ---- its rows ----

  Async<Status> import(const store::ReportJob& job) {
    const DayRange history{first_day_, day_of(services_.clock.now()) + std::chrono::days(dataset_.whole_months ? 32 : 2)};
    auto imported = co_await documents_.import(job, dataset_.day_column.empty() ? DayRange() : history);
    // A document that is no such report is not read again and again.
    if (!imported && imported.code() == Code::bad_answer) {
      const Outcome refused{store::JobOutcome::fatal, imported.error().message};
      auto concluded = co_await conclude_job(job, refused);
      if (!concluded) co_return concluded.error();
    }
    if (!imported) co_return imported.error();
    if (imported->blank) {
      const Outcome nothing{store::JobOutcome::no_data, {}};
      auto concluded = co_await conclude_job(job, nothing);
      co_return concluded ? Status(Done{}) : Status(concluded.error());
    }
    const store::Counts counts = imported->counts;
    const bool forgotten = imported->personal || services_.settings.keep_archive == Duration(0);
    auto end = [&dataset = dataset_, number = job.number, archive = job.archive, forgotten, counts, failed = has_failed_, passing = run_.progress.due()](const store::RunTx& entered) {
      store::add_counts(entered, dataset.stream, counts);
      store::end_report_job(entered, number, store::JobOutcome::imported, "");
      // A pause for want of data is of other days than those that were read in it, and so is one for another report of this run that failed.
      const auto pause = store::cool_down(entered.tx(), entered.user(), dataset.report_type);
      if (pause && !failed && (!pause->reason.empty() || pause->until <= entered.tx().now())) store::set_cool_down(entered.tx(), entered.user(), dataset.report_type, std::nullopt);
      if (forgotten) store::forget_archived(entered, archive);
      if (passing) store::pass_progress(entered, *passing);
    };
    AMZ_CO_CHECK(co_await write_for(run_, std::move(end)));
    if (forgotten) co_return co_await remove_forgotten();
    co_return Done{};
  }

  /// What is not to be kept, as what persons wrote, is gone when the sync is over, not only when somebody tidies up.
  Async<Status> remove_forgotten() {
    constexpr int kPiecesAtOnce = 20;
    for (;;) {
      auto some = [](const store::RunTx& run) -> Result<std::int64_t> { return store::trim_archive(run.tx(), from_us(0), kPiecesAtOnce); };
      AMZ_CO_TRY(removed, co_await write_for(run_, std::move(some)));
      if (removed == 0) co_return Done{};
    }
  }

  // ---- a report that brought nothing ----

  /// CANCELLED says one of three things and does not tell which: there is nothing, it was asked for too soon, or somebody cancelled
  /// it. So days of which nothing is known are taken as empty until the next reading, and rows that are there stay.
  Async<Result<Outcome>> conclude_job(const store::ReportJob& job, Outcome end) {
    const bool nothing = end.outcome == store::JobOutcome::no_data;
    has_failed_ |= !nothing;
    const std::int64_t failures = failures_before_ + 1;   // of syncs, of which one can meet several
    store::CoolDown pause{services_.clock.now() + (failures >= kFailuresForLongPause && !nothing ? kLongPause : kShortPause), nothing ? failures_before_ : failures,
                          nothing ? std::string() : end.reason.empty() ? std::string(code_sentence(Code::report_failed)) : end.reason};
    auto write = [&dataset = dataset_, job, end, nothing, pause](const store::RunTx& entered) {
      store::Tx& tx = entered.tx();
      store::end_report_job(entered, job.number, end.outcome, end.reason);
      if (!dataset.personal.empty() && job.archive != 0) store::forget_archived(entered, job.archive);
      if (!nothing) {
        store::set_cool_down(tx, entered.user(), dataset.report_type, pause);
        return;
      }
      const store::ReportTable table = spapi::table_of(dataset);
      std::vector<store::ReportDay> empty;
      bool known_otherwise = false;   // there are rows of a day of which it says that there are none
      const bool snapshot = dataset.day_column.empty();
      for (Day day = snapshot ? store::kSnapshotDay : job.from; snapshot ? empty.empty() : day < job.until; day += std::chrono::days(1)) {
        if (!snapshot && Instant(day) >= job.asked_at) break;
        if (dataset.whole_months && std::chrono::year_month_day(day).day() != std::chrono::day(1)) continue;
        const Day days[]{day};
        // Of what is filed by its last update it only says that nothing of it was updated.
        if (!table.part.empty() || store::stored_rows(tx, entered.user(), table, days).empty()) {
          empty.push_back({day, 0, {}});
        } else {
          known_otherwise = true;
        }
        if (snapshot) break;
      }
      store::close_report_days(entered, table, empty, {}, store::kSnapshotDay, snapshot ? job.asked_at : std::min<Instant>(Instant(job.until), job.asked_at), store::ToldBy::want);
      if (!snapshot) store::assume_empty(entered, table, empty, tx.now() - store::kSureOfNothing);
      // Those days stay due; no trigger asks for them again at once. What another window failed by is not forgotten for it.
      const auto before = store::cool_down(tx, entered.user(), dataset.report_type);
      if (known_otherwise && (!before || before->reason.empty() || before->until <= tx.now())) store::set_cool_down(tx, entered.user(), dataset.report_type, pause);
    };
    AMZ_CO_CHECK(co_await write_for(run_, std::move(write)));
    co_return end;
  }

  Async<Status> mark_failed(ReportWindow window, Error reason) {
    const store::CellState state = reason.code == Code::unauthorised ? store::CellState::unauthorised : store::CellState::failed;
    auto write = [&dataset = dataset_, window, state, today = day_of(services_.clock.now())](const store::RunTx& entered) {
      if (dataset.day_column.empty() || dataset.whole_months) return store::mark_day(entered, dataset.stream, window.from, state);
      for (Day day = window.from; day < window.until && day <= today; day += std::chrono::days(1)) store::mark_day(entered, dataset.stream, day, state);
    };
    auto written = co_await write_for(run_, std::move(write));
    if (!written) failure_ = written.error();
    co_return Done{};
  }

  RunContext& run_;
  Services& services_;
  const spapi::ReportDataset& dataset_;
  spapi::Caller caller_;
  ReportDocuments documents_;
  Gate gate_;
  Day first_day_{};
  std::vector<ReportWindow> windows_;
  std::vector<ReportInfo> made_;   // of this type, lately: what Amazon lists, and what this run made
  Gate listing_{1};
  std::optional<Status> listed_;   // what became of the list of them
  Instant listed_at_{}, listed_since_{};
  std::map<std::int64_t, Instant> made_at_;   // by job, of this run
  int list_failures_ = 0;
  bool gave_up_ = false, read_some_ = false, has_failed_ = false;   // has_failed_: a report was not made
  std::int64_t known_ = 0, done_ = 0;   // windows, and halves of them
  std::int64_t failures_before_ = 0;
  std::optional<Error> failure_;
};

}  // namespace

Async<StreamResult> read_report(RunContext& run, const spapi::ReportDataset& dataset) {
  if (dataset.listed) co_return co_await read_listed_reports(run, dataset);
  const auto reader = std::make_unique<ReportReader>(run, dataset);
  auto error = co_await reader->read();
  co_return co_await conclude(run, dataset.stream, reader->calls(), std::move(error), reader->read_some());
}

}  // namespace amzsync::sync
