// SPDX-License-Identifier: Apache-2.0
// Amazon's notifications (Notifications v1), as SQS or EventBridge deliver them. They come at least once, in no order, and are hints: what
// they are about is read by a sync.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/id.hpp"
#include "base/result.hpp"

namespace amzsync::spapi {
using namespace base;

struct Notification {
  std::string id;          ///< NotificationId; of one without it, made of its content
  std::string type;        ///< TRANSACTION_UPDATE, …
  SellerId seller;         ///< may be empty
  std::string report_type; ///< of REPORT_PROCESSING_FINISHED
};

/// A message of a queue, an event of EventBridge, a batch of either (`Records`), or the notification itself; envelopes in both spellings.
/// Errors: invalid_argument (no JSON, or no notification of Amazon's).
Result<std::vector<Notification>> decode_notifications(std::string_view message);

}  // namespace amzsync::spapi
