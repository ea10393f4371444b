// SPDX-License-Identifier: Apache-2.0
// Amazon's regions and marketplaces (developer-docs "SP-API Endpoints", "Marketplace IDs").
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/id.hpp"

namespace amzsync::spapi {
using namespace base;

enum class Region : std::uint8_t { na, eu, fe };
std::optional<Region> region_from(std::string_view name) noexcept;
std::string_view region_name(Region region) noexcept;

enum class Environment : std::uint8_t { production, sandbox };
std::string_view endpoint_of(Region region, Environment environment) noexcept;

struct Marketplace {
  std::string_view id;
  std::string_view country;         ///< ISO; Great Britain is GB here and in payloads, "UK" in Amazon's prose
  std::string_view seller_central;  ///< host on which its sellers sign in
  std::string_view site;            ///< where its customers buy: "amazon.de"
  std::string_view currency;
  Region region;
};
std::span<const Marketplace> marketplaces() noexcept;
/// By id or by country code (GB and UK alike).
const Marketplace* find_marketplace(std::string_view id_or_country) noexcept;
/// By the name of its site in any case, as the older finance source tells it: "Amazon.de".
const Marketplace* find_site(std::string_view site) noexcept;
/// Where a seller of the region signs in when nothing more is known.
const Marketplace& default_marketplace(Region region) noexcept;

}  // namespace amzsync::spapi
