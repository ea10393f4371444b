// SPDX-License-Identifier: Apache-2.0
#include "common/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace amzsync_tools {
namespace {

struct Size {
  std::size_t rows = 24, columns = 80;
};

/// Asked each time: windows are resized.
Size size_of_window() {
  Size size;
  struct winsize told {};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &told) != 0) return size;
  if (told.ws_col > 0) size.columns = told.ws_col;
  if (told.ws_row > 0) size.rows = told.ws_row;
  return size;
}

/// One whose cursor can be moved.
bool is_terminal() {
  const char* kind = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && kind && std::string_view(kind) != "dumb";
}

bool may_colour() {
  const char* none = std::getenv("NO_COLOR");   // no-color.org
  return !none || !*none;
}

}  // namespace

std::string cut(std::string_view text, std::size_t columns) {
  std::string out;
  std::size_t used = 0;
  bool coloured = false;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\033') {
      const std::size_t end = std::min(text.find('m', at), text.size() - 1);
      coloured = text.substr(at, end - at + 1) != "\033[0m";
      out += text.substr(at, end - at + 1);
      at = end + 1;
      continue;
    }
    std::size_t length = 1;   // of the character, in bytes
    while (at + length < text.size() && (static_cast<unsigned char>(text[at + length]) & 0xC0) == 0x80) ++length;
    if (used == columns) break;
    ++used;
    out += text.substr(at, length);
    at += length;
  }
  return coloured ? out + "\033[0m" : out;
}

Terminal& Terminal::standard_error() {
  static Terminal it;
  return it;
}

Terminal::Terminal() : terminal_(is_terminal()), colours_(terminal_ && may_colour()) {}

/// The cursor is where the first drawn line begins, and nothing is drawn.
void Terminal::wipe(std::string& out) {
  if (shown_ == 0) return;
  out += '\r';
  if (shown_ > 1) out += "\033[" + std::to_string(shown_ - 1) + "A";
  out += "\033[J";
  shown_ = 0;
}

/// As many lines as the screen holds, none of which reaches its edge, where terminals differ in what they do.
void Terminal::add_drawn(std::string& out) {
  const Size size = size_of_window();
  shown_ = std::min(drawn_.size(), std::max<std::size_t>(size.rows, 2) - 1);
  for (std::size_t i = 0; i < shown_; ++i) out += (i ? "\n" : "") + cut(drawn_[i], std::max<std::size_t>(size.columns, 2) - 1);
}

void Terminal::put(const std::string& out) {
  std::fwrite(out.data(), 1, out.size(), stderr);
  std::fflush(stderr);
}

void Terminal::write(std::string_view line) {
  const std::lock_guard lock(mutex_);
  std::string out;
  wipe(out);
  out.append(line).push_back('\n');
  add_drawn(out);
  put(out);
}

void Terminal::draw(std::vector<std::string> lines) {
  if (!terminal_) return;
  const std::lock_guard lock(mutex_);
  std::string out;
  wipe(out);
  drawn_ = std::move(lines);
  add_drawn(out);
  put(out);
}

}  // namespace amzsync_tools
