// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <asio/post.hpp>
#include <cerrno>

#include "capi/handles.hpp"
#include "events/sse.hpp"

using namespace amzsync;         // NOLINT: this file is the library's edge
using namespace amzsync::capi;   // NOLINT

namespace {

/// Readable while there may be news. Shared with the hub, which may still wake it while its reader is being closed.
class WakeUp {
 public:
  WakeUp() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~WakeUp() { ::close(fd_); }
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;

  int fd() const noexcept { return fd_; }
  void set() const noexcept {
    const std::uint64_t one = 1;
    (void)!::write(fd_, &one, sizeof one);
  }
  void clear() const noexcept {
    std::uint64_t count = 0;
    (void)!::read(fd_, &count, sizeof count);
  }

 private:
  int fd_;
};

}  // namespace

struct amzsync_events : Alive<Kind::events> {
  amzsync_events(amzsync_engine* e, Live::Reading r) : reading(std::move(r)), engine(e) {}
  ~amzsync_events() {
    try {
      Engine& its = engine->runtime->engine();
      asio::post(its.parts().loop, [&hub = its.hub(), l = listener] {
        if (*l > 0) hub.remove(*l);
        *l = -1;
      });
    } catch (const std::bad_alloc&) {
      // Then it listens on, which wakes nobody.
    }
  }
  Live::Reading reading;
  amzsync_engine* engine;
  std::optional<UserId> user;
  std::unique_ptr<events::Cursor> cursor;
  std::shared_ptr<WakeUp> wake_up;
  std::shared_ptr<std::int64_t> listener = std::make_shared<std::int64_t>(0);   // its number at the hub; the loop's
  std::string hello;
  std::optional<events::Item> next;   // which could not be given yet
  std::int64_t position = 0;
};

namespace {

std::unique_ptr<amzsync_event> make_event(events::Item item) {
  auto event = std::make_unique<amzsync_event>();
  event->sse = events::sse_frame(item.event);
  event->item = std::move(item);
  return event;
}

Result<std::optional<UserId>> maybe_user(const char* user) {
  if (!user) return std::optional<UserId>();
  AMZ_TRY(id, parse_user_id(user));
  return std::optional<UserId>(id);
}

}  // namespace

extern "C" {

int64_t amzsync_event_seq(const amzsync_event* event) noexcept {
  return from_live(event, int64_t{0}, [](const amzsync_event& e) { return e.item.event.seq; });
}
int64_t amzsync_event_journal(const amzsync_event* event) noexcept {
  return from_live(event, int64_t{0}, [](const amzsync_event& e) { return e.item.journal; });
}
const char* amzsync_event_type(const amzsync_event* event) noexcept {
  return text_from_live(event, nullptr, [](const amzsync_event& e) -> const std::string& { return e.item.event.type; });
}
const char* amzsync_event_user(const amzsync_event* event) noexcept {
  return text_from_live(event, nullptr, [](const amzsync_event& e) -> const std::string& { return e.item.user.text(); });
}
const char* amzsync_event_json(const amzsync_event* event, size_t* out_size) noexcept {
  return text_from_live(event, out_size, [](const amzsync_event& e) -> const std::string& { return e.item.event.payload; });
}
const char* amzsync_event_sse(const amzsync_event* event, size_t* out_size) noexcept {
  return text_from_live(event, out_size, [](const amzsync_event& e) -> const std::string& { return e.sse; });
}
void amzsync_event_free(amzsync_event* event) noexcept { free_live(event); }

int32_t amzsync_events_open(amzsync_engine* engine, const char* user, int64_t after, amzsync_events** out_events, amzsync_error** err) noexcept {
  if (out_events) *out_events = nullptr;
  return calling(engine, err, {AMZ_GIVEN(user)}, [&](Runtime& runtime) -> Status {
    if (!out_events) return missing("out_events");
    AMZ_TRY(id, maybe_user(user));
    AMZ_TRY(reading, Live::read(engine));
    auto reader = std::make_unique<amzsync_events>(engine, std::move(reading));
    reader->user = id;
    reader->wake_up = std::make_shared<WakeUp>();
    if (reader->wake_up->fd() < 0) return Error(Code::no_memory, "No more file descriptors.");
    // Listening begins before the place is taken, so that nothing falls between.
    asio::post(runtime.engine().parts().loop, [&hub = runtime.engine().hub(), wake_up = reader->wake_up, listener = reader->listener] {
      if (*listener == 0) *listener = hub.add([wake_up] { wake_up->set(); });
      wake_up->set();
    });
    auto cursor = id ? events::Cursor::open(runtime.engine().store(), *id, after) : events::Cursor::open_all(runtime.engine().store());
    if (!cursor) return cursor.error();
    reader->cursor = std::move(*cursor);
    if (id) reader->position = reader->cursor->began_after();
    *out_events = reader.release();
    return Done{};
  });
}

int32_t amzsync_events_gap(const amzsync_events* events) noexcept {
  return from_live(events, 0, [](const amzsync_events& e) { return e.cursor->replay_gap(); });
}

int64_t amzsync_events_position(const amzsync_events* events) noexcept {
  return from_live(events, int64_t{0}, [](const amzsync_events& e) { return e.position; });
}

int64_t amzsync_events_journal(const amzsync_events* events) noexcept {
  return from_live(events, int64_t{0}, [](const amzsync_events& e) { return e.cursor->journal(); });
}

const char* amzsync_events_sse_hello(amzsync_events* events, size_t* out_size) noexcept {
  if (is_live(events)) events->hello.clear();
  (void)reading(events, "events", nullptr, [&](Runtime& runtime) -> Status {
    if (!events->user) return Done{};
    const events::Cursor& cursor = *events->cursor;
    AMZ_TRY(snapshot, runtime.engine().connected_document(*events->user, cursor.began_after(), cursor.replay_gap()));
    events->hello = events::sse_hello(snapshot, cursor.began_after());
    return Done{};
  });
  return text_from_live(events, out_size, [](const amzsync_events& e) -> const std::string& { return e.hello; });
}

int32_t amzsync_events_next(amzsync_events* events, int64_t timeout_ms, amzsync_event** out_event, amzsync_error** err) noexcept {
  if (out_event) *out_event = nullptr;
  return reading(events, "events", err, [&](Runtime& runtime) -> Status {
    if (!out_event) return missing("out_event");
    if (timeout_ms != 0 && must_not_wait(runtime)) return Code::would_deadlock;
    const Steady start = runtime.clock().steady();
    for (;;) {
      // Cleared before looking: news that come while we look set it again.
      events->wake_up->clear();
      if (!events->next) {
        AMZ_TRY(item, events->cursor->next());
        events->next = std::move(item);
      }
      if (events->next) {
        events->wake_up->set();  // there may be more
        auto event = make_event(*events->next);
        if (events->user && event->item.event.seq > 0) events->position = event->item.event.seq;
        events->next.reset();
        *out_event = event.release();
        return Done{};
      }
      std::int64_t left = timeout_ms;
      if (timeout_ms > 0) left = timeout_ms - std::chrono::duration_cast<std::chrono::milliseconds>(runtime.clock().steady() - start).count();
      if (timeout_ms >= 0 && left <= 0) return Done{};
      constexpr std::int64_t kLongest = 60'000;
      struct pollfd waiting {events->wake_up->fd(), POLLIN, 0};
      ::poll(&waiting, 1, static_cast<int>(timeout_ms < 0 ? kLongest : std::min(left, kLongest)));
    }
  });
}

int32_t amzsync_events_fd(const amzsync_events* events) noexcept {
  return from_live(events, -1, [](const amzsync_events& e) { return e.wake_up->fd(); });
}

void amzsync_events_close(amzsync_events* events) noexcept {
  (void)reading(events, "events", nullptr, [&](Runtime&) -> Status {
    delete events;
    return Done{};
  });
}

int32_t amzsync_subscribe(amzsync_engine* engine, const char* user, int64_t after, amzsync_event_fn on_event, void* user_data, amzsync_free_fn free_fn, int64_t* out_id,
                          amzsync_error** err) noexcept {
  if (out_id) *out_id = 0;
  return calling(engine, err, {AMZ_GIVEN(user)}, [&](Runtime& runtime) -> Status {
    if (!on_event) return missing("on_event");
    if (!out_id) return missing("out_id");
    AMZ_TRY(id, maybe_user(user));
    const auto listener = [on_event, user_data](const events::Item& item) {
      const auto event = make_event(item);
      Live::lend(event.get());
      on_event(user_data, event.get());
    };
    const auto freed = [free_fn, user_data] {
      const InsideHost inside;
      if (free_fn) free_fn(user_data);
    };
    AMZ_TRY(subscription, runtime.engine().dispatcher().subscribe(std::move(id), after, listener, freed));
    *out_id = subscription;
    return Done{};
  });
}

int32_t amzsync_unsubscribe(amzsync_engine* engine, int64_t id) noexcept {
  return calling(engine, nullptr, {}, [&](Runtime& runtime) -> Status {
    return runtime.engine().dispatcher().unsubscribe(id);
  });
}

}  // extern "C"
