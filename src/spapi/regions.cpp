// SPDX-License-Identifier: Apache-2.0
#include "spapi/regions.hpp"

#include <algorithm>
#include <array>

namespace amzsync::spapi {
namespace {

constexpr std::string_view kEurope = "sellercentral-europe.amazon.com";

constexpr std::array kMarketplaces{
    Marketplace{"ATVPDKIKX0DER", "US", "sellercentral.amazon.com", "amazon.com", "USD", Region::na},
    Marketplace{"A2EUQ1WTGCTBG2", "CA", "sellercentral.amazon.ca", "amazon.ca", "CAD", Region::na},
    Marketplace{"A1AM78C64UM0Y8", "MX", "sellercentral.amazon.com.mx", "amazon.com.mx", "MXN", Region::na},
    Marketplace{"A2Q3Y263D00KWC", "BR", "sellercentral.amazon.com.br", "amazon.com.br", "BRL", Region::na},
    Marketplace{"A1F83G8C2ARO7P", "GB", kEurope, "amazon.co.uk", "GBP", Region::eu},
    Marketplace{"A1PA6795UKMFR9", "DE", kEurope, "amazon.de", "EUR", Region::eu},
    Marketplace{"A13V1IB3VIYZZH", "FR", kEurope, "amazon.fr", "EUR", Region::eu},
    Marketplace{"APJ6JRA9NG5V4", "IT", kEurope, "amazon.it", "EUR", Region::eu},
    Marketplace{"A1RKKUPIHCS9HS", "ES", kEurope, "amazon.es", "EUR", Region::eu},
    Marketplace{"A28R8C7NBKEWEA", "IE", "sellercentral.amazon.ie", "amazon.ie", "EUR", Region::eu},
    Marketplace{"AMEN7PMS3EDWL", "BE", "sellercentral.amazon.com.be", "amazon.com.be", "EUR", Region::eu},
    Marketplace{"A1805IZSGTT6HS", "NL", "sellercentral.amazon.nl", "amazon.nl", "EUR", Region::eu},
    Marketplace{"A2NODRKZP88ZB9", "SE", "sellercentral.amazon.se", "amazon.se", "SEK", Region::eu},
    Marketplace{"AE08WJ6YKNBMC", "ZA", "sellercentral.amazon.co.za", "amazon.co.za", "ZAR", Region::eu},
    Marketplace{"A1C3SOZRARQ6R3", "PL", "sellercentral.amazon.pl", "amazon.pl", "PLN", Region::eu},
    Marketplace{"A17E79C6D8DWNP", "SA", "sellercentral.amazon.sa", "amazon.sa", "SAR", Region::eu},
    Marketplace{"ARBP9OOSHTCHU", "EG", "sellercentral.amazon.eg", "amazon.eg", "EGP", Region::eu},
    Marketplace{"A33AVAJ2PDY3EV", "TR", "sellercentral.amazon.com.tr", "amazon.com.tr", "TRY", Region::eu},
    Marketplace{"A2VIGQ35RCS4UG", "AE", "sellercentral.amazon.ae", "amazon.ae", "AED", Region::eu},
    Marketplace{"A21TJRUUN4KGV", "IN", "sellercentral.amazon.in", "amazon.in", "INR", Region::eu},
    Marketplace{"A1VC38T7YXB528", "JP", "sellercentral.amazon.co.jp", "amazon.co.jp", "JPY", Region::fe},
    Marketplace{"A39IBJ37TRP1C6", "AU", "sellercentral.amazon.com.au", "amazon.com.au", "AUD", Region::fe},
    Marketplace{"A19VAU5U5O7RUS", "SG", "sellercentral.amazon.sg", "amazon.sg", "SGD", Region::fe},
};

constexpr std::array<std::string_view, 3> kRegionNames{"na", "eu", "fe"};
constexpr std::array<std::array<std::string_view, 2>, 3> kEndpoints{{
    {"https://sellingpartnerapi-na.amazon.com", "https://sandbox.sellingpartnerapi-na.amazon.com"},
    {"https://sellingpartnerapi-eu.amazon.com", "https://sandbox.sellingpartnerapi-eu.amazon.com"},
    {"https://sellingpartnerapi-fe.amazon.com", "https://sandbox.sellingpartnerapi-fe.amazon.com"},
}};

}  // namespace

std::optional<Region> region_from(std::string_view name) noexcept {
  const auto found = std::find(kRegionNames.begin(), kRegionNames.end(), name);
  if (found == kRegionNames.end()) return std::nullopt;
  return static_cast<Region>(found - kRegionNames.begin());
}

std::string_view region_name(Region region) noexcept { return kRegionNames[static_cast<std::size_t>(region)]; }

std::string_view endpoint_of(Region region, Environment environment) noexcept {
  return kEndpoints[static_cast<std::size_t>(region)][static_cast<std::size_t>(environment)];
}

std::span<const Marketplace> marketplaces() noexcept { return kMarketplaces; }

const Marketplace* find_marketplace(std::string_view key) noexcept {
  if (key == "UK") key = "GB";
  for (const Marketplace& m : kMarketplaces)
    if (m.id == key || m.country == key) return &m;
  return nullptr;
}

const Marketplace* find_site(std::string_view site) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  for (const Marketplace& m : kMarketplaces)
    if (std::equal(site.begin(), site.end(), m.site.begin(), m.site.end(), [&](char a, char b) { return lower(a) == b; })) return &m;
  return nullptr;
}

const Marketplace& default_marketplace(Region region) noexcept {
  return *std::find_if(kMarketplaces.begin(), kMarketplaces.end(), [region](const Marketplace& m) { return m.region == region; });
}

}  // namespace amzsync::spapi
