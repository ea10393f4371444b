// SPDX-License-Identifier: Apache-2.0
#include "events/sse.hpp"

namespace amzsync::events {

std::string sse_frame(const store::Event& event) {
  std::string frame;
  if (event.seq > 0) frame += "id: " + std::to_string(event.seq) + '\n';
  frame += "event: " + event.type + '\n';
  // Our JSON holds no line breaks; were there one, each line would need its own prefix.
  frame += "data: " + event.payload + "\n\n";
  return frame;
}

std::string sse_hello(std::string_view snapshot_json, std::int64_t began_after) {
  std::string frame = "retry: 3000\n";
  if (began_after > 0) frame += "id: " + std::to_string(began_after) + '\n';
  frame += "event: connected\ndata: " + std::string(snapshot_json) + "\n\n";
  return frame;
}

std::string_view sse_heartbeat() noexcept { return ": heartbeat\n\n"; }

}  // namespace amzsync::events
