// SPDX-License-Identifier: Apache-2.0
// A new master key takes over everything that is stored, wherever it is broken off.
#include "auth/rotation.hpp"

#include "base/crypto.hpp"
#include "store/sealed.hpp"
#include "support/losing_store.hpp"
#include "support/test_store.hpp"

using namespace support;
namespace auth = amzsync::auth;

namespace {

const std::string kOld = base64_encode(std::string(32, 'o')), kNew = base64_encode(std::string(32, 'n'));

auth::Vault vault(const std::string& keys) {
  static const auto entropy = make_system_entropy();
  return auth::Vault(*auth::MasterKeys::parse(keys), *entropy);
}

std::string token_of(int n) { return "Atzr|" + std::to_string(n); }

void connect(TestStore& t, const auth::Vault& with, int n) {
  const auto done = t.write([&](store::Tx& tx) -> Result<int> {
    store::Authorisation a;
    a.user = store::ensure_user(tx, UserId("user-" + std::to_string(n)));
    a.region = "na";
    a.seller = SellerId("A" + std::to_string(n));
    a.sealed_refresh_token = with.seal(auth::SecretKind::refresh_token, a.user, Secret(token_of(n)));
    a.sealed_access_token = with.seal(auth::SecretKind::access_token, a.user, Secret("Atza|" + std::to_string(n)));
    a.access_expires_at = tx.now() + std::chrono::hours(1);
    AMZ_TRY(connection, store::store_authorisation(tx, a));
    return 0;
  });
  REQUIRE(done);
}

Result<auth::Rotation> rotate(TestStore& t, store::Store& by, const auth::Vault& with) {
  std::optional<Result<auth::Rotation>> result;
  asio::co_spawn(t.loop, [](store::Store& s, const auth::Vault& v, std::optional<Result<auth::Rotation>>& into) -> Async<void> {
    into.emplace(co_await auth::seal_anew(s, v, Log()));
  }(by, with, result), [](const std::exception_ptr&) {});
  t.loop.restart();
  t.loop.poll();
  REQUIRE(result.has_value());
  return std::move(*result);
}

store::Connection connection(TestStore& t, int n) {
  return *t.read([&](store::Tx& tx) -> Result<store::Connection> { return *store::find_connection(tx, *store::find_user(tx, UserId("user-" + std::to_string(n)))); });
}

bool opens(TestStore& t, const auth::Vault& with, int n) {
  const auto c = connection(t, n);
  const auto refresh = with.open(auth::SecretKind::refresh_token, c.user, c.sealed_refresh_token);
  const auto access = with.open(auth::SecretKind::access_token, c.user, c.sealed_access_token);
  return refresh && refresh->reveal() == token_of(n) && access && access->reveal() == "Atza|" + std::to_string(n);
}

}  // namespace

TEST_SUITE_BEGIN("contract");

TEST_CASE("a rotation seals every secret anew, however many there are, and one that was broken off goes on") {
  constexpr int kUsers = 230;
  TestStore t;
  const auto old = vault("old:" + kOld), both = vault("new:" + kNew + ",old:" + kOld), fresh = vault("new:" + kNew);
  for (int n = 1; n <= kUsers; ++n) connect(t, old, n);
  std::int64_t resealed = 0;
  for (int writes = 0;; ++writes) {
    LosingStore losing(*t.store, writes);
    const auto done = rotate(t, losing, both);
    for (int n = 1; n <= kUsers; ++n) CHECK(opens(t, both, n));
    if (!done) {
      CHECK(done.code() == Code::store_unavailable);
      continue;
    }
    CHECK(writes == 5);   // codes, three parts of a hundred, and nothing more
    CHECK(done->secrets == 2 * kUsers);
    resealed = done->resealed;
    CHECK(done->unreadable.empty());
    break;
  }
  CHECK(resealed < 2 * kUsers);   // what was sealed before it broke off is not sealed again
  for (int n = 1; n <= kUsers; ++n) CHECK(opens(t, fresh, n));
  CHECK(rotate(t, *t.store, both)->resealed == 0);
}

TEST_CASE("what Amazon's notifications planned waits for the key, and not for a seller who must agree anew") {
  TestStore t;
  const auto old = vault("old:" + kOld);
  const auto planned = [&] {
    return *t.read([](store::Tx& tx) -> Result<std::optional<Instant>> { return store::next_planned_sync(tx, false, "na"); });
  };
  const auto due = [&] {
    return *t.write([](store::Tx& tx) -> Result<std::size_t> { return store::take_due_syncs(tx, false, 10, "na").size(); });
  };
  connect(t, old, 1);
  connect(t, old, 2);
  REQUIRE(t.write([](store::Tx& tx) -> Status {
    for (const int n : {1, 2})
      for (int told = 0; told < 2; ++told) store::plan_notified_sync(tx, UserNo{n}, "inventory", std::chrono::minutes(5));
    store::mark_needs_reauth(tx, *store::find_connection(tx, UserNo{1}), Error(Code::key_unknown));
    store::mark_needs_reauth(tx, *store::find_connection(tx, UserNo{2}), Error(Code::needs_reauth));
    return Done{};
  }));
  t.clock.jump(std::chrono::minutes(6));
  CHECK(!planned());
  CHECK(due() == 0);
  REQUIRE(t.write([](store::Tx& tx) -> Status {
    for (const int n : {1, 2}) CHECK(store::restore_unreadable(tx, *store::find_connection(tx, UserNo{n})) == (n == 1));
    return Done{};
  }));
  CHECK(planned());
  CHECK(due() == 1);
}

TEST_CASE("a rotation names whose token no key opens, and takes back that a connection was lost only for want of the key") {
  TestStore t;
  const auto old = vault("old:" + kOld), both = vault("new:" + kNew + ",old:" + kOld), other = vault("other:" + kOld);
  connect(t, old, 1);
  connect(t, other, 2);
  connect(t, old, 3);
  connect(t, old, 4);
  const auto lost = t.write([](store::Tx& tx) -> Result<int> {
    for (const int n : {1, 2}) store::mark_needs_reauth(tx, *store::find_connection(tx, UserNo{n}), Error(Code::key_unknown));
    store::mark_needs_reauth(tx, *store::find_connection(tx, UserNo{3}), Error(Code::needs_reauth));
    store::disconnect(tx, UserNo{4});
    return 0;
  });
  REQUIRE(lost);
  const auto done = rotate(t, *t.store, both);
  REQUIRE(done);
  CHECK(done->key == "new");
  CHECK(done->secrets == 3);   // the access tokens of those that are lost are gone already, and 4 has left with all of its own
  CHECK(done->resealed == 2);
  CHECK(done->restored == 1);
  REQUIRE(done->unreadable.size() == 1);
  CHECK(done->unreadable[0].text() == "user-2");
  CHECK(connection(t, 1).state == store::ConnectionState::connected);
  CHECK(connection(t, 1).next_sync_at.has_value());
  CHECK(connection(t, 2).state == store::ConnectionState::needs_reauth);
  CHECK(connection(t, 3).state == store::ConnectionState::needs_reauth);   // Amazon took that one back
  CHECK(connection(t, 4).state == store::ConnectionState::disconnected);
}

TEST_CASE("a code that waits for its exchange is sealed anew too") {
  TestStore t;
  const auto old = vault("old:" + kOld), both = vault("new:" + kNew + ",old:" + kOld), fresh = vault("new:" + kNew);
  const Sha256 state{1, 2, 3};
  const auto waiting = t.write([&](store::Tx& tx) -> Result<int> {
    const UserNo user = store::ensure_user(tx, UserId("anna"));
    store::open_consent(tx, state, {user, "na", "https://front", "https://back", ""}, tx.now() + std::chrono::minutes(10));
    (void)store::consume_consent(tx, state, SellerId("A1"), old.seal(auth::SecretKind::authorisation_code, user, Secret("the code")), EngineNo{1});
    return 0;
  });
  REQUIRE(waiting);
  const auto done = rotate(t, *t.store, both);
  REQUIRE(done);
  CHECK(done->resealed == 1);
  const auto codes = *t.read([&](store::Tx& tx) -> Result<std::vector<store::OrphanedCode>> { return store::orphaned_codes(tx, tx.now() + std::chrono::hours(1)); });
  REQUIRE(codes.size() == 1);
  CHECK(fresh.open(auth::SecretKind::authorisation_code, codes[0].consent.user, codes[0].sealed_code)->reveal() == "the code");
}

TEST_SUITE_END();
