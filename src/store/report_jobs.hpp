// SPDX-License-Identifier: Apache-2.0
// Report jobs: what was asked of Amazon's report service, as durable rows. A job is written before Amazon is asked, and its report's
// id before the first poll, so that no crash asks twice and another process goes on with it.
#pragma once

#include <vector>

#include "store/runs.hpp"

namespace amzsync::store {

enum class JobState : std::uint8_t {
  asking,    ///< about to be asked for; whether Amazon heard is unknown until `report_id` is set
  waiting,   ///< Amazon makes it
  ready,     ///< its document can be had
  archived,  ///< its document is in the archive, whole
  over       ///< `outcome` says how
};
std::string_view job_state_name(JobState state) noexcept;

enum class JobOutcome : std::uint8_t { none, imported, no_data, fatal, lost, too_soon };
std::string_view job_outcome_name(JobOutcome outcome) noexcept;

struct ReportJob {
  std::int64_t number = 0;
  std::string report_type;
  Day from{}, until{};              ///< days asked for; until is exclusive. A snapshot has both at kSnapshotDay
  JobState state = JobState::asking;
  Instant asked_at{};
  std::string report_id, document_id;
  std::int64_t archive = 0;         ///< 0: none
  std::optional<DayRange> rows;     ///< days of which its document may have rows that other reports tell of; known once it is ready
  std::string listed;               ///< id of a report that nobody asked for and Amazon lists; empty: one that was asked for
};

/// The job of this user for this span that is not over, or a new one. `is_new` tells which.
struct OpenedJob {
  ReportJob job;
  bool is_new = false;
};
OpenedJob open_report_job(Tx& tx, UserNo user, std::string_view report_type, Day from, Day until);

/// The job of a report that Amazon lists (its `listed` is set, and its document's id), which begins ready; false when it was read before.
bool open_listed_job(Tx& tx, UserNo user, const ReportJob& job);

/// Those of a type that are not over, oldest first.
std::vector<ReportJob> unfinished_report_jobs(Tx& tx, UserNo user, std::string_view report_type);

/// Amazon is asked now; the job had been opened before.
void report_asked(const RunTx& run, std::int64_t job, Instant at);
/// `as_of`: it tells nothing of what came later.
void report_made(const RunTx& run, std::int64_t job, std::string_view report_id, Instant as_of);
void report_ready(const RunTx& run, const ReportJob& job);
void report_archived(const RunTx& run, std::int64_t job, std::int64_t archive);
void end_report_job(const RunTx& run, std::int64_t job, JobOutcome outcome, std::string_view reason);

/// After reports of a type came to nothing Amazon is left alone for a while; longer after each time in a row.
struct CoolDown {
  Instant until{};
  std::int64_t failures = 0;
  std::string reason;
};
std::optional<CoolDown> cool_down(Tx& tx, UserNo user, std::string_view report_type);
/// When the first one after a failure ends.
std::optional<Instant> first_cool_down_end(Tx& tx, UserNo user);
void set_cool_down(Tx& tx, UserNo user, std::string_view report_type, const std::optional<CoolDown>& pause);

/// Jobs of listed reports stay for as long as Amazon may list them, since they tell which of those were read.
void trim_report_jobs(Tx& tx, Instant ended_before);

}  // namespace amzsync::store
