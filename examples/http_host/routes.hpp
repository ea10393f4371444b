// SPDX-License-Identifier: Apache-2.0
// Every route of the host. A route is a line in a table: method, path, who may, and what it does. Each does what the header
// of the library documents and passes its JSON on.
#pragma once

#include <amzsync/amzsync.hpp>
#include <atomic>
#include <functional>
#include <string>

#include "http_host/rate_limit.hpp"
#include "http_host/streams.hpp"
#include "http_host/users.hpp"
#include "httpd/httpd.hpp"

namespace host {

struct HostSettings {
  Frontends frontends;
  bool demo = false;
  std::int64_t user_requests_per_minute = 0, address_requests_per_minute = 0;   ///< 0: no limit
};

class Routes {
 public:
  /// Each runs something that may block away from the server's threads: what only reads; what may begin something, and then waits for who else writes; what changes something; and
  /// what takes as long as a client takes to read.
  struct Threads {
    std::function<void(std::function<void()>)> read, start, change, export_rows;
  };
  Routes(amzsync::Engine& engine, EventStreams& streams, const Users& users, const HostSettings& settings, Threads threads)
      : engine_(engine), streams_(streams), users_(users), settings_(settings), of_user_(settings.user_requests_per_minute), of_address_(settings.address_requests_per_minute),
        threads_(std::move(threads)) {}

  void handle(httpd::Request request, httpd::Responder responder);
  /// The host ends: what stood in line for long is not performed any more. Any thread.
  void end() noexcept { ends_ = true; }
  /// For requests that were refused before they got here.
  static httpd::Response refuse(int status, std::string_view why);

 private:
  struct Call;
  struct Route;
  static const std::vector<Route>& table();

  void auth_start(Call& call);
  void bypass(Call& call, const std::string& frontend);
  void auth_login(Call& call);
  void auth_callback(Call& call);
  void auth_callback_json(Call& call);
  void recoveries(Call& call);
  void connection(Call& call);
  void disconnect(Call& call);
  void erase(Call& call);
  void sync_start(Call& call);
  void sync_status(Call& call);
  void sync_status_one(Call& call);
  void sync_history(Call& call);
  void sync_cancel(Call& call);
  void sync_pause(Call& call);
  void sync_resume(Call& call);
  void notify(Call& call);
  void sse(Call& call);
  void findings(Call& call);
  void finding_statistics(Call& call);
  void explain(Call& call);
  void set_finding_state(Call& call);
  void export_rows(Call& call);
  void healthz(Call& call);
  void readyz(Call& call);
  void metrics(Call& call);
  void dashboard(Call& call);

  std::string front_of(const Call& call) const;
  bool origin_holds(const httpd::Request& request) const;
  void add_cors(const httpd::Request& request, httpd::Response& response) const;

  amzsync::Engine& engine_;
  EventStreams& streams_;
  const Users& users_;
  const HostSettings& settings_;
  RateLimit of_user_, of_address_;
  Threads threads_;
  std::atomic<bool> ends_ = false;
};

}  // namespace host
