// SPDX-License-Identifier: Apache-2.0
#include "sync/listed_reports.hpp"

#include <algorithm>

#include "spapi/report_requests.hpp"
#include "spapi/reports/datasets.hpp"
#include "store/archive.hpp"
#include "store/report_jobs.hpp"
#include "sync/report_document.hpp"

namespace amzsync::sync {
namespace {

constexpr Duration kListedFor = std::chrono::hours(24 * 90 - 1);   // ninety days, and surely still then
constexpr std::size_t kMostPages = 50;
constexpr int kMostRestarts = 2;
constexpr Duration kAlmost = std::chrono::hours(2);   // a sync that comes a little early is not sent away

class ListReader {
 public:
  ListReader(RunContext& run, const spapi::ReportDataset& dataset)
      : run_(run), services_(run.services), dataset_(dataset), caller_(make_caller(run, dataset.stream)), documents_(run, dataset, caller_) {}

  Async<std::optional<Error>> read() {
    auto begun = co_await begin_stream(run_, dataset_.stream);
    if (!begun) co_return begun.error();
    if (run_.marketplaces.empty()) co_return Error(Code::no_marketplace);
    const Instant began = services_.clock.now();
    auto is_due = co_await due(began);
    if (!is_due) co_return is_due.error();
    if (*is_due) {
      auto listed = co_await list(began);
      if (!listed) co_return listed.error();
    }
    auto read = co_await read_documents();
    if (!read) co_return read.error();
    if (failure_ || !*is_due) co_return failure_;
    auto close = [began, table = spapi::table_of(dataset_)](const store::RunTx& run) {
      const store::ReportDay all[]{{store::kSnapshotDay, 0, {}}};
      store::close_report_days(run, table, all, {}, store::kSnapshotDay, began);
    };
    auto closed = co_await write_for(run_, std::move(close));
    if (!closed) co_return closed.error();
    co_return std::nullopt;
  }
  std::int64_t calls() const noexcept { return caller_.calls; }
  bool read_some() const noexcept { return read_some_; }

 private:
  /// When the list was read last stands in the cell of snapshots.
  Async<Result<bool>> due(Instant now) {
    auto load = [user = run_.fence.user, stream = dataset_.stream](store::Tx& tx) -> Result<std::vector<store::Cell>> {
      return store::cells(tx, user, stream, store::kSnapshotDay, store::kSnapshotDay + std::chrono::days(1));
    };
    AMZ_CO_TRY(cells, co_await services_.store.read(std::move(load)));
    const auto read_at = cells.empty() ? std::nullopt : cells.front().read_at;
    co_return !read_at || is_to_come(*read_at, now) || now - *read_at >= dataset_.cadence - kAlmost;
  }

  /// Opens a job for every report that was not read before. A list whose page token has lapsed is walked anew.
  Async<Status> list(Instant now) {
    for (int walk = 0;; ++walk) {
      auto walked = co_await walk_list(now);
      if (walked || walked.code() != Code::page_token_expired || walk >= kMostRestarts || !run_.budget.take()) co_return walked;
    }
  }
  Async<Status> walk_list(Instant now) {
    // Not since an instant of ours: on a machine whose clock is slow that would be too long ago for Amazon.
    spapi::Request request = spapi::get_reports(dataset_, std::nullopt);
    for (std::size_t page = 0; page < kMostPages; ++page) {
      auto answer = co_await services_.client.call(caller_, std::move(request));
      // Not every application may see every kind of report, and Amazon retires some.
      if (!answer && answer.code() == Code::request_rejected) co_return Error(Code::unauthorised, "Amazon does not list reports of the type " + std::string(dataset_.report_type) + ". " + answer.error().message);
      if (!answer) co_return answer.error();
      AMZ_CO_TRY(listed, spapi::decode_reports(*answer));
      std::vector<store::ReportJob> jobs;
      for (const spapi::ReportInfo& report : listed.reports) {
        if (!report.type.empty() && report.type != dataset_.report_type) continue;
        if (!report.readable || report.type.empty()) {
          // The list is walked anew with the next sync.
          keep_gravest(failure_, Error(Code::bad_answer, "An entry of Amazon's list of reports can't be read, so there may be a report that was not."));
        } else if (report.status == spapi::ReportInfo::Status::done) {
          jobs.push_back(job_of(report, now));
        }
      }
      auto open = [jobs = std::move(jobs)](const store::RunTx& run) {
        for (const store::ReportJob& job : jobs) store::open_listed_job(run.tx(), run.user(), job);
      };
      AMZ_CO_CHECK(co_await write_for(run_, std::move(open)));
      if (listed.next_token.empty()) co_return Done{};
      request = spapi::get_more_reports(listed.next_token);
    }
    co_return Code::page_loop;
  }

  store::ReportJob job_of(const spapi::ReportInfo& report, Instant now) const {
    store::ReportJob job;
    job.report_type = dataset_.report_type;
    job.listed = report.id;
    job.document_id = report.document_id;
    job.asked_at = report.created_at.value_or(now);
    job.until = day_of(report.span.until.value_or(job.asked_at)) + std::chrono::days(1);
    job.from = std::min(day_of(report.span.from.value_or(job.asked_at)), job.until - std::chrono::days(1));
    return job;
  }

  Async<Status> read_documents() {
    auto load = [user = run_.fence.user, type = dataset_.report_type](store::Tx& tx) -> Result<std::vector<store::ReportJob>> { return store::unfinished_report_jobs(tx, user, type); };
    AMZ_CO_TRY(jobs, co_await services_.store.read(std::move(load)));
    const auto known = static_cast<std::int64_t>(jobs.size());
    run_.progress.set_units(dataset_.stream, 0, known);
    std::int64_t done = 0;
    const auto archived = std::count_if(jobs.begin(), jobs.end(), [](const store::ReportJob& job) { return job.state == store::JobState::archived; });
    Progress::Calls documents(run_.progress, caller_, spapi::kGetReportDocument, known - archived);
    for (store::ReportJob& job : jobs) {
      const bool archived_before = job.state == store::JobState::archived;
      auto read = co_await read_document(job);
      if (!archived_before) documents.made();
      read_some_ |= read.ok();
      if (!read) {
        if (stops_run(read.error())) co_return read.error();
        keep_gravest(failure_, read.error());
        // What would meet the next one too need not be met again.
        if (ends_stream(read.error()) || run_.budget.spent()) co_return Done{};
      }
      run_.progress.set_units(dataset_.stream, ++done, known);
    }
    co_return Done{};
  }

  bool still_listed(const store::ReportJob& job) const { return services_.clock.now() - job.asked_at <= kListedFor; }

  Async<Status> read_document(store::ReportJob& job) {
    if (job.state != store::JobState::archived) {
      auto taken = co_await documents_.take(job);
      // Refused while it is still listed it is asked for again with the next sync.
      const bool gone = !taken && taken.code() == Code::not_found && !still_listed(job);
      if (gone) AMZ_CO_CHECK(co_await end(job.number, store::JobOutcome::lost, taken.error()));
      if (!taken && taken.code() == Code::not_found) co_return Error(Code::request_rejected, taken.error().message);
      if (!taken) co_return taken.error();
    }
    auto imported = co_await documents_.import(job);
    if (imported && imported->blank) imported = Error(Code::bad_answer, "The document of a listed report holds nothing.");
    if (!imported && imported.code() == Code::bad_answer) {
      // Amazon puts error texts in the place of documents: it is had again with the next sync, as long as Amazon keeps it.
      auto again = [job, over = !still_listed(job), why = imported.error().message](const store::RunTx& run) {
        store::forget_archived(run, job.archive);
        if (over) {
          store::end_report_job(run, job.number, store::JobOutcome::fatal, why);
        } else {
          store::report_ready(run, job);
        }
      };
      AMZ_CO_CHECK(co_await write_for(run_, std::move(again)));
    }
    if (!imported) co_return imported.error();
    auto keep = [number = job.number, imported = *imported, stream = dataset_.stream, passing = run_.progress.due()](const store::RunTx& run) {
      store::add_counts(run, stream, imported.counts);
      store::end_report_job(run, number, store::JobOutcome::imported, "");
      if (passing) store::pass_progress(run, *passing);
    };
    auto ended = co_await write_for(run_, std::move(keep));
    co_return ended;
  }

  /// A report that brought nothing.
  Async<Status> end(std::int64_t job, store::JobOutcome outcome, const Error& error) {
    auto keep = [job, outcome, reason = error.message](const store::RunTx& run) { store::end_report_job(run, job, outcome, reason); };
    auto ended = co_await write_for(run_, std::move(keep));
    co_return ended;
  }

  RunContext& run_;
  Services& services_;
  const spapi::ReportDataset& dataset_;
  spapi::Caller caller_;
  ReportDocuments documents_;
  std::optional<Error> failure_;
  bool read_some_ = false;
};

}  // namespace

Async<StreamResult> read_listed_reports(RunContext& run, const spapi::ReportDataset& dataset) {
  const auto reader = std::make_unique<ListReader>(run, dataset);
  auto error = co_await reader->read();
  co_return co_await conclude(run, dataset.stream, reader->calls(), std::move(error), reader->read_some());
}

}  // namespace amzsync::sync
