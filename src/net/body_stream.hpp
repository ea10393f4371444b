// SPDX-License-Identifier: Apache-2.0
// The body of an answer on its way from the transport to whoever reads it, a megabyte at a time, so that a document of any size
// needs no more memory than that. Loop thread only.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "base/async.hpp"

namespace amzsync::net {
using namespace base;

class BodyStream {
 public:
  static constexpr std::size_t kFull = 1U << 20;

  // The transport's side.
  /// Whether the transport should wait (`on_room` tells when to go on).
  bool full() const noexcept { return bytes_ >= kFull; }
  void push(std::string_view piece);
  void on_room(std::function<void()> resume) { resume_ = std::move(resume); }

  // The reader's side.
  /// The next piece; nullopt: the stream was closed and everything was read.
  Async<std::optional<std::string>> next();
  /// The reader goes; what still comes is dropped, so that the exchange can end.
  void forsake() noexcept;
  /// Nothing more will be pushed: the exchange has ended, well or not.
  void close() noexcept;

 private:
  using Piece = std::optional<std::string>;
  std::deque<std::string> pieces_;
  std::size_t bytes_ = 0;
  bool closed_ = false, forsaken_ = false;
  std::function<void()> resume_;
  Completion<Piece> waiting_;
};

}  // namespace amzsync::net
