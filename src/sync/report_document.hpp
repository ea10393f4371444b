// SPDX-License-Identifier: Apache-2.0
// The document of a report: from Amazon's address into the archive, and from there into its table.
#pragma once

#include "net/body_stream.hpp"
#include "spapi/report_dataset.hpp"
#include "store/report_jobs.hpp"
#include "sync/report_import.hpp"
#include "sync/streams.hpp"

namespace amzsync::sync {

class ReportDocuments {
 public:
  /// All of them outlive it.
  ReportDocuments(RunContext& run, const spapi::ReportDataset& dataset, spapi::Caller& caller) : run_(run), services_(run.services), dataset_(dataset), caller_(caller), one_import_(1) {}

  /// Downloads the document of a job that is ready; the job is archived then. An address holds for five minutes, so a new one is asked for
  /// when it has lapsed. not_found: Amazon has no such document (any more).
  Async<Status> take(store::ReportJob& job);

  /// Reads the archived document of a job into its table, one document at a time. `history`: days that have reports of their own.
  Async<Result<Imported>> import(store::ReportJob job, DayRange history = {});

  /// What the document that comes with a failed report says, at most a few sentences.
  Async<Result<std::string>> explanation(std::string document_id);

 private:
  struct Kept {
    std::int64_t number = 0, pieces = 0;
  };
  Async<Result<std::string>> address_of(std::string document_id);
  Async<void> fetch(std::string url, std::shared_ptr<net::BodyStream> into, std::optional<Result<net::HttpResponse>>& answer);
  Async<Status> archive(store::ReportJob& job, std::string url);
  Async<Result<net::HttpResponse>> download(std::string url, std::function<Async<Status>(net::BodyStream&)> read);
  Async<Status> keep_pieces(const store::ReportJob& job, net::BodyStream& body, Kept& kept);
  static Async<Status> collect(net::BodyStream& body, std::string& text);

  RunContext& run_;
  Services& services_;
  const spapi::ReportDataset& dataset_;
  spapi::Caller& caller_;
  Gate one_import_;
};

}  // namespace amzsync::sync
