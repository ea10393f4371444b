// SPDX-License-Identifier: Apache-2.0
#include "store/documents.hpp"

#include <algorithm>

#include "base/json_writer.hpp"

namespace amzsync::store {
namespace {

constexpr std::string_view kRun =
    "SELECT r.run_no, r.sync_id, u.user_id, r.status, r.progress, r.message, r.phase, r.detail, r.created_at, r.started_at, r.completed_at, r.orders, "
    "r.inventory, r.fees, r.claims, r.calls, r.error, r.cause, r.user_no, r.cancelled_by, r.eta_seconds, r.cancel_requested_at, "
    "r.holder, r.lease_until FROM runs r JOIN users u ON u.user_no = r.user_no ";

struct RunRow {
  RunNo run;
  UserNo user;
  std::string sync_id, user_id, status, message, phase, detail, error, cause, cancelled_by;
  std::int64_t progress = 0, orders = 0, inventory = 0, fees = 0, claims = 0, calls = 0;
  std::optional<Instant> created_at, started_at, completed_at, cancelled_at;
  std::optional<std::int64_t> eta_seconds;
  bool held = false;
  Instant held_until{};

  bool over() const { return is_over(status_from(status)); }
};

RunRow read_run(const Rows& r) {
  RunRow row;
  row.run = r.id<RunNo>(0);
  row.sync_id = r.text(1);
  row.user_id = r.text(2);
  row.status = r.text(3);
  row.progress = r.integer(4);
  row.message = r.text(5);
  row.phase = r.text(6);
  row.detail = r.text(7);
  row.created_at = r.maybe_instant(8);
  row.started_at = r.maybe_instant(9);
  row.completed_at = r.maybe_instant(10);
  row.orders = r.integer(11);
  row.inventory = r.integer(12);
  row.fees = r.integer(13);
  row.claims = r.integer(14);
  row.calls = r.integer(15);
  row.error = r.text(16);
  row.cause = r.text(17);
  row.user = r.id<UserNo>(18);
  row.cancelled_by = r.text(19);
  row.eta_seconds = r.maybe_integer(20);
  row.cancelled_at = r.maybe_instant(21);
  row.held = r.integer(22) != 0;
  row.held_until = r.instant(23);
  return row;
}

template <class... Args>
std::optional<RunRow> one_run(Tx& tx, std::string_view where, const Args&... args) {
  Rows r = tx.rows(std::string(kRun) + std::string(where), args...);
  if (!r.next()) return std::nullopt;
  return read_run(r);
}

void write_time(JsonWriter& json, std::string_view name, const std::optional<Instant>& at) {
  if (at) {
    json.field(name, *at);
  } else {
    json.field_null(name);
  }
}

/// What it gives: until when the last of them waits.
std::optional<Instant> write_streams(JsonWriter& json, Tx& tx, const RunRow& run) {
  std::optional<Instant> waits_until;
  json.key("streams").begin_array();
  Rows r = tx.rows(
      "SELECT s.stream, s.status, s.fetched, s.added, s.changed, s.removed, s.unchanged, s.rejected, coalesce(s.coverage, c.coverage), s.waiting_until, s.calls, s.slices_done, "
      "s.slices_known, s.error FROM run_streams s LEFT JOIN stream_states c ON c.user_no=?2 AND c.stream = s.stream WHERE s.run_no=?1 ORDER BY s.stream",
      run.run, run.user);
  while (r.next()) {
    json.begin_object().field("name", r.view(0)).field("status", r.view(1));
    json.field("fetched", r.integer(2)).field("added", r.integer(3)).field("changed", r.integer(4)).field("removed", r.integer(5));
    json.field("unchanged", r.integer(6)).field("rejected", r.integer(7));
    json.field("coverage", r.is_null(8) ? std::string_view("not_asked") : r.view(8));
    json.field("calls", r.integer(10)).field("slicesDone", r.integer(11)).field("slicesKnown", r.integer(12));
    // A wait that is over and was not told so is one whose worker stands still.
    if (!r.is_null(9) && r.instant(9) > tx.now()) {
      json.field("waitingUntil", r.instant(9));
      waits_until = std::max(waits_until.value_or(r.instant(9)), r.instant(9));
    }
    if (!r.is_null(13)) json.field_raw("error", r.view(13));
    json.end_object();
  }
  json.end_array();
  return waits_until;
}

/// As it was told last, and counted down since; never less than what is left of a wait. Of a run whose worker gave no sign for a while nobody knows.
void write_time_left(JsonWriter& json, const Tx& tx, const RunRow& run, const std::optional<Instant>& waits_until) {
  constexpr Duration kSilent = std::chrono::seconds(10);
  if (run.over() || !run.held || run.held_until - tx.now() < kRunLease - kSilent) return;
  std::optional<std::int64_t> seconds = run.eta_seconds;
  if (waits_until) seconds = std::max<std::int64_t>(seconds.value_or(0), std::chrono::ceil<std::chrono::seconds>(*waits_until - tx.now()).count());
  if (seconds) json.field("etaSeconds", *seconds);
}

void write_counts(JsonWriter& json, const RunRow& run) {
  json.field("ordersProcessed", run.orders).field("inventoryCount", run.inventory).field("feesCount", run.fees);
  json.field("claimsDetected", run.claims).field("calls", run.calls);
}

/// Who asked for it, and when; the sync ended, or will, within a second.
void write_cancel(JsonWriter& json, const RunRow& run) {
  if (!run.cancelled_at) return;
  json.field("cancelRequestedAt", *run.cancelled_at);
  json.field_if("cancelledBy", run.cancelled_by);
}

/// {syncId, userId, status, …}: the run as the status route shows it.
void write_run(JsonWriter& json, Tx& tx, const RunRow& run) {
  json.begin_object();
  json.field("syncId", run.sync_id).field("userId", run.user_id).field("status", run.status).field("progress", run.progress);
  // Its worker may have died before it heard of the pause.
  const bool paused = !run.over() && !(run.held && run.held_until > tx.now()) && pause_of(tx, run.user);
  json.field("message", run.message).field("phase", paused ? std::string_view("paused") : run.phase).field("detail", run.detail).field("trigger", run.cause);
  write_time(json, "createdAt", run.created_at);
  write_time(json, "startedAt", run.started_at);
  write_time(json, "completedAt", run.completed_at);
  const auto waits_until = write_streams(json, tx, run);
  write_counts(json, run);
  write_time_left(json, tx, run, waits_until);
  write_cancel(json, run);
  if (!run.error.empty()) json.field_raw("error", run.error);
  json.end_object();
}

}  // namespace

std::optional<std::string> run_document(Tx& tx, UserNo user, const SyncId& id) {
  const auto run = one_run(tx, "WHERE r.user_no=?1 AND r.sync_id=?2", user, id);
  if (!run) return std::nullopt;
  JsonWriter json;
  write_run(json, tx, *run);
  return std::move(json).text();
}

std::string status_document(Tx& tx, std::optional<UserNo> user) {
  std::optional<RunRow> last;
  if (user) last = one_run(tx, "WHERE r.user_no=?1 ORDER BY r.run_no DESC LIMIT 1", *user);
  JsonWriter json;
  json.begin_object().field("hasActiveSync", last && !last->over());
  const auto paused = user ? pause_of(tx, *user) : std::nullopt;
  if (paused) json.field("paused", true).field("pausedAt", paused->at).field("pausedBy", paused->by);
  if (last) {
    json.key("lastSync");
    write_run(json, tx, *last);
  } else {
    json.field_null("lastSync");
  }
  return std::move(json.end_object()).text();
}

std::string history_document(Tx& tx, std::optional<UserNo> user, int limit, std::int64_t offset) {
  std::vector<RunRow> runs;
  std::int64_t total = 0;
  if (user) {
    total = tx.integer("SELECT count(*) FROM runs WHERE user_no=?1", *user).value_or(0);
    Rows r = tx.rows(std::string(kRun) + "WHERE r.user_no=?1 ORDER BY r.run_no DESC LIMIT ?2 OFFSET ?3", *user, limit, offset);
    while (r.next()) runs.push_back(read_run(r));
  }
  JsonWriter json;
  json.begin_object().key("syncs").begin_array();
  for (const RunRow& run : runs) write_run(json, tx, run);
  json.end_array().field("total", total).end_object();
  return std::move(json).text();
}

std::string progress_payload(Tx& tx, RunNo number) {
  const auto run = one_run(tx, "WHERE r.run_no=?1", number);
  if (!run) return "{}";
  JsonWriter json;
  json.begin_object();
  json.field("syncId", run->sync_id).field("status", run->status).field("progress", run->progress).field("message", run->message);
  json.field("phase", run->phase).field("detail", run->detail);
  const auto waits_until = write_streams(json, tx, *run);
  if (const auto until = tx.integer("SELECT min(waiting_until) FROM run_streams WHERE run_no=?1 AND waiting_until>?2", number, tx.now())) json.field("waitingUntil", from_us(*until));
  write_time_left(json, tx, *run, waits_until);
  json.field("timestamp", tx.now()).end_object();
  return std::move(json).text();
}

std::string run_payload(Tx& tx, RunNo number) {
  const auto run = one_run(tx, "WHERE r.run_no=?1", number);
  if (!run) return "{}";
  JsonWriter json;
  json.begin_object();
  json.field("syncId", run->sync_id).field("status", run->status).field("progress", run->progress).field("message", run->message).field("trigger", run->cause);
  write_streams(json, tx, *run);
  write_counts(json, *run);
  write_cancel(json, *run);
  if (!run->error.empty()) json.field_raw("error", run->error);
  json.field("timestamp", tx.now()).end_object();
  return std::move(json).text();
}

std::string error_json(const Error& e) {
  JsonWriter json;
  json.begin_object().field("code", e.name()).field("message", e.message).field("retry", retry_name(e.retry));
  if (e.http_status != 0) json.field("httpStatus", e.http_status);
  json.field_if("apiCode", e.api_code).field_if("requestId", e.request_id);
  if (e.retry_after_ms > 0) json.field("retryAfterMs", e.retry_after_ms);
  return std::move(json.end_object()).text();
}

}  // namespace amzsync::store
