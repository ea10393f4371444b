// SPDX-License-Identifier: Apache-2.0
// The open event streams: one reader of everybody's events fans out to them, so a thousand idle streams cost no thread and no
// descriptor of their own. A stream that resumes reads what it missed from the journal first.
#pragma once

#include <amzsync/amzsync.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "httpd/httpd.hpp"

namespace host {

class EventStreams {
 public:
  explicit EventStreams(amzsync::Events all) : all_(std::move(all)) {}

  int fd() const { return all_.fd(); }
  /// Delivers what has come; when the descriptor is readable.
  void pump();
  /// Keeps proxies and clients awake; every 15 s.
  void heartbeat();
  /// Brings a new stream up to date by what it `missed`, a reader of the user's events, and adds it. Blocks for a moment; not on a server thread.
  void add(const std::string& user, amzsync::Events missed, std::shared_ptr<httpd::Stream> stream);
  std::size_t count() const;

 private:
  struct Listener {
    std::string user;
    std::shared_ptr<httpd::Stream> stream;
    std::int64_t journal = 0, last = 0;        ///< of the newest event written: its journal, and its number there
    bool replaying = true;
    struct Held {
      std::int64_t journal, seq;
      std::string frame;
    };
    std::vector<Held> held_back;               ///< what came meanwhile

    void write(std::int64_t of_journal, std::int64_t seq, std::string frame);
  };
  void drop(const Listener* listener);

  std::mutex pump_mutex_;
  amzsync::Events all_;
  mutable std::mutex mutex_;
  std::multimap<std::string, std::shared_ptr<Listener>> listeners_;
};

}  // namespace host
