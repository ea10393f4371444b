// SPDX-License-Identifier: Apache-2.0
// The whole product flow in C++: open an engine, connect a seller, follow its progress, print what Amazon has paid back.
//
//   amzsync-sim --listen 127.0.0.1:8090 &
//   minimal http://127.0.0.1:8090 minimal.db 'Atzr|sim-seller-1'
#include <amzsync/amzsync.hpp>
#include <iostream>

namespace {

int failed(const char* what, const amzsync::Failure& failure) {
  std::cerr << what << ": " << failure.message() << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: " << argv[0] << " AMAZON_URL DATABASE REFRESH_TOKEN\n";
    return 2;
  }
  amzsync::Options options;
  // A real host takes these from its own settings, and the key from a safe place.
  if (auto set = options.set_store(std::string("sqlite:") + argv[2]); !set) return failed("store", set.error());
  if (auto set = options.set_app("amzn1.application-oa2-client.example", "example-secret", "amzn1.sp.solution.example", "https://host.example/callback"); !set) return failed("app", set.error());
  if (auto set = options.set_master_key("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="); !set) return failed("key", set.error());
  if (auto set = options.set_endpoints(argv[1], argv[1], argv[1]); !set) return failed("endpoints", set.error());

  auto engine = amzsync::Engine::open(options);
  if (!engine) return failed("open", engine.error());
  const auto subscription = engine->subscribe("user-1", AMZSYNC_EVENTS_LIVE, [](const amzsync_event* event) { std::cout << amzsync_event_type(event) << "\n"; });
  if (!subscription) return failed("subscribe", subscription.error());

  const auto run = engine->connect("user-1", argv[3]);
  if (!run) return failed("connect", run.error());
  const auto over = engine->sync_wait("user-1", std::string(run->sync_id()));
  if (!over) return failed("sync", over.error());
  const auto recoveries = engine->recoveries("user-1");
  if (!recoveries) return failed("recoveries", recoveries.error());
  // After this the listener is not called again, so the lines below come last.
  if (auto ended = engine->unsubscribe(*subscription); !ended) return failed("unsubscribe", ended.error());
  std::cout << "sync " << run->sync_id() << ": " << over->status() << "\n" << recoveries->json() << "\n";
  return 0;
}
