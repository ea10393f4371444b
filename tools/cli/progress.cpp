// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "common/terminal.hpp"

namespace amzsync_cli {
namespace {

using Json = nlohmann::ordered_json;
using amzsync_tools::Terminal;

constexpr std::size_t kName = 18, kBar = 24, kShort = 10;

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string bar(std::int64_t done, std::int64_t of, std::size_t width) {
  const auto filled = of > 0 ? std::min(width, static_cast<std::size_t>(done) * width / static_cast<std::size_t>(of)) : 0;
  return "[" + std::string(filled, '#') + std::string(width - filled, '.') + "]";
}

std::string span(std::int64_t seconds) {
  if (seconds < 90) return std::to_string(seconds) + " s";
  return seconds < 5'400 ? std::to_string((seconds + 30) / 60) + " min" : std::to_string((seconds + 1'800) / 3'600) + " h";
}

std::string coloured(std::string_view colour, std::string text) { return Terminal::standard_error().has_colours() ? "\033[" + std::string(colour) + "m" + text + "\033[0m" : text; }
std::string good(std::string text) { return coloured("32", std::move(text)); }
std::string waiting(std::string text) { return coloured("33", std::move(text)); }
std::string bad(std::string text) { return coloured("31", std::move(text)); }

/// "12:34:56 UTC" of a moment.
std::string time_of(const std::string& moment) { return moment.size() < 19 ? moment : moment.substr(11, 8) + " UTC"; }

std::string whole(const Json& run) {
  std::string line = bar(run.value("progress", 0), 100, kBar) + " " + std::to_string(run.value("progress", 0)) + "% " + run.value("message", std::string());
  if (run.contains("etaSeconds")) line += " · about " + span(run["etaSeconds"].get<std::int64_t>()) + " left";
  if (const auto detail = run.value("detail", std::string()); !detail.empty()) line += " · " + detail;
  return line;
}

std::string dataset(const Json& s) {
  const auto status = s.value("status", std::string());
  const auto known = s.value("slicesKnown", std::int64_t{0});
  std::string line = "  " + padded(s.value("name", std::string()), kName) + " ";
  line += status == "running" ? bar(s.value("slicesDone", std::int64_t{0}), known, kShort) : bar(status == "complete" ? 1 : 0, 1, kShort);
  line += " " + std::to_string(s.value("fetched", std::int64_t{0})) + " rows";
  if (s.contains("waitingUntil")) return line + waiting(" · waiting for Amazon until " + time_of(s["waitingUntil"].get<std::string>()));
  if (status == "complete") return line + good(" · done");
  if (status == "running") return line;
  return line + bad(" · " + (s.contains("error") ? s["error"].value("message", status) : status));
}

}  // namespace

void Progress::show(const Json& run) {
  Terminal& terminal = Terminal::standard_error();
  if (!terminal.is_one()) {
    const std::string line = std::to_string(run.value("progress", 0)) + "% " + run.value("message", std::string());
    if (line != last_) terminal.write(line);
    last_ = line;
    return;
  }
  std::vector<std::string> lines{whole(run)};
  // What goes on first: where the screen has too few lines, what is done is left out.
  std::vector<const Json*> streams;
  if (run.contains("streams"))
    for (const Json& s : run["streams"]) streams.push_back(&s);
  std::stable_partition(streams.begin(), streams.end(), [](const Json* s) { return s->value("status", std::string()) == "running"; });
  for (const Json* s : streams) lines.push_back(dataset(*s));
  terminal.draw(std::move(lines));
}

void Progress::clear() { Terminal::standard_error().draw({}); }

}  // namespace amzsync_cli
