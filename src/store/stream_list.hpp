// SPDX-License-Identifier: Apache-2.0
// Lists of streams as runs keep them: names with commas between; the empty one stands for all default ones.
#pragma once

#include <string>
#include <string_view>

namespace amzsync::store {

inline bool holds_stream(std::string_view list, std::string_view stream) {
  const std::string padded = "," + std::string(list) + ",";
  return padded.find("," + std::string(stream) + ",") != std::string::npos;
}

/// Whether a run of `list` reads everything in `wanted`.
inline bool covers_streams(std::string_view list, std::string_view wanted) {
  if (list.empty()) return true;
  if (wanted.empty()) return false;
  while (!wanted.empty()) {
    const std::size_t comma = wanted.find(',');
    if (!holds_stream(list, wanted.substr(0, comma))) return false;
    wanted = comma == std::string_view::npos ? std::string_view() : wanted.substr(comma + 1);
  }
  return true;
}

/// What a run must be asked for that reads both.
inline std::string joined_streams(std::string list, std::string_view more) {
  if (list.empty() || more.empty()) return "";
  while (!more.empty()) {
    const std::size_t comma = more.find(',');
    const std::string_view stream = more.substr(0, comma);
    if (!holds_stream(list, stream)) list += "," + std::string(stream);
    more = comma == std::string_view::npos ? std::string_view() : more.substr(comma + 1);
  }
  return list;
}

}  // namespace amzsync::store
