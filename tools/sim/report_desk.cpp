// SPDX-License-Identifier: Apache-2.0
// The report service: reports are asked for, made while time passes, and given out as documents whose address holds for five
// minutes (facts 3.4).
#include <algorithm>

#include "base/crypto.hpp"
#include "base/gzip.hpp"
#include "sim/simulator.hpp"

namespace amzsim {

using namespace amzsync::base;   // NOLINT: vocabulary

namespace {

constexpr Duration kDocumentLife = std::chrono::seconds(300);
constexpr Duration kRetention = std::chrono::hours(24 * 90);
constexpr Duration kHistory = std::chrono::hours(24 * 548);     // eighteen months
constexpr Duration kTooSoon = std::chrono::minutes(30);

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

void write_tally(JsonWriter& json, std::string_view name, const ReportTally& tally) {
  json.key(name).begin_object().field("rows", tally.rows).field("quantity", tally.quantity).key("amounts").begin_object();
  for (const auto& [currency, micros] : tally.micros) json.field(currency, Micros{micros});
  json.end_object().end_object();
}

}  // namespace

std::string_view Simulator::status_of(const Report& r) const {
  const Duration takes = settings_.rate_scale > 0 ? Duration(static_cast<Duration::rep>(static_cast<double>(settings_.report_time.count()) / settings_.rate_scale)) : Duration{};
  const Duration age = now() - r.created;
  if (age < takes / 4) return "IN_QUEUE";
  if (age < takes) return "IN_PROGRESS";
  switch (r.fate) {
    case Report::Fate::done: return "DONE";
    case Report::Fate::fatal: return "FATAL";
    case Report::Fate::stuck: return "IN_PROGRESS";
    default: return "CANCELLED";
  }
}

std::string Simulator::report_json(const Report& r) const {
  const std::string_view status = status_of(r);
  JsonWriter json;
  const auto time = [](Instant at) { return format_seconds(at).substr(0, 19) + "+00:00"; };
  json.begin_object().field("reportId", r.id).field("reportType", r.kind->type).field("createdTime", time(r.created)).field("processingStatus", status).key("marketplaceIds").begin_array();
  for (const std::string& m : r.marketplaces) json.value(m);
  json.end_array().field("dataStartTime", time(r.from)).field("dataEndTime", time(r.until));
  if (status == "DONE" || (status == "FATAL" && !r.why.empty())) json.field("reportDocumentId", r.document);
  return std::move(json.end_object()).text();
}

SimAnswer Simulator::create_report(int n, const SimRequest& request) {
  const auto body = JsonDocument::parse(request.body);
  if (!body || !(*body)["marketplaceIds"].is_array() || (*body)["marketplaceIds"].empty() || (*body)["marketplaceIds"].size() > 25) return error(400, "InvalidInput", "marketplaceIds must hold 1 to 25 ids.");
  const ReportKind* kind = find_report_kind((*body)["reportType"].text());
  if (!kind || kind->listed) return error(400, "InvalidInput", kind ? "Reports of this type cannot be requested." : "The report type is not known.");
  Report r;
  r.seller = n;
  r.kind = kind;
  r.created = now();
  for (const Json m : (*body)["marketplaceIds"]) r.marketplaces.emplace_back(m.text());
  r.from = parse_instant((*body)["dataStartTime"].text()).value_or(now());
  r.until = parse_instant((*body)["dataEndTime"].text()).value_or(now());
  if (r.from > now() || r.until > now() || r.from > r.until) return error(400, "InvalidInput", "dataStartTime and dataEndTime must be in order and not in the future.");
  r.id = std::to_string(50'000'000'000 + static_cast<std::int64_t>(reports_.size()));
  r.document = "amzn1.spdoc.1.4.na." + hex(std::string_view(r.id)) + ".T1";
  const Duration span = r.until - r.from;
  if (kind->widest_days > 0 && span > std::chrono::hours(24) * kind->widest_days) {
    r.fate = Report::Fate::fatal;
    r.why = "Date range exceeded. Report can be requested only upto " + std::to_string(kind->widest_days) + " days";
  } else if (kind->widest_days > 0 && now() - r.from > kHistory) {
    r.fate = Report::Fate::fatal;   // without a word
  } else if (std::any_of(reports_.begin(), reports_.end(), [&](const Report& o) { return o.seller == n && o.kind == kind && o.from == r.from && r.created - o.created < kTooSoon; })) {
    r.fate = Report::Fate::too_soon;
  } else {
    ReportTally tally;
    (void)kind->render(seller(n), r.from, r.until, r.created, tally);
    // Amazon answers an empty range in two ways.
    if (tally.rows == 0 && reports_.size() % 2 == 0) r.fate = Report::Fate::no_data;
  }
  JsonWriter json;
  json.begin_object().field("reportId", r.id).end_object();
  reports_.push_back(std::move(r));
  SimAnswer answer = Simulator::json(std::move(json).text());
  answer.status = 202;
  return answer;
}

SimAnswer Simulator::get_report(int n, const SimRequest& request) {
  const std::string id = last_part(request.path);
  for (const Report& r : reports_of(n))
    if (r.id == id) return json(report_json(r));
  return error(404, "NotFound", "The report was not found.");
}

/// What a seller has had made and Amazon made by itself, the newest first, as long as it is kept.
std::vector<Simulator::Report> Simulator::reports_of(int n) const {
  std::vector<Report> all;
  for (const Report& r : reports_)
    if (r.seller == n) all.push_back(r);
  for (const Settlement& s : settlements(seller(n), now())) {
    Report r;
    r.seller = n;
    r.kind = find_report_kind("GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2");
    r.id = s.id;
    r.document = s.document;
    r.marketplaces = {std::string(seller(n).marketplaces()[s.marketplace]->id)};
    r.from = s.from;
    r.until = s.until;
    r.created = s.created;
    all.push_back(std::move(r));
  }
  std::erase_if(all, [&](const Report& r) { return now() - r.created >= kRetention; });
  std::stable_sort(all.begin(), all.end(), [](const Report& a, const Report& b) { return a.created > b.created; });
  return all;
}

SimAnswer Simulator::get_reports(int n, const SimRequest& asked) {
  // A page's token holds what was asked for, and stands alone.
  SimRequest request = asked;
  std::int64_t skip = 0;
  if (asked.has_param("nextToken")) {
    if (asked.query.size() != 1) return error(400, "InvalidInput", "nextToken cannot be given with other parameters.");
    const std::string token = asked.param("nextToken");
    const auto list = list_tokens_.find(token);
    if (list == list_tokens_.end()) return error(400, "InvalidInput", "The next token is not valid.");
    request = list->second.first;
    skip = list->second.second;
  }
  if (!request.has_param("reportTypes")) return error(400, "InvalidInput", "reportTypes or nextToken must be given.");
  const std::string types = "," + request.param("reportTypes") + ",";
  const Instant since = parse_instant(request.param("createdSince")).value_or(now() - kRetention);
  if (now() - since > kRetention + std::chrono::hours(1)) return error(400, "InvalidInput", "createdSince is more than 90 days ago.");
  const std::int64_t size = request.has_param("pageSize") ? std::atoll(request.param("pageSize").c_str()) : 10;
  if (size < 1 || size > 100) return error(400, "InvalidInput", "pageSize must be from 1 to 100.");
  std::vector<Report> all = reports_of(n);
  std::erase_if(all, [&](const Report& r) { return r.created < since || types.find("," + std::string(r.kind->type) + ",") == std::string::npos; });
  if (types.find(",GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2,") != std::string::npos) {
    const auto known = settlements_listed_.emplace(n, since).first;
    known->second = std::min(known->second, since);
  }
  const auto end = std::min(static_cast<std::int64_t>(all.size()), skip + page_of_most(size));
  JsonWriter json;
  json.begin_object().key("reports").begin_array();
  for (std::int64_t i = skip; i < end; ++i) json.raw(report_json(all[static_cast<std::size_t>(i)]));
  json.end_array();
  if (end < static_cast<std::int64_t>(all.size())) json.field("nextToken", remember_list(request, end));
  return Simulator::json(std::move(json.end_object()).text());
}

SimAnswer Simulator::get_report_document(int n, const SimRequest& request) {
  const std::string id = last_part(request.path);
  for (const Report& r : reports_of(n)) {
    if (r.document != id) continue;
    JsonWriter json;
    json.begin_object().field("reportDocumentId", id);
    json.field("url", settings_.base_url + "/_docs/" + percent_encode(id) + "?X-Amz-Expires=300&X-Amz-Date=" + std::to_string(to_us(now())));
    json.field("compressionAlgorithm", "GZIP");
    return Simulator::json(std::move(json.end_object()).text());
  }
  return error(404, "NotFound", "The document was not found.");
}

/// The store behind the service: a signed address, no other credentials.
SimAnswer Simulator::document(const SimRequest& request) {
  SimAnswer answer;
  const auto xml = [&](int status, std::string_view code) {
    answer.status = status;
    answer.content_type = "application/xml";
    answer.body = "<?xml version=\"1.0\"?><Error><Code>" + std::string(code) + "</Code></Error>";
    return answer;
  };
  if (!request.header("x-amz-access-token").empty() || !request.header("authorization").empty()) return xml(400, "InvalidArgument");   // two credentials
  if (now() - from_us(std::atoll(request.param("X-Amz-Date").c_str())) > kDocumentLife) return xml(403, "AccessDenied");
  const std::string id = last_part(request.path);
  for (std::size_t i = 0; i < reports_.size(); ++i) {
    const Report& r = reports_[i];
    if (r.document != id) continue;
    ReportTally tally;
    const std::string text = r.fate == Report::Fate::fatal ? r.why : r.kind->render(seller(r.seller), r.from, r.until, r.created, tally);
    answer.content_type = r.kind->content_type;
    answer.body = gzipped(text);
    if (i % 5 == 4) answer.body = gzipped(answer.body);   // as in June 2023
    return answer;
  }
  for (const Seller& s : sellers_)
    for (const Settlement& settlement : settlements(s, now())) {
      if (settlement.document != id) continue;
      ReportTally tally;
      answer.content_type = "text/plain;charset=UTF-8";
      answer.body = gzipped(settlement_text(s, settlement, tally));
      return answer;
    }
  return xml(404, "NoSuchKey");
}

void Simulator::reports_truth(int n, Instant until, std::string& out) const {
  JsonWriter json;
  json.begin_object();
  for (const ReportKind* kind : report_kinds()) {
    ReportTally tally;
    if (kind->listed) {
      // Whatever was listed since somebody looked for the first time.
      const auto looked = settlements_listed_.find(n);
      const Instant since = looked == settlements_listed_.end() ? until - kRetention : looked->second;
      for (const Settlement& s : settlements(seller(n), until))
        if (s.created >= since) (void)settlement_text(seller(n), s, tally);
      write_tally(json, kind->stream, tally);
      continue;
    }
    // From the month in which the seller began: sheets by month are whole. Facts begin an hour or two early (see the constructor), for which nobody asks for
    // the sheet of a month more.
    const auto early = std::chrono::hours(kind->by_month ? 1 : 0);
    const std::chrono::year_month_day began(day_of(seller(n).settings().end + early - seller(n).settings().history));
    (void)kind->render(seller(n), Instant(std::chrono::sys_days(began.year() / began.month() / std::chrono::day(1))), until, until, tally);
    write_tally(json, kind->stream, tally);
  }
  out = std::move(json.end_object()).text();
}

}  // namespace amzsim
