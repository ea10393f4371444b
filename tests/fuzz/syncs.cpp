// SPDX-License-Identifier: Apache-2.0
// A whole sync, one of whose answers is anything: it ends, and the next one that is answered well makes good what can be made good.
#include <array>

#include "fuzz/targets.hpp"
#include "world/world.hpp"

namespace fuzz {
namespace {

using namespace world;

constexpr std::array kPaths{"/auth", "/sellers", "/finances", "/fba/inventory", "/fba/inbound", "/reports/2021-06-30/reports", "/reports/2021-06-30/documents", "/_docs", "/"};
constexpr std::array kStatus{200, 400, 401, 403, 404, 413, 429, 500, 503, 202, 301, 100};

bool is_over(const std::string& run) {
  for (const char* status : {"completed", "partial", "failed", "cancelled"})
    if (run.find("\"status\":\"" + std::string(status) + "\",\"progress\"") != std::string::npos) return true;
  return false;
}

WorldSettings settings() {
  WorldSettings s;
  s.amazon.events = 12;
  s.amazon.skus = 3;
  s.history_days = s.amazon.history_days = 20;
  s.amazon.rate_scale = 0;
  return s;
}

std::string feed_sync(const Target&, std::string_view bytes) {
  World world(settings());
  Process& process = world.open();
  amzsim::Fault fault;
  fault.path = kPaths.at(take(bytes, kPaths.size()));
  fault.kind = "body";
  fault.body_status = kStatus.at(take(bytes, kStatus.size()));
  fault.times = take(bytes, 2) == 0 ? 1 : -1;
  fault.after = static_cast<int>(take(bytes, 4));
  fault.content_type = "application/json";
  fault.message = std::string(bytes);
  const bool at_sign_in = fault.path == std::string_view("/auth");
  const auto connected = world.connect(process, 1);
  if (!connected) return "nobody can connect: " + connected.error().message;
  world.amazon().add_fault(fault);
  if (at_sign_in) world.run_for(std::chrono::hours(2));
  const std::string run = world.finish(process, world.user(1), connected->sync_id);
  if (!is_over(run)) return "the sync is not over: " + run;
  world.amazon().clear_faults();
  world.run_for(std::chrono::hours(2));
  const auto again = world.wait(process.engine().triggers().start(world.user(1), ""));
  if (!again) return again.code() == Code::needs_reauth && at_sign_in ? "" : "no sync can be started: " + again.error().message;
  const std::string second = world.finish(process, world.user(1), again->id);
  return is_over(second) ? "" : "the second sync is not over: " + second;
}

std::vector<std::string> syncs(const Target&) {
  std::vector<std::string> seeds;
  for (char path = 0; path < static_cast<char>(kPaths.size()); ++path)
    for (const char* body : {R"({"errors":[{"code":"Unauthorized","message":"Access to requested resource is denied.","details":"The access token you provided has expired."}]})",
                             R"({"error":"invalid_grant","error_description":"x"})", R"({"access_token":"Atza|x","refresh_token":"Atzr|y","token_type":"bearer","expires_in":3600})", "<html>503</html>", "{}"})
      seeds.push_back(std::string(1, path) + static_cast<char>(path % static_cast<char>(kStatus.size())) + '\0' + '\0' + body);
  return seeds;
}

}  // namespace

std::vector<Target> sync_targets() { return {{"sync", &feed_sync, &syncs}}; }

}  // namespace fuzz
