// SPDX-License-Identifier: Apache-2.0
// Small worlds, and what can go wrong in them, for the tests of Amazon's quirks.
#pragma once

#include <doctest/doctest.h>

#include "base/crypto.hpp"
#include "spapi/report_requests.hpp"
#include "world/checks.hpp"

namespace world {
namespace spapi = amzsync::spapi;

inline WorldSettings small(bool v0 = false) {
  WorldSettings settings;
  settings.finances_v0 = v0;
  settings.amazon.events = 1'400;
  settings.amazon.skus = 120;
  settings.history_days = settings.amazon.history_days = 90;
  settings.streams = {v0 ? "financial_events" : "transactions", "inventory"};
  return settings;
}

/// A world that reads one report, of a few days: one request tells all of it.
inline WorldSettings one_report(const std::string& stream, int days = 20) {
  WorldSettings settings;
  settings.amazon.events = 600;
  settings.amazon.skus = 20;
  settings.amazon.history_days = days - 3;   // the file's days are local ones in part
  settings.history_days = days;
  settings.streams = {stream};
  return settings;
}

inline amzsim::Fault fault(const std::string& path, const std::string& kind, int times = -1, const std::string& message = "") {
  amzsim::Fault f;
  f.path = path;
  f.kind = kind;
  f.times = times;
  f.message = message;
  return f;
}
inline amzsim::Fault refusal(const std::string& path, int status, const std::string& code, const std::string& message, int times) {
  amzsim::Fault f = fault(path, "status", times, message);
  f.status = status;
  f.code = code;
  return f;
}
/// What becomes of reports that are asked for.
inline amzsim::Fault report_fault(const std::string& kind, int times = -1, const std::string& message = "") {
  amzsim::Fault f = fault("/reports", kind, times, message);
  f.method = "POST";
  return f;
}
/// Of a file of reimbursements, with as many columns as tests of rows need.
inline const std::string kPaymentsHeader = "approval-date\treimbursement-id\treason\tsku\tfnsku\tcurrency-unit\tamount-total\n";
/// Every document is this text.
inline amzsim::Fault document(const std::string& text, const std::string& content_type = "text/plain") {
  amzsim::Fault f = fault("/_docs/", "body", -1, text);
  f.content_type = content_type;
  return f;
}

inline bool halved(const Process& process) { return process.logged("in halves"); }
inline std::int64_t asked(World& world, const std::string& operation) { return world.amazon().stats()[operation].calls; }

/// Somebody else, by Seller Central or another program, has a report made.
inline std::string make_elsewhere(World& world, const std::string& body) {
  amzsim::SimRequest token;
  token.method = "POST";
  token.path = "/auth/o2/token";
  token.body = "grant_type=refresh_token&client_id=other&client_secret=other&refresh_token=" + percent_encode(world.amazon().refresh_token(1));
  amzsim::SimRequest request;
  request.method = "POST";
  request.path = "/reports/2021-06-30/reports";
  request.headers = {{"user-agent", "Other/1 (Language=Other)"}, {"x-amz-access-token", member(world.amazon().handle(token).body, "access_token")}};
  request.body = body;
  const amzsim::SimAnswer made = world.amazon().handle(request);
  REQUIRE(made.status == 202);
  return member(made.body, "reportId");
}
inline std::string wish(const spapi::ReportDataset& dataset, const std::string& marketplace, const std::string& from, const std::string& until) {
  return R"({"reportType":")" + std::string(dataset.report_type) + R"(","marketplaceIds":[")" + marketplace + R"("],"dataStartTime":")" + from + R"(","dataEndTime":")" + until + "\"}";
}

inline void check_truth_of_stock(World& world, int seller) {
  CHECK(world.count("SELECT count(*) FROM amz_inventory WHERE user_id='" + world.user(seller).text() + "'") == world.truth(seller)["inventory"]["rows"].integer());
}

/// As many rows as the truth has, where a report alone is read.
inline void check_report(World& world, Process& process, int seller) {
  const std::string stream = world.settings().streams.front();
  CHECK(world.count("SELECT count(*) FROM amz_" + stream + " WHERE user_id='" + world.user(seller).text() + "'") == world.truth(seller)["reports"][stream]["rows"].integer());
  CHECK(process.alive());
  check_runs(world);
}

inline std::string text_of_query(const spapi::Request& request) {
  std::string text;
  for (const auto& p : request.query) text += (text.empty() ? "" : " ") + p.name + "=" + p.value;
  return text;
}

inline const std::string kUs = "ATVPDKIKX0DER";

}  // namespace world
