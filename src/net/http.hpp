// SPDX-License-Identifier: Apache-2.0
// One HTTP exchange. Knows nothing of Amazon. An answer with status 4xx or 5xx is a finished exchange, not an error;
// only the lack of an answer is one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/async.hpp"
#include "base/cancel.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "net/body_stream.hpp"

namespace amzsync::net {
using namespace base;  // NOLINT: base is the vocabulary of every folder above it

enum class Method { get, post, put, del };
std::string_view method_name(Method method) noexcept;

struct Header {
  std::string name;
  std::string value;
};

struct HttpRequest {
  Method method = Method::get;
  std::string url;               ///< absolute; https, or http to a loopback address
  std::vector<Header> headers;
  std::string body;
  Duration timeout = std::chrono::seconds(60);  ///< for the whole exchange
  std::size_t max_body = 12U << 20;             ///< a longer answer ends with answer_too_large
  /// Where the body of a 2xx answer goes, of any length, in place of HttpResponse::body; `timeout` is then for silence in between.
  /// The transport closes it when the exchange ends.
  std::shared_ptr<BodyStream> body_to;
  /// It must not reach the server twice: what breaks before an answer is not sent again by the client itself.
  bool once = false;
  bool public_only = false;                     ///< no address of this machine or its networks, whatever the name resolves to
};

struct HttpResponse {
  int status = 0;
  std::vector<Header> headers;
  std::string body;

  /// First header of that name, in any case; empty when absent.
  std::string_view header(std::string_view name) const noexcept;
};

/// A seam: curl, the tests' in-process simulator, or a client that the host supplies.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  /// Errors: network_error, timeout, answer_too_large, cancelled (the token's reason tells why). Loop thread.
  virtual Async<Result<HttpResponse>> send(HttpRequest request, CancelToken cancel) = 0;
};

/// Whether `url` may carry a secret: https anywhere, http only to 127.0.0.0/8, [::1] or localhost.
bool is_safe_url(std::string_view url) noexcept;

/// Whether `url` leads to this machine: 127.0.0.0/8, [::1] or localhost.
bool is_loopback_url(std::string_view url) noexcept;
/// False for an address that is not public, and for names that no public host has. What any other name leads to only its resolution tells.
bool may_be_public(std::string_view url) noexcept;

/// scheme://host[:port] of an absolute URL, lower case; empty when it has none.
std::string origin_of(std::string_view url);

/// The `Date` of an answer (RFC 9110, 5.6.7, in any of its three forms); nullopt: it is none.
std::optional<Instant> parse_http_date(std::string_view text);

struct QueryParam {
  std::string name;
  std::string value;
};
/// `?a=1&b=2` with RFC 3986 encoding; empty for no parameters.
std::string query_string(const std::vector<QueryParam>& params);

}  // namespace amzsync::net
