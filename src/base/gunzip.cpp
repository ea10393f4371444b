// SPDX-License-Identifier: Apache-2.0
#include "base/gunzip.hpp"

#include <zlib.h>

namespace amzsync::base {
namespace {

constexpr std::size_t kMostLayers = 4;
constexpr std::size_t kOutBytes = 64U << 10;
constexpr std::string_view kMagic = "\x1f\x8b";
// Deflate can't shrink by more than 1,032 to 1; a text that does so twice is no report.
constexpr std::uint64_t kMostRatio = 1'100;
constexpr std::uint64_t kRatioMattersFrom = 64U << 20;

Error damaged(const char* how) { return Error(Code::bad_answer, std::string("A packed document is ") + how + "."); }

}  // namespace

/// One round of packing.
struct Gunzip::Layer {
  enum class State : std::uint8_t { undecided, plain, packed, between_members };
  State state = State::undecided;
  std::string head;   // what came before it was decided
  z_stream stream{};
  bool open = false;

  ~Layer() {
    if (open) inflateEnd(&stream);
  }
  bool start() {
    constexpr int kGzip = 16 + MAX_WBITS;
    open = inflateInit2(&stream, kGzip) == Z_OK;
    return open;
  }
};

Gunzip::Gunzip(std::uint64_t most_bytes) : most_bytes_(most_bytes) { layers_.push_back(std::make_unique<Layer>()); }
Gunzip::~Gunzip() = default;

Status Gunzip::push(std::string_view piece, const Out& out) {
  bytes_in_ += piece.size();
  return feed(0, piece, out);
}

Status Gunzip::feed(std::size_t n, std::string_view bytes, const Out& out) {
  Layer& layer = *layers_[n];
  std::string joined;
  if (layer.state == Layer::State::undecided) {
    layer.head += bytes;
    if (layer.head.size() < kMagic.size()) return Done{};
    joined = std::move(layer.head);
    bytes = joined;
    if (joined.starts_with(kMagic) && n + 1 < kMostLayers) {
      if (!layer.start()) return Code::no_memory;
      layer.state = Layer::State::packed;
      layers_.push_back(std::make_unique<Layer>());
    } else {
      layer.state = Layer::State::plain;
    }
  }
  if (bytes.empty()) return Done{};
  if (layer.state != Layer::State::plain) return inflate(n, bytes, out);
  bytes_out_ += bytes.size();
  const bool bomb = bytes_out_ > kRatioMattersFrom && bytes_out_ / kMostRatio > bytes_in_;
  if (bytes_out_ > most_bytes_ || bomb) return Code::answer_too_large;
  return out(bytes);
}

Status Gunzip::inflate(std::size_t n, std::string_view bytes, const Out& out) {
  Layer& layer = *layers_[n];
  z_stream& z = layer.stream;
  std::string buffer(kOutBytes, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));   // zlib does not write to it
  z.avail_in = static_cast<uInt>(bytes.size());
  while (z.avail_in > 0) {
    if (layer.state == Layer::State::between_members) {
      // Another member may follow the first, or padding.
      if (*z.next_in == 0) {
        ++z.next_in;
        --z.avail_in;
        continue;
      }
      inflateReset(&z);
      layer.state = Layer::State::packed;
    }
    z.next_out = reinterpret_cast<Bytef*>(buffer.data());
    z.avail_out = static_cast<uInt>(buffer.size());
    const int code = ::inflate(&z, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return damaged("damaged");
    const std::string_view made(buffer.data(), buffer.size() - z.avail_out);
    if (!made.empty()) AMZ_CHECK(feed(n + 1, made, out));
    if (code == Z_STREAM_END) layer.state = Layer::State::between_members;
    if (code == Z_BUF_ERROR && made.empty()) break;   // it wants more input
  }
  return Done{};
}

Status Gunzip::finish(const Out& out) {
  for (std::size_t n = 0; n < layers_.size(); ++n) {
    Layer& layer = *layers_[n];
    if (layer.state == Layer::State::packed) return damaged("cut off");
    if (layer.state != Layer::State::undecided || layer.head.empty()) continue;
    layer.state = Layer::State::plain;   // a single byte
    const std::string rest = std::move(layer.head);
    AMZ_CHECK(feed(n, rest, out));
  }
  return Done{};
}

}  // namespace amzsync::base
