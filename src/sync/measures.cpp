// SPDX-License-Identifier: Apache-2.0
#include "sync/measures.hpp"

#include "base/json_writer.hpp"
#include "store/health.hpp"

namespace amzsync::sync {
namespace {

Micros seconds(Duration d) noexcept { return Micros{d.count()}; }

}  // namespace

std::string measures_document(store::Tx& tx, EngineNo me, bool room, const Tally::Sums& sums) {
  const store::Load load = store::load_of(tx, me);
  JsonWriter json;
  json.begin_object().field("room", room).field("paused", load.everybody_paused);
  json.key("runs").begin_object().field("here", load.runs_here).field("active", load.runs_active).field("queued", load.runs_queued).field("lapsed", load.runs_lapsed);
  json.field("oldestSeconds", seconds(load.oldest_run)).key("ended").begin_object();
  for (const auto& [status, times] : sums.runs_ended) json.field(status, times);
  json.end_object().end_object();
  json.key("connections").begin_object().field("connected", load.connected).field("needsReauth", load.needs_reauth).field("paused", load.paused);
  json.field("overdueSeconds", seconds(load.overdue)).end_object();
  json.key("calls").begin_array();
  for (const auto& [operation, c] : sums.calls) {
    json.begin_object().field("operation", operation).field("made", c.made).field("throttled", c.throttled).field("failed", c.failed);
    json.field("seconds", seconds(c.took)).field("waitedSeconds", seconds(c.waited)).end_object();
  }
  json.end_array().key("rows").begin_array();
  for (const auto& [stream, r] : sums.rows) {
    json.begin_object().field("stream", stream).field("fetched", r.fetched).field("added", r.added).field("changed", r.changed).field("removed", r.removed);
    json.field("rejected", r.rejected).end_object();
  }
  json.end_array().key("findings").begin_object().field("opened", sums.findings.opened).field("changed", sums.findings.changed).field("closed", sums.findings.closed).end_object();
  json.key("writes").begin_object().field("seconds", seconds(sums.writes.sum)).key("upTo").begin_array();
  for (std::size_t i = 0; i < sums.writes.times.size(); ++i) {
    json.begin_object();
    if (i < Tally::Times::kUpTo.size()) json.field("seconds", seconds(Tally::Times::kUpTo[i]));
    json.field("times", sums.writes.times[i]).end_object();
  }
  return std::move(json.end_array().end_object().end_object()).text();
}

}  // namespace amzsync::sync
