// SPDX-License-Identifier: Apache-2.0
#include "events/dispatcher.hpp"

#include "base/memory.hpp"

namespace amzsync::events {

Result<std::int64_t> Dispatcher::subscribe(std::optional<UserId> user, std::int64_t after, Listener listener, std::function<void()> freed) {
  auto cursor = user ? Cursor::open(store_, std::move(*user), after) : Cursor::open_all(store_);
  if (!cursor) return cursor.error();
  auto subscription = std::make_shared<Subscription>();
  subscription->cursor = std::move(*cursor);
  subscription->listener = std::move(listener);
  subscription->freed = std::move(freed);
  std::int64_t id = 0;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return Code::closed;
    id = next_id_++;
    subscriptions_.emplace(id, subscription);
  }
  if (listening_) listening_();
  poke();  // what is to be replayed comes without waiting for news
  return id;
}

bool Dispatcher::anybody_listens() {
  std::lock_guard lock(mutex_);
  return !subscriptions_.empty();
}

void Dispatcher::let_go(Subscription& subscription) {
  std::function<void()> freed;
  {
    std::lock_guard wait(subscription.calling);
    if (!std::exchange(subscription.active, false)) return;
    freed = std::move(subscription.freed);
    subscription.listener = nullptr;
  }
  if (freed) freed();
}

Status Dispatcher::unsubscribe(std::int64_t id) {
  if (inside_callback()) return Code::would_deadlock;
  std::shared_ptr<Subscription> subscription;
  {
    std::lock_guard lock(mutex_);
    const auto found = subscriptions_.find(id);
    if (found == subscriptions_.end()) return Code::not_found;
    subscription = std::move(found->second);
    subscriptions_.erase(found);
  }
  let_go(*subscription);
  if (listening_) listening_();
  return Done{};
}

void Dispatcher::poke() noexcept {
  if (pumping_.exchange(true)) return;
  insist([this] { asio::post(thread_, [this] { pump(); }); });
}

void Dispatcher::call_out(std::function<void()> callback) {
  asio::post(thread_, [this, call = std::move(callback)] {
    calling_ = std::this_thread::get_id();
    call();
    calling_ = std::thread::id();
  });
}

void Dispatcher::pump() {
  pumping_ = false;  // a poke from here on means another round
  bool troubled = false;
  try {
    troubled = !tell_all();
  } catch (const std::bad_alloc&) {
    troubled = true;
  }
  if (troubled && troubled_) troubled_();
}

/// False: some of them may not have all that there is.
bool Dispatcher::tell_all() {
  std::vector<std::shared_ptr<Subscription>> all;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, subscription] : subscriptions_) all.push_back(subscription);
  }
  bool troubled = false;
  for (const auto& subscription : all) {
    for (;;) {
      if (!subscription->next) {
        auto item = subscription->cursor->next();
        troubled |= !item;
        if (!item || !*item) break;
        subscription->next = std::move(**item);
      }
      if (!call(*subscription, *subscription->next)) {
        troubled = true;
        break;
      }
      subscription->next.reset();
    }
  }
  return !troubled;
}

/// False: there was no memory to tell it.
bool Dispatcher::call(Subscription& subscription, const Item& item) {
  std::lock_guard during(subscription.calling);
  if (!subscription.active) return true;
  calling_ = std::this_thread::get_id();
  bool told = true;
  try {
    subscription.listener(item);
  } catch (const std::bad_alloc&) {
    told = false;
  }
  calling_ = std::thread::id();
  return told;
}

void Dispatcher::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  asio::post(thread_, [this] { end_all(); });
}

void Dispatcher::end_all() {
  std::map<std::int64_t, std::shared_ptr<Subscription>> all;
  {
    std::lock_guard lock(mutex_);
    all.swap(subscriptions_);
  }
  for (const auto& [id, subscription] : all) {
    call(*subscription, Item{UserId(), {0, "engine.closed", "{}"}, 0});
    let_go(*subscription);
  }
}

}  // namespace amzsync::events
