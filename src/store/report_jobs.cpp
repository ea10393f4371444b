// SPDX-License-Identifier: Apache-2.0
#include "store/report_jobs.hpp"

#include <array>

namespace amzsync::store {
namespace {

constexpr std::array<std::string_view, 5> kStates{"asking", "waiting", "ready", "archived", "over"};
constexpr std::array<std::string_view, 6> kOutcomes{"", "imported", "no_data", "fatal", "lost", "too_soon"};

JobState state_from(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kStates.size(); ++i)
    if (kStates[i] == name) return static_cast<JobState>(i);
  return JobState::over;
}

}  // namespace

std::string_view job_state_name(JobState state) noexcept { return kStates[static_cast<std::size_t>(state)]; }
std::string_view job_outcome_name(JobOutcome outcome) noexcept { return kOutcomes[static_cast<std::size_t>(outcome)]; }

OpenedJob open_report_job(Tx& tx, UserNo user, std::string_view report_type, Day from, Day until) {
  {
    Rows r = tx.rows(
        "SELECT job_no, state, asked_at, report_id, document_id, archive_no, rows_from, rows_until FROM report_jobs WHERE user_no=?1 AND report_type=?2 AND from_day=?3 AND until_day=?4 AND listed='' AND state<>'over'",
        user, report_type, from, until);
    if (r.next()) return {{r.integer(0), std::string(report_type), from, until, state_from(r.view(1)), r.instant(2), r.text(3), r.text(4), r.integer(5), r.maybe_days(6, 7), {}}, false};
  }
  const auto number = tx.integer(
      "INSERT INTO report_jobs(user_no, report_type, from_day, until_day, state, asked_at) VALUES(?1, ?2, ?3, ?4, 'asking', ?5) RETURNING job_no", user, report_type, from,
      until, tx.now());
  return {{number.value_or(0), std::string(report_type), from, until, JobState::asking, tx.now(), {}, {}, 0, {}, {}}, true};
}

bool open_listed_job(Tx& tx, UserNo user, const ReportJob& job) {
  if (tx.integer("SELECT 1 FROM report_jobs WHERE user_no=?1 AND report_type=?2 AND listed=?3", user, job.report_type, job.listed)) return false;
  tx.run("INSERT INTO report_jobs(user_no, report_type, from_day, until_day, state, asked_at, report_id, document_id, listed) VALUES(?1, ?2, ?3, ?4, 'ready', ?5, ?6, ?7, ?6)", user, job.report_type, job.from,
         job.until, job.asked_at, job.listed, job.document_id);
  return true;
}

std::vector<ReportJob> unfinished_report_jobs(Tx& tx, UserNo user, std::string_view report_type) {
  std::vector<ReportJob> jobs;
  Rows r = tx.rows("SELECT job_no, from_day, until_day, state, asked_at, report_id, document_id, archive_no, rows_from, rows_until, listed FROM report_jobs WHERE user_no=?1 AND report_type=?2 AND state<>'over' ORDER BY job_no",
                   user, report_type);
  while (r.next()) jobs.push_back({r.integer(0), std::string(report_type), day_from(r.integer(1)), day_from(r.integer(2)), state_from(r.view(3)), r.instant(4), r.text(5), r.text(6), r.integer(7), r.maybe_days(8, 9), r.text(10)});
  return jobs;
}

void report_asked(const RunTx& run, std::int64_t job, Instant at) { run.tx().run("UPDATE report_jobs SET asked_at=?2 WHERE job_no=?1 AND user_no=?3", job, at, run.user()); }
void report_made(const RunTx& run, std::int64_t job, std::string_view report_id, Instant as_of) { run.tx().run("UPDATE report_jobs SET state='waiting', report_id=?2, asked_at=?3 WHERE job_no=?1 AND user_no=?4", job, report_id, as_of, run.user()); }
void report_ready(const RunTx& run, const ReportJob& job) {
  run.tx().run("UPDATE report_jobs SET state='ready', document_id=?2, rows_from=?3, rows_until=?4, until_day=?6 WHERE job_no=?1 AND user_no=?5", job.number, job.document_id,
               job.rows ? std::optional(job.rows->from) : std::nullopt, job.rows ? std::optional(job.rows->until) : std::nullopt, run.user(), job.until);
}
void report_archived(const RunTx& run, std::int64_t job, std::int64_t archive) { run.tx().run("UPDATE report_jobs SET state='archived', archive_no=?2 WHERE job_no=?1 AND user_no=?3", job, archive, run.user()); }

void end_report_job(const RunTx& run, std::int64_t job, JobOutcome outcome, std::string_view reason) {
  run.tx().run("UPDATE report_jobs SET state='over', outcome=?2, reason=?3, ended_at=?4 WHERE job_no=?1 AND user_no=?5", job, job_outcome_name(outcome), reason, run.tx().now(), run.user());
}

std::optional<CoolDown> cool_down(Tx& tx, UserNo user, std::string_view report_type) {
  Rows r = tx.rows("SELECT until_at, failures, reason FROM report_pauses WHERE user_no=?1 AND report_type=?2", user, report_type);
  if (!r.next()) return std::nullopt;
  return CoolDown{r.instant(0), r.integer(1), r.text(2)};
}

std::optional<Instant> first_cool_down_end(Tx& tx, UserNo user) {
  const auto at = tx.integer("SELECT min(until_at) FROM report_pauses WHERE user_no=?1 AND reason<>'' AND until_at>?2", user, tx.now());
  return at ? std::optional(from_us(*at)) : std::nullopt;
}

void set_cool_down(Tx& tx, UserNo user, std::string_view report_type, const std::optional<CoolDown>& pause) {
  if (!pause) {
    tx.run("DELETE FROM report_pauses WHERE user_no=?1 AND report_type=?2", user, report_type);
    return;
  }
  tx.run(
      "INSERT INTO report_pauses(user_no, report_type, until_at, failures, reason) VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT (user_no, report_type) DO UPDATE SET "
      "until_at=excluded.until_at, failures=excluded.failures, reason=excluded.reason",
      user, report_type, pause->until, pause->failures, pause->reason);
}

void trim_report_jobs(Tx& tx, Instant ended_before) {
  constexpr Duration kListed = std::chrono::hours(24 * 100);   // Amazon lists reports for ninety days
  tx.run("DELETE FROM report_jobs WHERE state='over' AND ((listed='' AND ended_at<?1) OR (listed<>'' AND ended_at<?2))", ended_before, tx.now() - kListed);
}

}  // namespace amzsync::store
