// SPDX-License-Identifier: Apache-2.0
#include "store/documents.hpp"
#include "store/health.hpp"
#include "store/journal.hpp"
#include "support/test_store.hpp"

using namespace support;

namespace {

store::TriggerOutcome trigger(TestStore& t, UserNo user, const std::string& id, bool covers_new = false, const std::string& streams = "", store::Cause cause = store::Cause::manual,
                             const std::string& unusual = "") {
  return *t.write([&](store::Tx& tx) -> Result<store::TriggerOutcome> { return store::trigger(tx, {user, cause, SyncId(id), {streams, unusual}, covers_new}); });
}
std::optional<store::ClaimedRun> claim(TestStore& t, std::int64_t engine) {
  return *t.write([&](store::Tx& tx) -> Result<std::optional<store::ClaimedRun>> { return store::claim(tx, EngineNo{engine}, std::chrono::seconds(30)); });
}
store::Ended finish(TestStore& t, const store::Fence& fence, store::RunStatus status, const std::string& follow_up = "follow") {
  return *t.in_run(fence, [&](const store::RunTx& run) -> Result<store::Ended> {
    store::RunEnd end;
    end.status = status;
    end.follow_up_id = SyncId(follow_up);
    if (status == store::RunStatus::failed) end.error = Error(Code::amazon_error);
    return store::finish(run, end);
  });
}
/// As whoever performs runs does it: what nobody performs ends at once.
store::CancelOutcome cancel(TestStore& t, UserNo user, const std::string& id, const std::string& follow_up = "follow") {
  return *t.write([&](store::Tx& tx) -> Result<store::CancelOutcome> {
    const auto outcome = store::request_cancel(tx, user, SyncId(id), "somebody");
    for (const store::CancelledRun& run : store::take_cancelled(tx, EngineNo{99})) {
      store::RunEnd end;
      end.status = store::RunStatus::cancelled;
      end.follow_up_id = SyncId(follow_up);
      store::finish(*store::RunTx::enter(tx, run.fence), end);
    }
    return outcome;
  });
}
std::vector<std::string> events(TestStore& t, UserNo user) {
  return *t.read([&](store::Tx& tx) -> Result<std::vector<std::string>> {
    std::vector<std::string> types;
    for (const store::Event& e : store::events_after(tx, user, 0, 1'000)) types.push_back(e.type);
    return types;
  });
}

}  // namespace

TEST_SUITE_BEGIN("contract");

TEST_CASE("a second trigger gets the id of the run that is there") {
  TestStore t;
  const UserNo user = t.connected();
  CHECK(!trigger(t, user, "a").attached);
  const auto second = trigger(t, user, "b");
  CHECK(second.attached);
  CHECK(second.id.text() == "a");
  const auto held = claim(t, 1);
  CHECK(trigger(t, user, "c").id.text() == "a");
  finish(t, held->fence, store::RunStatus::completed);
  CHECK(!trigger(t, user, "d").attached);
  CHECK(t.count("SELECT count(*) FROM runs") == 2);
}

TEST_CASE("one active run per user is a rule of the database itself") {
  TestStore t;
  const UserNo user = t.connected();
  trigger(t, user, "a");
  const Status second = t.write([&](store::Tx& tx) -> Status {
    tx.run("INSERT INTO runs(sync_id, user_no, connection_no, status, cause, interactive, asked, created_at) VALUES('x', ?1, 1, 'queued', 'manual', 1, '', 0)", user);
    return Done{};
  });
  CHECK(!second);
}

TEST_CASE("what the usual sync leaves out is read by the run that follows it, whoever else asks for the usual one meanwhile") {
  for (const auto then : {store::Cause::manual, store::Cause::schedule, store::Cause::recoveries, store::Cause::bypass, store::Cause::oauth_callback, store::Cause::notification}) {
    CAPTURE(store::cause_name(then));
    TestStore t;
    const UserNo user = t.connected();
    trigger(t, user, "a");
    CHECK(trigger(t, user, "b", false, "ledger,inventory", store::Cause::manual, "ledger").runs_again);
    CHECK(!trigger(t, user, "c", true, "", then).runs_again);   // it has not begun yet
    const auto usual = claim(t, 1);
    CHECK(usual->asked.empty());
    CHECK(trigger(t, user, "d", true, "", then).runs_again);
    CHECK(trigger(t, user, "e", false, "ledger", store::Cause::manual, "ledger").runs_again);
    finish(t, usual->fence, store::RunStatus::completed);
    const auto following = claim(t, 1);
    CHECK(following->asked == "*,ledger,inventory");
    CHECK(trigger(t, user, "f", false, "ledger", store::Cause::manual, "ledger").attached);
    CHECK(!trigger(t, user, "g", false, "", store::Cause::manual).runs_again);
    CHECK(!trigger(t, user, "h", false, "ledger,inventory", store::Cause::manual, "ledger").runs_again);
    CHECK(trigger(t, user, "i", false, "returns", store::Cause::manual, "returns").runs_again);
    finish(t, following->fence, store::RunStatus::completed, "last");
    CHECK(claim(t, 1)->asked == "returns");
  }
}

TEST_CASE("a usual sync that is under way keeps the names of streams that are asked for beside it") {
  TestStore t;
  const UserNo user = t.connected();
  const auto asked = [&] { return *t.read([&](store::Tx& tx) -> Result<std::string> { return store::asked_of(tx, store::active_run(tx, user)->run); }); };
  trigger(t, user, "a");
  CHECK(!trigger(t, user, "b", false, "inventory").runs_again);
  CHECK(asked() == "*,inventory");
  claim(t, 1);
  CHECK(!trigger(t, user, "c", false, "returns,inventory").runs_again);
  CHECK(!trigger(t, user, "d").runs_again);
  CHECK(asked() == "*,inventory,returns");
  CHECK(t.count("SELECT count(*) FROM runs WHERE run_again IS NOT NULL") == 0);
}

TEST_CASE("a read tells of a run to attach to exactly where a trigger would change nothing, and the same of it") {
  TestStore t;   // one for all, a user for each
  int attached = 0, asked = 0;
  for (const auto first : {store::Cause::schedule, store::Cause::manual, store::Cause::replay})
    for (const std::string streams : {"", "inventory", "inventory,ledger", "*,ledger"})
      for (const int stage : {0, 1, 2, 3, 4})   // none, queued, held, to be cancelled, held and paused
        for (const auto then : {store::Cause::schedule, store::Cause::manual, store::Cause::oauth_callback, store::Cause::replay})
          for (const store::Wanted& wanted : {store::Wanted{}, store::Wanted{"inventory", ""}, store::Wanted{"inventory,ledger", "ledger"}})
            for (const bool covers_new : {false, true})
              for (const auto state : {"connected", "needs_reauth", "disconnected"}) {
                if (first != store::Cause::manual && streams != "") continue;
                CAPTURE(store::cause_name(first));
                CAPTURE(streams);
                CAPTURE(stage);
                CAPTURE(store::cause_name(then));
                CAPTURE(wanted.streams);
                CAPTURE(covers_new);
                CAPTURE(std::string(state));
                const std::string name = std::to_string(++asked);
                const UserNo user = t.connected("u" + name, "A" + name);
                if (stage > 0) trigger(t, user, "a" + name, false, streams, first);
                if (stage > 1) claim(t, 1);
                REQUIRE(t.write([&](store::Tx& tx) -> Status {
                  if (stage == 3) store::request_cancel(tx, user, SyncId("a" + name), "somebody");
                  if (stage == 4) store::pause(tx, user, "somebody");
                  tx.run("UPDATE connections SET state=?2 WHERE user_no=?1", user, std::string_view(state));
                  return Done{};
                }));
                const auto runs = [&] {
                  return *t.read([&](store::Tx& tx) -> Result<std::string> {
                    std::string all;
                    store::Rows r = tx.rows("SELECT run_no, status, coalesce(run_again, ''), run_again_asked, interactive, asked FROM runs WHERE user_no=?1 ORDER BY run_no", user);
                    while (r.next())
                      for (int i = 0; i < 6; ++i) all += r.text(i) + (i < 5 ? "|" : "\n");
                    return all;
                  });
                };
                const store::TriggerRequest request{user, then, SyncId("b" + name), wanted, covers_new};
                const std::string before = runs();
                const auto told = *t.read([&](store::Tx& tx) -> Result<std::optional<store::TriggerOutcome>> { return store::attach(tx, request); });
                const auto done = t.write([&](store::Tx& tx) { return store::trigger(tx, request); });
                REQUIRE(told.has_value() == (done && runs() == before));
                REQUIRE(t.write([&](store::Tx& tx) -> Status {
                  tx.run("UPDATE runs SET status='cancelled' WHERE user_no=?1", user);   // in nobody's way
                  return Done{};
                }));
                if (!told) continue;
                ++attached;
                CHECK(told->id.text() == done->id.text());
                CHECK(told->attached == done->attached);
                CHECK(told->paused == done->paused);
              }
  CHECK(attached > 0);
  CHECK(attached < asked);
}

TEST_CASE("who is not connected can't be synced") {
  TestStore t;
  const UserNo stranger = *t.write([](store::Tx& tx) -> Result<UserNo> { return store::ensure_user(tx, UserId("u9")); });
  const auto ask = [&](UserNo user) { return t.write([&](store::Tx& tx) -> Result<store::TriggerOutcome> { return store::trigger(tx, {user, store::Cause::manual, SyncId("a"), {}, false}); }).code(); };
  CHECK(ask(stranger) == Code::not_connected);
  const UserNo user = t.connected();
  CHECK(t.write([&](store::Tx& tx) -> Result<bool> { return store::mark_needs_reauth(tx, *store::find_connection(tx, user), Error(Code::needs_reauth)); }));
  CHECK(ask(user) == Code::needs_reauth);
  CHECK(t.write([&](store::Tx& tx) -> Result<bool> { return store::disconnect(tx, user); }));
  CHECK(ask(user) == Code::not_connected);
}

TEST_CASE("what an active run does not cover runs again after it, once") {
  TestStore t;
  const UserNo user = t.connected();
  trigger(t, user, "a");
  const auto held = claim(t, 1);
  CHECK(trigger(t, user, "b", true, "", store::Cause::oauth_callback).attached);
  CHECK(trigger(t, user, "c", true, "", store::Cause::oauth_callback).attached);
  const store::Ended ended = finish(t, held->fence, store::RunStatus::failed, "again");
  REQUIRE(ended.follow_up);
  CHECK(ended.follow_up->text() == "again");
  const auto next = claim(t, 1);
  REQUIRE(next);
  CHECK(next->id.text() == "again");
  CHECK(!finish(t, next->fence, store::RunStatus::completed).follow_up);
  CHECK(events(t, user) == std::vector<std::string>{"sync.started", "sync_progress", "sync.failed", "sync.started", "sync_progress", "sync_progress", "sync.completed"});
}

TEST_CASE("a queued run covers a new authorisation, and asked-for streams are asked for again") {
  TestStore t;
  const UserNo user = t.connected();
  trigger(t, user, "a", false, "inventory");
  trigger(t, user, "b", true, "inventory");
  CHECK(t.count("SELECT count(*) FROM runs WHERE run_again IS NOT NULL") == 0);
  trigger(t, user, "c", false, "transactions");
  CHECK(t.count("SELECT count(*) FROM runs WHERE run_again IS NOT NULL AND run_again_asked='transactions'") == 1);
}

TEST_CASE("what several triggers ask for during one run is all read by the run after it") {
  const auto again = [](std::initializer_list<std::pair<bool, std::string>> triggers) {
    TestStore t;
    const UserNo user = t.connected();
    trigger(t, user, "a", false, "inventory,transactions");
    claim(t, 1);
    for (const auto& [covers_new, asked] : triggers) CHECK(trigger(t, user, "x", covers_new, asked).attached);
    return *t.read([](store::Tx& tx) -> Result<std::string> { return tx.text("SELECT coalesce(run_again, 'never') || ':' || run_again_asked FROM runs").value_or(""); });
  };
  CHECK(again({{false, "transactions"}}) == "never:");
  CHECK(again({{false, "transactions,inventory"}}) == "never:");
  CHECK(again({{false, "participations"}}) == "manual:participations");
  CHECK(again({{false, "participations"}, {false, "financial_events,participations"}}) == "manual:participations,financial_events");
  // The usual ones, because of a new authorisation, stay, and so does what was asked for by name.
  CHECK(again({{true, ""}, {false, "participations"}}) == "manual:*,participations");
  CHECK(again({{false, "participations"}, {true, ""}, {true, ""}}) == "manual:*,participations");
}

TEST_CASE("cancelling a run that waits keeps what it does not cover") {
  TestStore t;
  const UserNo user = t.connected();
  trigger(t, user, "a", false, "inventory");
  trigger(t, user, "b", false, "transactions");
  CHECK(cancel(t, user, "a", "next").found);
  const auto next = claim(t, 1);
  REQUIRE(next);
  CHECK(next->id.text() == "next");
  CHECK(next->asked == "transactions");
}

TEST_CASE("what is triggered while a run is being cancelled runs after it, and what was triggered before ends with it") {
  TestStore t;
  const UserNo user = t.connected();
  trigger(t, user, "a");
  const auto held = claim(t, 1);
  trigger(t, user, "b");
  CHECK(t.write([&](store::Tx& tx) -> Result<bool> { return store::request_cancel(tx, user, SyncId("a"), "a person").found; }));
  SUBCASE("nothing came after") { CHECK(!finish(t, held->fence, store::RunStatus::cancelled).follow_up); }
  SUBCASE("something came after") {
    CHECK(trigger(t, user, "c").attached);
    const auto ended = finish(t, held->fence, store::RunStatus::completed, "next");
    CHECK(ended.status == store::RunStatus::cancelled);
    REQUIRE(ended.follow_up);
    CHECK(claim(t, 1)->id.text() == "next");
  }
}

TEST_CASE("a disconnected user's run is not followed by another") {
  TestStore t;
  const UserNo user = t.connected();
  trigger(t, user, "a");
  const auto held = claim(t, 1);
  trigger(t, user, "b", true);
  CHECK(t.write([&](store::Tx& tx) -> Result<bool> { return store::disconnect(tx, user); }));
  CHECK(!finish(t, held->fence, store::RunStatus::failed).follow_up);
}

TEST_CASE("what was accepted while a run was under way runs after it also where the seller has to agree anew by then") {
  TestStore t;
  const UserNo user = t.connected();
  trigger(t, user, "a", false, "inventory");
  const auto held = claim(t, 1);
  CHECK(trigger(t, user, "b", false, "ledger").runs_again);
  CHECK(t.write([&](store::Tx& tx) -> Result<bool> { return store::mark_needs_reauth(tx, *store::find_connection(tx, user), Error(Code::needs_reauth)); }));
  CHECK(finish(t, held->fence, store::RunStatus::completed).follow_up);
  CHECK(t.count("SELECT count(*) FROM runs WHERE status='queued' AND asked='ledger'") == 1);
}

TEST_CASE("interactive runs are claimed before scheduled ones, else the oldest first; a trigger by hand promotes") {
  TestStore t;
  std::vector<UserNo> users;
  for (int i = 0; i < 4; ++i) users.push_back(t.connected("u" + std::to_string(i), "S" + std::to_string(i)));
  trigger(t, users[0], "scheduled-0", false, "", store::Cause::schedule);
  trigger(t, users[1], "scheduled-1", false, "", store::Cause::schedule);
  trigger(t, users[2], "manual-2");
  trigger(t, users[3], "manual-3");
  trigger(t, users[1], "x");
  std::vector<std::string> order;
  while (const auto run = claim(t, 1)) order.push_back(run->id.text());
  CHECK(order == std::vector<std::string>{"scheduled-1", "manual-2", "manual-3", "scheduled-0"});
}

TEST_CASE("a lost lease writes nothing more, and the one who took over goes on") {
  TestStore t;
  const UserNo user = t.connected();
  trigger(t, user, "a");
  const auto first = claim(t, 1);
  CHECK(!claim(t, 2));
  t.clock.jump(std::chrono::seconds(31));
  const auto second = claim(t, 2);
  REQUIRE(second);
  CHECK(!second->first_claim);
  CHECK(second->fence.token == first->fence.token + 1);
  CHECK(t.in_run(first->fence, [](const store::RunTx&) -> Status { return Done{}; }).code() == Code::fenced);
  CHECK(t.write([&](store::Tx& tx) -> Result<store::Pulse> { return store::renew(tx, first->fence, std::chrono::seconds(30)); }).code() == Code::fenced);
  CHECK(t.in_run(second->fence, [](const store::RunTx&) -> Status { return Done{}; }));
  // Letting go of what is no longer ours does not take it from who has it.
  CHECK(t.write([&](store::Tx& tx) -> Status {
    store::release(tx, first->fence, {}, true);
    return Done{};
  }));
  CHECK(t.in_run(second->fence, [](const store::RunTx&) -> Status { return Done{}; }));
}

TEST_CASE("calls that were noted are lost with no worker, and nobody notes fewer") {
  TestStore t;
  const UserNo user = t.connected();
  trigger(t, user, "a");
  const auto calls = [&] { return t.count("SELECT calls FROM runs"); };
  const auto first = claim(t, 1);
  CHECK(first->calls == 0);
  CHECK(t.in_run(first->fence, [](const store::RunTx& run) -> Status {
    store::note_calls(run, 12);
    store::note_calls(run, 7);   // written by an earlier moment of the run, as two writes may overtake each other
    return Done{};
  }));
  CHECK(calls() == 12);
  t.clock.jump(std::chrono::seconds(31));
  const auto second = claim(t, 2);
  REQUIRE(second);
  CHECK(second->calls == 12);
  CHECK(t.write([&](store::Tx& tx) -> Status {
    store::release(tx, second->fence, {5, 17}, true);
    return Done{};
  }));
  CHECK(calls() == 17);
  CHECK(t.count("SELECT served FROM runs") == 5);
  const auto third = claim(t, 1);
  CHECK(third->calls == 17);
  finish(t, third->fence, store::RunStatus::completed);
  CHECK(calls() == 17);
}

TEST_CASE("a run whose workers die again and again before they get anything done is given up; one that gets on is not") {
  TestStore t;
  const UserNo user = t.connected();
  const auto die = [&](std::int64_t engine) {
    CHECK(t.write([&](store::Tx& tx) -> Status {
      store::bury_engine(tx, EngineNo{engine});
      return Done{};
    }));
  };
  const auto status = [&](const std::string& id) { return t.read([&](store::Tx& tx) -> Result<std::string> { return *tx.text("SELECT status FROM runs WHERE sync_id=?1", id); }); };
  trigger(t, user, "a");
  std::int64_t lives = 0;
  // Many deaths in a short time are no proof against it, and neither is a long time with few.
  while (++lives <= 200) {
    const auto held = claim(t, lives);
    REQUIRE(held);
    CHECK(!held->given_up);
    die(lives);
  }
  t.clock.jump(std::chrono::minutes(61));
  const auto last = claim(t, lives);
  REQUIRE(last);
  CHECK(last->given_up);
  finish(t, last->fence, store::RunStatus::failed);
  // A page in each life is enough to go on for ever; and whoever lets go of it in order has not died.
  trigger(t, user, "b");
  for (lives = 1; lives <= 60; ++lives) {
    t.clock.jump(std::chrono::minutes(61));
    const auto held = claim(t, lives);
    REQUIRE(held);
    CHECK(!held->given_up);
    if (lives % 3 == 0) {
      CHECK(t.write([&](store::Tx& tx) -> Status {
        store::release(tx, held->fence, {}, true);
        return Done{};
      }));
      continue;
    }
    CHECK(t.in_run(held->fence, [](const store::RunTx& run) -> Status {
      store::begin_stream(run, "inventory");
      store::Counts counts;
      counts.fetched = 1;
      store::add_counts(run, "inventory", counts);
      return Done{};
    }));
    die(lives);
  }
  CHECK(*status("b") == "in_progress");
}

TEST_CASE("who waits is served in order: persons first, then who had fewer calls, then who came first; a long wait counts as a person's") {
  TestStore t;
  std::vector<UserNo> users;
  for (int i = 0; i < 5; ++i) users.push_back(t.connected("u" + std::to_string(i), "A" + std::to_string(i)));
  trigger(t, users[0], "old-schedule", false, "", store::Cause::schedule);
  t.clock.jump(std::chrono::minutes(50));
  trigger(t, users[1], "schedule", false, "", store::Cause::schedule);
  trigger(t, users[2], "manual-1");
  trigger(t, users[3], "manual-2");
  const auto first = claim(t, 1);
  CHECK(first->id.text() == "manual-1");
  CHECK(t.write([&](store::Tx& tx) -> Status {
    store::release(tx, first->fence, {200, 200}, true);
    return Done{};
  }));
  CHECK(claim(t, 1)->id.text() == "manual-2");
  CHECK(claim(t, 1)->id.text() == "manual-1");
  t.clock.jump(std::chrono::minutes(15));
  trigger(t, users[4], "manual-3");
  CHECK(claim(t, 1)->id.text() == "old-schedule");   // waited for more than an hour
  CHECK(claim(t, 1)->id.text() == "manual-3");
  CHECK(claim(t, 1)->id.text() == "schedule");
  CHECK(!claim(t, 1));
}

TEST_CASE("who triggers on and on is served no more calls than one who waits, whether the next sync follows at once or is asked for anew") {
  for (const bool follows : {true, false}) {
    CAPTURE(follows);
    TestStore t;
    const UserNo large = t.connected("large", "A1");
    std::vector<UserNo> busy;
    for (int i = 0; i < 2; ++i) busy.push_back(t.connected("busy" + std::to_string(i), "B" + std::to_string(i)));
    trigger(t, large, "large");
    const auto first = claim(t, 1);
    CHECK(t.write([&](store::Tx& tx) -> Status {
      store::release(tx, first->fence, {200, 200}, true);
      return Done{};
    }));
    for (int i = 0; i < 2; ++i) trigger(t, busy[i], "busy" + std::to_string(i), false, "inventory");
    std::int64_t calls = 0;
    for (int n = 0; n < 400; ++n) {
      t.clock.jump(std::chrono::seconds(1));
      const auto next = claim(t, 1);
      REQUIRE(next);
      if (next->id.text() == "large") break;
      calls += 3;
      if (follows) trigger(t, next->fence.user, "unused", false, next->asked == "ledger" ? "inventory" : "ledger");
      CHECK(t.in_run(next->fence, [&](const store::RunTx& run) -> Result<store::Ended> {
        store::RunEnd end;
        end.turn_calls = 3;
        end.follow_up_id = SyncId("after-" + std::to_string(n));
        return store::finish(run, end);
      }));
      if (!follows) trigger(t, next->fence.user, "after-" + std::to_string(n), false, "inventory");
    }
    CHECK(calls > 390);   // 200 for each of them
    CHECK(calls <= 406);
  }
}

TEST_CASE("who had calls waits a quarter of an hour at the most, however many come new") {
  TestStore t;
  trigger(t, t.connected("large", "A"), "large");
  const auto first = claim(t, 1);
  CHECK(t.write([&](store::Tx& tx) -> Status {
    store::release(tx, first->fence, {200, 200}, true);
    return Done{};
  }));
  std::optional<store::ClaimedRun> next;
  int minutes = 0;
  for (; minutes < 60; ++minutes) {
    t.clock.jump(std::chrono::minutes(1));
    trigger(t, t.connected("u" + std::to_string(minutes), "B" + std::to_string(minutes)), "new-" + std::to_string(minutes));
    next = claim(t, 1);
    REQUIRE(next);
    if (next->id.text() == "large") break;
    finish(t, next->fence, store::RunStatus::completed);
  }
  CHECK(minutes == 14);
  // Its calls count against its user's next sync, but ever less.
  CHECK(t.in_run(next->fence, [&](const store::RunTx& run) -> Result<store::Ended> {
    store::RunEnd end;
    end.turn_calls = 300;
    return store::finish(run, end);
  }));
  t.clock.jump(std::chrono::minutes(5));
  trigger(t, next->fence.user, "soon");
  CHECK(t.count("SELECT served FROM runs WHERE sync_id='soon'") == 200);
  cancel(t, next->fence.user, "soon");
  t.clock.jump(std::chrono::minutes(15));
  trigger(t, next->fence.user, "later");
  CHECK(t.count("SELECT served FROM runs WHERE sync_id='later'") == 0);
}

TEST_CASE("a wall clock that is set back can delay a takeover, but never revives a fence") {
  TestStore t;
  const UserNo user = t.connected();
  trigger(t, user, "a");
  const auto first = claim(t, 1);
  t.clock.jump(std::chrono::hours(1));
  const auto second = claim(t, 2);
  REQUIRE(second);
  t.clock.jump(-std::chrono::hours(2));
  CHECK(t.write([&](store::Tx& tx) -> Result<store::Pulse> { return store::renew(tx, first->fence, std::chrono::seconds(30)); }).code() == Code::fenced);
  CHECK(!claim(t, 1));
}

TEST_CASE("cancelling: a queued run ends at once, a held one when its holder hears of it, an ended one is over") {
  TestStore t;
  const UserNo user = t.connected();
  const UserNo other = t.connected("u2", "A2");
  trigger(t, user, "a");
  CHECK(!cancel(t, other, "a").found);
  CHECK(cancel(t, user, "a").found);
  CHECK(cancel(t, user, "a").was_over);
  CHECK(t.count("SELECT count(*) FROM runs WHERE status='cancelled' AND cancelled_by='somebody'") == 1);

  trigger(t, user, "b");
  const auto held = claim(t, 1);
  CHECK(!cancel(t, user, "b").was_over);
  CHECK(t.write([&](store::Tx& tx) -> Result<store::Pulse> { return store::renew(tx, held->fence, std::chrono::seconds(30)); })->cancel_requested);
  // Whatever the holder believes it has achieved meanwhile: who was told "cancelled" sees cancelled.
  CHECK(finish(t, held->fence, store::RunStatus::completed).status == store::RunStatus::cancelled);
  CHECK(events(t, user) == std::vector<std::string>{"sync.started", "sync.cancelled", "sync.started", "sync_progress", "sync.cancelled"});
}

TEST_CASE("a run that is to be cancelled and that nobody performs is there to be taken, wherever it stands, and no other is") {
  TestStore t;
  const UserNo queued = t.connected("u1", "A1"), paused = t.connected("u2", "A2"), orphan = t.connected("u3", "A3"), held = t.connected("u4", "A4"), well = t.connected("u5", "A5");
  const auto ask = [&](UserNo user, const std::string& id, const std::string& by) { CHECK(t.write([&](store::Tx& tx) -> Result<store::CancelOutcome> { return store::request_cancel(tx, user, SyncId(id), by); })->found); };
  const auto look = [&] { return *t.read([](store::Tx& tx) -> Result<store::Unheld> { return store::look_for_unheld(tx, EngineNo{9}); }); };
  for (const auto& [user, id] : {std::pair{orphan, "orphan"}, {held, "held"}}) {
    trigger(t, user, id);
    REQUIRE(claim(t, user == orphan ? 7 : 8));
  }
  trigger(t, queued, "queued");
  trigger(t, paused, "paused");
  trigger(t, well, "well");
  CHECK(!look().cancelled);
  for (const auto& [user, id] : {std::pair{queued, "queued"}, {paused, "paused"}, {orphan, "orphan"}, {held, "held"}}) ask(user, id, "the first");
  ask(held, "held", "the second");   // who asked first stays
  CHECK(t.write([&](store::Tx& tx) -> Status {
    store::pause(tx, paused, "an operator");
    store::pause(tx, std::nullopt, "an operator");
    store::bury_engine(tx, EngineNo{7});
    return Done{};
  }));
  CHECK(look().cancelled);
  CHECK(!look().claimable);
  const auto taken = *t.write([](store::Tx& tx) -> Result<std::vector<store::CancelledRun>> {
    auto runs = store::take_cancelled(tx, EngineNo{9});
    for (const store::CancelledRun& run : runs) {
      store::RunEnd end;
      end.status = store::RunStatus::cancelled;
      store::finish(*store::RunTx::enter(tx, run.fence), end);
    }
    return runs;
  });
  CHECK(taken.size() == 3);
  CHECK(t.count("SELECT count(*) FROM runs WHERE status='cancelled' AND cancelled_by='the first'") == 3);
  CHECK(t.count("SELECT count(*) FROM runs WHERE sync_id IN ('held', 'well') AND status IN ('queued', 'in_progress')") == 2);
  CHECK(!look().cancelled);
  // A holder who does not hear is one whose lease runs out.
  t.clock.jump(std::chrono::seconds(31));
  CHECK(look().cancelled);
  CHECK(!t.read([](store::Tx& tx) -> Result<store::Unheld> { return store::look_for_unheld(tx, EngineNo{8}); })->cancelled);   // its own it renews
}

TEST_CASE("what a person asked for during a sync is a person's when it runs after it, and what the clock asked for is not") {
  TestStore t;
  const UserNo user = t.connected();
  const auto follow_up = [&](std::initializer_list<store::Cause> causes) {
    trigger(t, user, "a" + std::to_string(causes.size()), false, "inventory", store::Cause::schedule);
    const auto held = claim(t, 1);
    for (const store::Cause cause : causes) trigger(t, user, "x", true, "transactions", cause);
    const std::string id = "f" + std::to_string(causes.size());
    REQUIRE(finish(t, held->fence, store::RunStatus::completed, id).follow_up);
    const auto row = *t.read([&](store::Tx& tx) -> Result<std::string> { return *tx.text("SELECT cause || ' ' || interactive FROM runs WHERE sync_id=?1", id); });
    finish(t, claim(t, 1)->fence, store::RunStatus::completed);
    return row;
  };
  CHECK(follow_up({store::Cause::notification}) == "notification 0");
  CHECK(follow_up({store::Cause::notification, store::Cause::manual}) == "manual 1");
  CHECK(follow_up({store::Cause::bypass, store::Cause::notification, store::Cause::manual}) == "bypass 1");
}

TEST_CASE("progress never falls, a milestone is told once, and what passed before one is gone after it") {
  TestStore t;
  const UserNo user = t.connected();
  const store::Fence fence = t.running(user);
  const auto step = [&](int progress, bool milestone) {
    CHECK(t.in_run(fence, [&](const store::RunTx& run) -> Status {
      if (milestone) {
        store::milestone(run, progress, "M" + std::to_string(progress), "p", "");
      } else {
        store::PassingState state;
        state.progress = progress;
        store::pass_progress(run, state);
      }
      return Done{};
    }));
  };
  step(30, true);
  step(45, false);
  step(41, false);
  CHECK(t.count("SELECT progress FROM runs") == 45);
  step(30, true);
  step(60, true);
  CHECK(t.count("SELECT count(*) FROM run_progress") == 0);
  step(50, false);
  CHECK(t.count("SELECT progress FROM runs") == 60);
  CHECK(t.count("SELECT count(*) FROM journal WHERE type='sync_progress'") == 3);   // 10, 30, 60
}

TEST_CASE("a dead engine's runs and buckets are free at once") {
  TestStore t;
  const UserNo user = t.connected();
  trigger(t, user, "a");
  claim(t, 7);
  CHECK(t.write([](store::Tx& tx) -> Status {
    tx.run("INSERT INTO buckets(app_id, account, region, operation, level, rate, as_of, holder, held_until) VALUES('app', 'A1', 'na', 'op', 9.0, 0.5, ?1, 7, ?2)", tx.now(), tx.now() + std::chrono::seconds(45));
    tx.run("INSERT INTO buckets(app_id, account, region, operation, level, rate, as_of, holder, held_until) VALUES('app', 'A1', 'na', 'slow', 9.0, 0.0167, ?1, 7, ?2)", tx.now(), tx.now() + std::chrono::seconds(45));
    store::bury_engine(tx, EngineNo{7});
    return Done{};
  }));
  CHECK(t.count("SELECT count(*) FROM buckets WHERE holder=0 AND operation='op' AND level=0.0") == 1);
  CHECK(t.count("SELECT count(*) FROM buckets WHERE holder=0 AND operation='slow' AND level=9.0") == 1);   // each of its calls is counted
  const auto queued = [&] { return *t.read([](store::Tx& tx) -> Result<std::int64_t> { return store::load_of(tx, EngineNo{8}).runs_queued; }); };
  CHECK(queued() == 1);   // nobody performs it
  CHECK(claim(t, 8)->fence.token == 2);
  CHECK(queued() == 0);
}

TEST_CASE("the journal is numbered per user without gaps, and trimming keeps the numbers going") {
  TestStore t;
  const UserNo one = t.connected("u1", "A1"), two = t.connected("u2", "A2");
  CHECK(t.write([&](store::Tx& tx) -> Status {
    for (int i = 1; i <= 5; ++i) CHECK(store::append_event(tx, one, "e", "{}") == i);
    CHECK(store::append_event(tx, two, "e", "{}") == 1);
    return Done{};
  }));
  t.clock.jump(std::chrono::hours(24 * 8));
  CHECK(t.write([&](store::Tx& tx) -> Status {
    CHECK(store::append_event(tx, one, "e", "{}") == 6);
    CHECK(store::trim_journal(tx, tx.now() - std::chrono::hours(24 * 7), 1'000) == 6);
    const store::JournalRange range = store::journal_range(tx, one);
    CHECK(range.oldest == 6);
    CHECK(range.newest == 6);
    CHECK(store::journal_range(tx, two).oldest == 2);
    return Done{};
  }));
}

TEST_CASE("who holds a run that is to be cancelled is known, and is nobody once dead") {
  TestStore t;
  const UserNo user = t.connected();
  trigger(t, user, "a");
  REQUIRE(claim(t, 7));
  const auto holders = [&] { return *t.read([](store::Tx& tx) -> Result<std::vector<EngineNo>> { return store::holders_of_cancelled(tx, EngineNo{1}); }); };
  CHECK(holders().empty());
  CHECK(t.write([&](store::Tx& tx) -> Result<bool> { return store::request_cancel(tx, user, SyncId("a"), "a person").found; }));
  CHECK(holders() == std::vector<EngineNo>{EngineNo{7}});
  CHECK(t.write([&](store::Tx& tx) -> Result<bool> { return store::bury_engine(tx, EngineNo{7}), true; }));
  CHECK(holders().empty());
}

TEST_CASE("connections without a plan get one, spread over the period; those that are synced or left get none") {
  TestStore t;
  for (int n = 1; n <= 5; ++n) t.connected("u" + std::to_string(n), "A" + std::to_string(n));
  trigger(t, UserNo{4}, "a");
  CHECK(t.write([](store::Tx& tx) -> Result<bool> { return store::disconnect(tx, UserNo{5}); }));
  CHECK(t.write([](store::Tx& tx) -> Result<bool> { return store::plan_unplanned(tx, std::chrono::hours(64), std::chrono::hours(80)), true; }));
  CHECK(t.count("SELECT count(*) FROM connections WHERE next_sync_at IS NOT NULL") == 3);
  CHECK(t.count("SELECT count(DISTINCT next_sync_at) FROM connections") == 3);
  CHECK(t.count("SELECT count(*) FROM connections WHERE next_sync_at<" + std::to_string(to_us(t.clock.now())) + " OR next_sync_at>=" + std::to_string(to_us(t.clock.now() + std::chrono::hours(64)))) == 0);
}

TEST_CASE("a store that a newer version has migrated meanwhile takes nothing more from this one") {
  TestStore t;
  t.connected();
  CHECK(t.write([](store::Tx& tx) -> Result<bool> { return tx.run("UPDATE meta SET value='9999' WHERE key='min_writer'") == 1; }));
  const auto refused = t.write([](store::Tx& tx) -> Result<std::int64_t> { return tx.run("UPDATE users SET created_at=0"); });
  CHECK(refused.code() == Code::store_newer);
  CHECK(t.count("SELECT count(*) FROM users WHERE created_at=0") == 0);
}

TEST_CASE("an engine that was not there for long is forgotten, and nobody gets its number") {
  TestStore t;
  const auto engines = [&] { return t.count("SELECT count(*) FROM engines"); };
  const auto note = [&](EngineNo me) { return t.write([&](store::Tx& tx) -> Status { return store::note_engine(tx, me, tx.now() - std::chrono::hours(48)), Done{}; }); };
  const auto mine = t.store->register_engine(), killed = t.store->register_engine(), closed = t.store->register_engine();
  REQUIRE(closed);
  CHECK(t.write([&](store::Tx& tx) -> Status { return store::close_engine(tx, *closed), Done{}; }));
  t.clock.jump(std::chrono::hours(40));
  CHECK(note(*mine));
  CHECK(engines() == 3);
  t.clock.jump(std::chrono::hours(40));
  CHECK(note(*mine));
  CHECK(engines() == 1);
  CHECK(t.count("SELECT engine_no FROM engines") == mine->value);
  CHECK(t.store->register_engine()->value > closed->value);
  // One that was away itself for so long, and comes back, is there again.
  t.clock.jump(std::chrono::hours(80));
  CHECK(note(EngineNo{closed->value + 1}));
  CHECK(note(*mine));
  CHECK(engines() == 2);
}

TEST_CASE("a store that a newer version has laid out anew meanwhile tells nothing more to this one") {
  TestStore t;
  t.connected();
  const auto count = [](store::Tx& tx) -> Result<std::int64_t> { return tx.integer("SELECT count(*) FROM users").value_or(0); };
  CHECK(*t.read(count) == 1);
  CHECK(t.write([](store::Tx& tx) -> Result<bool> { return tx.run("UPDATE meta SET value='9999' WHERE key='min_reader'") == 1; }));
  CHECK(t.read(count).code() == Code::store_newer);
  CHECK(t.store->read_now(count).code() == Code::store_newer);
  CHECK(t.store->read_aside(count).code() == Code::store_newer);
}

TEST_CASE("a job that fails in a way that nobody expects fails alone") {
  TestStore t;
  const auto failed = t.write([](store::Tx&) -> Result<int> { throw std::out_of_range("a bug"); });
  CHECK(failed.code() == Code::internal);
  CHECK(t.read([](store::Tx&) -> Result<int> { throw std::bad_alloc(); }).code() == Code::no_memory);
  t.connected();
  CHECK(t.count("SELECT count(*) FROM users") == 1);
}

TEST_CASE("an engine takes up the runs of sellers of its own region, and leaves the others be") {
  TestStore t;
  const UserNo here = t.connected("u1", "A1"), there = t.connected("u2", "A2");
  REQUIRE(t.write([&](store::Tx& tx) -> Status {
    tx.run("UPDATE connections SET region='eu' WHERE user_no=?1", there);
    return Done{};
  }));
  trigger(t, there, "s2");
  const auto claim = [&](int engine, const char* region) {
    const auto run = *t.write([&](store::Tx& tx) -> Result<std::optional<store::ClaimedRun>> { return store::claim(tx, EngineNo{engine}, std::chrono::seconds(30), region); });
    return run ? run->id.text() : std::string();
  };
  const auto claimable = [&](const char* region) { return t.read([&](store::Tx& tx) -> Result<store::Unheld> { return store::look_for_unheld(tx, EngineNo{9}, region); })->claimable; };
  CHECK(!claimable("na"));
  CHECK(claimable("eu"));
  CHECK(claim(1, "na") == "");
  trigger(t, here, "s1");
  CHECK(claim(1, "na") == "s1");
  CHECK(claim(1, "na") == "");
  CHECK(claim(2, "eu") == "s2");
  // One that its worker let go of is still nobody's but its region's.
  t.clock.jump(std::chrono::minutes(1));
  CHECK(claim(3, "na") == "s1");
  CHECK(claim(3, "na") == "");
  CHECK(!claimable("na"));
  CHECK(claim(4, "eu") == "s2");
}

TEST_CASE("what a seller of another region is to be synced for is refused, and what is rebuilt from the archive is not") {
  TestStore t;
  const UserNo user = t.connected();   // in na
  const auto ask = [&](store::Cause cause, const char* region) {
    return t.write([&](store::Tx& tx) -> Result<store::TriggerOutcome> { return store::trigger(tx, {user, cause, SyncId("s-" + std::string(region)), {}, false, region}); }).code();
  };
  CHECK(ask(store::Cause::manual, "eu") == Code::wrong_region);
  CHECK(ask(store::Cause::replay, "eu") == Code::ok);
  CHECK(*t.write([](store::Tx& tx) -> Result<bool> { return store::claim(tx, EngineNo{1}, std::chrono::seconds(30), "eu").has_value(); }));
}

TEST_CASE("a cancelled run puts no try after a failure off") {
  TestStore t;
  const UserNo user = t.connected();
  const auto run = [&](const char* id, store::RunStatus status, Duration next, std::int64_t failures) {
    trigger(t, user, id);
    const auto held = *t.write([](store::Tx& tx) -> Result<std::optional<store::ClaimedRun>> { return store::claim(tx, EngineNo{1}, std::chrono::seconds(30)); });
    REQUIRE(held);
    REQUIRE(t.write([&](store::Tx& tx) -> Status {
      AMZ_TRY(entered, store::RunTx::enter(tx, held->fence));
      store::RunEnd end;
      end.status = status;
      if (status == store::RunStatus::failed) end.error = Error(Code::amazon_error);
      end.next_sync_at = tx.now() + next;
      end.failed_syncs = failures;
      end.follow_up_id = SyncId(std::string(id) + "-again");
      store::finish(entered, end);
      return Done{};
    }));
    const auto connection = *t.read([&](store::Tx& tx) -> Result<store::Connection> { return *store::find_connection(tx, user); });
    return std::pair(*connection.next_sync_at - t.clock.now(), connection.failed_syncs);
  };
  CHECK(run("s1", store::RunStatus::failed, std::chrono::minutes(5), 1) == std::pair(Duration(std::chrono::minutes(5)), std::int64_t{1}));
  CHECK(run("s2", store::RunStatus::cancelled, std::chrono::hours(6), 0) == std::pair(Duration(std::chrono::minutes(5)), std::int64_t{1}));
  CHECK(run("s3", store::RunStatus::completed, std::chrono::hours(6), 0) == std::pair(Duration(std::chrono::hours(6)), std::int64_t{0}));
}

TEST_CASE("who asks for what the active run does not read is told that another one will") {
  TestStore t;
  const UserNo user = t.connected();
  CHECK(!trigger(t, user, "s1", false, "inventory").runs_again);
  CHECK(!trigger(t, user, "s2", false, "inventory").runs_again);
  const auto all = trigger(t, user, "s3");
  CHECK(all.attached);
  CHECK(all.runs_again);
}

TEST_SUITE_END();
