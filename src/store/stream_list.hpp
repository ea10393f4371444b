// SPDX-License-Identifier: Apache-2.0
// Lists of streams as runs keep them: names with commas between, and "*" for the usual ones, which are what a sync reads that was asked for none by name. The
// empty list stands for those alone. Which they are is told by the settings of the engine that performs it.
#pragma once

#include <string>
#include <string_view>

namespace amzsync::store {

constexpr std::string_view kUsualStreams = "*";

/// What a trigger asks for.
struct Wanted {
  std::string streams;   ///< a list
  std::string unusual;   ///< names in it of streams that the usual sync leaves out
};

/// By its name.
inline bool holds_stream(std::string_view list, std::string_view stream) {
  const std::string padded = "," + std::string(list) + ",";
  return padded.find("," + std::string(stream) + ",") != std::string::npos;
}

inline bool holds_usual(std::string_view list) { return list.empty() || holds_stream(list, kUsualStreams); }

template <class Each>
void each_stream(std::string_view list, Each&& each) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (const std::string_view stream = list.substr(0, comma); stream != kUsualStreams) each(stream);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
}

/// Whether a run of `list` reads everything that is wanted.
inline bool covers_streams(std::string_view list, const Wanted& wanted) {
  bool covers = holds_usual(list) || !holds_usual(wanted.streams);
  each_stream(holds_usual(list) ? wanted.unusual : wanted.streams, [&](std::string_view stream) { covers = covers && holds_stream(list, stream); });
  return covers;
}

/// What a run must be asked for that reads both. A name stays beside the usual ones: what was asked for by name must be readable.
inline std::string joined_streams(std::string_view list, std::string_view more) {
  std::string joined(holds_usual(list) || holds_usual(more) ? kUsualStreams : std::string_view());
  const auto add = [&joined](std::string_view stream) {
    if (!holds_stream(joined, stream)) joined.append(joined.empty() ? "" : ",").append(stream);
  };
  each_stream(list, add);
  each_stream(more, add);
  return joined == kUsualStreams ? std::string() : joined;
}

}  // namespace amzsync::store
