// SPDX-License-Identifier: Apache-2.0
#include "store/silence.hpp"

#include <algorithm>

#include "base/json_writer.hpp"
#include "store/journal.hpp"

namespace amzsync::store {
namespace {

constexpr int kHistoryDays = 60;       // by which a stream is judged
constexpr int kLeastDays = 20;         // of them that showed rows; one that comes by the month is never silent
constexpr int kShortest = 3;           // days of silence
constexpr int kNotYet = 2;             // the newest days, which Amazon fills late
// At the stream's own rate so many rows would have come meanwhile; by chance none of them stays away once in 10^8 times.
constexpr std::int64_t kExpectedRows = 20;

}  // namespace

std::optional<Day> silent_since(Tx& tx, UserNo user, std::string_view stream) {
  const auto day = tx.integer("SELECT silent_since FROM stream_states WHERE user_no=?1 AND stream=?2", user, stream);
  return day ? std::optional(day_from(*day)) : std::nullopt;
}

void watch_silence(const RunTx& run, std::string_view stream) {
  Tx& tx = run.tx();
  const auto last = tx.integer("SELECT max(day) FROM cells WHERE user_no=?1 AND stream=?2 AND row_count>0", run.user(), stream);
  if (!last) return;
  const Day last_day = day_from(*last);
  const std::int64_t gap = (day_of(tx.now()) - last_day).count() - kNotYet;
  std::int64_t days = 0, rows = 0;
  {
    Rows r = tx.rows("SELECT count(*), sum(row_count) FROM cells WHERE user_no=?1 AND stream=?2 AND day>?3 AND day<=?4 AND row_count>0", run.user(), stream,
                     last_day - std::chrono::days(kHistoryDays), last_day);
    if (r.next()) days = r.integer(0), rows = r.integer(1);
  }
  const std::int64_t expected = rows * std::max<std::int64_t>(gap, 0) / kHistoryDays;
  const bool silent = days >= kLeastDays && gap >= kShortest && expected >= kExpectedRows;
  const bool was = silent_since(tx, run.user(), stream).has_value();
  if (silent == was) return;
  const Day since = last_day + std::chrono::days(1);
  tx.run("UPDATE stream_states SET silent_since=?3 WHERE user_no=?1 AND stream=?2", run.user(), stream, silent ? std::optional(since) : std::nullopt);
  if (!silent) return;
  JsonWriter json;
  json.begin_object().field("stream", stream).field("since", format_day(since)).field("lastRowsOn", format_day(last_day)).field("expectedRows", expected);
  json.field("syncId", tx.text("SELECT sync_id FROM runs WHERE run_no=?1", run.run()).value_or("")).field("timestamp", tx.now()).end_object();
  append_event(tx, run.user(), "dataset.silent", std::move(json).text());
}

}  // namespace amzsync::store
