// SPDX-License-Identifier: Apache-2.0
#include "store/app_secrets.hpp"
#include "store/report_jobs.hpp"
#include "support/test_store.hpp"

using namespace support;

namespace {

Code authorise(TestStore& t, const std::string& user, const std::string& seller, bool shared = false, bool known_token = false, const std::string& region = "na", bool consent = false) {
  return t.write([&](store::Tx& tx) -> Result<store::Connection> {
            store::Authorisation a;
            a.user = store::ensure_user(tx, UserId(user));
            a.region = region;
            a.seller = SellerId(seller);
            a.sealed_refresh_token = "sealed";
            a.allow_shared_seller = shared;
            a.is_known_token = known_token;
            a.by_consent = consent;
            return store::store_authorisation(tx, a);
          }).code();
}
store::Connection connection(TestStore& t, const std::string& user) {
  return *t.read([&](store::Tx& tx) -> Result<store::Connection> { return *store::find_connection(tx, *store::find_user(tx, UserId(user))); });
}

}  // namespace

TEST_SUITE_BEGIN("contract");

TEST_CASE("a seller belongs to one user, unless sharing is allowed, and is free again after a disconnect") {
  TestStore t;
  CHECK(authorise(t, "u1", "A1") == Code::ok);
  CHECK(authorise(t, "u2", "A1") == Code::seller_already_connected);
  CHECK(authorise(t, "u1", "A1") == Code::ok);
  CHECK(connection(t, "u1").generation == 2);
  CHECK(authorise(t, "u3", "A1", true) == Code::ok);
  CHECK(t.write([](store::Tx& tx) -> Result<bool> { return store::disconnect(tx, *store::find_user(tx, UserId("u1"))); }));
  CHECK(authorise(t, "u2", "A1") == Code::ok);
}

TEST_CASE("a user's rows are one seller's: another one is refused") {
  TestStore t;
  CHECK(authorise(t, "u1", "A1") == Code::ok);
  CHECK(authorise(t, "u1", "A2") == Code::seller_mismatch);
  CHECK(authorise(t, "u1", "") == Code::seller_mismatch);   // nobody says who: it may be anybody
  CHECK(authorise(t, "u1", "", false, true) == Code::ok);   // but the same token is the same seller's
  CHECK(connection(t, "u1").seller.text() == "A1");
}

TEST_CASE("rows of a seller whom nothing names are taken over by no other, nor by another region") {
  TestStore t;
  const auto read_something = [&](const std::string& user) {
    REQUIRE(t.write([&](store::Tx& tx) -> Status {
      tx.run("INSERT INTO cells(user_no, stream, day, state, digest) VALUES(?1, 'transactions', 20000, 'provisional', ?2)", *store::find_user(tx, UserId(user)), store::Blob{"0123456789abcdef"});
      return Done{};
    }));
  };
  CHECK(authorise(t, "u1", "") == Code::ok);
  CHECK(authorise(t, "u1", "A1") == Code::ok);   // nothing was read yet
  CHECK(authorise(t, "u2", "") == Code::ok);
  read_something("u2");
  CHECK(authorise(t, "u2", "A2") == Code::seller_mismatch);
  CHECK(authorise(t, "u2", "") == Code::seller_mismatch);
  CHECK(t.write([](store::Tx& tx) -> Result<bool> { return store::disconnect(tx, *store::find_user(tx, UserId("u2"))); }));
  CHECK(authorise(t, "u2", "A2") == Code::seller_mismatch);
  CHECK(authorise(t, "u2", "", false, true) == Code::ok);     // the token of before
  CHECK(authorise(t, "u2", "A2", false, true) == Code::ok);   // and who it is
  CHECK(authorise(t, "u2", "A2") == Code::ok);
  CHECK(authorise(t, "u2", "A2", false, false, "eu") == Code::wrong_region);
  CHECK(authorise(t, "u2", "A2", false, true, "eu") == Code::wrong_region);
  CHECK(connection(t, "u2").region == "na");
}

TEST_CASE("whose reading failed was not read; what waits to be read, or came outside the days, was") {
  TestStore t;
  const auto after = [&](const std::string& user, const std::string& sql) {
    CHECK(authorise(t, user, "") == Code::ok);
    REQUIRE(t.write([&](store::Tx& tx) -> Status {
      tx.run(sql, *store::find_user(tx, UserId(user)), store::Blob{"x"});
      return Done{};
    }));
    return authorise(t, user, "A-" + user);
  };
  CHECK(after("u1", "INSERT INTO cells(user_no, stream, day, state, digest) VALUES(?1, 'transactions', 20000, 'unauthorised', CASE WHEN 1=0 THEN ?2 END)") == Code::ok);
  CHECK(after("u2", "INSERT INTO archive(archive_no, user_no, stream, run_no, from_day, until_day, content_type, marketplace, read_until, at) SELECT 1, ?1, 'reimbursements', 1, 20000, 20001, '', '', 0, 0 WHERE ?2 IS NOT NULL") ==
        Code::seller_mismatch);
  CHECK(after("u3", "INSERT INTO quarantine(quarantine_id, user_no, stream, run_no, reason, path, raw, fingerprint, at) VALUES(1, ?1, 'transactions', 1, '', '', ?2, ?2, 0)") == Code::seller_mismatch);
}

TEST_CASE("who is being read without a name is another seller's no more, though no row is stored yet") {
  TestStore t;
  CHECK(authorise(t, "u1", "") == Code::ok);
  const UserNo user = *t.read([](store::Tx& tx) -> Result<UserNo> { return *store::find_user(tx, UserId("u1")); });
  REQUIRE(t.write([&](store::Tx& tx) { return store::trigger(tx, {user, store::Cause::manual, SyncId("s1"), {}, false}); }));
  CHECK(authorise(t, "u1", "") == Code::ok);   // it waits: whoever it is then, it reads
  REQUIRE(*t.write([](store::Tx& tx) -> Result<bool> { return store::claim(tx, EngineNo{1}, std::chrono::seconds(30)).has_value(); }));
  CHECK(authorise(t, "u1", "") == Code::seller_mismatch);
  CHECK(authorise(t, "u1", "A1") == Code::seller_mismatch);
  CHECK(authorise(t, "u1", "A1", false, true) == Code::ok);
}

TEST_CASE("a token that is stored again is as old as it was; one that the seller agreed to now is new") {
  TestStore t;
  CHECK(authorise(t, "u1", "A1") == Code::ok);
  const auto since = connection(t, "u1").authorised_at;
  t.clock.jump(std::chrono::hours(24));
  CHECK(authorise(t, "u1", "A1", false, true) == Code::ok);
  CHECK(connection(t, "u1").authorised_at == since);
  CHECK(authorise(t, "u1", "A1", false, true, "na", true) == Code::ok);
  CHECK(*connection(t, "u1").authorised_at == *since + std::chrono::hours(24));
}

TEST_CASE("an outcome of an older authorisation does not touch a newer one") {
  TestStore t;
  CHECK(authorise(t, "u1", "A1") == Code::ok);
  const store::Connection old = connection(t, "u1");
  CHECK(authorise(t, "u1", "A1") == Code::ok);
  CHECK(t.write([&](store::Tx& tx) -> Status {
    CHECK(!store::mark_needs_reauth(tx, old, Error(Code::needs_reauth)));
    CHECK(!store::store_access_token(tx, old.user, old.generation, "x", tx.now(), tx.now()));
    return Done{};
  }));
  CHECK(connection(t, "u1").state == store::ConnectionState::connected);
}

TEST_CASE("a consent state is used up once, by whoever comes first, and dies after its time") {
  TestStore t;
  const Sha256 hash = sha256("state"), late = sha256("late");
  CHECK(t.write([&](store::Tx& tx) -> Status {
    const UserNo user = store::ensure_user(tx, UserId("u1"));
    for (const Sha256& h : {hash, late}) store::open_consent(tx, h, {user, "na", "https://front", "https://back", ""}, tx.now() + std::chrono::minutes(10));
    CHECK(store::consume_consent(tx, hash, SellerId("A1"), "sealed code", EngineNo{1})->usable);
    CHECK(!store::consume_consent(tx, hash, SellerId("A1"), "sealed code", EngineNo{1})->usable);
    CHECK(!store::consume_consent(tx, sha256("unknown"), SellerId("A1"), "x", EngineNo{1}));
    return Done{};
  }));
  t.clock.jump(std::chrono::minutes(10));
  CHECK(t.write([&](store::Tx& tx) -> Status {
    CHECK(!store::consume_consent(tx, late, SellerId("A1"), "x", EngineNo{1})->usable);
    const auto orphans = store::orphaned_codes(tx, tx.now());
    REQUIRE(orphans.size() == 1);
    CHECK(orphans[0].sealed_code == "sealed code");
    CHECK(orphans[0].state_hash == hash);
    store::close_consent(tx, hash, "connected");
    CHECK(store::orphaned_codes(tx, tx.now()).empty());
    return Done{};
  }));
  CHECK(t.count("SELECT count(*) FROM consents WHERE code IS NOT NULL") == 0);
}

TEST_CASE("participations are replaced as a difference") {
  TestStore t;
  const UserNo user = t.connected();
  const auto participation = [](const std::string& id, const std::string& name) { return store::Participation{MarketplaceId(id), name, "US", "USD", "en_US", "x", "Store", true, false}; };
  const auto replace = [&](std::vector<store::Participation> list) {
    return *t.write([&](store::Tx& tx) -> Result<store::ListChange> { return store::replace_participations(tx, user, list); });
  };
  CHECK(replace({participation("A", "a"), participation("B", "b")}).added == 2);
  const auto again = replace({participation("A", "a"), participation("B", "b")});
  CHECK(again.unchanged == 2);
  const auto change = replace({participation("A", "new"), participation("C", "c")});
  CHECK(change.changed == 1);
  CHECK(change.added == 1);
  CHECK(change.removed == 1);
}

TEST_CASE("who is synced anew after a new client secret: whose last sync failed for want of it, a replay being none, some at a time") {
  TestStore t;
  std::vector<UserNo> failed;
  for (int i = 1; i <= 5; ++i) {
    const UserNo user = t.connected("u" + std::to_string(i), "A" + std::to_string(i));
    const bool fails = i != 3;
    const store::Fence fence = t.running(user, "sync-" + std::to_string(i));
    REQUIRE(t.in_run(fence, [&](const store::RunTx& run) -> Result<int> {
      store::finish(run, {.status = fails ? store::RunStatus::failed : store::RunStatus::completed, .error = fails ? std::optional(Error(Code::app_credentials_invalid, "no")) : std::nullopt, .totals = {}, .follow_up_id = {}, .next_sync_at = {}});
      return 0;
    }));
    if (fails) failed.push_back(user);
  }
  // A replay asks Amazon nothing: how it ended says nothing of the secret.
  const auto replay = [](store::Tx& tx) -> Result<std::int64_t> {
    return tx.run("INSERT INTO runs(user_no, connection_no, sync_id, cause, status, interactive, asked, created_at) SELECT user_no, connection_no, 'replay-1', 'replay', 'completed', 0, '', created_at FROM runs WHERE sync_id='sync-1'");
  };
  CHECK(*t.write(replay) == 1);
  const auto next = [&](UserNo after) { return *t.read([&](store::Tx& tx) -> Result<std::vector<UserNo>> { return store::users_failed_with(tx, "", Code::app_credentials_invalid, after, 3); }); };
  std::vector<UserNo> all;
  for (auto some = next(UserNo{0}); !some.empty(); some = next(all.back())) {
    CHECK(some.size() <= 3);
    all.insert(all.end(), some.begin(), some.end());
  }
  CHECK(all == failed);
  // What a sync that is not over has met already will not be better at its end.
  const UserNo third{3};
  const store::Fence fence = t.running(third, "sync-now");
  CHECK(next(UserNo{2}) == std::vector{UserNo{4}, UserNo{5}});
  REQUIRE(t.in_run(fence, [](const store::RunTx& run) -> Result<int> {
    store::begin_stream(run, "inventory");
    store::end_stream(run, "inventory", "incomplete", "failed", 1, Error(Code::app_credentials_invalid, "no"));
    return 0;
  }));
  CHECK(next(UserNo{2}) == std::vector{third, UserNo{4}, UserNo{5}});
  // Another application's users are none of ours.
  CHECK(t.read([](store::Tx& tx) -> Result<std::vector<UserNo>> { return store::users_failed_with(tx, "another", Code::app_credentials_invalid, UserNo{0}, 9); })->empty());
  CHECK(t.write([](store::Tx& tx) -> Result<std::vector<UserNo>> { return store::take_users_to_warn(tx, "another", Hash128::of("s"), 30, 29, 9); })->empty());
}

TEST_CASE("the first pause of a report that ends is one that has not ended yet") {
  TestStore t;
  const UserNo user = t.connected();
  const auto pause = [&](const char* type, std::chrono::hours until) { CHECK(t.write([&](store::Tx& tx) -> Result<int> { return store::set_cool_down(tx, user, type, store::CoolDown{tx.now() + until, 1, "asked for too often"}), 0; })); };
  const auto first = [&] { return *t.read([&](store::Tx& tx) -> Result<std::optional<Duration>> {
      const auto end = store::first_cool_down_end(tx, user);
      return end ? std::optional<Duration>(*end - tx.now()) : std::nullopt;
    }); };
  CHECK(!first());
  pause("A", std::chrono::hours(1));
  pause("B", std::chrono::hours(5));
  CHECK(first() == std::chrono::hours(1));
  t.clock.jump(std::chrono::hours(2));
  CHECK(first() == std::chrono::hours(3));
  t.clock.jump(std::chrono::hours(4));
  CHECK(!first());
}

TEST_SUITE_END();
