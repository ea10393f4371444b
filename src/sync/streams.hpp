// SPDX-License-Identifier: Apache-2.0
// The list of datasets. Adding one is a file in src/spapi (how to ask, how to decode), a table, and an entry here.
#pragma once

#include <span>

#include "net/retry.hpp"
#include "sync/progress.hpp"
#include "sync/run_write.hpp"

namespace amzsync::spapi {
struct ReportDataset;
}

namespace amzsync::sync {

enum class StreamOutcome : std::uint8_t {
  complete,      ///< everything asked for was read
  incomplete,    ///< some was not; the error says why
  unauthorised,  ///< the application lacks the role
  stopped        ///< the whole run must stop: cancelled, fenced, connection lost, store in trouble
};

struct StreamResult {
  StreamOutcome outcome = StreamOutcome::complete;
  std::optional<Error> error;
  std::int64_t calls = 0;
};

/// One run, as its streams see it.
struct RunContext {
  Services& services;
  store::Fence fence;
  ConnectionNo connection;
  std::string account;                       ///< owner of the token buckets
  CancelToken cancel;
  CancelToken turn;                          ///< also: others wait, so let go between two pieces of work of which none is done twice
  net::RetryBudget& budget;
  Progress& progress;
  spapi::Meter& meter;
  Group& side;                               ///< small writes that nobody waits for until the run ends
  std::vector<MarketplaceId> marketplaces;   ///< to be read; known once participations are
};

struct Stream {
  std::string_view name;
  /// Set for a source of money. By default only the one that the settings chose is read; it is also the one stream without which
  /// a run can't be complete, while another one that the application may not read makes it partial only when it was named.
  std::optional<store::MoneyStream> money;
  Async<StreamResult> (*read)(RunContext& run);
  const spapi::ReportDataset* report = nullptr;   ///< read by read_report; `read` is then empty
  /// It is there to check another stream. Where Amazon will not make it, its own coverage says so and the run is none the less complete,
  /// unless it was named.
  bool aid = false;
  /// What the application must be allowed at Amazon (facts: SP-API "Roles").
  std::string_view role = "Amazon Fulfillment";
};

/// Participations come first and alone; the data streams then side by side.
const Stream& participations_stream();
std::span<const Stream* const> data_streams();
/// Every name that a setting may hold.
std::span<const std::string_view> stream_names();

// ---- shared by the streams ----

/// Begins a stream in the run's row; what was known of it before, if anything.
Async<Result<std::optional<store::StreamState>>> begin_stream(RunContext& run, std::string_view stream);

/// write_fenced, which notes the run's calls along with it.
template <class Change>
Async<Written<Change>> write_for(RunContext& run, Change change) {
  auto noting = [calls = run.meter.total(), change = std::move(change)](const store::RunTx& entered) mutable {
    store::note_calls(entered, calls);
    return change(entered);
  };
  auto written = co_await write_fenced(run.services, run.fence, std::move(noting));
  if (written) run.meter.work();
  co_return written;
}

/// A caller for Amazon whose waits show in the run's progress.
spapi::Caller make_caller(RunContext& run, std::string_view stream);

/// Whether an error ends the run and not only the stream.
bool stops_run(const Error& error) noexcept;
/// Whether it ends the stream: what it asks for next would meet the same.
bool ends_stream(const Error& error) noexcept;

/// Of several errors of a stream's parts the one that says most of it: what ends the run, then what is more than a missing role, then the first.
void keep_gravest(std::optional<Error>& kept, const Error& error);

/// Turns what ended a stream into its result, and writes it to the run and to the stream's state. `read_some`: a part of it was read, so that a refusal of another is no
/// missing role, which would be none of all parts. Errors of writing make the result `stopped`.
Async<StreamResult> conclude(RunContext& run, std::string_view stream, std::int64_t calls, std::optional<Error> error, bool read_some = false);

}  // namespace amzsync::sync
