// SPDX-License-Identifier: Apache-2.0
// The small texts that everything else is made of: JSON, amounts, times, charsets, addresses.
#include "base/charset.hpp"
#include "base/crypto.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/money.hpp"
#include "base/time.hpp"
#include "fuzz/targets.hpp"
#include "net/http.hpp"
#include "spapi/report_text.hpp"

namespace fuzz {
namespace {

using namespace amzsync::base;   // NOLINT: vocabulary

std::string canonical(Json value) {
  std::string text;
  append_canonical(text, value);
  return text;
}

std::string feed_json(const Target&, std::string_view bytes) {
  const auto document = JsonDocument::parse(bytes);
  if (!document) return document.code() == Code::bad_answer ? "" : "refused as " + std::string(code_name(document.code()));
  std::string text;
  append_json(text, document->root());
  const auto again = JsonDocument::parse(text);
  if (!again) return "what was written can't be read: " + text;
  if (canonical(document->root()) != canonical(again->root())) return "what was written means something else: " + text;
  return "";
}

std::string feed_amount(const Target&, std::string_view bytes) {
  const auto amount = parse_amount(bytes);
  if (amount.fault != AmountFault::none) return "";
  const std::string text = format_micros(amount.micros);
  const auto again = parse_amount(text);
  return again.fault == AmountFault::none && again.micros == amount.micros ? "" : "an amount is written as " + text + ", which is another one";
}

std::string feed_time(const Target&, std::string_view bytes) {
  (void)amzsync::spapi::parse_report_time(bytes);
  (void)amzsync::net::parse_http_date(bytes);
  const auto at = parse_instant(bytes);
  if (!at) return "";
  const std::string text = format_instant(*at);
  const auto again = parse_instant(text);
  return again && std::chrono::floor<std::chrono::milliseconds>(*again) == std::chrono::floor<std::chrono::milliseconds>(*at) ? "" : "a time is written as " + text + ", which is another one";
}

std::string feed_charset(const Target&, std::string_view bytes) {
  (void)charset_of(bytes);
  for (const Charset charset : {Charset::utf8, Charset::cp1252, Charset::shift_jis}) {
    const std::string text = to_utf8(bytes, charset);
    if (clean_utf8(text, text.size() * 4 + 4) != text) return "text that is none, from " + std::string(charset_name(charset));
  }
  std::string json;
  append_json_string(json, bytes);
  return JsonDocument::parse(json) ? "" : "a string that no reader takes: " + json;
}

std::string feed_address(const Target&, std::string_view bytes) {
  using namespace amzsync::net;
  const std::string origin = origin_of(bytes);
  if (is_safe_url(bytes) && !bytes.starts_with("https://") && !bytes.starts_with("HTTPS://") && !is_loopback_url(bytes)) {
    if (!origin.starts_with("https://")) return "secrets would go to " + origin;
  }
  if (!origin.empty() && origin.find_first_of(" \t\r\n@/\\", origin.find("://") + 3) != std::string::npos) return "an origin that is none: " + origin;
  return "";
}

std::vector<std::string> jsons(const Target&) { return {R"({"a":[1,-0.5,1e-2,12345678901.23,true,false,null,"x\u00e9\ud83d\ude00\n"],"a":{"b":{}}})", "[]", "-0.0", "\"\"", "[[[[[[1]]]]]]"}; }
std::vector<std::string> amounts(const Target&) { return {"1e-2", "12345678901.23", "-0", "-0.0", "0.000001", "1E+3", "9223372036854.775807", "-9223372036854.775808", "0.0000001", "1e400"}; }
std::vector<std::string> times(const Target&) {
  return {"2026-08-05T12:34:56.789Z", "2026-08-05T12:34:56-0700", "2026-08-05", "2026-03-14 08:49:04 UTC", "03/14/2026", "14.03.2026", "2026-03", "03/2026", "Sat, 28 Nov 2026 07:45:48 GMT", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"};
}
std::vector<std::string> charsets(const Target&) { return {"text/plain; charset=Shift_JIS", "caf\xE9 \x80\x9f", "\x83\x4a\x81\x40\xb1\xfc\x4b", "\xF0\x9F\x98\x80\xC3\xA9", "\xEF\xBB\xBFx"}; }
std::vector<std::string> addresses(const Target&) {
  return {"https://sellingpartnerapi-na.amazon.com/x?y#z", "http://127.0.0.1:8090", "http://[::1]:1/", "http://localhost", "https://a@b.example/", "http://127.0.0.1.evil.example/", "HTTPS://A.example:443", "http://127.1"};
}

}  // namespace

std::vector<Target> text_targets() {
  return {{"json", &feed_json, &jsons}, {"amount", &feed_amount, &amounts}, {"time", &feed_time, &times}, {"charset", &feed_charset, &charsets}, {"address", &feed_address, &addresses}};
}

}  // namespace fuzz
