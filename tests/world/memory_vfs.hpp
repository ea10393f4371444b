// SPDX-License-Identifier: Apache-2.0
// A file system for SQLite that lives in memory and knows what was synced: a killed process leaves all it wrote, a power loss
// only what was synced. One thread.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace world {

class MemoryVfs {
 public:
  explicit MemoryVfs(std::uint64_t seed);
  ~MemoryVfs();
  MemoryVfs(const MemoryVfs&) = delete;
  MemoryVfs& operator=(const MemoryVfs&) = delete;

  const std::string& name() const noexcept { return name_; }

  /// All files as they are, or as a power loss would leave them.
  enum class Loss { process, power };
  std::map<std::string, std::string> snapshot(Loss loss) const;
  /// Puts files back; no connection may be open.
  void restore(std::map<std::string, std::string> files);

  /// The next `count` writes fail as if the disk were full; -1: all.
  void fail_writes(int count) { failing_writes_ = count; }
  std::int64_t writes() const noexcept { return writes_; }
  /// How long its connections meant to wait for each other's locks; it takes no time here.
  std::chrono::microseconds waited() const noexcept { return waited_; }

  struct File {
    std::string content, synced;
    std::vector<std::unique_ptr<char[]>> shared_memory;   // regions of 32 KB
    int lock_counts[5] = {};                              // connections at each level of the file lock
    int shm_shared[SQLITE_SHM_NLOCK] = {};
    bool shm_exclusive[SQLITE_SHM_NLOCK] = {};
    int shm_users = 0;
  };

 private:
  friend struct VfsCalls;
  std::string name_;
  sqlite3_vfs vfs_{};
  std::map<std::string, std::shared_ptr<File>> files_;
  std::uint64_t random_;
  int failing_writes_ = 0;
  std::int64_t writes_ = 0;
  std::chrono::microseconds waited_{0};
};

}  // namespace world
