// SPDX-License-Identifier: Apache-2.0
#include "detect/finding.hpp"

#include "base/crypto.hpp"

namespace amzsync::detect {
namespace {

constexpr std::string_view kReadiness[]{"claim_ready", "not_mature", "review", "expired", "blocked"};
constexpr std::string_view kBases[]{"unknown", "seller_cost", "observed", "proceeds", "order", "charge"};

}  // namespace

std::string_view readiness_name(Readiness r) noexcept { return kReadiness[static_cast<std::size_t>(r)]; }
std::string_view basis_name(Basis b) noexcept { return kBases[static_cast<std::size_t>(b)]; }

Readiness Finding::readiness(Day today) const noexcept {
  if (!blocked.empty()) return Readiness::blocked;
  if (today < claimable_from) return Readiness::not_mature;
  if (today > deadline) return Readiness::expired;
  return confidence < kSureEnough || review_only ? Readiness::review : Readiness::claim_ready;
}

Hash128 finding_number(const Tables& tables, const Finding& f) {
  const std::string text = tables.seller + '\n' + tables.region + '\n' + std::string(f.rule) + '\n' + std::string(f.variant) + '\n' + f.subject;
  return Hash128::of(text);
}

std::string finding_id(const Tables& tables, const Finding& f) { return hex(finding_number(tables, f).view()); }

Hash128 finding_number(std::string_view id) {
  Hash128 number;
  const auto digit = [](char c) { return static_cast<unsigned>(c >= 'a' ? c - 'a' + 10 : c - '0'); };
  for (std::size_t i = 0; i < number.bytes.size() && 2 * i + 1 < id.size(); ++i) number.bytes[i] = static_cast<std::uint8_t>(digit(id[2 * i]) << 4U | digit(id[2 * i + 1]));
  return number;
}

}  // namespace amzsync::detect
