// SPDX-License-Identifier: Apache-2.0
// Text that must not be seen: tokens, codes, the client secret. It can be revealed where it is sent, and nowhere else:
// there is no way to print, compare into a log, or write it as JSON. Its memory is wiped.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace amzsync::base {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe(); }

  bool empty() const noexcept { return text_.empty(); }
  std::string_view reveal() const noexcept { return text_; }

 private:
  void wipe() noexcept;
  std::string text_;
};

/// Overwrites the bytes of a string that held a secret, in a way the compiler keeps.
void wipe(std::string& text) noexcept;

}  // namespace amzsync::base
