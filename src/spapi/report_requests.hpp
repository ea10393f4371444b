// SPDX-License-Identifier: Apache-2.0
// Reports 2021-06-30: how a report is asked for, followed, and had. Answers of this API stand in no envelope.
#pragma once

#include <vector>

#include "spapi/client.hpp"
#include "spapi/report_dataset.hpp"

namespace amzsync::spapi {

/// The time that a report tells of; both empty for a snapshot.
struct ReportSpan {
  std::optional<Instant> from, until;
};

/// createReport; answers 202. Not repeatable: a lost answer may have made a report.
Request create_report(const ReportDataset& dataset, const std::vector<MarketplaceId>& marketplaces, const ReportSpan& span);
/// Errors: bad_answer.
Result<std::string> decode_created_report(const JsonDocument& answer);

/// What getReport and getReports tell of a report.
struct ReportInfo {
  enum class Status : std::uint8_t { under_way, done, cancelled, fatal };
  std::string id, type, document_id;
  Status status = Status::under_way;
  std::optional<Instant> created_at;
  ReportSpan span;
  std::vector<std::string> marketplaces;
  bool readable = true;   ///< its id and its state are told, and of one that is done its document
};
Request get_report(const std::string& report_id);
Result<ReportInfo> decode_report(const JsonDocument& answer);

/// getReports: those of a type since an instant, the newest first, a hundred a page. nullopt: all that Amazon keeps, which is ninety days by its own clock; an instant before that it
/// refuses. A page's token is asked with alone: with any other argument Amazon refuses it (facts R7).
Request get_reports(const ReportDataset& dataset, std::optional<Instant> created_since);
Request get_more_reports(const std::string& page_token);
struct ReportPage {
  std::vector<ReportInfo> reports;
  std::string next_token;
};
Result<ReportPage> decode_reports(const JsonDocument& answer);

/// getReportDocument: where the document is, for five minutes.
Request get_report_document(const std::string& document_id);
Result<std::string> decode_report_document(const JsonDocument& answer);

}  // namespace amzsync::spapi
