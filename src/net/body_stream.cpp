// SPDX-License-Identifier: Apache-2.0
#include "net/body_stream.hpp"

namespace amzsync::net {

void BodyStream::push(std::string_view piece) {
  if (piece.empty() || forsaken_) return;
  if (waiting_) {
    std::string whole(piece);
    return waiting_(std::move(whole));
  }
  // Transports push a few kilobytes at a time; readers want fewer, larger pieces.
  constexpr std::size_t kPiece = 256U << 10;
  if (!pieces_.empty() && pieces_.back().size() + piece.size() <= kPiece) {
    pieces_.back() += piece;
  } else {
    pieces_.emplace_back(piece);
  }
  bytes_ += piece.size();
}

Async<std::optional<std::string>> BodyStream::next() {
  if (!pieces_.empty()) {
    Piece piece = std::move(pieces_.front());
    pieces_.pop_front();
    const bool was_full = full();
    bytes_ -= piece->size();
    if (was_full && !full() && resume_) resume_();
    co_return piece;
  }
  if (closed_) co_return std::nullopt;
  auto wait = [this](Completion<Piece> done) { waiting_ = std::move(done); };
  Piece piece = co_await await_completion<Piece>(std::move(wait));
  co_return piece;
}

void BodyStream::forsake() noexcept {
  forsaken_ = true;
  pieces_.clear();
  bytes_ = 0;
  if (resume_) resume_();
}

void BodyStream::close() noexcept {
  closed_ = true;
  if (waiting_) waiting_(std::nullopt);
}

}  // namespace amzsync::net
