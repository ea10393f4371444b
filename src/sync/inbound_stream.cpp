// SPDX-License-Identifier: Apache-2.0
#include "sync/inbound_stream.hpp"

#include <map>
#include <set>

#include "spapi/inbound.hpp"
#include "store/connections.hpp"
#include "store/inbound_rows.hpp"
#include "store/money_rows.hpp"
#include "sync/page_archive.hpp"

namespace amzsync::sync {
namespace {

constexpr std::string_view kName = "inbound";
constexpr int kMaxRestarts = 2;
constexpr int kMostEmptyPages = 20;   // on end
constexpr Duration kOverlap = std::chrono::hours(24 * 3);   // updates that were told late

/// Whether a failed walk is worth beginning anew at once.
bool restarts(Code code) noexcept { return code == Code::page_token_expired || code == Code::page_loop || code == Code::bad_answer; }

/// Whether two moments lie in one week: the first reading of each week reads everything, since nobody promises that each change of a quantity
/// counts as an update.
bool same_week(Instant a, Instant b) {
  const auto week = [](Instant at) { return std::chrono::floor<std::chrono::weeks>(at); };
  return week(a) == week(b);
}

class InboundReader {
 public:
  explicit InboundReader(RunContext& run) : run_(run), caller_(make_caller(run, kName)) {}

  Async<std::optional<Error>> read() {
    auto begun = co_await begin_stream(run_, kName);
    if (!begun) co_return begun.error();
    if (run_.marketplaces.empty()) co_return Error(Code::no_marketplace);
    auto planned = co_await plan();
    if (!planned) co_return planned.error();

    std::optional<Error> failure;
    const auto known = static_cast<std::int64_t>(run_.marketplaces.size() * 2);
    run_.progress.set_units(kName, done_, known);
    for (const MarketplaceId& marketplace : run_.marketplaces)
      for (const spapi::InboundList list : {spapi::InboundList::shipments, spapi::InboundList::items}) {
        auto walked = co_await walk_until_complete(list, marketplace);
        if (!walked) {
          keep_gravest(failure, walked.error());
          if (stops_run(*failure)) co_return failure;
          continue;   // the other marketplaces have shipments of their own, also where Amazon refuses one of them
        }
        run_.progress.set_units(kName, ++done_, known);
      }
    if (failure) co_return failure;
    if (!readable_) co_return Error(Code::rows_quarantined, "Not every shipment or item could be read; what Amazon told is kept in quarantine, and all are asked for again.");
    auto close = [what = what_is_read(), until = until_](const store::RunTx& run) { store::close_inbound(run, what, until); };
    auto closed = co_await write_for(run_, std::move(close));
    if (!closed) co_return closed.error();
    co_return std::nullopt;
  }
  std::int64_t calls() const noexcept { return caller_.calls; }
  bool read_some() const noexcept { return done_ > 0; }

 private:
  Hash128 what_is_read() const {
    std::set<std::string> sorted;
    for (const MarketplaceId& marketplace : run_.marketplaces) sorted.insert(marketplace.text());
    std::string all;
    for (const std::string& marketplace : sorted) all += marketplace + ' ';
    return Hash128::of(all + std::to_string(reach_));
  }

  /// From the last reading on; from the beginning where there was none, marketplaces have come or gone, the history reaches further back, or a new week has begun.
  Async<Status> plan() {
    struct Known {
      Day history_from{};
      std::int64_t reach = 0;
      std::optional<store::InboundReading> last;
    };
    until_ = std::chrono::floor<std::chrono::seconds>(run_.services.clock.now());
    auto load = [user = run_.fence.user, &settings = run_.services.settings, now = until_](store::Tx& tx) -> Result<Known> {
      const auto connection = store::find_connection(tx, user);
      const auto fixed = connection ? connection->history_from : std::nullopt;
      const Day begins = history_begins(settings, now, fixed);
      // Where it is not the day that was fixed it moves with the days.
      const std::int64_t reach = fixed == begins ? begins.time_since_epoch().count() : settings.history_days;
      return Known{begins, reach, store::last_inbound_reading(tx, user)};
    };
    AMZ_CO_TRY(known, co_await run_.services.store.read(std::move(load)));
    from_ = known.history_from;
    reach_ = known.reach;
    if (known.last && !is_to_come(known.last->began, until_) && known.last->what == what_is_read() && same_week(known.last->began, until_)) from_ = std::max(from_, known.last->began - kOverlap);
    co_return Done{};
  }

  Async<Status> walk_until_complete(spapi::InboundList list, MarketplaceId marketplace) {
    for (int restart = 0;; ++restart) {
      auto walked = co_await walk(list, marketplace);
      if (walked || !restarts(walked.code()) || restart >= kMaxRestarts) co_return walked;
    }
  }

  Async<Status> walk(spapi::InboundList list, MarketplaceId marketplace) {
    std::map<Hash128, Hash128> told;   // what each thing said in this walk
    std::set<std::string> tokens;
    std::string token;
    bool first = true;
    int empty_pages = 0;
    store::ArchivedDocument document;
    document.stream = spapi::inbound_table(list).name;
    document.marketplace = marketplace.text();
    document.read_until = until_;
    PageArchive archive(run_, std::move(document));
    do {
      spapi::Request request = first ? spapi::get_inbound(list, marketplace, from_, until_) : spapi::get_more_inbound(list, marketplace, token);
      AMZ_CO_TRY(answer, co_await run_.services.client.call(caller_, std::move(request)));
      AMZ_CO_TRY(page, spapi::decode_inbound(list, marketplace, answer));
      // Amazon is known to answer what it does not like with nothing at all, a token that has died above all (facts F4).
      if (page.empty && !first) co_return Code::page_token_expired;
      if (page.empty) co_return Error(Code::bad_answer, "Amazon's answer to " + std::string(request.operation->name) + " holds no list, which is no word that there is nothing.");
      first = false;
      token = page.next_token;
      empty_pages = page.rows.empty() ? empty_pages + 1 : 0;
      readable_ &= page.unreadable.empty();
      const bool anything_new = leave_out_repeated(page, told);
      if (!token.empty() && (!anything_new || empty_pages > kMostEmptyPages || !tokens.insert(token).second)) co_return Code::page_loop;
      std::string packed = archive.pack(answer);
      AMZ_CO_CHECK(co_await store_page(list, std::move(page), archive, std::move(packed)));
    } while (!token.empty());
    auto close = [&archive](const store::RunTx& run) { archive.close(run); };
    auto closed = co_await write_for(run_, std::move(close));
    co_return closed;
  }

  /// What a walk shows once more is left out, unless it says something else now: it may have changed while the walk was under way. False: the page
  /// shows nothing but what was shown before.
  static bool leave_out_repeated(spapi::InboundPage& page, std::map<Hash128, Hash128>& told) {
    const std::size_t shown = page.rows.size();
    std::vector<store::ReportRow> rows;
    std::map<Hash128, std::size_t> place;   // in `rows`
    for (store::ReportRow& row : page.rows) {
      const auto [before, first] = told.emplace(row.identity, row.content);
      if (!first && before->second == row.content) continue;
      before->second = row.content;
      const auto [at, is_new] = place.emplace(row.identity, rows.size());
      is_new ? rows.push_back(std::move(row)) : void(rows[at->second] = std::move(row));
    }
    page.rows = std::move(rows);
    return shown == 0 || !page.rows.empty();
  }

  Async<Status> store_page(spapi::InboundList list, spapi::InboundPage page, PageArchive& archive, std::string packed) {
    auto keep = [list, page = std::move(page), &archive, packed = std::move(packed), passing = run_.progress.due()](const store::RunTx& run) {
      archive.keep(run, packed);
      const store::ReportTable& table = spapi::inbound_table(list);
      store::Counts counts = store::upsert_report_rows(run, table, page.rows);
      if (list == spapi::InboundList::shipments && counts.added + counts.changed > 0) store::note_shipment_statuses(run, page.rows);
      // Until the reading ends, whatever becomes of it, shipments stand beside quantities of an earlier one.
      if (counts.added + counts.changed > 0) store::set_stream_state(run.tx(), run.user(), kName, "failed", false, std::nullopt, std::nullopt);
      store::Twins twins;
      for (const store::Fault& fault : page.unreadable) {
        ++counts.fetched;
        if (store::quarantine(run, kName, std::nullopt, std::nullopt, fault, twins.next(fault))) ++counts.rejected;
      }
      store::add_counts(run, kName, counts);
      if (passing) store::pass_progress(run, *passing);
    };
    auto written = co_await write_for(run_, std::move(keep));
    co_return written;
  }

  RunContext& run_;
  spapi::Caller caller_;
  Instant from_{}, until_{};
  std::int64_t reach_ = 0;   // how far back the history goes, by what does not change by the day
  std::int64_t done_ = 0;    // lists
  bool readable_ = true;     // all that was shown
};

}  // namespace

Async<StreamResult> read_inbound(RunContext& run) {
  const auto reader = std::make_unique<InboundReader>(run);
  auto error = co_await reader->read();
  co_return co_await conclude(run, kName, reader->calls(), std::move(error), reader->read_some());
}

}  // namespace amzsync::sync
