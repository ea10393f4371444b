// SPDX-License-Identifier: Apache-2.0
// The whole of detection as one pure function: tables, policy and a day in, findings out. The same input, in whatever order its rows stand, gives the
// same output.
#pragma once

#include "detect/finding.hpp"
#include "detect/policy.hpp"
#include "detect/rules.hpp"

namespace amzsync::detect {

/// How a rule as a whole stands: it can see everything that it concludes from, or why not.
struct RuleState {
  std::string_view rule;
  std::string blocked;                    ///< empty: it can
};

struct Detection {
  std::vector<Finding> findings;          ///< by rule, variant and subject
  std::vector<RuleState> rules;           ///< every one of them
};

/// `today`: local to the home marketplace. With `verdicts` also why rows that could be claims are none.
Detection detect(const Tables& tables, const Policy& policy, Day today, std::vector<Verdict>* verdicts = nullptr);

}  // namespace amzsync::detect
