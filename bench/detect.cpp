// SPDX-License-Identifier: Apache-2.0
// How long detection takes, and how much memory. Without a word: a million ledger rows and 200,000 reimbursements of 20,000 products in memory, most losses
// paid; reading them from a store is not in it. With a file and a user: over what is stored there (SQLite), reading it included; nothing is saved.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <asio/io_context.hpp>

#include "detect/inquiry.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/users.hpp"

using namespace amzsync::detect;
namespace store = amzsync::store;

namespace {

double megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

int judge_stored(const char* path, const char* user_id) {
  asio::io_context loop;
  const auto clock = make_system_clock(loop.get_executor());
  store::SqliteOptions options;
  options.path = path;
  auto opened = store::open_sqlite_store(options, loop.get_executor(), loop.get_executor(), *clock, Log());
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return 1;
  }
  const auto judged = (*opened)->read_now([&](store::Tx& tx) -> Result<int> {
    const auto user = store::find_user(tx, UserId(user_id));
    if (!user) return Error(Code::not_found, "There is no such user.");
    const auto begin = std::chrono::steady_clock::now();
    Inquiry inquiry(*user, {.region = amzsync::spapi::Region::na, .money = store::MoneyStream::transactions, .policy = &Policy::embedded()});
    double longest = 0, before = 0, basis = 0;
    int steps = 0;
    std::size_t found = 0;
    const double at_first = megabytes();
    for (bool more = true; more; ++steps) {
      more = inquiry.step(tx);
      found += inquiry.take().size();
      const double now = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      if (steps == 0) basis = now;
      if (steps > 0 && more) longest = std::max(longest, now - before);
      before = now;
    }
    std::printf("%.2f s in %d steps, the longest %.3f s; %zu findings; %.1f MB, %.1f MB before it began; to see whether anything has changed took %.1f ms\n", before, steps, longest, found, megabytes(), at_first, basis * 1000);
    return 0;
  });
  if (!judged) std::fprintf(stderr, "%s\n", judged.error().message.c_str());
  return judged ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) return judge_stored(argv[1], argv[2]);
  constexpr int kProducts = 20'000, kRows = 1'000'000, kPayments = 200'000;
  Tables t;
  t.seller = "SELLER";
  t.region = "na";
  for (std::size_t i = 0; i < kSources; ++i) t.coverage.add_all(static_cast<Source>(i));
  const Day today = day_of(*parse_instant("2026-06-30"));
  std::uint64_t state = 88172645463325252ULL;
  const auto below = [&](std::uint64_t n) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return static_cast<int>(state % n);
  };
  std::vector<Name> fnskus, skus;
  for (int i = 0; i < kProducts; ++i) {
    fnskus.push_back(t.names.of("X00" + std::to_string(i)));
    skus.push_back(t.names.of("SKU-" + std::to_string(i)));
  }
  const Currency usd = *Currency::parse("USD");
  std::vector<LedgerRow> ledger;
  ledger.reserve(kRows);
  for (int i = 0; i < kRows; ++i) {
    LedgerRow r;
    const auto product = static_cast<std::size_t>(below(kProducts));
    r.row = i + 1;
    r.day = today - std::chrono::days(below(540));
    r.fnsku = r.asin = fnskus[product];
    r.msku = skus[product];
    const int kind = below(10);
    if (kind < 4) {
      r.movement = Movement::transfer;
      r.quantity = kind < 2 ? -1 : 1;
    } else if (kind < 6) {
      r.movement = Movement::customer_return;
      r.quantity = 1;
    } else if (kind < 7) {
      r.movement = Movement::receipt;
      r.quantity = 10;
    } else {
      r.movement = Movement::adjustment;
      r.reason = kind == 7 ? 'M' : kind == 8 ? 'F' : 'E';
      r.quantity = kind == 8 ? 1 : -1;
    }
    r.disposition = Disposition::sellable;
    ledger.push_back(r);
  }
  t.reimbursements.reserve(kPayments);
  for (int i = 0; i < kPayments; ++i) {
    Reimbursement r;
    const auto product = static_cast<std::size_t>(below(kProducts));
    r.row = i + 1;
    r.approved = today - std::chrono::days(below(540));
    r.id = t.names.of(std::to_string(i));
    r.fnsku = r.asin = fnskus[product];
    r.sku = skus[product];
    r.family = below(2) ? Family::lost : Family::damaged;
    r.currency = usd;
    r.per_unit = r.amount = Micros{8'000'000};
    r.cash = 1;
    t.reimbursements.push_back(r);
  }
  const double of_tables = megabytes();
  const auto begin = std::chrono::steady_clock::now();
  const Detection d = detect(t, std::move(ledger), {}, Policy::embedded(), today);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("1,000,000 ledger rows, 200,000 reimbursements: %.2f s on one core, %zu findings; %.1f MB with the tables, %.1f MB of them the tables\n", seconds, d.findings.size(), megabytes(), of_tables);
}
