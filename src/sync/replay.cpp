// SPDX-License-Identifier: Apache-2.0
#include "sync/replay.hpp"

#include <algorithm>
#include <set>

#include "spapi/financial_events.hpp"
#include "spapi/inbound.hpp"
#include "spapi/inventory.hpp"
#include "spapi/transactions.hpp"
#include "store/inbound_rows.hpp"
#include "store/inventory_rows.hpp"
#include "sync/money_walk.hpp"
#include "sync/page_archive.hpp"
#include "sync/report_import.hpp"

namespace amzsync::sync {
namespace {

/// Ends a stream in the run's row; its state, which tells how far Amazon was read, is none of a replay's.
Async<StreamResult> end(RunContext& run, std::string_view stream, std::optional<Error> error) {
  StreamResult result{StreamOutcome::complete, error, 0};
  if (error) result.outcome = stops_run(*error) ? StreamOutcome::stopped : StreamOutcome::incomplete;
  if (error && (error->code == Code::cancelled || error->code == Code::fenced)) co_return result;
  auto write = [name = std::string(stream), result](const store::RunTx& entered) {
    const auto state = store::stream_state(entered.tx(), entered.user(), name);
    store::end_stream(entered, name, result.error ? "incomplete" : "complete", state ? state->coverage : "not_asked", 0, result.error);
  };
  auto written = co_await write_for(run, std::move(write));
  if (!written) {
    result.outcome = StreamOutcome::stopped;
    result.error = written.error();
  }
  co_return result;
}

Async<Status> count(RunContext& run, std::string_view stream, store::Counts counts) {
  auto write = [stream, counts, passing = run.progress.due()](const store::RunTx& entered) {
    store::add_counts(entered, stream, counts);
    if (passing) store::pass_progress(entered, *passing);
  };
  auto written = co_await write_for(run, std::move(write));
  co_return written;
}

// ---- one document of each kind of stream; the newest come first: what they tell no older one may take back ----

class ReportReplay {
 public:
  ReportReplay(RunContext& run, const spapi::ReportDataset& dataset) : run_(run), dataset_(dataset) {}

  Async<Result<store::Counts>> read(store::ArchivedDocument document) {
    ImportContext context{run_.services, run_.fence, run_.cancel, Replay{told_, told_parts_}};
    auto imported = co_await import_document(std::move(context), dataset_, std::move(document));
    if (!imported) co_return imported.error();
    if (!imported->blank) told_.insert(imported->days.begin(), imported->days.end());
    told_parts_.insert(imported->parts.begin(), imported->parts.end());
    co_return imported->counts;
  }

 private:
  RunContext& run_;
  const spapi::ReportDataset& dataset_;
  std::set<Day> told_;
  std::set<std::string> told_parts_;
};

class MoneyReplay {
 public:
  MoneyReplay(RunContext& run, store::MoneyStream stream) : run_(run), stream_(stream) {}

  /// A walk over the pages of a slice, as it was made then.
  Async<Result<store::Counts>> read(store::ArchivedDocument document) {
    AMZ_CO_TRY(days, co_await days_of(document));
    const spapi::MoneyWindow window{document.from, document.read_until};
    store::Counts counts;
    MoneyWalk walk;
    PageReader reader(run_, document.number);
    for (;;) {
      AMZ_CO_TRY(answer, co_await reader.next());
      if (!answer) break;
      auto decode = [this, &answer, &window] { return stream_ == store::MoneyStream::transactions ? spapi::decode_transactions(*answer, window) : spapi::decode_financial_events(*answer, window); };
      AMZ_CO_TRY(page, co_await run_on(run_.services.work, std::move(decode)));
      AMZ_CO_CHECK(co_await settle(page.batch));
      if (!walk.take(page)) co_return Error(Code::bad_answer, "An archived walk goes in a circle.");
      if (page.next_token.empty()) walk.begin_window();   // what follows is of another window
      std::erase_if(page.batch.events, [&](const store::MoneyEvent& e) { return !days.contains(e.day); });
      AMZ_CO_TRY(written, co_await write_page(std::move(page.batch), document.run));
      counts += written;
    }
    AMZ_CO_TRY(gone, co_await close_days(days, std::move(walk), document.run));
    counts += gone;
    told_.insert(days.begin(), days.end());
    co_return counts;
  }

 private:
  /// Those that this document told last.
  Async<Result<std::set<Day>>> days_of(const store::ArchivedDocument& document) {
    auto load = [user = run_.fence.user, name = store::money_stream_name(stream_), from = document.from, until = document.until](store::Tx& tx) -> Result<std::vector<store::Cell>> {
      return store::cells(tx, user, name, from, until);
    };
    AMZ_CO_TRY(cells, co_await run_.services.store.read(std::move(load)));
    std::set<Day> days;
    for (const store::Cell& cell : cells) {
      const bool told_here = cell.digest && cell.read_until.value_or(Instant{}) <= std::min(document.read_until, Instant(cell.day + std::chrono::days(1)));
      if (told_here && !told_.contains(cell.day)) days.insert(cell.day);
    }
    co_return days;
  }

  Async<Status> settle(store::MoneyBatch& batch) {
    if (stream_ != store::MoneyStream::transactions) co_return Done{};   // the other one keeps to a grid of windows
    auto look_up = [user = run_.fence.user, &batch](store::Tx& tx) -> Result<bool> { return store::settle_undated(tx, user, store::MoneyStream::transactions, batch); };
    auto known = co_await run_.services.store.read(std::move(look_up));
    co_return known ? Status(Done{}) : Status(known.error());
  }

  Async<Result<store::Counts>> write_page(store::MoneyBatch batch, RunNo told_by) {
    auto write = [stream = stream_, batch = std::move(batch), told_by](const store::RunTx& entered) -> Result<store::Counts> {
      return store::rewrite_page(entered, stream, batch, told_by);
    };
    auto written = co_await write_for(run_, std::move(write));
    co_return written;
  }

  Async<Result<store::Counts>> close_days(const std::set<Day>& days, MoneyWalk walk, RunNo told_by) {
    auto write = [stream = stream_, &days, walk = std::move(walk), told_by](const store::RunTx& entered) -> Result<store::Counts> {
      store::Counts counts;
      for (const Day day : days) {
        const auto seen = walk.days().find(day);
        store::SeenDay nothing;
        nothing.day = day;
        counts += store::recount_day(entered, stream, seen == walk.days().end() ? nothing : seen->second, told_by);
      }
      return counts;
    };
    auto written = co_await write_for(run_, std::move(write));
    co_return written;
  }

  RunContext& run_;
  store::MoneyStream stream_;
  std::set<Day> told_;
};

class InventoryReplay {
 public:
  explicit InventoryReplay(RunContext& run) : run_(run) {}

  /// The newest walk of each marketplace is its stock as it is.
  Async<Result<store::Counts>> read(store::ArchivedDocument document) {
    store::Counts counts;
    if (!told_.insert(document.marketplace).second) co_return counts;
    const MarketplaceId marketplace(document.marketplace);
    PageReader reader(run_, document.number);
    for (;;) {
      AMZ_CO_TRY(answer, co_await reader.next());
      if (!answer) break;
      AMZ_CO_TRY(page, spapi::decode_inventory(*answer));
      auto write = [&marketplace, batch = std::move(page.batch), told_by = document.run](const store::RunTx& entered) -> Result<store::Counts> {
        return store::rewrite_inventory_page(entered, marketplace, batch, told_by);
      };
      AMZ_CO_TRY(written, co_await write_for(run_, std::move(write)));
      counts += written;
    }
    co_return counts;
  }

 private:
  RunContext& run_;
  std::set<std::string> told_;
};

class InboundReplay {
 public:
  explicit InboundReplay(RunContext& run) : run_(run) {}

  Async<Result<store::Counts>> read(store::ArchivedDocument document) {
    const auto list = document.stream == spapi::inbound_table(spapi::InboundList::shipments).name ? spapi::InboundList::shipments : spapi::InboundList::items;
    const MarketplaceId marketplace(document.marketplace);
    store::Counts counts;
    PageReader reader(run_, document.number);
    for (;;) {
      AMZ_CO_TRY(answer, co_await reader.next());
      if (!answer) break;
      AMZ_CO_TRY(page, spapi::decode_inbound(list, marketplace, *answer));
      std::erase_if(page.rows, [this](const store::ReportRow& row) { return !told_.insert(row.identity).second; });
      auto write = [list, rows = std::move(page.rows), told_by = document.run](const store::RunTx& entered) -> Result<store::Counts> {
        return store::rewrite_report_rows(entered, spapi::inbound_table(list), rows, told_by);
      };
      AMZ_CO_TRY(written, co_await write_for(run_, std::move(write)));
      counts += written;
    }
    co_return counts;
  }

 private:
  RunContext& run_;
  std::set<Hash128> told_;
};

template <class Reader>
Async<std::optional<StreamResult>> replay_with(RunContext& run, std::string_view stream, std::vector<std::string> archived_as, Reader reader) {
  auto list = [user = run.fence.user, archived_as = std::move(archived_as)](store::Tx& tx) -> Result<std::vector<store::ArchivedDocument>> {
    std::vector<store::ArchivedDocument> all;
    for (const std::string& name : archived_as)
      for (store::ArchivedDocument& document : store::archived_documents(tx, user, name)) all.push_back(std::move(document));
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.number > b.number; });
    return all;
  };
  auto documents = co_await run.services.store.read(std::move(list));
  if (documents && documents->empty()) co_return std::nullopt;
  auto begun = co_await begin_stream(run, stream);
  if (!documents) co_return co_await end(run, stream, documents.error());
  if (!begun) co_return co_await end(run, stream, begun.error());

  std::optional<Error> failure;
  std::int64_t done = 0;
  for (const store::ArchivedDocument& document : *documents) {
    run.progress.set_units(stream, done++, static_cast<std::int64_t>(documents->size()));
    auto counts = co_await reader.read(document);
    if (!counts && counts.code() == Code::bad_answer) {
      // It was refused when it came, too, or is damaged; the others are none the worse.
      failure = counts.error();
      continue;
    }
    if (!counts) co_return co_await end(run, stream, counts.error());
    auto counted = co_await count(run, stream, *counts);
    if (!counted) co_return co_await end(run, stream, counted.error());
  }
  co_return co_await end(run, stream, failure);
}

}  // namespace

Async<std::optional<StreamResult>> replay_stream(RunContext& run, const Stream& stream) {
  const auto named = [](auto... names) { return std::vector<std::string>{std::string(names)...}; };
  if (stream.report) {
    ReportReplay reader(run, *stream.report);
    auto names = named(stream.name);
    co_return co_await replay_with(run, stream.name, std::move(names), std::move(reader));
  }
  if (stream.money) {
    MoneyReplay reader(run, *stream.money);
    auto names = named(stream.name);
    co_return co_await replay_with(run, stream.name, std::move(names), std::move(reader));
  }
  if (stream.name == "inventory") {
    InventoryReplay reader(run);
    auto names = named(stream.name);
    co_return co_await replay_with(run, stream.name, std::move(names), std::move(reader));
  }
  InboundReplay reader(run);
  auto names = named(spapi::inbound_table(spapi::InboundList::shipments).name, spapi::inbound_table(spapi::InboundList::items).name);
  co_return co_await replay_with(run, stream.name, std::move(names), std::move(reader));
}

}  // namespace amzsync::sync
