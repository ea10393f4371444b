// SPDX-License-Identifier: Apache-2.0
// What Amazon owes, as detection finds it: how many units or how much money, on what grounds, and from when until when it can be claimed.
// Whether it can be claimed today is never stored: it follows from the dates when it is read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/crypto.hpp"
#include "detect/tables.hpp"

namespace amzsync::detect {

/// Public names: claim_ready, not_mature, review, expired, blocked.
enum class Readiness : std::uint8_t { claim_ready, not_mature, review, expired, blocked };
std::string_view readiness_name(Readiness r) noexcept;

/// What a value rests on.
enum class Basis : std::uint8_t { unknown, seller_cost, observed, proceeds, order, charge };
std::string_view basis_name(Basis b) noexcept;

struct Term {
  std::string_view code;                  ///< A1, K1, … (docs/detection.md)
  int delta = 0;
};
/// Small, for there can be as many as charges.
class Evidence {
 public:
  /// `role`: loss, mate, payment, found, sale, refund, return, …; a literal.
  Evidence(RowRef of, const char* role, std::int64_t how_many) noexcept : row(of), units(static_cast<std::int32_t>(how_many)), role_(role) {}
  RowRef row;
  std::int32_t units;
  std::string_view role() const noexcept { return role_; }

 private:
  const char* role_;
};
/// Units that were taken off the claim: by which row, at which step.
struct Netted {
  RowRef by;
  std::int64_t units = 0;
  std::string_view step;
};

/// What a finding is about; empty names where it is not.
struct Subject {
  Name fnsku, sku, asin;
  std::string order, shipment;
  Name removal;
  std::string period;
};

struct Finding {
  std::string_view rule;
  int rule_version = 1;
  std::string_view variant;
  std::string subject;                    ///< with the rule the identity: the same one at every detection
  Subject about;
  std::string_view policy;                ///< of the window; its text is the policy's
  bool policy_confirmed = true;
  Day event{}, claimable_from{}, deadline{}, deadline_safe{};
  std::int64_t quantity = 0;              ///< 0 where only money is owed
  std::optional<Micros> amount, low, high;
  std::optional<Currency> currency;
  Basis basis = Basis::unknown;
  int confidence = 0;
  std::vector<Term> terms;
  std::vector<Evidence> evidence;
  std::vector<Netted> netting;
  bool review_only = false;               ///< never more than `review`, whatever its confidence
  std::string blocked;                    ///< why nothing can be concluded yet; empty: it can

  /// As of a local day. Facts: detection 3.0, status order.
  Readiness readiness(Day today) const noexcept;
};

/// Findings below this are not told at all; from this on they can be claimed.
constexpr int kLeastConfidence = 40, kSureEnough = 70;

/// Of (seller, region, rule, variant, subject).
Hash128 finding_number(const Tables& tables, const Finding& finding);
/// The same as 32 hexadecimal digits.
std::string finding_id(const Tables& tables, const Finding& finding);
/// The number that such digits tell.
Hash128 finding_number(std::string_view id);

}  // namespace amzsync::detect
