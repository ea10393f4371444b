// SPDX-License-Identifier: Apache-2.0
// Errors as values. A function that can fail returns Result<T>; nothing in the library throws across a folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace amzsync::base {

/// Stable error codes; the numbers are those of the C ABI (errors.def).
enum class Code : std::int32_t {
  ok = 0,
#define AMZ_ERROR(number, name, retry, sentence) name = number,
#include "base/errors.def"
#undef AMZ_ERROR
};

/// What the caller can do about it: nothing, wait, or have the seller authorise again.
enum class Retry : std::uint8_t { never, later, after_reauth };

std::string_view code_name(Code code) noexcept;
std::string_view code_sentence(Code code) noexcept;
Retry code_retry(Code code) noexcept;
std::string_view retry_name(Retry retry) noexcept;
/// The inverse of code_name; nullopt for a name this version does not know.
std::optional<Code> code_from_name(std::string_view name) noexcept;

/// One failure: a stable code, one clear sentence, and what Amazon said if it was Amazon. Never holds a secret.
struct Error {
  Code code = Code::internal;
  std::string message;
  Retry retry = Retry::never;
  int http_status = 0;             ///< 0 when no HTTP answer was involved
  std::string api_code;            ///< Amazon's own error code
  std::string request_id;          ///< x-amzn-RequestId, for Amazon's support
  std::int64_t retry_after_ms = 0; ///< 0 = unknown

  Error() = default;
  explicit Error(Code c) : code(c), message(code_sentence(c)), retry(code_retry(c)) {}
  Error(Code c, std::string text) : code(c), message(std::move(text)), retry(code_retry(c)) {}

  std::string_view name() const noexcept { return code_name(code); }
};

/// A value or an Error.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}             // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}         // NOLINT
  Result(Code code) : state_(std::in_place_index<1>, Error(code)) {}                // NOLINT

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }

  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }
  Code code() const noexcept { return ok() ? Code::ok : std::get<1>(state_).code; }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value.
struct Done {};
using Status = Result<Done>;

/// AMZ_TRY(name, expression): binds the value, or returns the error from this function.
#define AMZ_TRY(name, ...)                                       \
  auto name##_result = (__VA_ARGS__);                            \
  if (!name##_result) return std::move(name##_result).error();   \
  [[maybe_unused]] auto& name = *name##_result
#define AMZ_CHECK(...)                                           \
  do {                                                           \
    if (auto status_ = (__VA_ARGS__); !status_)                  \
      return std::move(status_).error();                         \
  } while (false)
/// The same inside a coroutine.
#define AMZ_CO_TRY(name, ...)                                    \
  auto name##_result = __VA_ARGS__;                              \
  if (!name##_result) co_return std::move(name##_result).error();\
  [[maybe_unused]] auto& name = *name##_result
#define AMZ_CO_CHECK(...)                                        \
  do {                                                           \
    auto status_ = __VA_ARGS__;                                  \
    if (!status_) co_return std::move(status_).error();          \
  } while (false)

}  // namespace amzsync::base
