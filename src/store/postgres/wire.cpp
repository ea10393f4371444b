// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/wire.hpp"

#include <poll.h>

#include <array>
#include <cerrno>

namespace amzsync::store {
namespace {

constexpr std::chrono::milliseconds kLook{100};           // whether somebody still waits
constexpr Duration kAskServer = std::chrono::seconds(5);  // of a silence: whether the server is there at all

/// What libpq is told of an address. The URL says what comes after these, and wins; what is empty says nothing. A server that is gone is noticed without a word from it.
struct Parameters {
  explicit Parameters(const PostgresAddress& address, const char* connect_timeout = nullptr)
      : values{"5", "10", "5", "3", "20000", "amzsync", "UTF8", address.url.c_str(), address.hosts.c_str(), address.ports.c_str(), address.hosts.empty() ? "" : "any", connect_timeout, nullptr},
        names{"connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "fallback_application_name", "client_encoding", "dbname", "host", "port",
              "target_session_attrs", connect_timeout ? "connect_timeout" : nullptr, nullptr} {}
  std::array<const char*, 13> values, names;
};

}  // namespace

Result<std::unique_ptr<PostgresWire>> PostgresWire::open(const PostgresAddress& address, Patience patience) {
  AMZ_CHECK(address.check());
  auto wire = std::unique_ptr<PostgresWire>(new PostgresWire(address, std::move(patience)));
  const Parameters parameters(wire->address_);
  wire->raw_ = PQconnectdbParams(parameters.names.data(), parameters.values.data(), 1);
  if (!wire->raw_) return Error(Code::no_memory);
  if (PQstatus(wire->raw_) == CONNECTION_OK && PQsetnonblocking(wire->raw_, 1) != 0) return Error(Code::no_memory);
  PQsetNoticeProcessor(wire->raw_, [](void*, const char*) {}, nullptr);
  return wire;
}

PostgresResult PostgresWire::next() {
  if (is_lost() || !wait()) return {};
  return PostgresResult(PQgetResult(raw_));   // it is there
}

PostgresResult PostgresWire::last(int sent) {
  PostgresResult last;
  if (sent == 0) return last;
  while (PostgresResult one = next()) last = std::move(one);
  if (gave_up_) last.clear();
  return last;
}

/// False: it was given up.
bool PostgresWire::wait() {
  Duration silence{};
  for (;;) {
    const bool unsent = PQflush(raw_) > 0;   // what fails here, the answer tells
    if (PQisBusy(raw_) == 0) return true;
    pollfd socket{PQsocket(raw_), static_cast<short>(POLLIN | (unsent ? POLLOUT : 0)), 0};
    const int ready = poll(&socket, 1, static_cast<int>(kLook.count()));
    if (ready < 0 && errno != EINTR) return true;   // libpq fails at it too
    if (PQconsumeInput(raw_) == 0) return true;
    if (ready != 0) continue;
    silence += kLook;
    gave_up_ = silence >= patience_.most || patience_.is_over() || (silence % kAskServer == Duration() && server_is_silent());
    if (gave_up_) return false;
  }
}

/// One that works long at a statement greets others meanwhile.
bool PostgresWire::server_is_silent() const {
  const Parameters parameters(address_, "3");
  return PQpingParams(parameters.names.data(), parameters.values.data(), 1) == PQPING_NO_RESPONSE;
}

}  // namespace amzsync::store
