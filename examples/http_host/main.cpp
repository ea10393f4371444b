// SPDX-License-Identifier: Apache-2.0
// amzsync-host: the smallest web host of the library that is still a good one.
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <mutex>
#include <optional>

#include "common/memory.hpp"
#include "common/settings.hpp"
#include "http_host/routes.hpp"

namespace {

// What blocks has threads of its own; the database's do the work. What may have to wait for another program that has locked the database has many: nobody who only reads
// stands behind it, nor who asks for recoveries behind those who change something.
constexpr int kReaders = 2, kStarters = 16, kWriters = 16;
constexpr int kExporters = 2;   // for exports, which take as long as their clients take to read
constexpr std::uint64_t kFewestFiles = 64;   // itself takes about half of them

int usage_error(const std::string& line) {
  std::cerr << "amzsync-host: " << line << "\n";
  return 2;
}

/// What is wrong with a limit.
std::optional<std::string> limit(const std::string& text, const std::string& name, std::int64_t& into) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (failed == std::errc() && end == text.data() + text.size() && into >= 0 && into <= 1'000'000'000) return std::nullopt;
  return name + " is '" + text + "'; it must be a number from 0 to 1000000000, 0 for no limit";
}

/// Calls itself every 15 s as long as the server runs.
void beat(httpd::Server& server, host::EventStreams& streams) {
  server.after(std::chrono::seconds(15), [&] {
    streams.heartbeat();
    beat(server, streams);
  });
}

int serve(int argc, char** argv) {
  amzsync_tools::share_memory_between_threads();
  amzsync_tools::keep_memory_to_itself();
  CLI::App app{"A minimal HTTP host of amzsync: connects Amazon sellers, syncs them, shows their recoveries.", "amzsync-host"};
  app.set_version_flag("--version", std::string("amzsync-host ") + amzsync_version());
  amzsync_tools::Settings settings;
  amzsync_tools::add_settings(app, settings, true);
  try {
    std::vector<std::string> args;
    if (const auto wrong = amzsync_tools::with_environment(argc, argv, args)) return usage_error(wrong->line);
    std::reverse(args.begin(), args.end());
    app.parse(args);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);
    return usage_error(amzsync_tools::parse_problem(e));
  }
  if (const auto wrong = amzsync_tools::complete(settings)) return usage_error(wrong->line);
  const auto address = httpd::parse_listen(settings.listen);
  if (!address) return usage_error("AMZSYNC_LISTEN is '" + settings.listen + "'; it must be ADDRESS:PORT");
  if (settings.demo && !address->loopback()) return usage_error("AMZSYNC_LISTEN is '" + settings.listen + "'; in demo mode, where nobody signs in, it must be a loopback address");
  if (!settings.demo && amzsync_tools::is_blank(settings.jwt_secret)) return usage_error("AMZSYNC_JWT_SECRET is missing; it must be the HS256 secret of the users' tokens");
  host::HostSettings host_settings;
  host_settings.demo = settings.demo;
  if (!host_settings.frontends.parse(settings.frontend_origins))
    return usage_error("AMZSYNC_FRONTEND_ORIGINS is '" + settings.frontend_origins + "'; it must be origins such as https://app.example, with commas between");
  if (const auto wrong = limit(settings.user_requests_per_minute, "AMZSYNC_USER_REQUESTS_PER_MINUTE", host_settings.user_requests_per_minute)) return usage_error(*wrong);
  if (const auto wrong = limit(settings.address_requests_per_minute, "AMZSYNC_ADDRESS_REQUESTS_PER_MINUTE", host_settings.address_requests_per_minute)) return usage_error(*wrong);

  httpd::block_end_signals();
  const int hangup = httpd::hangup_descriptor();
  if (const std::uint64_t files = httpd::raise_descriptor_limit(); files < kFewestFiles) {
    std::cerr << "amzsync-host: it may open " << files << " files here (ulimit -Hn), which is too few; it needs " << kFewestFiles << ", and one more for each connection\n";
    return 1;
  }
  httpd::Options server_options;
  server_options.address = address->address;
  server_options.port = address->port;
  server_options.refuse = &host::Routes::refuse;
  std::unique_ptr<host::Routes> routes;
  std::unique_ptr<httpd::Server> server;
  try {
    // It listens from here on, so that its address is known, and answers once everything behind it is there.
    server = std::make_unique<httpd::Server>(server_options, [&](httpd::Request request, httpd::Responder responder) { routes->handle(std::move(request), std::move(responder)); });
  } catch (const std::exception& e) {
    return usage_error("AMZSYNC_LISTEN is '" + settings.listen + "', where this program can't listen: " + e.what());
  }
  const std::string shown_host = address->address.find(':') == std::string::npos ? address->address : "[" + address->address + "]";
  const std::string own_origin = "http://" + shown_host + ":" + std::to_string(server->port());
  // The dashboard that this host serves is a front end of it too.
  host_settings.frontends.add(own_origin);
  if (address->loopback()) host_settings.frontends.add("http://localhost:" + std::to_string(server->port()));
  if (settings.demo && settings.redirect_uri.empty()) settings.redirect_uri = own_origin + "/api/v1/integrations/amazon/auth/callback";

  amzsync::Options options;
  if (const auto wrong = amzsync_tools::apply(settings, options)) return usage_error(wrong->line);
  if (const auto named = options.set_host("amzsync-host", amzsync_version()); !named) return usage_error(named.error().message());
  auto opened = amzsync::Engine::open(options);
  if (!opened) {
    std::cerr << "amzsync-host: AMZSYNC_STORE is '" << amzsync_tools::without_password(settings.store) << "': " << opened.error().message() << "\n";
    return 1;
  }
  auto engine = std::make_unique<amzsync::Engine>(std::move(*opened));
  auto events = engine->all_events();
  if (!events) {
    std::cerr << "amzsync-host: " << events.error().message() << "\n";
    return 1;
  }
  const host::Users users(settings.jwt_secret, settings.demo);
  boost::asio::thread_pool readers(kReaders), starters(kStarters), writers(kWriters);
  std::optional<boost::asio::thread_pool> exporters;   // from the first export on
  std::once_flag exporting;
  host::Routes::Threads threads;
  threads.read = [&](std::function<void()> work) { boost::asio::post(readers, std::move(work)); };
  threads.start = [&](std::function<void()> work) { boost::asio::post(starters, std::move(work)); };
  threads.change = [&](std::function<void()> work) { boost::asio::post(writers, std::move(work)); };
  threads.export_rows = [&](std::function<void()> work) {
    std::call_once(exporting, [&] { exporters.emplace(kExporters); });
    boost::asio::post(*exporters, std::move(work));
  };
  auto streams = std::make_unique<host::EventStreams>(std::move(*events), threads.read);
  routes = std::make_unique<host::Routes>(*engine, *streams, users, host_settings, std::move(threads));
  server->watch(streams->fd(), [&] { streams->pump(); });
  server->watch(hangup, [&] {
    httpd::clear_hangup(hangup);
    // A new client secret, put where the old one was.
    std::string secret;
    const auto wrong = amzsync_tools::reread_client_secret(settings, secret);
    if (wrong) std::cerr << "amzsync-host: " << wrong->line << "\n";
    if (wrong || secret.empty()) return;
    boost::asio::post(writers, [&engine, secret] {
      if (const auto set = engine->set_client_secret(secret); !set) std::cerr << "amzsync-host: " << set.error().message() << "\n";
    });
  });
  beat(*server, *streams);
  std::cout << "amzsync-host listens on " << own_origin << (settings.demo ? " (demo)" : "") << std::endl;
  server->run();
  // No request comes any more. What is under way ends first, then the engine, which answers the callbacks that still wait for
  // Amazon. Each answer goes out as soon as it is there.
  constexpr std::chrono::seconds kLastAnswers(2);
  routes->end();
  readers.join();
  streams.reset();
  server->finish(
      [&] {
        starters.join();
        writers.join();
        if (exporters) exporters->join();
        engine.reset();
      },
      kLastAnswers);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);   // a limit on the size of files is an error of the write, like a full disk
  try {
    return serve(argc, argv);
  } catch (const std::exception& e) {   // what the system does not give at the start
    std::cerr << "amzsync-host: " << e.what() << "\n";
    return 1;
  }
}
