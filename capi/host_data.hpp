// SPDX-License-Identifier: Apache-2.0
// What the host's functions are called with, and the time during which one of them is being called.
#pragma once

#include <amzsync/amzsync.h>

namespace amzsync::capi {

/// The host's `user_data`. It becomes ours with `keep`, and is freed then with the last copy; before that, whatever fails leaves it the host's.
class HostData {
 public:
  HostData(void* data, amzsync_free_fn free_fn) noexcept : data_(data), free_fn_(free_fn) {}
  HostData(const HostData&) = delete;
  HostData& operator=(const HostData&) = delete;
  ~HostData() {
    if (kept_ && free_fn_) free_fn_(data_);
  }
  void keep() noexcept { kept_ = true; }
  void* get() const noexcept { return data_; }

 private:
  void* data_;
  amzsync_free_fn free_fn_;
  bool kept_ = false;
};

/// While one lives, this thread runs a function of the host's that the engine waits for: a call that waits for the engine would wait for itself.
class InsideHost {
 public:
  InsideHost() noexcept { ++depth_; }
  InsideHost(const InsideHost&) = delete;
  InsideHost& operator=(const InsideHost&) = delete;
  ~InsideHost() { --depth_; }
  static bool now() noexcept { return depth_ > 0; }

 private:
  static inline thread_local int depth_ = 0;
};

}  // namespace amzsync::capi
