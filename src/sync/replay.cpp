// SPDX-License-Identifier: Apache-2.0
#include "sync/replay.hpp"

#include <algorithm>

#include "spapi/report_dataset.hpp"
#include "store/archive.hpp"
#include "sync/report_import.hpp"

namespace amzsync::sync {
namespace {

/// Ends a stream in the run's row; its state, which tells how far Amazon was read, is none of a replay's.
Async<StreamResult> end(RunContext& run, std::string_view stream, std::optional<Error> error) {
  StreamResult result{StreamOutcome::complete, error, 0};
  if (error) result.outcome = stops_run(*error) ? StreamOutcome::stopped : StreamOutcome::incomplete;
  if (error && (error->code == Code::cancelled || error->code == Code::fenced)) co_return result;
  auto write = [fence = run.fence, name = std::string(stream), result](store::Tx& tx) -> Status {
    AMZ_TRY(entered, store::RunTx::enter(tx, fence));
    const auto state = store::stream_state(tx, fence.user, name);
    store::end_stream(entered, name, result.error ? "incomplete" : "complete", state ? state->coverage : "not_asked", 0, result.error);
    return Done{};
  };
  auto written = co_await run.services.store.write(store::Urgency::normal, std::move(write));
  if (!written) {
    result.outcome = StreamOutcome::stopped;
    result.error = written.error();
  }
  co_return result;
}

Async<Status> count(RunContext& run, std::string_view stream, store::Counts counts) {
  auto write = [fence = run.fence, stream, counts, passing = run.progress.due()](store::Tx& tx) -> Status {
    AMZ_TRY(entered, store::RunTx::enter(tx, fence));
    store::add_counts(entered, stream, counts);
    if (passing) store::pass_progress(entered, *passing);
    return Done{};
  };
  auto written = co_await run.services.store.write(store::Urgency::normal, std::move(write));
  co_return written;
}

}  // namespace

Async<std::optional<StreamResult>> replay_stream(RunContext& run, const spapi::ReportDataset& dataset) {
  auto list = [user = run.fence.user, stream = dataset.stream](store::Tx& tx) -> Result<std::vector<store::ArchivedDocument>> { return store::archived_documents(tx, user, stream); };
  auto documents = co_await run.services.store.read(std::move(list));
  if (documents && documents->empty()) co_return std::nullopt;
  auto begun = co_await begin_stream(run, dataset.stream);
  if (!documents || !begun) co_return co_await end(run, dataset.stream, !documents ? documents.error() : begun.error());

  // The newest first: what it tells of a day no older one may take back.
  std::reverse(documents->begin(), documents->end());
  std::set<Day> told;
  std::optional<Error> failure;
  std::int64_t done = 0;
  for (const store::ArchivedDocument& document : *documents) {
    run.progress.set_units(dataset.stream, done++, static_cast<std::int64_t>(documents->size()));
    ImportContext context{run.services, run.fence, run.cancel, Replay{told}};
    auto imported = co_await import_document(std::move(context), dataset, document);
    if (!imported && imported.code() == Code::bad_answer) {
      // It was refused when it came, too, or is damaged; the others are none the worse.
      failure = imported.error();
      continue;
    }
    if (!imported) co_return co_await end(run, dataset.stream, imported.error());
    if (!imported->blank) told.insert(imported->days.begin(), imported->days.end());
    auto counted = co_await count(run, dataset.stream, imported->counts);
    if (!counted) co_return co_await end(run, dataset.stream, counted.error());
  }
  co_return co_await end(run, dataset.stream, failure);
}

}  // namespace amzsync::sync
