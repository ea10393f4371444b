// SPDX-License-Identifier: Apache-2.0
#include "sync/participations_stream.hpp"

#include <algorithm>

#include "spapi/sellers.hpp"
#include "store/connections.hpp"
#include "store/money_rows.hpp"

namespace amzsync::sync {
namespace {

constexpr std::string_view kName = "participations";
constexpr Duration kFresh = std::chrono::hours(24);

struct Known {
  std::vector<store::Participation> list;
  MarketplaceId signed_in;   ///< where the seller signed in; may be empty
  bool fresh = false;
};

Async<Result<Known>> load_known(RunContext& run) {
  AMZ_CO_TRY(state, co_await begin_stream(run, kName));
  auto work = [user = run.fence.user, state](store::Tx& tx) -> Result<Known> {
    const auto connection = store::find_connection(tx, user);
    Known known{store::participations(tx, user), connection ? connection->marketplace : MarketplaceId(), false};
    // A new authorisation is proved by a call, however fresh the list is.
    known.fresh = state && state->last_success_at && connection && *state->last_success_at >= connection->authorised_at.value_or(Instant::max()) &&
                  tx.now() - *state->last_success_at < kFresh && !is_to_come(*state->last_success_at, tx.now());
    return known;
  };
  auto known = co_await run.services.store.read(std::move(work));
  co_return known;
}

/// Marketplaces that we know and that the seller takes part in. Payloads also hold pseudo-marketplaces ("Non-Amazon"),
/// which are not to be asked for.
void choose_marketplaces(RunContext& run, const std::vector<store::Participation>& list) {
  run.marketplaces.clear();
  for (const store::Participation& p : list) {
    const spapi::Marketplace* known = spapi::find_marketplace(p.marketplace.text());
    if (known && known->region == run.services.settings.region && p.participating) run.marketplaces.push_back(p.marketplace);
    if (!known && p.participating && p.domain.starts_with("www.amazon.")) run.services.log.warn("A marketplace of the seller's is not known to this version, and nothing of it is read", {{"marketplace", p.marketplace.text()}, {"domain", p.domain}});
  }
}

Async<Result<spapi::ParticipationPage>> ask_amazon(RunContext& run, spapi::Caller& caller) {
  AMZ_CO_TRY(answer, co_await run.services.client.call(caller, spapi::get_marketplace_participations()));
  co_return spapi::decode_participations(answer);
}

/// One that can't be read may be any of those that are known, so none of them is given up for it.
void keep_known(spapi::ParticipationPage& page, const std::vector<store::Participation>& known) {
  for (const store::Participation& p : known)
    if (std::none_of(page.list.begin(), page.list.end(), [&](const store::Participation& read) { return read.marketplace == p.marketplace; })) page.list.push_back(p);
}

Async<Status> store_list(RunContext& run, const spapi::ParticipationPage& page) {
  auto write = [page](const store::RunTx& entered) {
    const store::ListChange change = store::replace_participations(entered.tx(), entered.user(), page.list);
    store::Counts counts;
    counts.fetched = static_cast<std::int64_t>(page.list.size() + page.unreadable.size());
    counts.added = change.added;
    counts.changed = change.changed;
    counts.removed = change.removed;
    counts.unchanged = change.unchanged;
    store::Twins twins;
    for (const std::string& raw : page.unreadable) {
      const store::Fault fault{"participation_without_marketplace", "payload", raw};
      if (store::quarantine(entered, kName, std::nullopt, std::nullopt, fault, twins.next(fault))) ++counts.rejected;
    }
    store::add_counts(entered, kName, counts);
  };
  auto written = co_await write_for(run, std::move(write));
  co_return written;
}

}  // namespace

Async<StreamResult> read_participations(RunContext& run) {
  auto known = co_await load_known(run);
  if (!known) co_return co_await conclude(run, kName, 0, known.error());
  choose_marketplaces(run, known->list);
  if (known->fresh) co_return co_await conclude(run, kName, 0, std::nullopt);

  spapi::Caller caller = make_caller(run, kName);
  auto page = co_await ask_amazon(run, caller);
  std::optional<Error> error;
  if (page) {
    if (!page->unreadable.empty()) {
      keep_known(*page, known->list);
      error = Error(Code::rows_quarantined, "Not every one of the seller's marketplaces could be read, so there may be one of which nothing was; what Amazon told is kept in quarantine.");
    }
    auto stored = co_await store_list(run, *page);
    if (!stored) error = stored.error();
    choose_marketplaces(run, page->list);
  } else {
    error = page.error();
    // Without the role for this one call the rest can still be read, where the seller signed in.
    if (error->code == Code::unauthorised && run.marketplaces.empty())
      run.marketplaces.push_back(known->signed_in.empty() ? MarketplaceId(std::string(spapi::default_marketplace(run.services.settings.region).id)) : known->signed_in);
  }
  co_return co_await conclude(run, kName, caller.calls, error);
}

}  // namespace amzsync::sync
