// SPDX-License-Identifier: Apache-2.0
#include "support/allocations.hpp"

#include <cstdlib>
#include <new>
#include <utility>

namespace support {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

thread_local bool scarce = false, exposed = false;
thread_local std::int64_t asked_for = 0, refuse_at = kNever;

bool refuse() noexcept { return scarce && exposed && asked_for++ == refuse_at; }

}  // namespace

Scarcity::Scarcity(std::int64_t nth) noexcept {
  scarce = true;
  asked_for = 0;
  refuse_at = nth;
}
Scarcity::~Scarcity() { scarce = false; }
std::int64_t Scarcity::asked() const noexcept { return asked_for; }
bool Scarcity::refused() const noexcept { return asked_for > refuse_at; }

Exposed::Exposed() noexcept : before_(std::exchange(exposed, true)) {}
Exposed::~Exposed() { exposed = before_; }
Sheltered::Sheltered() noexcept : before_(std::exchange(exposed, false)) {}
Sheltered::~Sheltered() { exposed = before_; }

}  // namespace support

void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return support::refuse() ? nullptr : std::malloc(size ? size : 1); }
void* operator new(std::size_t size) {
  if (void* place = operator new(size, std::nothrow)) return place;
  throw std::bad_alloc();
}
void operator delete(void* place) noexcept { std::free(place); }
void operator delete(void* place, std::size_t) noexcept { std::free(place); }
