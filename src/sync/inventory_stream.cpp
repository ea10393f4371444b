// SPDX-License-Identifier: Apache-2.0
#include "sync/inventory_stream.hpp"

#include <set>

#include "spapi/inventory.hpp"
#include "store/inventory_rows.hpp"
#include "sync/inventory_by_name.hpp"
#include "sync/page_archive.hpp"

namespace amzsync::sync {
namespace {

constexpr std::string_view kName = "inventory";
constexpr int kMaxRestarts = 2;
constexpr int kMostEmptyPages = 20;   // on end

/// Whether a failed walk is worth beginning anew at once.
bool restarts(Code code) noexcept { return code == Code::page_token_expired || code == Code::page_loop; }

Async<Status> store_page(RunContext& run, const MarketplaceId& marketplace, store::InventoryBatch batch, PageArchive& archive, std::string packed) {
  auto write = [passing = run.progress.due(), marketplace, batch = std::move(batch), &archive, packed = std::move(packed)](const store::RunTx& entered) {
    archive.keep(entered, packed);
    store::add_counts(entered, kName, store::store_inventory_page(entered, marketplace, batch));
    if (passing) store::pass_progress(entered, *passing);
  };
  auto written = co_await write_for(run, std::move(write));
  co_return written;
}

/// `readable`: otherwise it may have shown any SKU, and closes none.
Async<Status> close_walk(RunContext& run, const MarketplaceId& marketplace, std::set<std::string> seen, bool readable, const PageArchive& archive) {
  auto write = [marketplace, seen = std::move(seen), readable, &archive](const store::RunTx& entered) {
    archive.close(entered);
    if (readable) store::add_counts(entered, kName, store::close_marketplace(entered, marketplace, seen));
  };
  auto written = co_await write_for(run, std::move(write));
  co_return written;
}

/// One walk. Only a complete one, all of which could be read, may close SKUs that it did not show.
Async<Status> walk(RunContext& run, spapi::Caller& caller, MarketplaceId marketplace) {
  std::set<std::string> seen, tokens;
  std::string token;
  bool readable = true;
  int empty_pages = 0;
  store::ArchivedDocument document;
  document.stream = kName;
  document.marketplace = marketplace.text();
  document.read_until = run.services.clock.now();
  PageArchive archive(run, std::move(document));
  do {
    spapi::Request request = spapi::get_inventory_summaries(marketplace, token);
    AMZ_CO_TRY(answer, co_await run.services.client.call(caller, std::move(request)));
    AMZ_CO_TRY(page, spapi::decode_inventory(answer));
    token = page.next_token;
    std::string packed = archive.pack(answer);
    // A token seen before, or a page that shows nothing new, would go on for ever (facts I4).
    bool anything_new = page.batch.items.empty();
    for (const store::InventoryItem& item : page.batch.items) anything_new |= seen.insert(item.seller_sku).second;
    readable &= page.batch.unreadable.empty();
    empty_pages = page.batch.items.empty() ? empty_pages + 1 : 0;
    if (!token.empty() && (!anything_new || empty_pages > kMostEmptyPages || !tokens.insert(token).second)) co_return Code::page_loop;
    run.progress.set_detail("inventory of " + marketplace.text() + ", " + std::to_string(seen.size()) + " SKUs");
    AMZ_CO_CHECK(co_await store_page(run, marketplace, std::move(page.batch), archive, std::move(packed)));
  } while (!token.empty());

  if (readable) {
    auto find = [user = run.fence.user, marketplace, &seen](store::Tx& tx) -> Result<std::vector<std::string>> { return store::open_skus_beside(tx, user, marketplace, seen); };
    AMZ_CO_TRY(missing, co_await run.services.store.read(std::move(find)));
    AMZ_CO_TRY(named, co_await ask_by_name(run, caller, marketplace, std::move(missing)));
    readable = named.readable;
    seen.merge(named.shown);
  }
  AMZ_CO_CHECK(co_await close_walk(run, marketplace, std::move(seen), readable, archive));
  if (!readable) co_return Error(Code::rows_quarantined, "Not every SKU of the stock could be read, so one may be missing; what Amazon told is kept in quarantine.");
  co_return Done{};
}

Async<Status> walk_until_complete(RunContext& run, spapi::Caller& caller, MarketplaceId marketplace) {
  for (int restart = 0;; ++restart) {
    auto walked = co_await walk(run, caller, marketplace);
    if (walked || !restarts(walked.code()) || restart >= kMaxRestarts) co_return walked;
  }
}

}  // namespace

Async<StreamResult> read_inventory(RunContext& run) {
  auto begun = co_await begin_stream(run, kName);
  if (!begun) co_return co_await conclude(run, kName, 0, begun.error());

  spapi::Caller caller = make_caller(run, kName);
  std::optional<Error> failure;
  if (run.marketplaces.empty()) failure = Error(Code::no_marketplace);
  const auto known = static_cast<std::int64_t>(run.marketplaces.size());
  std::int64_t done = 0;
  run.progress.set_units(kName, done, known);
  for (const MarketplaceId& marketplace : run.marketplaces) {
    if (run.turn.cancelled()) {
      failure = Error(Code::cancelled);
      break;
    }
    auto walked = co_await walk_until_complete(run, caller, marketplace);
    if (!walked) {
      keep_gravest(failure, walked.error());
      if (stops_run(*failure)) break;
      continue;  // the other marketplaces are stock of their own, also where Amazon refuses one of them
    }
    run.progress.set_units(kName, ++done, known);
  }
  co_return co_await conclude(run, kName, caller.calls, failure, done > 0);
}

namespace {

Async<Status> fill_gaps(RunContext& run, spapi::Caller& caller, MarketplaceId marketplace) {
  auto find = [user = run.fence.user, marketplace](store::Tx& tx) -> Result<std::vector<std::string>> { return store::managed_skus_not_listed(tx, user, marketplace); };
  AMZ_CO_TRY(missing, co_await run.services.store.read(std::move(find)));
  if (missing.empty()) co_return Done{};
  AMZ_CO_TRY(named, co_await ask_by_name(run, caller, marketplace, missing));
  if (!named.readable) co_return Done{};
  std::erase_if(missing, [&](const std::string& sku) { return named.shown.contains(sku); });
  auto remember = [marketplace, absent = std::move(missing)](const store::RunTx& entered) { store::remember_absent_skus(entered, marketplace, absent); };
  auto remembered = co_await write_for(run, std::move(remember));
  co_return remembered;
}

}  // namespace

Async<StreamResult> fill_inventory_gaps(RunContext& run, StreamResult walked) {
  auto begun = co_await begin_stream(run, kName);   // until it is over, the stock is not complete
  if (!begun) co_return co_await conclude(run, kName, 0, begun.error());
  spapi::Caller caller = make_caller(run, kName);
  std::optional<Error> failure = walked.error;
  for (const MarketplaceId& marketplace : run.marketplaces) {
    auto filled = co_await fill_gaps(run, caller, marketplace);
    if (filled) continue;
    keep_gravest(failure, filled.error());
    if (stops_run(*failure)) break;
  }
  auto result = co_await conclude(run, kName, caller.calls, failure, true);
  co_return result;
}

}  // namespace amzsync::sync
