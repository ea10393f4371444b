// SPDX-License-Identifier: Apache-2.0
#include "base/id.hpp"

#include "base/crypto.hpp"

namespace amzsync::base {

Result<UserId> parse_user_id(std::string_view text) {
  constexpr std::size_t kMaxBytes = 200;
  const auto refuse = [](const char* why) { return Error(Code::invalid_argument, std::string("The user id ") + why + "."); };
  if (text.empty()) return refuse("is empty");
  if (text.size() > kMaxBytes) return refuse("is longer than 200 bytes");
  if (!valid_utf8(text)) return refuse("is not valid UTF-8");
  if (text.front() == ' ' || text.back() == ' ') return refuse("begins or ends with a blank");
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return refuse("holds a control character");
  return UserId(std::string(text));
}

}  // namespace amzsync::base
