// SPDX-License-Identifier: Apache-2.0
// Callbacks: calls listeners with what the journal brings, on one thread of its own, in order, never under a lock that any
// other function takes. A listener that blocks delays other listeners, and nothing else: runs, pulling and SSE go on.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

#include "events/cursor.hpp"
#include "events/hub.hpp"

namespace amzsync::events {

using Listener = std::function<void(const Item&)>;

class Dispatcher {
 public:
  /// `thread` runs one piece of work at a time.
  Dispatcher(Executor thread, store::Store& store) : thread_(std::move(thread)), store_(store) {}

  /// Called, on the thread of whoever subscribes or unsubscribes, when there may be listeners where there were none, or none any more: what other
  /// processes commit must be looked for as long as anybody listens. To be set once.
  void on_listening(std::function<void()> told) { listening_ = std::move(told); }
  /// Called, on the dispatcher's thread, when the store gave no news, so that nobody knows whether there are any: to be poked again after a while, for no other
  /// change may come. To be set once.
  void on_trouble(std::function<void()> told) { troubled_ = std::move(told); }
  /// Any thread.
  bool anybody_listens();

  /// `freed` is called once, after the last call of the listener. Any thread. Errors: closed, those of the store.
  Result<std::int64_t> subscribe(std::optional<UserId> user, std::int64_t after, Listener listener, std::function<void()> freed);
  /// When it returns, no call runs and none will. Any thread. Errors: not_found; would_deadlock from inside a callback.
  Status unsubscribe(std::int64_t id);

  /// Something changed. Any thread.
  void poke() noexcept;
  /// Whether the calling thread is inside one of our callbacks.
  bool inside_callback() const noexcept { return std::this_thread::get_id() == calling_.load(); }
  /// Calls `callback` there like a listener. Any thread.
  void call_out(std::function<void()> callback);
  /// Begins to tell every listener that the engine is closed (`engine.closed`), and to let all go; the thread has done it when it has nothing more to do.
  void close();

 private:
  struct Subscription {
    std::unique_ptr<Cursor> cursor;
    std::optional<Item> next;   // which could not be told yet
    Listener listener;
    std::function<void()> freed;
    std::mutex calling;   // held during a call, so that unsubscribe can wait for its end
    bool active = true;
  };
  void pump();
  bool tell_all();
  bool call(Subscription& subscription, const Item& item);
  void end_all();
  static void let_go(Subscription& subscription);

  Executor thread_;
  store::Store& store_;
  std::function<void()> listening_, troubled_;
  std::mutex mutex_;
  std::map<std::int64_t, std::shared_ptr<Subscription>> subscriptions_;
  std::int64_t next_id_ = 1;
  bool closed_ = false;
  std::atomic<bool> pumping_{false};
  std::atomic<std::thread::id> calling_{};
};

}  // namespace amzsync::events
