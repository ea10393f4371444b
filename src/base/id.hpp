// SPDX-License-Identifier: Apache-2.0
// Names that must not be mixed up. Each is its own type around the same text or number.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace amzsync::base {

template <class Tag>
class TextId {
 public:
  TextId() = default;
  explicit TextId(std::string text) : text_(std::move(text)) {}
  const std::string& text() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }
  friend auto operator<=>(const TextId&, const TextId&) = default;

 private:
  std::string text_;
};

template <class Tag>
struct NumberId {
  std::int64_t value = 0;
  friend auto operator<=>(const NumberId&, const NumberId&) = default;
};

/// The host's name for one of its users. Made by `parse` where it comes from outside.
using UserId = TextId<struct UserTag>;
/// Public id of one run ("syncId").
using SyncId = TextId<struct SyncTag>;
/// Amazon's name for a seller account (`selling_partner_id`); empty when Amazon never told it.
using SellerId = TextId<struct SellerTag>;
using MarketplaceId = TextId<struct MarketplaceTag>;

/// The store's number for a user, a connection, a run, an engine that has the database open.
using UserNo = NumberId<struct UserNoTag>;
using ConnectionNo = NumberId<struct ConnectionNoTag>;
using RunNo = NumberId<struct RunNoTag>;
using EngineNo = NumberId<struct EngineNoTag>;

/// 1 to 200 bytes of UTF-8 without control characters or surrounding blanks.
Result<UserId> parse_user_id(std::string_view text);

}  // namespace amzsync::base
