// SPDX-License-Identifier: Apache-2.0
// Standard error, where it is a terminal: lines that stay, and below them some that are drawn anew again and again.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace amzsync_tools {

/// Any thread. Where standard error is no terminal nothing is drawn, and lines are written as they are.
class Terminal {
 public:
  static Terminal& standard_error();

  bool is_one() const noexcept { return terminal_; }
  /// Whether words may be coloured: on a terminal, unless NO_COLOR is set.
  bool has_colours() const noexcept { return colours_; }
  /// Writes a line above what is drawn.
  void write(std::string_view line);
  /// What is drawn from now on; no line is ever wider than the terminal. Nothing: it goes.
  void draw(std::vector<std::string> lines);

 private:
  Terminal();
  void wipe(std::string& out);
  void add_drawn(std::string& out);
  static void put(const std::string& out);

  const bool terminal_, colours_;
  std::mutex mutex_;
  std::vector<std::string> drawn_;
  std::size_t shown_ = 0;   // lines on the screen, of the last of which the cursor is at the end
};

/// A text of at most so many characters; sequences that colour it count for none and stay whole.
std::string cut(std::string_view text, std::size_t columns);

}  // namespace amzsync_tools
