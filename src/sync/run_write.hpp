// SPDX-License-Identifier: Apache-2.0
// How a run writes what it read: behind its fence, and only while the disk has room.
#pragma once

#include <type_traits>
#include <utility>

#include "store/runs.hpp"
#include "sync/services.hpp"

namespace amzsync::sync {

template <class Told>
struct WrittenOf {
  using type = Result<Told>;
};
template <>
struct WrittenOf<void> {
  using type = Status;
};
template <class T>
struct WrittenOf<Result<T>> {
  using type = Result<T>;
};
template <class Change>
using Written = typename WrittenOf<std::invoke_result_t<Change&, const store::RunTx&>>::type;

/// `change` is called with the store::RunTx, and tells nothing, a value, a Status or a Result. Errors: those, fenced, store_full, those of the store.
template <class Change>
Async<Written<Change>> write_fenced(Services& services, const store::Fence& fence, Change change) {
  auto work = [&store = services.store, fence, change = std::move(change)](store::Tx& tx) mutable -> Written<Change> {
    // Asked when its turn comes: what waits before it may have taken the last room there was.
    if (!store.has_room()) return nearly_full();
    AMZ_TRY(run, store::RunTx::enter(tx, fence));
    if constexpr (std::is_void_v<std::invoke_result_t<Change&, const store::RunTx&>>) {
      change(run);
      return Done{};
    } else {
      return change(run);
    }
  };
  auto written = co_await services.store.write(store::Urgency::normal, std::move(work));
  co_return written;
}

}  // namespace amzsync::sync
