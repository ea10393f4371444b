// SPDX-License-Identifier: Apache-2.0
// Undoes gzip piece by piece, in constant memory: once, or as often as it was done (Amazon served doubly packed documents), and
// passes on what was never packed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace amzsync::base {

class Gunzip {
 public:
  /// Takes what comes out, in order. Its error ends the work and is passed on.
  using Out = std::function<Status(std::string_view)>;

  /// More than `most_bytes` in all, or a ratio that only a bomb has, ends with answer_too_large.
  explicit Gunzip(std::uint64_t most_bytes);
  ~Gunzip();
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  /// Errors: bad_answer (damaged), answer_too_large, those of `out`.
  Status push(std::string_view piece, const Out& out);
  /// The input is over. Errors: bad_answer when it was cut off.
  Status finish(const Out& out);

 private:
  struct Layer;
  Status feed(std::size_t layer, std::string_view bytes, const Out& out);
  Status inflate(std::size_t layer, std::string_view bytes, const Out& out);

  std::vector<std::unique_ptr<Layer>> layers_;
  std::uint64_t most_bytes_;
  std::uint64_t bytes_in_ = 0, bytes_out_ = 0;
};

}  // namespace amzsync::base
