// SPDX-License-Identifier: Apache-2.0
#include "sync/inventory_stream.hpp"

#include <algorithm>
#include <set>
#include <span>

#include "spapi/inventory.hpp"
#include "store/inventory_rows.hpp"
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

store::ArchivedDocument document_of(RunContext& run, const MarketplaceId& marketplace) {
  store::ArchivedDocument document;
  document.stream = kName;
  document.marketplace = marketplace.text();
  document.read_until = run.services.clock.now();
  return document;
}

/// Asks for SKUs that the list did not show, by their names: some never come in it (facts I3). Those that have stock after all are stored and join
/// `shown`.
Async<Status> ask_by_name(RunContext& run, spapi::Caller& caller, MarketplaceId marketplace, std::vector<std::string> skus, PageArchive& archive, std::set<std::string>& shown) {
  for (std::span<const std::string> rest = skus; !rest.empty();) {
    const std::span<const std::string> some = rest.first(spapi::skus_of_one_request(rest));
    rest = rest.subspan(some.size());
    spapi::Request request = spapi::get_inventory_of(marketplace, some);
    AMZ_CO_TRY(answer, co_await run.services.client.call(caller, std::move(request)));
    AMZ_CO_TRY(page, spapi::decode_inventory(answer));
    // What has no stock is rightly missing from the list (facts I7).
    std::erase_if(page.batch.items, [&](const store::InventoryItem& item) { return item.quantities[0] == 0 || std::find(some.begin(), some.end(), item.seller_sku) == some.end(); });
    for (const store::InventoryItem& item : page.batch.items) shown.insert(item.seller_sku);
    std::string packed = archive.pack(answer);
    AMZ_CO_CHECK(co_await store_page(run, marketplace, std::move(page.batch), archive, std::move(packed)));
  }
  co_return Done{};
}

/// One walk. Only a complete one, all of which could be read, may close SKUs that it did not show.
Async<Status> walk(RunContext& run, spapi::Caller& caller, MarketplaceId marketplace) {
  std::set<std::string> seen, tokens;
  std::string token;
  bool readable = true;
  int empty_pages = 0;
  PageArchive archive(run, document_of(run, marketplace));
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
    AMZ_CO_CHECK(co_await ask_by_name(run, caller, marketplace, std::move(missing), archive, seen));
  }
  auto closed = co_await close_walk(run, marketplace, std::move(seen), readable, archive);
  co_return closed;
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
    auto walked = co_await walk_until_complete(run, caller, marketplace);
    if (!walked) {
      failure = walked.error();
      if (stops_run(*failure)) break;
      continue;  // the other marketplaces are stock of their own, also where Amazon refuses one of them
    }
    run.progress.set_units(kName, ++done, known);
  }
  co_return co_await conclude(run, kName, caller.calls, failure);
}

Async<std::optional<StreamResult>> read_missing_inventory(RunContext& run) {
  auto find = [user = run.fence.user](store::Tx& tx) -> Result<std::vector<std::string>> { return store::managed_skus_without_stock(tx, user); };
  auto missing = co_await run.services.store.read(std::move(find));
  if (missing && missing->empty()) co_return std::nullopt;

  spapi::Caller caller = make_caller(run, kName);
  std::optional<Error> failure;
  if (!missing) failure = missing.error();
  for (const MarketplaceId& marketplace : run.marketplaces) {
    if (failure) break;
    PageArchive archive(run, document_of(run, marketplace));
    std::set<std::string> shown;
    auto asked = co_await ask_by_name(run, caller, marketplace, *missing, archive, shown);
    if (asked) asked = co_await close_walk(run, marketplace, {}, false, archive);
    if (!asked) failure = asked.error();
  }
  co_return co_await conclude(run, kName, caller.calls, failure);
}

}  // namespace amzsync::sync
