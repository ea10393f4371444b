// SPDX-License-Identifier: Apache-2.0
#include "http_host/streams.hpp"

#include <utility>

namespace host {
namespace {

constexpr std::string_view kHeartbeat = ": heartbeat\n\n";
constexpr std::size_t kAhead = 256 * 1024;   // how much of what was missed is written before the client has taken what came before

}  // namespace

/// Unless it was written already. Who was erased and has come again has another journal, whose numbers begin anew. False: the stream is over.
bool EventStreams::Listener::write(const amzsync::Event& event) {
  if (const std::int64_t seq = event.seq(); seq > 0) {
    if (event.journal() != std::exchange(journal, event.journal())) last = 0;
    if (seq <= last) return true;
    last = seq;
  }
  ahead += event.sse().size();
  return stream->write(std::string(event.sse()));
}

void EventStreams::pump() {
  const std::lock_guard pumping(pump_mutex_);
  for (;;) {
    auto event = all_.next(std::chrono::milliseconds(0));
    if (!event || !*event) return;
    const std::lock_guard lock(mutex_);
    const auto [first, last] = listeners_.equal_range(std::string((*event)->user()));
    for (auto it = first; it != last; ++it)
      if (!it->second->missed) it->second->write(**event);
  }
}

void EventStreams::heartbeat() {
  const std::lock_guard lock(mutex_);
  for (auto& [user, listener] : listeners_) listener->stream->write(std::string(kHeartbeat));
}

void EventStreams::add(const std::string& user, amzsync::Events missed, std::shared_ptr<httpd::Stream> stream) {
  const auto listener = std::make_shared<Listener>();
  listener->user = user;
  listener->stream = stream;
  listener->journal = missed.journal();
  listener->last = missed.position();
  stream->write(std::string(missed.sse_hello()));
  listener->missed = std::move(missed);
  {
    const std::lock_guard lock(mutex_);
    listeners_.emplace(user, listener);
  }
  stream->on_close([this, weak = std::weak_ptr(listener)] {
    if (const auto gone = weak.lock()) drop(gone.get());
  });
  bring_up_to_date(listener);
}

void EventStreams::bring_up_to_date(const std::shared_ptr<Listener>& listener) {
  Read read = listener->read_on();
  if (read == Read::all) {
    // What the reader of all has read it has given out by now, and what it reads from now on is newer than what this one has: progress
    // that passed earlier, which has no number to tell it by, can't come late.
    const std::lock_guard pumping(pump_mutex_);
    read = listener->read_on();
    const std::lock_guard lock(mutex_);
    if (read == Read::all) listener->missed.reset();
  }
  if (read != Read::as_much_as_may_wait) return;
  listener->stream->when_taken([this, weak = std::weak_ptr(listener)] {
    if (weak.expired()) return;   // perhaps along with this
    on_a_thread_([this, weak] {
      if (const auto still_there = weak.lock()) bring_up_to_date(still_there);
    });
  });
}

/// A stream that can't be read on is cut: its client comes back for the rest, from the last number that it has.
EventStreams::Read EventStreams::Listener::read_on() {
  for (ahead = 0; ahead < kAhead;) {
    auto event = missed->next(std::chrono::milliseconds(0));
    if (!event) {
      stream->close();
      return Read::no_more;
    }
    if (!*event) return Read::all;
    if (!write(**event)) return Read::no_more;
  }
  return Read::as_much_as_may_wait;
}

void EventStreams::drop(const Listener* gone) {
  const std::lock_guard lock(mutex_);
  const auto [first, last] = listeners_.equal_range(gone->user);
  for (auto it = first; it != last; ++it)
    if (it->second.get() == gone) {
      listeners_.erase(it);
      return;
    }
}

std::size_t EventStreams::count() const {
  const std::lock_guard lock(mutex_);
  return listeners_.size();
}

}  // namespace host
