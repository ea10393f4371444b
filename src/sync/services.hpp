// SPDX-License-Identifier: Apache-2.0
// What the sync works with; handed in once by the engine. Everything here outlives every run.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>

#include "auth/tokens.hpp"
#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "detect/policy.hpp"
#include "spapi/client.hpp"
#include "spapi/regions.hpp"
#include "store/money_rows.hpp"
#include "store/store.hpp"
#include "store/stream_list.hpp"

namespace amzsync::sync {
using namespace base;

struct SyncSettings {
  spapi::Region region = spapi::Region::na;
  store::MoneyStream finances = store::MoneyStream::transactions;
  std::vector<std::string> named_streams;       ///< empty: the default ones
  int history_days = 540;
  Duration sync_every = std::chrono::hours(6);  ///< zero: no scheduled syncs
  int max_active_runs = 10'000;
  bool allow_shared_seller = false;
  Duration keep_journal = std::chrono::hours(24 * 7);
  Duration keep_archive = std::chrono::hours(24 * 90);   ///< zero: a document goes once it was read
  std::shared_ptr<const detect::Policy> policy; ///< nullptr: the embedded one
  bool archive_pages = false;                   ///< also the pages of what comes by lists: money, stock, shipments

  std::string_view region_name() const noexcept { return spapi::region_name(region); }
};

/// Whether a sync reads a stream that was asked for none by name: those of the settings, or all, with one of the two that tell of the money.
inline bool is_usual(const SyncSettings& settings, std::string_view stream) {
  const auto& named = settings.named_streams;
  if (!named.empty()) return std::find(named.begin(), named.end(), stream) != named.end();
  const store::MoneyStream other = settings.finances == store::MoneyStream::transactions ? store::MoneyStream::financial_events : store::MoneyStream::transactions;
  return stream != store::money_stream_name(other);
}

/// Whether a sync that was asked for this list of streams (store/stream_list.hpp) reads this one.
inline bool reads_stream(const SyncSettings& settings, std::string_view asked, std::string_view stream) {
  return store::holds_stream(asked, stream) || (store::holds_usual(asked) && is_usual(settings, stream));
}

/// What a trigger of this engine wants that asks for a list of streams.
inline store::Wanted wanted(const SyncSettings& settings, std::string streams) {
  store::Wanted wanted{std::move(streams), ""};
  store::each_stream(wanted.streams, [&](std::string_view stream) {
    if (!is_usual(settings, stream)) wanted.unusual.append(wanted.unusual.empty() ? "" : ",").append(stream);
  });
  return wanted;
}

/// Whether such a sync reads what recoveries are told by: the money, or the report of them.
inline bool tells_of_recoveries(const SyncSettings& settings, std::string_view asked) {
  return reads_stream(settings, asked, store::money_stream_name(settings.finances)) || reads_stream(settings, asked, "reimbursements");
}

inline const detect::Policy& policy_of(const SyncSettings& settings) { return settings.policy ? *settings.policy : detect::Policy::embedded(); }

/// Why a run stops before the disk is full, while what must be written still can be.
inline Error nearly_full() { return Error(Code::store_full, "The disk is nearly full: syncing stops before nothing else can be written."); }

/// The first day of a seller's history at a first sync now. A day more than was asked for, since the rows of a store are dated by its own
/// days, which in the west begin up to twelve hours after those of UTC.
inline Day history_begins(const SyncSettings& settings, Instant now) { return day_of(now) - std::chrono::days(settings.history_days + 1); }

/// The same for a seller who connected before: where the history began then, or further back where the setting now says so.
inline Day history_begins(const SyncSettings& settings, Instant now, std::optional<Day> when_connected) {
  const Day asked = history_begins(settings, now);
  return std::min(asked, when_connected.value_or(asked));
}

struct Services {
  Tasks& tasks;
  Executor work;             ///< CPU pool: decoding
  store::Store& store;
  auth::LwaClient& lwa;
  auth::RefreshTokens& refresh_tokens;
  auth::Tokens& tokens;
  spapi::Throttle& throttle;
  spapi::Client& client;
  Clock& clock;
  Entropy& entropy;
  Log log;
  SyncSettings settings;
  EngineNo me;
  Tally& tally;
};

}  // namespace amzsync::sync
