// SPDX-License-Identifier: Apache-2.0
#include "sync/erasures.hpp"

#include "base/duty.hpp"
#include "base/json_writer.hpp"
#include "base/memory.hpp"
#include "store/connections.hpp"
#include "store/users.hpp"
#include "sync/endings.hpp"

namespace amzsync::sync {
namespace {

constexpr Duration kAnswerWithin = std::chrono::seconds(30);
constexpr Duration kSyncEndsWithin = std::chrono::seconds(10);   // after that its worker is taken for lost; without its row it can write nothing
constexpr Duration kPoll = std::chrono::milliseconds(20);
constexpr Duration kReadersLast = std::chrono::seconds(1);       // between tries to cut the log off
constexpr Duration kAgain = std::chrono::seconds(5);             // between tries to have the host's token store remove a token, and the database rows
constexpr Duration kLookEvery = std::chrono::hours(1);

std::string receipt(const UserId& user, bool known, const store::ErasedRows& rows, bool tokens_gone, bool rows_gone, bool files_clean) {
  JsonWriter json;
  json.begin_object().field("userId", user.text()).field("known", known).field("state", rows_gone && files_clean ? "erased" : "pending");
  json.key("pending").begin_array();
  if (!tokens_gone) json.value("the host's token store has not removed the refresh token yet; it is asked again");
  if (!rows_gone) json.value("rows are still being deleted; nobody finds them any more");
  if (!files_clean) json.value("the database's log still holds what was deleted, for somebody reads what was there before; it is cut off when they are done");
  json.end_array();
  std::int64_t total = 0;
  json.key("rows").begin_object();
  for (const auto& [table, count] : rows) {
    json.field(table, count);
    total += count;
  }
  json.end_object().field("total", total);
  json.key("outOfReach").begin_array();
  json.value("back-ups and copies of the database").value("blocks that the disk or the file system has put aside").value("logs of the host").value("events and rows that were handed out");
  json.value("the authorisation at Amazon, until the seller revokes it in Seller Central");
  json.end_array().end_object();
  return std::move(json).text();
}

}  // namespace

void Erasures::start() {
  insist([this] { services_.tasks.spawn(repeat(services_.clock, kLookEvery, life_, services_.log, [this] { return finish_what_was_begun(); })); });
}

Async<Result<std::string>> Erasures::erase(UserId user, std::string by) {
  auto disconnect = [this, user, by](store::Tx& tx) -> Result<std::optional<UserNo>> {
    const auto number = store::find_user(tx, user);
    if (!number) return std::optional<UserNo>();
    sync::disconnect(services_, tx, *number, by);
    return number;
  };
  AMZ_CO_TRY(number, co_await services_.store.write(store::Urgency::trigger, std::move(disconnect)));
  if (!number) {
    // The name is taken off at once: what is still being deleted may be this user's.
    auto look = [](store::Tx& tx) -> Result<bool> { return store::erasures_under_way(tx).empty(); };
    AMZ_CO_TRY(nothing_left, co_await services_.store.read(std::move(look)));
    co_return receipt(user, false, {}, true, nothing_left, true);
  }
  AMZ_CO_CHECK(co_await end_syncs(*number));
  const std::string mask = "erased:" + hex(services_.entropy.bytes(16));
  auto begin = [user, mask](store::Tx& tx) -> Result<std::optional<UserNo>> { return store::begin_erasure(tx, user, mask); };
  AMZ_CO_TRY(begun, co_await services_.store.write(store::Urgency::trigger, std::move(begin)));   // by another one, if not by this
  const auto job = std::make_shared<Job>();
  job->user = *number;
  services_.tasks.spawn(perform(job));
  const Steady until = services_.clock.steady() + kAnswerWithin;
  while (!job->over() && services_.clock.steady() < until && !life_.cancelled()) co_await services_.clock.sleep_for(kPoll, life_);
  co_return receipt(user, true, job->rows, job->tokens_gone, job->rows_gone, job->files_clean);
}

/// The sync under way ends first, as cancelled, and says so to whoever follows it.
Async<Status> Erasures::end_syncs(UserNo user) {
  manager_.wake();
  const Steady until = services_.clock.steady() + kSyncEndsWithin;
  for (;;) {
    auto look = [user](store::Tx& tx) -> Result<bool> { return store::active_run(tx, user).has_value(); };
    AMZ_CO_TRY(active, co_await services_.store.read(std::move(look)));
    if (!active || services_.clock.steady() >= until || life_.cancelled()) co_return Done{};
    co_await services_.clock.sleep_for(kPoll, life_);
  }
}

/// What the host has goes before the row that says so.
Async<void> Erasures::end_tokens(std::shared_ptr<Job> job) {
  while (!life_.cancelled()) {
    const auto gone = co_await services_.refresh_tokens.is_rid_of(job->user);
    job->tokens_gone = gone && *gone;
    if (job->tokens_gone) break;
    co_await services_.clock.sleep_for(kAgain, life_);
  }
}

Async<void> Erasures::perform(std::shared_ptr<Job> job) {
  co_await end_tokens(job);
  while (!job->rows_gone && !life_.cancelled()) {
    auto some = [job](store::Tx& tx) -> Result<std::pair<bool, store::ErasedRows>> {
      store::ErasedRows rows;
      const bool more = store::erase_some(tx, job->user, rows);
      return std::pair(more, std::move(rows));
    };
    auto erased = co_await services_.store.write(store::Urgency::normal, std::move(some));
    if (!erased) {
      services_.log.warn("Erasing a user failed, and is tried again", {{"error", erased.error().message}});
      co_await services_.clock.sleep_for(kAgain, life_);
      continue;
    }
    for (const auto& [table, count] : erased->second) job->rows[table] += count;
    job->rows_gone = !erased->first;
  }
  while (job->rows_gone && !job->files_clean && !life_.cancelled()) {
    auto clean = co_await services_.store.scrub();
    if (!clean) services_.log.warn("What was deleted could not be cut off the database's log yet", {{"error", clean.error().message}});
    if (!clean || !*clean) {
      co_await services_.clock.sleep_for(kReadersLast, life_);
      continue;
    }
    auto end = [job](store::Tx& tx) -> Result<store::ErasedRows> {
      store::ErasedRows rows;
      store::end_erasure(tx, job->user, rows);
      return rows;
    };
    auto ended = co_await services_.store.write(store::Urgency::normal, std::move(end));
    if (!ended) {
      services_.log.warn("Erasing a user failed, and is tried again", {{"error", ended.error().message}});
      co_await services_.clock.sleep_for(kAgain, life_);
      continue;
    }
    for (const auto& [table, count] : *ended) job->rows[table] += count;
    job->files_clean = true;
  }
  if (job->files_clean) services_.log.info("A user was erased");   // who it was is nobody's business any more
}

Async<void> Erasures::finish_what_was_begun() {
  auto look = [](store::Tx& tx) -> Result<std::vector<UserNo>> { return store::erasures_under_way(tx); };
  const auto users = co_await services_.store.read(std::move(look));
  if (!users) co_return;
  for (const UserNo user : *users) {
    const auto job = std::make_shared<Job>();
    job->user = user;
    co_await perform(job);
  }
}

}  // namespace amzsync::sync
