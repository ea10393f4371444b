// SPDX-License-Identifier: Apache-2.0
#include "http_host/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

namespace host {
namespace {

using Json = nlohmann::ordered_json;
using prometheus::MetricType;

class Metrics {
 public:
  void gauge(const std::string& name, const std::string& help, double value) { add(name, help, MetricType::Gauge, {}).gauge.value = value; }
  void count(const std::string& name, const std::string& help, std::vector<prometheus::ClientMetric::Label> labels, double value) {
    add(name, help, MetricType::Counter, std::move(labels)).counter.value = value;
  }
  void times(const std::string& name, const std::string& help, const Json& of) {
    auto& histogram = add(name, help, MetricType::Histogram, {}).histogram;
    histogram.sample_sum = of["seconds"].get<double>();
    for (const Json& step : of["upTo"]) {
      histogram.sample_count += step["times"].get<std::uint64_t>();
      histogram.bucket.push_back({histogram.sample_count, step.value("seconds", std::numeric_limits<double>::infinity())});
    }
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  prometheus::ClientMetric& add(const std::string& name, const std::string& help, MetricType type, std::vector<prometheus::ClientMetric::Label> labels) {
    if (families_.empty() || families_.back().name != name) families_.push_back({name, help, type, {}});
    auto& metric = families_.back().metric.emplace_back();
    metric.label = std::move(labels);
    return metric;
  }
  std::vector<prometheus::MetricFamily> families_;   // those of one name come one after the other
};

}  // namespace

std::string metrics_text(std::string_view measures, std::int64_t streams) {
  const Json m = Json::parse(measures);
  const Json &runs = m["runs"], &connections = m["connections"], &calls = m["calls"];
  Metrics out;
  out.gauge("amzsync_runs_here", "Syncs performed by this engine now", runs["here"]);
  out.gauge("amzsync_runs_active", "Syncs of all users that are not over", runs["active"]);
  out.gauge("amzsync_runs_queued", "Syncs that no worker has taken up yet", runs["queued"]);
  out.gauge("amzsync_runs_lapsed", "Syncs whose worker let its lease run out, and that nobody has taken over yet", runs["lapsed"]);
  out.gauge("amzsync_runs_oldest_seconds", "Age of the oldest sync that is neither over nor paused", runs["oldestSeconds"]);
  for (const auto& [status, times] : runs["ended"].items()) out.count("amzsync_runs_ended_total", "Syncs that this engine brought to their ends", {{"status", status}}, times);
  out.gauge("amzsync_connections", "Connected users", connections["connected"]);
  out.gauge("amzsync_connections_needing_reauth", "Users whose authorisation no longer holds", connections["needsReauth"]);
  out.gauge("amzsync_users_paused", "Users who are paused", connections["paused"]);
  out.gauge("amzsync_sync_overdue_seconds", "How late the latest of the planned syncs is", connections["overdueSeconds"]);
  out.gauge("amzsync_paused", "1 while everybody is paused", m["paused"].get<bool>() ? 1 : 0);
  out.gauge("amzsync_store_room", "0 while the disk has none to spare, and syncs end as store_full", m["room"].get<bool>() ? 1 : 0);
  for (const Json& c : calls) {
    const double made = c["made"], throttled = c["throttled"], failed = c["failed"];
    for (const auto& [outcome, number] : {std::pair{"ok", made - throttled - failed}, {"throttled", throttled}, {"failed", failed}})
      out.count("amzsync_calls_total", "Calls to Amazon", {{"operation", c["operation"]}, {"outcome", outcome}}, number);
  }
  for (const Json& c : calls) out.count("amzsync_call_seconds_total", "Time that Amazon took to answer", {{"operation", c["operation"]}}, c["seconds"]);
  for (const Json& c : calls) out.count("amzsync_call_wait_seconds_total", "Time that calls waited for Amazon's usage plans", {{"operation", c["operation"]}}, c["waitedSeconds"]);
  for (const Json& r : m["rows"])
    for (const char* change : {"fetched", "added", "changed", "removed", "rejected"})
      out.count("amzsync_rows_total", "Rows of the syncs that this engine brought to their ends", {{"dataset", r["stream"]}, {"change", change}}, r[change]);
  for (const auto& [change, number] : m["findings"].items()) out.count("amzsync_findings_total", "Findings by this engine's detections", {{"change", change}}, number);
  out.times("amzsync_store_write_seconds", "Transactions, from the asking to the commit", m["writes"]);
  out.gauge("amzsync_sse_streams", "Open event streams", static_cast<double>(streams));
  return out.text();
}

}  // namespace host
