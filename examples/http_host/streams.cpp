// SPDX-License-Identifier: Apache-2.0
#include "http_host/streams.hpp"

#include <utility>

namespace host {
namespace {

constexpr std::string_view kHeartbeat = ": heartbeat\n\n";
constexpr std::size_t kMostHeldBack = 10'000;

}  // namespace

/// Unless it was written already. Who was erased and has come again has another journal, whose numbers begin anew.
void EventStreams::Listener::write(std::int64_t of_journal, std::int64_t seq, std::string frame) {
  if (seq > 0 && of_journal != std::exchange(journal, of_journal)) last = 0;
  if (seq > 0 && seq <= last) return;
  if (seq > 0) last = seq;
  stream->write(std::move(frame));
}

void EventStreams::pump() {
  const std::lock_guard pumping(pump_mutex_);
  for (;;) {
    auto event = all_.next(std::chrono::milliseconds(0));
    if (!event || !*event) return;
    const std::int64_t journal = (*event)->journal(), seq = (*event)->seq();
    const std::lock_guard lock(mutex_);
    const auto [first, last] = listeners_.equal_range(std::string((*event)->user()));
    for (auto it = first; it != last; ++it) {
      Listener& listener = *it->second;
      if (listener.replaying) {
        if (listener.held_back.size() < kMostHeldBack) {
          listener.held_back.push_back({journal, seq, std::string((*event)->sse())});
        } else {
          listener.stream->close();   // it comes back for the rest
        }
        continue;
      }
      listener.write(journal, seq, std::string((*event)->sse()));
    }
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
  {
    const std::lock_guard lock(mutex_);
    listeners_.emplace(user, listener);
  }
  std::weak_ptr<Listener> weak = listener;
  stream->on_close([this, weak] {
    if (const auto gone = weak.lock()) drop(gone.get());
  });

  // Live events are held back by now, so nothing falls between the journal and them.
  stream->write(std::string(missed.sse_hello()));
  for (;;) {
    auto event = missed.next(std::chrono::milliseconds(0));
    if (!event || !*event || !stream->write(std::string((*event)->sse()))) break;
  }
  const std::lock_guard lock(mutex_);
  listener->journal = missed.journal();
  listener->last = missed.position();
  for (auto& [journal, seq, frame] : listener->held_back) listener->write(journal, seq, std::move(frame));
  listener->held_back.clear();
  listener->replaying = false;
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
