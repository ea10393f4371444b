// SPDX-License-Identifier: Apache-2.0
// Proof of life on one machine: each engine locks one byte of a file beside the database, at the place of its number. The
// kernel drops the lock when the process dies, however it dies, so a lock that is free proves its owner gone.
// Open-file-description locks, because the classic ones are lost when any descriptor of the file is closed in the process.
#pragma once

#include <memory>
#include <string>

#include "base/id.hpp"

namespace amzsync::store {
using namespace base;

class LivenessFile {
 public:
  static Result<std::unique_ptr<LivenessFile>> open(const std::string& path);
  ~LivenessFile();
  LivenessFile(const LivenessFile&) = delete;
  LivenessFile& operator=(const LivenessFile&) = delete;

  /// Holds the place of `engine` until this object goes, or the process; a child that is forked does not hold it.
  Status hold(EngineNo engine);
  /// Whether some living process holds the place of `engine`. When it can't be found out: true.
  bool is_held(EngineNo engine) const;

 private:
  explicit LivenessFile(int fd);
  int fd_;
};

}  // namespace amzsync::store
