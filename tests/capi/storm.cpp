// SPDX-License-Identifier: Apache-2.0
// One of several processes that all trigger a user's sync at once, from many threads and in every way:
//   storm AMAZON_URL DATABASE THREADS RUNS
// Says "ready" once its engine is open, waits for a line on stdin, triggers, and prints `sync-id triggered` for each thread.
// RUNS 0: it performs no sync itself. Then waits for the user's sync to be over if it performs any.
#include <amzsync/amzsync.hpp>
#include <atomic>
#include <iostream>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const int threads = std::atoi(argv[3]), runs = std::atoi(argv[4]);
  amzsync::Options options;
  const std::string amazon = argv[1];
  if (!options.set_store(std::string("sqlite:") + argv[2]) || !options.set_app("client", "secret", "app", "https://host.example/callback") ||
      !options.set_master_key("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=") || !options.set_endpoints(amazon, amazon, amazon) || !options.set_sync_every_minutes(0) ||
      !options.set_max_runs(runs))
    return 2;
  auto engine = amzsync::Engine::open(options);
  if (!engine) {
    std::cerr << engine.error().message() << "\n";
    return 1;
  }
  std::cout << "ready" << std::endl;
  std::string line;
  std::getline(std::cin, line);

  std::vector<std::string> results(static_cast<std::size_t>(threads));
  std::vector<std::thread> all;
  for (int n = 0; n < threads; ++n)
    all.emplace_back([&, n] {
      std::string& result = results[static_cast<std::size_t>(n)];
      const auto keep = [&](const amzsync::Expected<amzsync::Answer>& answer) {
        result = answer ? std::string(answer->sync_id()) + (answer->triggered() ? " 1" : " 0") : "failed: " + answer.error().message();
      };
      switch (n % 4) {
        case 0: return keep(engine->connect("user", "Atzr|sim-seller-1"));
        case 1: return keep(engine->use_existing_connection("user"));
        case 2: return keep(engine->recoveries("user"));
        default: return keep(engine->sync_start("user"));
      }
    });
  for (std::thread& t : all) t.join();
  for (const std::string& result : results) std::cout << result << "\n";
  std::cout << "done" << std::endl;
  std::getline(std::cin, line);   // the engine stays open until told
  return 0;
}
