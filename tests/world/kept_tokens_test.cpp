// SPDX-License-Identifier: Apache-2.0
// Refresh tokens in a store of the host's: whatever fails, at whatever moment, the host has just the tokens that connections need, and none of a user who left.
#include <doctest/doctest.h>

#include "auth/token_store.hpp"
#include "world/checks.hpp"

using namespace world;

namespace {

/// The host's vault: tokens by name, and whether it works.
class Vault final : public amzsync::auth::TokenStore {
 public:
  std::map<std::string, std::string> tokens;
  bool down = false;
  Clock* clock = nullptr;
  Duration put_takes{};
  Duration patience{};   // zero: a put is waited for, however long it takes

  Async<Status> put(UserId, std::string name, Secret token) override {
    if (down) co_return Code::store_unavailable;
    if (patience > Duration{} && put_takes > patience) {
      late = clock->call_at(clock->steady() + put_takes, [this, name, token] { tokens[name] = std::string(token.reveal()); });
      co_await clock->sleep_for(patience, CancelToken());
      co_return Code::store_unavailable;
    }
    if (clock) co_await clock->sleep_for(put_takes, CancelToken());
    CHECK(!tokens.contains(name));   // a name is used once
    tokens[name] = std::string(token.reveal());
    co_return Done{};
  }
  Async<Result<Secret>> get(std::string name) override {
    if (down) co_return Code::store_unavailable;
    const auto found = tokens.find(name);
    if (found == tokens.end()) co_return Code::not_found;
    co_return Secret(found->second);
  }
  Async<Status> remove(std::string name) override {
    if (down) co_return Code::store_unavailable;
    tokens.erase(name);
    co_return Done{};
  }

 private:
  std::unique_ptr<Clock::Timer> late;   // what nobody waits for any more
};

WorldSettings with(Vault& vault) {
  WorldSettings settings;
  settings.amazon.events = 60;
  settings.amazon.skus = 5;
  settings.amazon.sellers = 3;
  settings.history_days = settings.amazon.history_days = 30;
  settings.streams = {"transactions"};
  settings.token_store = &vault;
  return settings;
}

constexpr Duration kTokenLife = std::chrono::hours(2);   // longer than an access token's
constexpr Duration kTidiedAfter = std::chrono::minutes(11);

/// The host has what the database says, and each connection a token of its own.
void check_kept(World& world, const Vault& vault, std::int64_t connections) {
  CHECK(vault.tokens.size() == static_cast<std::size_t>(connections));
  CHECK(world.count("SELECT count(*) FROM kept_tokens") == connections);
  CHECK(world.count("SELECT count(*) FROM kept_tokens WHERE state='held'") == connections);
  CHECK(world.count("SELECT count(*) FROM connections WHERE refresh_token IS NOT NULL") == connections);
  for (const auto& row : world.sql("SELECT name FROM kept_tokens")) CHECK(vault.tokens.contains(row[0]));
}

Result<amzsync::store::TriggerOutcome> connect_seller(World& world, Process& process, int user, int seller) {
  return world.wait(process.engine().triggers().connect_with_refresh_token(world.user(user), Secret(world.amazon().refresh_token(seller)), "ASELLER" + std::to_string(seller)));
}

}  // namespace

using Connected = std::optional<Result<amzsync::store::TriggerOutcome>>;

Async<void> connect_into(Process& process, UserId user, Secret token, Connected& outcome) {
  outcome = co_await process.engine().triggers().connect_with_refresh_token(std::move(user), std::move(token), "");
}
/// Erases a user who is being connected.
Async<Result<std::string>> erase_meanwhile(Process& process, UserId user, Secret token, Clock& clock, Connected& outcome) {
  const auto executor = co_await asio::this_coro::executor;
  asio::co_spawn(executor, connect_into(process, user, std::move(token), outcome), [](const std::exception_ptr&) {});
  co_await clock.sleep_for(std::chrono::seconds(1), CancelToken());
  auto receipt = co_await process.engine().erase(user, "the user");
  co_return receipt;
}

TEST_SUITE_BEGIN("world");

TEST_CASE("a refresh token lies with the host from the consent to the disconnection") {
  Vault vault;
  World world(with(vault));
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  CHECK(member(world.sync_seller(process, 2), "status") == "completed");
  check_kept(world, vault, 2);
  world.run_for(kTokenLife);
  CHECK(member(sync_again(world, process, 1), "status") == "completed");   // by the token that the host has
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");   // authorised anew: the old one goes
  world.run_for(kTidiedAfter);
  check_kept(world, vault, 2);
  CHECK(world.wait(process.engine().disconnect(world.user(1), "the user")));
  world.run_for(kTidiedAfter);
  check_kept(world, vault, 1);
}

TEST_CASE("a process that dies at any call while a seller connects leaves no token with the host that nobody needs") {
  std::int64_t calls = 0;
  {
    Vault vault;
    World world(with(vault));
    REQUIRE(world.connect(world.open(), 1));
    calls = world.store_calls();
  }
  REQUIRE(calls > 3);
  for (std::int64_t call = 1; call <= calls; ++call)
    for (const bool after : {false, true}) {
      CAPTURE(call);
      CAPTURE(after);
      Vault vault;
      World world(with(vault));
      Process& first = world.open();
      world.kill_at({World::CallKind::store, call, after});
      (void)world.connect(first, 1);
      Process& second = world.open();
      world.run_for(kTidiedAfter);
      CHECK(member(world.sync_seller(second, 1), "status") == "completed");
      world.run_for(kTidiedAfter);
      check_kept(world, vault, 1);
    }
}

TEST_CASE("a seller who is refused leaves the token of the one who is connected as it was") {
  Vault vault;
  World world(with(vault));
  Process& process = world.open();
  REQUIRE(connect_seller(world, process, 1, 1));
  const auto refused = connect_seller(world, process, 1, 2);
  CHECK(refused.code() == Code::seller_mismatch);
  world.run_for(kTidiedAfter);
  check_kept(world, vault, 1);
  CHECK(vault.tokens.begin()->second == world.amazon().refresh_token(1));
  world.run_for(kTokenLife);
  CHECK(member(sync_again(world, process, 1), "status") == "completed");
}

TEST_CASE("while the host's store does not answer nobody loses a connection") {
  Vault vault;
  World world(with(vault));
  Process& process = world.open();
  REQUIRE(connect_seller(world, process, 1, 1));
  world.run_for(kTokenLife);
  vault.down = true;
  CHECK(connect_seller(world, process, 2, 2).code() == Code::store_unavailable);
  CHECK(member(sync_again(world, process, 1), {"error", "code"}) == "store_unavailable");
  CHECK(world.count("SELECT count(*) FROM connections WHERE state='needs_reauth'") == 0);
  vault.down = false;
  CHECK(member(sync_again(world, process, 1), "status") == "completed");
  world.run_for(kTidiedAfter);
  check_kept(world, vault, 1);
}

TEST_CASE("a token that the host has lost needs the seller, and an engine without the host's store does not take its name for one") {
  Vault vault;
  World world(with(vault));
  Process& process = world.open();
  REQUIRE(connect_seller(world, process, 1, 1));
  world.run_for(kTokenLife);
  world.use_token_store(nullptr);
  Process& without = world.open();
  world.close(process);
  CHECK(member(sync_again(world, without, 1), {"error", "code"}) == "store_unavailable");
  CHECK(world.count("SELECT count(*) FROM connections WHERE state='connected'") == 1);
  world.close(without);

  world.use_token_store(&vault);
  vault.tokens.clear();
  Process& again = world.open();
  CHECK(member(sync_again(world, again, 1), {"error", "code"}) == "needs_reauth");
  CHECK(world.count("SELECT count(*) FROM connections WHERE state='needs_reauth'") == 1);
}

TEST_CASE("a token that lies in the database moves to the host when it is next used") {
  Vault vault;
  World world(with(vault));
  world.use_token_store(nullptr);
  Process& before = world.open();
  REQUIRE(connect_seller(world, before, 1, 1));
  world.close(before);
  world.use_token_store(&vault);
  Process& after = world.open();
  CHECK(vault.tokens.empty());
  world.run_for(kTokenLife);
  CHECK(member(sync_again(world, after, 1), "status") == "completed");
  check_kept(world, vault, 1);
  CHECK(vault.tokens.begin()->second == world.amazon().refresh_token(1));
}

TEST_CASE("a token that comes to the host later than anybody waited is removed there") {
  Vault vault;
  World world(with(vault));
  vault.clock = &world.clock();
  vault.put_takes = std::chrono::seconds(20);
  vault.patience = std::chrono::seconds(5);
  Process& process = world.open();
  CHECK(connect_seller(world, process, 1, 1).code() == Code::store_unavailable);
  world.run_for(std::chrono::minutes(1));
  CHECK(vault.tokens.size() == 1);
  world.run_for(kTidiedAfter);
  check_kept(world, vault, 0);
}

TEST_CASE("who is erased in the midst of a connection is not connected, and has no token left with the host") {
  Vault vault;
  World world(with(vault));
  vault.clock = &world.clock();
  vault.put_takes = std::chrono::seconds(3);
  Process& process = world.open();
  Connected connected;
  const auto receipt = world.wait(erase_meanwhile(process, world.user(1), Secret(world.amazon().refresh_token(1)), world.clock(), connected));
  REQUIRE(receipt);
  REQUIRE(connected);
  CHECK(connected->code() == Code::not_found);
  world.run_for(kTidiedAfter);
  check_kept(world, vault, 0);
  CHECK(world.count("SELECT count(*) FROM users") == 0);
  CHECK(world.count("SELECT count(*) FROM connections") == 0);
  CHECK(world.count("SELECT count(*) FROM runs") == 0);
}

TEST_CASE("who is erased has no token left with the host, however long that takes") {
  Vault vault;
  World world(with(vault));
  Process& process = world.open();
  REQUIRE(connect_seller(world, process, 1, 1));
  vault.down = true;
  const auto receipt = world.wait(process.engine().erase(world.user(1), "the user"));
  REQUIRE(receipt);
  CHECK(member(*receipt, "state") == "pending");
  CHECK(receipt->find("token store") != std::string::npos);
  CHECK(vault.tokens.size() == 1);
  world.close(process);
  vault.down = false;
  world.open();
  world.run_for(kTidiedAfter);
  check_kept(world, vault, 0);
  CHECK(world.count("SELECT count(*) FROM users") == 0);
}

TEST_SUITE_END();
