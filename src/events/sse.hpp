// SPDX-License-Identifier: Apache-2.0
// Server-sent events as text: the library renders the frames, so that every host's stream is the same.
#pragma once

#include "events/cursor.hpp"

namespace amzsync::events {

/// `id:`, `event:`, `data:` and the empty line. Passing progress has no id, so it does not move Last-Event-ID.
std::string sse_frame(const store::Event& event);
/// `retry: 3000` and a `connected` event with the snapshot; the first bytes of a stream. `began_after` becomes its id: a client
/// that is cut off before the next event resumes at the same place.
std::string sse_hello(std::string_view snapshot_json, std::int64_t began_after);
/// The comment that keeps proxies from cutting an idle stream.
std::string_view sse_heartbeat() noexcept;

}  // namespace amzsync::events
