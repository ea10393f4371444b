// SPDX-License-Identifier: Apache-2.0
#include "sync/run.hpp"

#include <algorithm>
#include <atomic>

#include "base/memory.hpp"
#include "detect/inquiry.hpp"
#include "detect/records.hpp"
#include "spapi/report_dataset.hpp"
#include "store/connections.hpp"
#include "store/inventory_rows.hpp"
#include "store/recoveries.hpp"
#include "sync/inventory_stream.hpp"
#include "sync/replay.hpp"
#include "sync/report_stream.hpp"
#include "sync/schedule.hpp"
#include "sync/streams.hpp"

namespace amzsync::sync {
namespace {

constexpr int kRetriesPerRun = 24;
constexpr Duration kFresh = std::chrono::hours(1);   // what a run read before a pause or a turn of others; later it is read again

struct StreamEnd {
  const Stream* stream;
  StreamResult result;
  bool before = false;   ///< read in an earlier turn of this run, or from the archive

  /// Complete is also what was not due. It takes something that was read to make a run that failed otherwise a partial one.
  bool has_read() const noexcept { return result.outcome == StreamOutcome::complete && (before || result.calls > 0); }
};

class Run {
 public:
  Run(Services& services, store::ClaimedRun claimed, CancelToken cancel, CancelToken turn, std::shared_ptr<spapi::Meter> meter)
      : services_(services),
        claimed_(std::move(claimed)),
        cancel_(std::move(cancel)),
        meter_(std::move(meter)),
        budget_(kRetriesPerRun),
        progress_(services, claimed_.fence, *meter_),
        side_(services.tasks.loop(), services.log),
        context_{services, claimed_.fence, claimed_.connection, {}, cancel_, std::move(turn), budget_, progress_, *meter_, side_, {}} {}

  Async<TurnEnd> perform() {
    Status status(Code::no_memory);
    try {
      status = co_await read_everything();
    } catch (...) {
      status = error_of(std::current_exception());
    }
    if (!status && status.code() == Code::cancelled && cancel_.reason() == CancelReason::no_room) status = nearly_full();
    progress_.end();
    auto told = co_await side_.all_ended();
    (void)told;   // of progress
    if (cancel_.cancelled() && cancel_.reason() != CancelReason::by_user && cancel_.reason() != CancelReason::no_room) co_return TurnEnd{};   // it goes on, or was ended, elsewhere
    if (!status && status.code() == Code::fenced) co_return TurnEnd{};
    if (!status && status.code() == Code::cancelled && !cancel_.cancelled()) co_return TurnEnd{};   // it let go between two pieces of work
    co_return co_await finish(status);
  }

 private:
  Async<Status> read_everything() {
    if (claimed_.cancel_requested) co_return Code::cancelled;
    if (!services_.store.has_room()) co_return nearly_full();
    if (claimed_.replay) co_return co_await replay_archive();
    AMZ_CO_CHECK(co_await load_account());

    auto validated = co_await read_participations_first();
    if (!validated) {
      // What an earlier turn of this run stored makes it a partial one, which is counted and judged like every other.
      AMZ_CO_TRY(nothing, co_await nothing_is_stored());
      if (stops_run(validated.error()) || nothing) co_return validated;
      AMZ_CO_CHECK(co_await count_and_finalize());
      co_return validated;
    }
    AMZ_CO_CHECK(co_await read_data_streams());
    if (cancel_.cancelled()) co_return Code::cancelled;
    AMZ_CO_TRY(nothing, co_await nothing_was_read());
    if (nothing) co_return Done{};   // a failed run keeps its last true number

    co_return co_await count_and_finalize();
  }

  Async<Status> count_and_finalize() {
    AMZ_CO_CHECK(co_await progress_.reach(kProcessing, "counting what is there"));
    AMZ_CO_CHECK(co_await count_totals());
    if (cancel_.cancelled()) co_return Code::cancelled;
    AMZ_CO_CHECK(co_await progress_.reach(kFinalizing, ""));
    co_return co_await find_claims();
  }

  /// What Amazon owes, from all that is stored: rows read earlier are as good as new ones, and what is not covered blocks its rules.
  Async<Status> find_claims() {
    constexpr std::int64_t kMuch = 100'000;
    const auto fetched = std::make_shared<std::int64_t>(0);
    auto begin = [fetched](const store::RunTx& run) {
      store::begin_detecting(run);
      *fetched = store::counts_of(run.tx(), run.run()).fetched;
    };
    AMZ_CO_CHECK(co_await write_for(context_, std::move(begin)));
    // What reading that much left is of no use to the threads of the detection.
    if (*fetched > kMuch) give_memory_back();
    // Cancelling is heard in the middle of a step too, on whatever thread it runs.
    const auto stop = std::make_shared<std::atomic<bool>>(cancel_.cancelled());
    const auto heard = cancel_.on_cancel([stop] { stop->store(true); });
    const auto inquiry = std::make_shared<detect::Inquiry>(
        claimed_.fence.user, detect::Inquiry::Settings{.region = services_.settings.region, .money = services_.settings.finances, .policy = &policy_of(services_.settings), .stopped = [stop] { return stop->load(); }, .only_if_changed = true});
    // Where there are many they are kept as they are found.
    constexpr std::size_t kFindingsAtOnce = 1'000;
    const auto found = std::make_shared<std::vector<detect::Finding>>();
    std::optional<detect::Record> record;
    for (bool more = true; more;) {
      auto step = [inquiry](store::Tx& tx) -> Result<bool> { return inquiry->step(tx); };
      auto stepped = co_await services_.store.read(std::move(step));
      if (!stepped) co_return stepped.error();
      if (cancel_.cancelled()) co_return Code::cancelled;
      more = *stepped;
      if (inquiry->has_tables() && !record) record.emplace(inquiry->tables(), policy_of(services_.settings));
      for (detect::Finding& f : inquiry->take()) found->push_back(std::move(f));
      if (!more || found->size() < kFindingsAtOnce) continue;
      const auto part = std::make_shared<detect::Record::Part>();
      auto keep = [found, part, &record](const store::RunTx& run) { *part = record->keep(run, *found); };
      AMZ_CO_CHECK(co_await write_for(context_, std::move(keep)));
      record->kept(*part);
      found->clear();
    }
    detect::Saved saved;
    auto save = [inquiry, found, &record, &saved](const store::RunTx& run) {
      saved = inquiry->unchanged() ? detect::save_unchanged(run) : record->end(run, *found, inquiry->rules(), inquiry->basis());
    };
    AMZ_CO_CHECK(co_await write_for(context_, std::move(save)));
    totals_.claims = saved.claim_ready;
    services_.tally.add([&saved](Tally::Sums& sums) {
      sums.findings.opened += saved.opened;
      sums.findings.changed += saved.changed;
      sums.findings.closed += saved.closed;
    });
    co_return Done{};
  }

  Async<Status> replay_archive() {
    AMZ_CO_CHECK(co_await progress_.reach(kFetchingInventory, "reading the archive"));
    for (const Stream* stream : data_streams()) {
      if (!store::holds_usual(claimed_.asked) && !named(*stream)) continue;
      auto result = co_await replay_stream(context_, *stream);
      if (!result) continue;
      if (result->outcome == StreamOutcome::stopped) co_return *result->error;
      results_.push_back({stream, std::move(*result), true});
    }
    co_return co_await count_and_finalize();
  }

  Async<Status> load_account() {
    auto load = [this, user = claimed_.fence.user](store::Tx& tx) -> Result<std::string> {
      done_before_ = store::complete_streams(tx, claimed_.fence.run, tx.now() - kFresh);
      begun_ = store::begun_streams(tx, claimed_.fence.run);
      const auto connection = store::find_connection(tx, user);
      if (!connection) return Code::not_connected;
      return connection->seller.empty() ? "connection-" + std::to_string(connection->number.value) : connection->seller.text();
    };
    auto account = co_await services_.store.read(std::move(load));
    if (!account) co_return account.error();
    context_.account = std::move(*account);
    co_return Done{};
  }

  /// The marketplaces prove that Amazon accepts the connection. Without them nothing else is worth asking, except where only
  /// the role for this one call is missing, or some of them can't be read.
  Async<Status> read_participations_first() {
    const Stream& stream = participations_stream();
    StreamResult result = co_await stream.read(context_);
    std::optional<Error> error = result.error;
    const StreamOutcome outcome = result.outcome;
    results_.push_back({&stream, std::move(result)});
    if (outcome == StreamOutcome::complete || outcome == StreamOutcome::unauthorised || error->code == Code::rows_quarantined) co_return Done{};
    co_return *error;
  }

  /// All streams at once: each has usage plans of its own, so waiting for one must not hold up another. But for reports that were only listed:
  /// they would take documents of the plan of one a minute from what can still be claimed.
  Async<Status> read_data_streams() {
    // The milestone stands before the first inventory call, and is passed too where there is none to come.
    AMZ_CO_CHECK(co_await progress_.reach(kFetchingInventory, ""));

    for (const bool listed : {false, true}) {
      Group group(services_.tasks.loop(), services_.log);
      for (const Stream* stream : data_streams())
        if (asked_for(*stream) && listed == (stream->report && stream->report->listed)) group.spawn([this, stream] { return read_one(stream); });
      AMZ_CO_CHECK(co_await group.all_ended());
      if (!listed) co_await compare_inventory();
      for (const StreamEnd& of : results_)
        if (of.result.outcome == StreamOutcome::stopped) co_return *of.result.error;
    }
    co_return Done{};
  }

  /// Two sources tell of the stock, and the list is known to leave SKUs out: those that only the other one names are asked for one by one.
  Async<void> compare_inventory() {
    const auto inventory = std::find_if(results_.begin(), results_.end(), [&](const StreamEnd& end) { return end.stream->name == "inventory"; });
    if (inventory == results_.end() || context_.marketplaces.empty()) co_return;
    const StreamOutcome outcome = inventory->result.outcome;
    if (outcome == StreamOutcome::stopped || outcome == StreamOutcome::unauthorised) co_return;
    auto again = co_await fill_inventory_gaps(context_, inventory->result);
    inventory->result = std::move(again);
  }

  Async<void> read_one(const Stream* stream) {
    StreamResult result;
    const bool before = std::find(done_before_.begin(), done_before_.end(), stream->name) != done_before_.end();
    if (!before && stream->report) {
      // Jobs are durable, so it may let go anywhere.
      RunContext anywhere = context_;
      anywhere.cancel = context_.turn;
      result = co_await read_report(anywhere, *stream->report);
    } else if (!before) {
      result = co_await stream->read(context_);
    }
    results_.push_back({stream, std::move(result), before});
  }

  /// By the trigger, or else by the settings.
  bool named(const Stream& stream) const {
    const bool by_settings = !services_.settings.named_streams.empty() && is_usual(services_.settings, stream.name);
    return store::holds_stream(claimed_.asked, stream.name) || (store::holds_usual(claimed_.asked) && by_settings);
  }

  bool asked_for(const Stream& stream) const {
    // Whoever was told of a run is owed what it began to read, though this process may be set up for less.
    if (std::find(begun_.begin(), begun_.end(), stream.name) != begun_.end()) return true;
    return reads_stream(services_.settings, claimed_.asked, stream.name);
  }

  /// Whether every stream failed, and none stored anything before it did.
  Async<Result<bool>> nothing_was_read() {
    if (judge().status != store::RunStatus::failed) co_return false;
    co_return co_await nothing_is_stored();
  }

  Async<Result<bool>> nothing_is_stored() {
    auto look = [run = claimed_.fence.run](store::Tx& tx) -> Result<bool> { return store::counts_of(tx, run).fetched == 0; };
    auto nothing = co_await services_.store.read(std::move(look));
    co_return nothing;
  }

  /// Outside the run's last transaction, because counting takes time and that one holds the writer.
  Async<Status> count_totals() {
    const UserNo user = claimed_.fence.user;
    const auto orders = std::make_shared<store::OrderCount>(user, services_.settings.finances);
    for (bool more = true; more;) {
      if (cancel_.cancelled()) co_return Code::cancelled;
      auto step = [orders](store::Tx& tx) -> Result<bool> { return orders->step(tx); };
      AMZ_CO_TRY(read, co_await services_.store.read(std::move(step)));
      more = read;
    }
    auto count = [user, orders, stream = services_.settings.finances](store::Tx& tx) -> Result<store::RunTotals> {
      store::RunTotals totals;
      totals.orders = orders->count();
      totals.fees = store::fee_count(tx, user, stream);
      totals.inventory = store::inventory_count(tx, user);
      return totals;
    };
    AMZ_CO_TRY(totals, co_await services_.store.read(std::move(count)));
    totals_ = totals;
    co_return Done{};
  }

  /// What the streams' results make of the run. A failure of one never ends as "there is nothing".
  store::RunEnd judge() const {
    store::RunEnd end;
    int incomplete = 0, read = 0;
    for (const StreamEnd& of : results_) {
      if (of.stream == &participations_stream() && of.result.outcome != StreamOutcome::incomplete) continue;
      const bool refused = of.result.outcome == StreamOutcome::unauthorised;
      // An optional stream whose role the app lacks is told by its coverage.
      if (refused && !of.stream->money && !named(*of.stream)) continue;
      // Nor does one that only checks another take anything away from it.
      if (of.stream->aid && of.result.outcome == StreamOutcome::incomplete && !named(*of.stream)) continue;
      read += of.has_read() ? 1 : 0;
      if (of.result.outcome == StreamOutcome::complete) continue;
      ++incomplete;
      if (!end.error || of.stream->money) end.error = of.result.error;
    }
    if (incomplete > 0) end.status = read > 0 ? store::RunStatus::partial : store::RunStatus::failed;
    return end;
  }

  /// Rows that could not be read of streams that only check others.
  std::int64_t aids_rejected(const store::RunTx& run) const {
    std::int64_t rejected = 0;
    for (const StreamEnd& of : results_)
      if (of.stream->aid && !named(*of.stream)) rejected += store::counts_of(run.tx(), run.run(), of.stream->name).rejected;
    return rejected;
  }

  /// Whether what tells of recoveries was read whole: all the money that was asked for, or the report of them where none was.
  bool recoveries_were_read() const {
    const bool has_money = std::any_of(results_.begin(), results_.end(), [](const StreamEnd& r) { return r.stream->money.has_value(); });
    const auto tells = [&](const StreamEnd& r) { return has_money ? r.stream->money.has_value() : r.stream->name == "reimbursements"; };
    const auto complete = [](const StreamEnd& r) { return r.result.outcome == StreamOutcome::complete; };
    return std::any_of(results_.begin(), results_.end(), tells) && std::all_of(results_.begin(), results_.end(), [&](const StreamEnd& r) { return !tells(r) || complete(r); });
  }

  store::RunEnd end_by(const Status& status) const {
    store::RunEnd end = judge();
    if (!status) {
      end.status = status.code() == Code::cancelled ? store::RunStatus::cancelled : store::RunStatus::failed;
      end.error = status.code() == Code::cancelled ? std::nullopt : std::optional(status.error());
    }
    end.totals = totals_;
    end.calls = meter_->total();
    end.turn_calls = meter_->calls();
    end.replay = claimed_.replay;
    return end;
  }

  Async<TurnEnd> finish(Status status) {
    const SyncId follow_up("sync_" + services_.entropy.uuid7(services_.clock.now()));
    std::map<std::string, store::Counts> read;
    auto write = [this, &services = services_, &read, fence = claimed_.fence, follow_up, status](store::Tx& tx) -> Result<store::Ended> {
      AMZ_TRY(run, store::RunTx::enter(tx, fence));
      claimed_.asked = store::asked_of(tx, fence.run);   // somebody may have asked for streams by name meanwhile
      store::RunEnd end = end_by(status);
      end.follow_up_id = follow_up;
      read = store::counts_by_stream(tx, fence.run);
      const store::Counts counts = store::counts_of(tx, fence.run);
      // Pages that were stored before a stream gave up stay: the run was not in vain.
      if (end.status == store::RunStatus::failed && end.error && !stops_run(*end.error) && counts.fetched > 0) end.status = store::RunStatus::partial;
      if (end.status == store::RunStatus::completed && counts.rejected > aids_rejected(run)) {
        end.status = store::RunStatus::partial;
        end.error = Error(Code::rows_quarantined);
      }
      // A new secret that came meanwhile reaches this run no more.
      if (end.error && end.error->code == Code::app_credentials_invalid && services.lwa.secret_fingerprint() != secret_)
        (void)store::trigger(tx, {fence.user, store::Cause::schedule, SyncId("sync_" + services.entropy.uuid7(tx.now())), {}, true, std::string(services.settings.region_name())});
      plan_next(services, run, end);
      end.recoveries_empty = recoveries_were_read() && store::recoveries(tx, fence.user, false).totals.empty();
      return store::finish(run, end);
    };
    auto ended = co_await services_.store.write(store::Urgency::normal, std::move(write));
    if (!ended) {
      // The lease will run out and another attempt will end it.
      services_.log.error("The end of a sync could not be stored", {{"syncId", claimed_.id.text()}, {"error", ended.error().message}});
      co_return TurnEnd{};
    }
    count(ended->status, read);
    services_.log.info("Sync ended", {{"userId", claimed_.user_id.text()}, {"syncId", claimed_.id.text()}, {"status", store::status_name(ended->status)}});
    co_return TurnEnd{true, ended->follow_up};
  }

  void count(store::RunStatus status, const std::map<std::string, store::Counts>& read) const {
    services_.tally.add([&](Tally::Sums& sums) {
      ++sums.runs_ended[std::string(store::status_name(status))];
      for (const auto& [stream, counts] : read) {
        Tally::Rows& rows = sums.rows[stream];
        rows.fetched += counts.fetched;
        rows.added += counts.added;
        rows.changed += counts.changed;
        rows.removed += counts.removed;
        rows.rejected += counts.rejected;
      }
    });
  }

  Services& services_;
  store::ClaimedRun claimed_;
  const Hash128 secret_ = services_.lwa.secret_fingerprint();   // the application's, when the run was taken up
  CancelToken cancel_;
  std::shared_ptr<spapi::Meter> meter_;
  net::RetryBudget budget_;
  Progress progress_;
  Group side_;
  RunContext context_;
  std::vector<StreamEnd> results_;
  std::vector<std::string> begun_, done_before_;   // streams
  store::RunTotals totals_;
};

}  // namespace

Async<TurnEnd> perform(Services& services, store::ClaimedRun claimed, CancelToken cancel, CancelToken turn, std::shared_ptr<spapi::Meter> meter) {
  const auto run = std::make_unique<Run>(services, std::move(claimed), std::move(cancel), std::move(turn), std::move(meter));
  co_return co_await run->perform();
}

}  // namespace amzsync::sync
