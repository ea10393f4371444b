// SPDX-License-Identifier: Apache-2.0
// amzsync-sim: the simulator behind a socket.
#include <CLI/CLI.hpp>
#include <iostream>

#include "amzsync/amzsync.h"
#include "httpd/httpd.hpp"
#include "sim/simulator.hpp"

namespace {

httpd::Response to_response(amzsim::SimAnswer& answer) {
  httpd::Response r;
  r.status = answer.status;
  r.content_type = answer.content_type;
  for (auto& [name, value] : answer.headers) r.headers.push_back({name, value});
  r.body = std::move(answer.body);
  return r;
}

void deliver(amzsim::SimAnswer answer, httpd::Responder responder) {
  switch (answer.delivery) {
    case amzsim::SimAnswer::Delivery::whole: return responder.send(to_response(answer));
    case amzsim::SimAnswer::Delivery::drop: return responder.drop();
    case amzsim::SimAnswer::Delivery::hang: return responder.hang();
    case amzsim::SimAnswer::Delivery::cut: {
      const std::size_t half = answer.body.size() / 2;
      return responder.send_cut(to_response(answer), half);
    }
  }
}

amzsim::SimRequest to_request(httpd::Request& request) {
  amzsim::SimRequest r;
  r.method = std::move(request.method);
  r.path = std::move(request.path);
  r.query = std::move(request.query);
  for (httpd::Header& h : request.headers) {
    std::string name;
    for (const char c : h.name) name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    r.headers.emplace(std::move(name), std::move(h.value));
  }
  r.body = std::move(request.body);
  return r;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Simulates Login with Amazon and the Selling Partner API on one port, for tests and demos.", "amzsync-sim"};
  app.set_version_flag("--version", std::string("amzsync-sim ") + std::to_string(AMZSYNC_VERSION_MAJOR) + "." + std::to_string(AMZSYNC_VERSION_MINOR) + "." + std::to_string(AMZSYNC_VERSION_PATCH));
  std::string listen = "127.0.0.1:8090", region = "na";
  amzsim::SimSettings settings;
  app.add_option("--listen", listen, "Address and port")->capture_default_str();
  app.add_option("--seed", settings.seed, "The same seed gives the same sellers")->capture_default_str();
  app.add_option("--sellers", settings.sellers, "How many sellers")->capture_default_str()->check(CLI::Range(1, 100'000));
  app.add_option("--events", settings.events, "Financial events per seller")->capture_default_str()->check(CLI::Range(0LL, 100'000'000LL));
  app.add_option("--skus", settings.skus, "SKUs per seller")->capture_default_str()->check(CLI::Range(0LL, 10'000'000LL));
  app.add_option("--history-days", settings.history_days, "How far back the events go")->capture_default_str()->check(CLI::Range(1, 3'650));
  app.add_flag("--goes-on", settings.goes_on, "Sellers go on selling while the clock moves");
  app.add_option("--region", region, "na, eu or fe")->capture_default_str()->check(CLI::IsMember({"na", "eu", "fe"}));
  app.add_option("--rate-scale", settings.rate_scale, "All usage plans times this; 0: no limits")->capture_default_str()->check(CLI::NonNegativeNumber);
  app.add_option("--foreign-use", settings.foreign_use, "Part of every plan that another application uses up")->capture_default_str()->check(CLI::Range(0.0, 0.95));
  app.add_option("--title-bytes", settings.title_bytes, "Product names in reports are at least so long")->capture_default_str()->check(CLI::Range(0, 100'000));
  settings.planted = 120;
  app.add_option("--plant", settings.planted, "Labelled cases per seller: losses and overcharges of every kind, and what only looks like them; none with less than 180 days of history")->capture_default_str()->check(CLI::Range(0, 100'000));
  app.add_flag("--blank-reconciled", settings.planted_blank_columns, "The ledger's reconciled and unreconciled quantities are blank");
  app.add_flag("--auto-approve", settings.auto_approve, "The consent page redirects at once, with the next seller that did not authorise yet");
  app.add_option("--client-id", settings.client_id, "The only client id to accept; default: any");
  app.add_option("--client-secret", settings.client_secret, "The only client secret to accept; default: any");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);
    std::cerr << "amzsync-sim: " << e.what() << "\n";
    return 2;
  }
  settings.region = *amzsync::spapi::region_from(region);
  const auto address = httpd::parse_listen(listen);
  if (!address) {
    std::cerr << "amzsync-sim: --listen must be ADDRESS:PORT, not '" << listen << "'\n";
    return 2;
  }

  httpd::block_end_signals();
  httpd::raise_descriptor_limit();
  try {
    std::unique_ptr<amzsim::Simulator> simulator;
    const auto clock = [] { return std::chrono::time_point_cast<amzsim::Duration>(std::chrono::system_clock::now()); };
    httpd::Options options;
    options.address = address->address;
    options.port = address->port;
    options.max_connections = 20'000;
    std::unique_ptr<httpd::Server> server;
    server = std::make_unique<httpd::Server>(options, [&](httpd::Request request, httpd::Responder responder) {
      amzsim::SimAnswer answer = simulator->handle(to_request(request));
      if (answer.delay <= amzsim::Duration::zero()) return deliver(std::move(answer), std::move(responder));
      const auto later = std::chrono::duration_cast<std::chrono::milliseconds>(answer.delay);
      auto shared = std::make_shared<std::pair<amzsim::SimAnswer, httpd::Responder>>(std::move(answer), std::move(responder));
      server->after(later, [shared] { deliver(std::move(shared->first), std::move(shared->second)); });
    });
    settings.base_url = "http://" + address->address + ":" + std::to_string(server->port());
    simulator = std::make_unique<amzsim::Simulator>(settings, clock);
    std::cout << "amzsync-sim listens on http://" << address->address << ":" << server->port() << " with " << settings.sellers << " sellers, seed " << settings.seed << std::endl;
    server->run();
  } catch (const std::exception& e) {
    std::cerr << "amzsync-sim: " << e.what() << "\n";
    return 1;
  }
  return 0;
}
