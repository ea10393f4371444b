// SPDX-License-Identifier: Apache-2.0
#include "spapi/notifications.hpp"

#include "base/crypto.hpp"
#include "base/json.hpp"

namespace amzsync::spapi {
namespace {

constexpr int kDeepest = 4;                // wrappings around a notification
constexpr std::size_t kMost = 100;         // notifications in one message
constexpr std::size_t kLongestId = 200;

/// A member in either spelling: NotificationType, notificationType.
Json either(Json object, std::string_view pascal) {
  if (const Json found = object[pascal]; !found.is_null()) return found;
  std::string camel(pascal);
  camel.front() = static_cast<char>(camel.front() - 'A' + 'a');
  return object[camel];
}

Error no_notification(std::string_view why) { return Error(Code::invalid_argument, "This is no notification of Amazon's: " + std::string(why) + "."); }

/// The seller stands in the payload itself, or in an object of it, under several names.
void read_subject(Json payload, Notification& out, int depth) {
  for (const Json member : payload) {
    const std::string_view name = member.name();
    if (member.is_string() && out.seller.empty() && (name == "SellerId" || name == "sellerId" || name == "SellingPartnerId" || name == "sellingPartnerId"))
      out.seller = SellerId(clean_utf8(member.text(), kLongestId));
    if (member.is_string() && name == "reportType") out.report_type = clean_utf8(member.text(), kLongestId);
    if (member.is_object() && depth < 2) read_subject(member, out, depth + 1);
  }
}

Status read(Json message, std::vector<Notification>& out, int depth);

Status read_text(std::string_view text, std::vector<Notification>& out, int depth) {
  const auto document = JsonDocument::parse(text);
  if (!document) return no_notification("a message's body is no JSON");
  return read(document->root(), out, depth);
}

Status read(Json message, std::vector<Notification>& out, int depth) {
  if (!message.is_object() || depth > kDeepest) return no_notification("it is no JSON object");
  if (const Json records = message["Records"]; records.is_array()) {
    for (const Json record : records) AMZ_CHECK(read(record, out, depth + 1));
    return Done{};
  }
  for (const char* body : {"Body", "body", "Message"})
    if (message[body].is_string() && either(message, "NotificationType").is_null()) return read_text(message[body].text(), out, depth + 1);
  if (const Json detail = message["detail"]; detail.is_object()) return read(detail, out, depth + 1);
  const Json type = either(message, "NotificationType");
  const Json payload = either(message, "Payload");
  if (!type.is_string() || type.text().empty()) return no_notification("it has no NotificationType");
  if (!payload.is_object()) return no_notification("it has no Payload");
  if (out.size() == kMost) return no_notification("one message holds more than " + std::to_string(kMost));
  Notification notification;
  notification.type = clean_utf8(type.text(), kLongestId);
  read_subject(payload, notification, 0);
  notification.id = clean_utf8(either(either(message, "NotificationMetadata"), "NotificationId").text(), kLongestId);
  if (notification.id.empty()) {
    std::string content;
    append_canonical(content, message);
    notification.id = "content-" + hex(Hash128::of(content).view());
  }
  out.push_back(std::move(notification));
  return Done{};
}

}  // namespace

Result<std::vector<Notification>> decode_notifications(std::string_view message) {
  std::vector<Notification> notifications;
  AMZ_CHECK(read_text(message, notifications, 0));
  if (notifications.empty()) return no_notification("it holds none");
  return notifications;
}

}  // namespace amzsync::spapi
