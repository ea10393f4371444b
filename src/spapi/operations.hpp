// SPDX-License-Identifier: Apache-2.0
// The operations of Amazon's API that we call, with their published usage plans (tables in the models' operation texts).
#pragma once

#include <string_view>

#include "base/time.hpp"

namespace amzsync::spapi {
using namespace base;

struct Operation {
  std::string_view name;     ///< as Amazon names it; also the bucket's key
  double rate;               ///< calls per second
  int burst;
  Duration timeout;          ///< finances pages were seen to take over 200 s
};

constexpr Operation kGetMarketplaceParticipations{"getMarketplaceParticipations", 0.016, 15, std::chrono::seconds(60)};
constexpr Operation kListTransactions{"listTransactions", 0.5, 10, std::chrono::seconds(300)};
constexpr Operation kListFinancialEvents{"listFinancialEvents", 0.5, 30, std::chrono::seconds(300)};
constexpr Operation kGetInventorySummaries{"getInventorySummaries", 2.0, 2, std::chrono::seconds(60)};
constexpr Operation kCreateReport{"createReport", 0.0167, 15, std::chrono::seconds(60)};
constexpr Operation kGetReports{"getReports", 0.0222, 10, std::chrono::seconds(60)};
constexpr Operation kGetReport{"getReport", 2.0, 15, std::chrono::seconds(60)};
constexpr Operation kGetReportDocument{"getReportDocument", 0.0167, 15, std::chrono::seconds(60)};
constexpr Operation kGetShipments{"getShipments", 2.0, 30, std::chrono::seconds(60)};
constexpr Operation kGetShipmentItems{"getShipmentItems", 2.0, 30, std::chrono::seconds(60)};

/// In the sandbox every operation has the same plan.
constexpr double kSandboxRate = 5.0;
constexpr int kSandboxBurst = 15;

}  // namespace amzsync::spapi
