// SPDX-License-Identifier: Apache-2.0
// The open event streams: one reader of everybody's events fans out to them, so a thousand idle streams cost no thread and no
// descriptor of their own. A stream that resumes reads what it missed from the journal first.
#pragma once

#include <amzsync/amzsync.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "httpd/httpd.hpp"

namespace host {

class EventStreams {
 public:
  /// `on_a_thread` has work done that reads the database.
  EventStreams(amzsync::Events all, std::function<void(std::function<void()>)> on_a_thread) : all_(std::move(all)), on_a_thread_(std::move(on_a_thread)) {}

  int fd() const { return all_.fd(); }
  /// Delivers what has come; when the descriptor is readable.
  void pump();
  /// Keeps proxies and clients awake; every 15 s.
  void heartbeat();
  /// Adds a stream, and brings it up to date by what it `missed`, a reader of the user's events, as fast as its client takes it. Blocks for a moment; not on a
  /// server thread.
  void add(const std::string& user, amzsync::Events missed, std::shared_ptr<httpd::Stream> stream);
  std::size_t count() const;

 private:
  enum class Read : std::uint8_t { all, as_much_as_may_wait, no_more };
  struct Listener {
    std::string user;
    std::shared_ptr<httpd::Stream> stream;
    std::optional<amzsync::Events> missed;   ///< while there may be some of it
    std::int64_t journal = 0, last = 0;      ///< of the newest event written: its journal, and its number there
    std::size_t ahead = 0;                   ///< bytes written since it was last known that the client keeps up

    bool write(const amzsync::Event& event);
    Read read_on();
  };
  void bring_up_to_date(const std::shared_ptr<Listener>& listener);
  void drop(const Listener* listener);

  std::mutex pump_mutex_;
  amzsync::Events all_;
  std::function<void(std::function<void()>)> on_a_thread_;
  mutable std::mutex mutex_;
  std::multimap<std::string, std::shared_ptr<Listener>> listeners_;
};

}  // namespace host
