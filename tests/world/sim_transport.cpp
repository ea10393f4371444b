// SPDX-License-Identifier: Apache-2.0
#include "world/sim_transport.hpp"

#include "support/allocations.hpp"

namespace world {

namespace net = amzsync::net;

amzsim::SimRequest to_sim(const net::HttpRequest& request) {
  amzsim::SimRequest sim;
  sim.method = net::method_name(request.method);
  std::string_view url = request.url;
  url = url.substr(url.find('/', url.find("://") + 3));
  const auto decode = [](std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%' && i + 2 < text.size()) {
        out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  };
  const std::size_t mark = url.find('?');
  sim.path = decode(url.substr(0, mark));
  std::string_view query = mark == std::string_view::npos ? std::string_view() : url.substr(mark + 1);
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    const std::size_t equals = part.find('=');
    sim.query.emplace_back(decode(part.substr(0, equals)), equals == std::string_view::npos ? "" : decode(part.substr(equals + 1)));
  }
  for (const net::Header& h : request.headers) {
    std::string name;
    for (const char c : h.name) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    sim.headers[name] = h.value;
  }
  sim.body = request.body;
  return sim;
}

namespace {

net::HttpResponse to_response(amzsim::SimAnswer answer) {
  const support::Sheltered amazon;
  net::HttpResponse response;
  response.status = answer.status;
  response.headers.push_back({"Content-Type", answer.content_type});
  for (auto& [name, value] : answer.headers) response.headers.push_back({name, value});
  response.body = std::move(answer.body);
  return response;
}

}  // namespace

Async<Result<net::HttpResponse>> SimTransport::send(Request request, CancelToken cancel) {
  const std::shared_ptr<amzsync::net::BodyStream> body_to = request.body_to;
  Result<Response> response(Code::network_error);
  const std::int64_t number = numbers_ ? ++*numbers_ : 0;
  if (!guard_ || guard_(number, false)) {
    if (co_await meet_fate(false, cancel)) response = co_await exchange(request, cancel);
    if (response && !co_await meet_fate(true, cancel)) response = Code::network_error;
    if (cancel.cancelled()) response = Code::cancelled;
  }
  if (body_to) {
    constexpr std::size_t kPiece = 16U << 10;
    if (response && response->status < 300) {
      for (std::string_view rest = response->body; !rest.empty(); rest.remove_prefix(std::min(rest.size(), kPiece))) body_to->push(rest.substr(0, kPiece));
      response->body.clear();
    }
    body_to->close();
  }
  if (guard_ && !guard_(number, true)) co_return Code::network_error;
  if (observer_) observer_(request, response);
  co_return response;
}

amzsim::SimAnswer SimTransport::ask(const Request& request) {
  const support::Sheltered amazon;
  return simulator_.handle(to_sim(request));
}

/// False: the request, or its answer, is lost on the way.
Async<bool> SimTransport::meet_fate(bool back, CancelToken cancel) {
  if (!fates_) co_return true;
  const Fate fate = fates_(back);
  if (fate.wait > Duration::zero()) co_await clock_.sleep_for(fate.wait, cancel);
  co_return !fate.lost && !cancel.cancelled();
}

Async<Result<net::HttpResponse>> SimTransport::exchange(const Request& request, CancelToken cancel) {
  const Steady start = clock_.steady();
  const Duration latency = least_ + Duration(random_.below((most_ - least_).count() + 1));
  co_await clock_.sleep_for(latency / 2, cancel);   // on its way
  if (cancel.cancelled()) co_return Code::cancelled;
  amzsim::SimAnswer answer = ask(request);
  Duration back = latency / 2 + answer.delay;
  const bool hangs = answer.delivery == amzsim::SimAnswer::Delivery::hang;
  if (hangs) back = std::chrono::hours(24 * 365);
  const Duration left = start + request.timeout - clock_.steady();
  const bool in_time = back <= left || (hangs && deaf_);
  co_await clock_.sleep_for(in_time ? back : left, cancel);
  if (cancel.cancelled()) co_return Code::cancelled;
  if (!in_time) co_return Code::timeout;
  if (answer.delivery != amzsim::SimAnswer::Delivery::whole) co_return Code::network_error;
  if (answer.body.size() > request.max_body && !request.body_to) co_return Code::answer_too_large;
  co_return to_response(std::move(answer));
}

}  // namespace world
