// SPDX-License-Identifier: Apache-2.0
#include "sync/report_document.hpp"

#include <algorithm>

#include "base/gunzip.hpp"
#include "spapi/report_requests.hpp"
#include "store/archive.hpp"

namespace amzsync::sync {
namespace {

constexpr int kTries = 3;
constexpr std::size_t kPieceBytes = 512U << 10;
constexpr std::size_t kMostExplanation = 2'000;

}  // namespace

Async<Result<std::string>> ReportDocuments::address_of(std::string document_id) {
  spapi::Request request = spapi::get_report_document(document_id);
  AMZ_CO_TRY(answer, co_await services_.client.call(caller_, std::move(request)));
  co_return spapi::decode_report_document(answer);
}

Async<void> ReportDocuments::fetch(std::string url, std::shared_ptr<net::BodyStream> into, std::optional<Result<net::HttpResponse>>& answer) {
  try {
    std::shared_ptr<net::BodyStream> body = into;
    answer = co_await services_.client.fetch_document(std::move(url), std::move(body), run_.cancel);
  } catch (...) {
    answer = error_of(std::current_exception());
  }
  into->close();   // whatever became of it, nobody is to wait for more
}

/// While `read` reads its body. The answer, or why the one or the other failed.
Async<Result<net::HttpResponse>> ReportDocuments::download(std::string url, std::function<Async<Status>(net::BodyStream&)> read) {
  const auto body = std::make_shared<net::BodyStream>();
  std::optional<Result<net::HttpResponse>> answer;
  Status status(Code::no_memory);
  Group side(services_.tasks.loop(), services_.log);
  if (!side.spawn([&] { return fetch(url, body, answer); })) body->close();
  try {
    status = co_await read(*body);
  } catch (...) {
    status = error_of(std::current_exception());
  }
  body->forsake();
  AMZ_CO_CHECK(co_await side.all_ended());
  if (!status) co_return status.error();
  co_return std::move(*answer);
}

Async<Status> ReportDocuments::take(store::ReportJob& job) {
  for (int attempt = 0;; ++attempt) {
    auto url = co_await address_of(job.document_id);
    if (!url && url.code() == Code::request_rejected) co_return Error(Code::not_found, url.error().message);
    if (!url) co_return url.error();
    auto taken = co_await archive(job, std::move(*url));
    if (taken) co_return Done{};
    const Code code = taken.code();
    const bool again = code == Code::request_rejected || code == Code::network_error || code == Code::timeout || code == Code::amazon_error;
    if (!again || attempt + 1 >= kTries || !run_.budget.take()) co_return taken;
  }
}

Async<Status> ReportDocuments::archive(store::ReportJob& job, std::string url) {
  Kept kept;
  auto read = [this, &job, &kept](net::BodyStream& body) { return keep_pieces(job, body, kept); };
  AMZ_CO_TRY(answer, co_await download(std::move(url), std::move(read)));
  const std::string type = std::string(answer.header("Content-Type"));
  auto whole = [job = job.number, archive = kept, type](const store::RunTx& entered) {
    store::archive_whole(entered, archive.number, archive.pieces, type);
    store::report_archived(entered, job, archive.number);
  };
  AMZ_CO_CHECK(co_await write_for(run_, std::move(whole)));
  job.archive = kept.number;
  co_return Done{};
}

Async<Status> ReportDocuments::keep_pieces(const store::ReportJob& job, net::BodyStream& body, Kept& kept) {
  store::ArchivedDocument document;
  document.stream = dataset_.stream;
  document.from = job.from;
  document.until = job.until;
  document.rows = job.rows;
  // It decides the charset, where nothing else does; one report is of all of them.
  const auto japan = std::find_if(run_.marketplaces.begin(), run_.marketplaces.end(), [](const MarketplaceId& m) { return m.text() == spapi::find_marketplace("JP")->id; });
  document.marketplace = (japan == run_.marketplaces.end() ? run_.marketplaces.front() : *japan).text();
  // A snapshot is of when it was asked for; a span ends where it was asked to.
  document.read_until = dataset_.day_column.empty() ? job.asked_at : std::min<Instant>(Instant(job.until), job.asked_at);
  auto begin = [document](const store::RunTx& entered) -> Result<std::int64_t> { return store::begin_archive(entered, document); };
  AMZ_CO_TRY(number, co_await write_for(run_, std::move(begin)));
  kept.number = number;
  std::string piece;
  for (bool more = true; more;) {
    auto some = co_await body.next();
    more = some.has_value();
    if (some) piece += *some;
    if (piece.empty() || (more && piece.size() < kPieceBytes)) continue;
    auto append = [number = kept.number, n = kept.pieces, piece = std::exchange(piece, {})](const store::RunTx& entered) {
      store::append_archive(entered, number, n, piece);
    };
    AMZ_CO_CHECK(co_await write_for(run_, std::move(append)));
    ++kept.pieces;
  }
  co_return Done{};
}

Async<Result<Imported>> ReportDocuments::import(store::ReportJob job, DayRange history) {
  const Gate::Pass turn = co_await one_import_.enter(run_.cancel);
  if (!turn) co_return Code::cancelled;
  auto find = [user = run_.fence.user, number = job.archive](store::Tx& tx) -> Result<store::ArchivedDocument> {
    auto document = store::find_archived(tx, user, number);
    if (!document) return Error(Code::internal, "A report's document is not in the archive.");
    return std::move(*document);
  };
  AMZ_CO_TRY(document, co_await services_.store.read(std::move(find)));
  run_.progress.set_detail(std::string(dataset_.stream) + (dataset_.day_column.empty() ? "" : " of " + format_day(job.from)));
  ImportContext context{services_, run_.fence, run_.cancel, std::nullopt, history, job.asked_at};
  auto imported = co_await import_document(std::move(context), dataset_, document);
  co_return imported;
}

Async<Status> ReportDocuments::collect(net::BodyStream& body, std::string& text) {
  for (;;) {
    auto piece = co_await body.next();
    if (!piece) co_return Done{};
    if (text.size() < kMostExplanation) text += *piece;
  }
}

Async<Result<std::string>> ReportDocuments::explanation(std::string document_id) {
  AMZ_CO_TRY(url, co_await address_of(std::move(document_id)));
  std::string text;
  auto read = [&text](net::BodyStream& body) { return collect(body, text); };
  (void)co_await download(std::move(url), std::move(read));   // whatever there is of it
  std::string plain;
  Gunzip gunzip(1U << 20);
  const Gunzip::Out out = [&plain](std::string_view bytes) -> Status {
    plain += bytes.substr(0, kMostExplanation);
    return Done{};
  };
  (void)gunzip.push(text, out);
  for (char& c : plain)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  co_return clean_utf8(plain, 300);
}

}  // namespace amzsync::sync
