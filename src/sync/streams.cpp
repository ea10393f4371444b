// SPDX-License-Identifier: Apache-2.0
#include "sync/streams.hpp"

#include <array>
#include <vector>

#include "spapi/reports/datasets.hpp"
#include "store/money_rows.hpp"
#include "store/silence.hpp"
#include "sync/inbound_stream.hpp"
#include "sync/inventory_stream.hpp"
#include "sync/money_stream.hpp"
#include "sync/participations_stream.hpp"
#include "sync/report_stream.hpp"

namespace amzsync::sync {
namespace {

constexpr std::string_view kFinance = "Finance and Accounting";

constexpr Stream kParticipations{"participations", std::nullopt, &read_participations};
constexpr Stream kTransactions{"transactions", store::MoneyStream::transactions, &read_transactions, nullptr, false, kFinance};
constexpr Stream kFinancialEvents{"financial_events", store::MoneyStream::financial_events, &read_financial_events, nullptr, false, kFinance};
constexpr Stream kInventory{"inventory", std::nullopt, &read_inventory};
constexpr Stream kInbound{"inbound", std::nullopt, &read_inbound};

const Stream kReimbursements{"reimbursements", std::nullopt, nullptr, &spapi::kReimbursements};
const Stream kLedger{"ledger", std::nullopt, nullptr, &spapi::kLedger};
const Stream kLedgerSummary{"ledger_summary", std::nullopt, nullptr, &spapi::kLedgerSummary};
const Stream kReturns{"returns", std::nullopt, nullptr, &spapi::kReturns};
const Stream kFeePreview{"fee_preview", std::nullopt, nullptr, &spapi::kFeePreview};
const Stream kStorageFees{"storage_fees", std::nullopt, nullptr, &spapi::kStorageFees};
const Stream kRemovals{"removals", std::nullopt, nullptr, &spapi::kRemovals};
const Stream kManagedInventory{"managed_inventory", std::nullopt, nullptr, &spapi::kManagedInventory, true};
const Stream kSettlements{"settlements", std::nullopt, nullptr, &spapi::kSettlements, false, kFinance};

// Reimbursements and the ledger before the rest, since the plan of reports gives one a minute.
constexpr std::array kDataStreams{&kTransactions, &kFinancialEvents, &kInventory, &kInbound, &kReimbursements, &kLedger, &kReturns, &kRemovals, &kLedgerSummary, &kStorageFees, &kFeePreview, &kManagedInventory, &kSettlements};

constexpr Duration kProbeRefusedAfter = std::chrono::hours(24);

}  // namespace

const Stream& participations_stream() { return kParticipations; }

std::span<const Stream* const> data_streams() { return kDataStreams; }

std::span<const std::string_view> stream_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all{kParticipations.name};
    for (const Stream* stream : kDataStreams) all.push_back(stream->name);
    return all;
  }();
  return names;
}

Async<Result<std::optional<store::StreamState>>> begin_stream(RunContext& run, std::string_view stream) {
  using State = std::optional<store::StreamState>;
  auto work = [name = std::string(stream)](const store::RunTx& entered) -> Result<State> {
    store::begin_stream(entered, name);
    return store::stream_state(entered.tx(), entered.user(), name);
  };
  auto state = co_await write_for(run, std::move(work));
  co_return state;
}

spapi::Caller make_caller(RunContext& run, std::string_view stream) {
  spapi::Caller caller;
  caller.user = run.fence.user;
  caller.account = run.account;
  caller.cancel = run.cancel;
  caller.budget = &run.budget;
  caller.meter = &run.meter;
  caller.on_wait = [&run, name = std::string(stream)](std::optional<Instant> until) {
    run.progress.set_waiting(name, until);
    run.side.spawn([&run] { return run.progress.tell(); });
  };
  return caller;
}

bool stops_run(const Error& error) noexcept {
  switch (error.code) {
    case Code::cancelled:
    case Code::fenced:
    case Code::closed:
    case Code::not_connected:
    case Code::needs_reauth:
    case Code::app_credentials_invalid:
    case Code::key_unknown:
    case Code::store_unavailable:
    case Code::store_busy:
    case Code::store_full:
    case Code::store_read_only:
    case Code::store_corrupt:
    case Code::store_newer:
    case Code::no_memory:
    case Code::internal: return true;
    default: return false;
  }
}

bool ends_stream(const Error& error) noexcept {
  switch (error.code) {
    case Code::unauthorised:
    case Code::wrong_region:
    case Code::throttled:
    case Code::network_error:
    case Code::amazon_unavailable: return true;   // no access token, which is the same for all
    default: return stops_run(error);
  }
}

void keep_gravest(std::optional<Error>& kept, const Error& error) {
  if (!kept || (stops_run(error) && !stops_run(*kept)) || (kept->code == Code::unauthorised && error.code != Code::unauthorised)) kept = error;
}

Async<StreamResult> conclude(RunContext& run, std::string_view stream, std::int64_t calls, std::optional<Error> error, bool read_some) {
  StreamResult result{StreamOutcome::complete, error, calls};
  if (error) {
    result.outcome = stops_run(*error) ? StreamOutcome::stopped : error->code == Code::unauthorised && !read_some ? StreamOutcome::unauthorised : StreamOutcome::incomplete;
    if (error->code == Code::cancelled || error->code == Code::fenced) co_return result;  // the run's end tells it
  }
  auto write = [name = std::string(stream), result](const store::RunTx& entered) {
    std::string_view status = "complete", coverage = "complete";
    std::optional<Instant> probe;
    if (result.outcome == StreamOutcome::unauthorised) {
      status = coverage = "unauthorised";
      probe = entered.tx().now() + kProbeRefusedAfter;
    } else if (result.outcome != StreamOutcome::complete) {
      status = "incomplete";
      coverage = result.error->code == Code::throttled ? "throttled" : "failed";
    }
    store::end_stream(entered, name, status, coverage, result.calls, result.error);
    store::set_stream_state(entered.tx(), entered.user(), name, coverage, result.outcome == StreamOutcome::complete, probe, result.error);
    if (result.outcome == StreamOutcome::complete) store::watch_silence(entered, name);
  };
  auto written = co_await write_for(run, std::move(write));
  if (!written) {
    result.outcome = StreamOutcome::stopped;
    result.error = written.error();
  }
  co_return result;
}

}  // namespace amzsync::sync
