// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

namespace amzsync::base {
namespace {

struct Entry {
  Code code;
  std::string_view name;
  Retry retry;
  std::string_view sentence;
};

constexpr Entry kErrors[] = {
    {Code::ok, "ok", Retry::never, "Done."},
#define AMZ_ERROR(number, name, retry, sentence) {Code::name, #name, Retry::retry, sentence},
#include "base/errors.def"
#undef AMZ_ERROR
};

const Entry& entry(Code code) noexcept {
  for (const Entry& e : kErrors)
    if (e.code == code) return e;
  return entry(Code::internal);
}

}  // namespace

std::string_view code_name(Code code) noexcept { return entry(code).name; }
std::string_view code_sentence(Code code) noexcept { return entry(code).sentence; }
Retry code_retry(Code code) noexcept { return entry(code).retry; }

std::string_view retry_name(Retry retry) noexcept {
  switch (retry) {
    case Retry::later: return "later";
    case Retry::after_reauth: return "after_reauth";
    case Retry::never: break;
  }
  return "never";
}

std::optional<Code> code_from_name(std::string_view name) noexcept {
  for (const Entry& e : kErrors)
    if (e.name == name) return e.code;
  return std::nullopt;
}

}  // namespace amzsync::base
