// SPDX-License-Identifier: Apache-2.0
#include "spapi/report_requests.hpp"

#include "base/crypto.hpp"
#include "base/json_writer.hpp"

namespace amzsync::spapi {
namespace {

constexpr std::string_view kReports = "/reports/2021-06-30/reports";

ReportInfo read_report(Json report) {
  ReportInfo info;
  info.id = std::string(report["reportId"].text());
  info.type = std::string(report["reportType"].text());
  info.document_id = std::string(report["reportDocumentId"].text());
  const std::string_view status = report["processingStatus"].text();
  if (status == "DONE") info.status = ReportInfo::Status::done;
  if (status == "CANCELLED") info.status = ReportInfo::Status::cancelled;
  if (status == "FATAL") info.status = ReportInfo::Status::fatal;
  info.created_at = parse_instant(report["createdTime"].text());
  info.span = {parse_instant(report["dataStartTime"].text()), parse_instant(report["dataEndTime"].text())};
  for (const Json id : report["marketplaceIds"]) info.marketplaces.emplace_back(id.text());
  const bool known = info.status != ReportInfo::Status::under_way || status == "IN_QUEUE" || status == "IN_PROGRESS";
  info.readable = known && !info.id.empty() && (info.status != ReportInfo::Status::done || !info.document_id.empty());
  return info;
}

}  // namespace

Request create_report(const ReportDataset& dataset, const std::vector<MarketplaceId>& marketplaces, const ReportSpan& span) {
  JsonWriter body;
  body.begin_object().field("reportType", dataset.report_type).key("marketplaceIds").begin_array();
  for (const MarketplaceId& id : marketplaces) body.value(id.text());
  body.end_array();
  if (span.from) body.field("dataStartTime", format_seconds(*span.from));
  if (span.until) body.field("dataEndTime", format_seconds(*span.until));
  if (!dataset.options.empty()) {
    body.key("reportOptions").begin_object();
    for (const ReportOption& option : dataset.options) body.field(option.name, option.value);
    body.end_object();
  }
  Request request;
  request.operation = &kCreateReport;
  request.path = kReports;
  request.method = net::Method::post;
  request.body = std::move(body.end_object()).text();
  request.repeatable = false;
  return request;
}

Result<std::string> decode_created_report(const JsonDocument& answer) {
  const std::string_view id = answer["reportId"].text();
  if (id.empty()) return Error(Code::bad_answer, "Amazon's answer to createReport holds no report id.");
  return std::string(id);
}

Request get_report(const std::string& report_id) {
  Request request;
  request.operation = &kGetReport;
  request.path = std::string(kReports) + "/" + percent_encode(report_id);
  return request;
}

Result<ReportInfo> decode_report(const JsonDocument& answer) {
  if (answer["reportId"].text().empty() || answer["processingStatus"].text().empty()) return Error(Code::bad_answer, "Amazon's answer to getReport holds no report.");
  // A report without a document has no data; one whose document can't be named may have any.
  if (const Json document = answer["reportDocumentId"]; !document.is_null() && !document.is_string()) return Error(Code::bad_answer, "Amazon's answer to getReport names its document by no text.");
  return read_report(answer.root());
}

Request get_reports(const ReportDataset& dataset, std::optional<Instant> created_since) {
  Request request;
  request.operation = &kGetReports;
  request.path = kReports;
  request.query = {{"reportTypes", std::string(dataset.report_type)}, {"pageSize", "100"}};
  if (created_since) request.query.push_back({"createdSince", format_seconds(*created_since)});
  return request;
}

Request get_more_reports(const std::string& page_token) {
  Request request;
  request.operation = &kGetReports;
  request.path = kReports;
  request.query = {{"nextToken", page_token}};
  request.has_page_token = true;
  return request;
}

Result<ReportPage> decode_reports(const JsonDocument& answer) {
  if (!answer["reports"].is_array()) return Error(Code::bad_answer, "Amazon's answer to getReports holds no list.");
  AMZ_TRY(token, page_token_of(answer["nextToken"]));
  ReportPage page;
  page.next_token = std::move(token);
  for (const Json report : answer["reports"]) page.reports.push_back(read_report(report));
  return page;
}

Request get_report_document(const std::string& document_id) {
  Request request;
  request.operation = &kGetReportDocument;
  request.path = "/reports/2021-06-30/documents/" + percent_encode(document_id);
  return request;
}

Result<std::string> decode_report_document(const JsonDocument& answer) {
  const std::string_view url = answer["url"].text();
  if (url.empty()) return Error(Code::bad_answer, "Amazon's answer to getReportDocument holds no address.");
  return std::string(url);
}

}  // namespace amzsync::spapi
