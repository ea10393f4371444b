// SPDX-License-Identifier: Apache-2.0
#include "events/dispatcher.hpp"
#include "events/sse.hpp"
#include "store/erasure.hpp"
#include "support/test_store.hpp"

using namespace support;
using amzsync::events::Cursor;
using amzsync::events::Dispatcher;
using amzsync::events::Item;

namespace {

void append(TestStore& t, const std::string& user, const std::string& type) {
  CHECK(t.write([&](store::Tx& tx) -> Status {
    store::append_event(tx, store::ensure_user(tx, UserId(user)), type, "{\"n\":1}");
    return Done{};
  }));
}
std::string drain(Cursor& cursor) {
  std::string types;
  for (;;) {
    auto item = cursor.next();
    REQUIRE(item);
    if (!*item) return types;
    types += (*item)->user.text() + ":" + (*item)->event.type + ((*item)->event.seq > 0 ? std::to_string((*item)->event.seq) : "") + " ";
  }
}

}  // namespace

TEST_SUITE_BEGIN("events");

TEST_CASE("a reader gets what came after its place, and nothing of others") {
  TestStore t;
  for (const char* type : {"a", "b", "c"}) append(t, "u1", type);
  append(t, "u2", "x");
  auto cursor = *Cursor::open(*t.store, UserId("u1"), 1);
  CHECK(!cursor->replay_gap());
  CHECK(drain(*cursor) == "u1:b2 u1:c3 ");
  append(t, "u1", "d");
  CHECK(drain(*cursor) == "u1:d4 ");
  auto live = *Cursor::open(*t.store, UserId("u1"), Cursor::kLive);
  CHECK(live->began_after() == 4);
  CHECK(drain(*live) == "");
  auto all = *Cursor::open_all(*t.store);
  append(t, "u2", "y");
  append(t, "u1", "e");
  CHECK(drain(*all) == "u2:y2 u1:e5 ");
}

TEST_CASE("a reader hears of all that comes of a user who was erased and has come again") {
  TestStore t;
  for (int i = 0; i < 3; ++i) append(t, "u1", "old");
  auto live = *Cursor::open(*t.store, UserId("u1"), Cursor::kLive);
  auto from_the_beginning = *Cursor::open(*t.store, UserId("u1"), 0);
  CHECK(drain(*from_the_beginning) == "u1:old1 u1:old2 u1:old3 ");
  REQUIRE(t.write([](store::Tx& tx) -> Status {
    REQUIRE(store::begin_erasure(tx, UserId("u1"), "erased"));
    return Done{};
  }));
  CHECK(drain(*live) == "");
  auto meanwhile = *Cursor::open(*t.store, UserId("u1"), Cursor::kLive);
  append(t, "u1", "new");
  append(t, "u1", "newer");
  for (Cursor* cursor : {live.get(), from_the_beginning.get(), meanwhile.get()}) CHECK(drain(*cursor) == "u1:new1 u1:newer2 ");
}

TEST_CASE("a place that is too old, or was never, is told as a gap") {
  TestStore t;
  for (int i = 0; i < 4; ++i) append(t, "u1", "e");
  t.clock.jump(std::chrono::hours(24 * 8));
  append(t, "u1", "new");
  CHECK(t.write([](store::Tx& tx) -> Status {
    store::trim_journal(tx, tx.now() - std::chrono::hours(24 * 7), 100);
    return Done{};
  }));
  const auto gap = [&](std::int64_t after) { return (*Cursor::open(*t.store, UserId("u1"), after))->replay_gap(); };
  CHECK(gap(0));
  CHECK(gap(2));
  CHECK(!gap(4));
  CHECK(!gap(5));
  CHECK(gap(6));
  CHECK(gap(INT64_MAX));
  auto cursor = *Cursor::open(*t.store, UserId("u1"), 2);
  CHECK(drain(*cursor) == "u1:new5 ");
  // A user who was never seen has an empty journal, from the start.
  auto stranger = *Cursor::open(*t.store, UserId("u9"), 0);
  CHECK(!stranger->replay_gap());
  append(t, "u9", "first");
  CHECK(drain(*stranger) == "u9:first1 ");
}

TEST_CASE("more events than are read at once come in order, and passing progress after them") {
  TestStore t;
  const UserNo user = t.connected();
  const store::Fence fence = t.running(user);   // sync.started, 10 %
  auto cursor = *Cursor::open(*t.store, UserId("u1"), 0);
  for (int i = 0; i < 450; ++i) append(t, "u1", "e");
  CHECK(t.in_run(fence, [](const store::RunTx& run) -> Status {
    store::pass_progress(run, {});
    return Done{};
  }));
  std::int64_t last = 0;
  int passing = 0, count = 0;
  for (;;) {
    auto item = cursor->next();
    if (!*item) break;
    ++count;
    if ((*item)->event.seq == 0) {
      ++passing;
    } else {
      CHECK(passing == 0);
      CHECK((*item)->event.seq == last + 1);
      last = (*item)->event.seq;
    }
  }
  CHECK(count == 453);
  CHECK(passing == 1);
}

TEST_CASE("listeners are called in order until they leave, and what they hold is freed once") {
  TestStore t;
  Dispatcher dispatcher(t.loop.get_executor(), *t.store);
  const auto pump = [&] {
    dispatcher.poke();
    t.loop.restart();
    t.loop.poll();
  };
  append(t, "u1", "before");
  std::string one, all;
  int freed = 0;
  const auto id = dispatcher.subscribe(UserId("u1"), 0, [&](const Item& item) { one += item.event.type + " "; }, [&] { ++freed; });
  const auto everybody = dispatcher.subscribe(std::nullopt, Cursor::kLive, [&](const Item& item) { all += item.user.text() + " "; }, [&] { ++freed; });
  REQUIRE(id);
  REQUIRE(everybody);
  append(t, "u1", "x");
  append(t, "u2", "y");
  pump();
  CHECK(one == "before x ");
  CHECK(all == "u1 u2 ");
  CHECK(dispatcher.unsubscribe(*id));
  CHECK(freed == 1);
  CHECK(dispatcher.unsubscribe(*id).code() == Code::not_found);
  append(t, "u1", "z");
  pump();
  CHECK(one == "before x ");
  bool inside = false;
  dispatcher.call_out([&] { inside = dispatcher.inside_callback(); });
  dispatcher.close();
  CHECK(freed == 1);   // on the thread of the callbacks, like everything else
  pump();
  CHECK(freed == 2);
  CHECK(inside);
  CHECK(dispatcher.subscribe(std::nullopt, 0, [](const Item&) {}, [] {}).code() == Code::closed);
}

TEST_CASE("from inside a callback a listener can't wait for its own end") {
  TestStore t;
  Dispatcher dispatcher(t.loop.get_executor(), *t.store);
  std::int64_t id = 0;
  Code code = Code::ok;
  id = *dispatcher.subscribe(UserId("u1"), 0, [&](const Item&) { code = dispatcher.unsubscribe(id).code(); }, [] {});
  append(t, "u1", "x");
  dispatcher.poke();
  t.loop.restart();
  t.loop.poll();
  CHECK(code == Code::would_deadlock);
  CHECK(dispatcher.unsubscribe(id));
}

TEST_CASE("frames of an event stream") {
  CHECK(amzsync::events::sse_frame({7, "sync.started", "{}"}) == "id: 7\nevent: sync.started\ndata: {}\n\n");
  CHECK(amzsync::events::sse_frame({0, "sync_progress", "{}"}) == "event: sync_progress\ndata: {}\n\n");
  CHECK(amzsync::events::sse_hello("{}", 3) == "retry: 3000\nid: 3\nevent: connected\ndata: {}\n\n");
}

TEST_SUITE_END();
