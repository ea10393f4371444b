// SPDX-License-Identifier: Apache-2.0
#include "sync/inventory_by_name.hpp"

#include <algorithm>
#include <span>

#include "base/json_writer.hpp"
#include "spapi/inventory.hpp"
#include "store/inventory_rows.hpp"

namespace amzsync::sync {
namespace {

constexpr std::string_view kStream = "inventory";
constexpr int kMostRefused = 3;
constexpr int kMostPages = 60;   // of one request: more than it has SKUs

class ByName {
 public:
  ByName(RunContext& run, spapi::Caller& caller, MarketplaceId marketplace) : run_(run), caller_(caller), marketplace_(std::move(marketplace)) {}

  Async<Status> ask_all(std::vector<std::string> skus) {
    for (std::span<const std::string> rest = skus; !rest.empty();) {
      const std::span<const std::string> some = rest.first(spapi::skus_of_one_request(rest));
      rest = rest.subspan(some.size());
      AMZ_CO_CHECK(co_await ask(some));
    }
    co_return co_await tell_set_apart();
  }
  NamedInventory take() { return std::move(found_); }

 private:
  Async<Status> ask(std::span<const std::string> skus) {
    auto asked = co_await walk(skus);
    if (asked || asked.code() != Code::request_rejected) co_return asked;
    // One that Amazon does not take spoils the request for the others.
    if (skus.size() > 1) {
      const std::size_t half = skus.size() / 2;
      AMZ_CO_CHECK(co_await ask(skus.first(half)));
      co_return co_await ask(skus.subspan(half));
    }
    // Where none is taken it is not about the SKU.
    if (!any_taken_ && ++refused_ >= kMostRefused) co_return asked;
    found_.shown.insert(skus.front());
    set_apart_.emplace_back(skus.front(), asked.error().message);
    co_return Done{};
  }

  Async<Status> tell_set_apart() {
    if (set_apart_.empty()) co_return Done{};
    auto tell = [refused = std::move(set_apart_)](const store::RunTx& run) {
      store::Counts counts;
      for (const auto& [sku, why] : refused) {
        JsonWriter raw;
        raw.begin_object().field("sku", sku).field("message", why).end_object();
        if (store::quarantine(run, kStream, std::nullopt, std::nullopt, {"sku_refused", "sellerSku", raw.text()}, Hash128::of(sku))) ++counts.rejected;
      }
      store::add_counts(run, kStream, counts);
    };
    auto told = co_await write_for(run_, std::move(tell));
    co_return told;
  }

  Async<Status> walk(std::span<const std::string> skus) {
    std::string token;
    for (int page_number = 0;; ++page_number) {
      if (page_number == kMostPages) co_return Code::page_loop;
      spapi::Request request = spapi::get_inventory_of(marketplace_, skus, token);
      AMZ_CO_TRY(answer, co_await run_.services.client.call(caller_, std::move(request)));
      AMZ_CO_TRY(page, spapi::decode_inventory(answer));
      any_taken_ = true;
      found_.readable &= page.batch.unreadable.empty();
      // What has no stock is rightly missing from the list (facts I7).
      std::erase_if(page.batch.items, [&](const store::InventoryItem& item) { return item.quantities[0] == 0 || std::find(skus.begin(), skus.end(), item.seller_sku) == skus.end(); });
      for (const store::InventoryItem& item : page.batch.items) found_.shown.insert(item.seller_sku);
      auto store = [this, batch = std::move(page.batch)](const store::RunTx& run) { store::add_counts(run, kStream, store::store_inventory_page(run, marketplace_, batch)); };
      AMZ_CO_CHECK(co_await write_for(run_, std::move(store)));
      token = page.next_token;
      if (token.empty()) co_return Done{};
    }
  }

  RunContext& run_;
  spapi::Caller& caller_;
  MarketplaceId marketplace_;
  NamedInventory found_;
  std::vector<std::pair<std::string, std::string>> set_apart_;   // SKUs, and what Amazon said
  bool any_taken_ = false;   // request
  int refused_ = 0;          // SKUs, while none was taken
};

}  // namespace

Async<Result<NamedInventory>> ask_by_name(RunContext& run, spapi::Caller& caller, MarketplaceId marketplace, std::vector<std::string> skus) {
  const auto by_name = std::make_unique<ByName>(run, caller, std::move(marketplace));
  auto asked = co_await by_name->ask_all(std::move(skus));
  if (!asked && asked.code() == Code::unauthorised) co_return Error(Code::request_rejected, "Amazon shows its list of stock, but refuses to be asked for SKUs that are missing in it.");
  if (!asked) co_return asked.error();
  co_return by_name->take();
}

}  // namespace amzsync::sync
