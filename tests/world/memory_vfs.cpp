// SPDX-License-Identifier: Apache-2.0
#include "world/memory_vfs.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "sim/random.hpp"
#include "support/allocations.hpp"

namespace world {

namespace {

/// SQLite's file handle: its base, then what is ours.
struct Handle {
  sqlite3_file base;
  MemoryVfs* vfs;
  std::shared_ptr<MemoryVfs::File>* file;   // SQLite allocates the handle without a constructor
  int level;                                // file lock
  unsigned shm_shared, shm_exclusive;       // bits held by this connection
  bool uses_shm;
};

Handle* of(sqlite3_file* f) { return reinterpret_cast<Handle*>(f); }
MemoryVfs::File& file(sqlite3_file* f) { return **of(f)->file; }

}  // namespace

struct VfsCalls {
  static MemoryVfs* self(sqlite3_vfs* v) { return static_cast<MemoryVfs*>(v->pAppData); }

  static int open(sqlite3_vfs* v, const char* path, sqlite3_file* f, int flags, int* out_flags) {
    const support::Sheltered disk;
    static const sqlite3_io_methods kMethods = {2,        close,    read,         write,        truncate,     sync,     size,  lock, unlock, check_reserved, control,
                                                sector,   features, shm_map,      shm_lock,     shm_barrier,  shm_unmap, nullptr, nullptr};
    MemoryVfs* vfs = self(v);
    Handle* h = of(f);
    std::memset(static_cast<void*>(h), 0, sizeof *h);
    const std::string key = path ? path : "temp-" + std::to_string(vfs->random_++);
    auto found = vfs->files_.find(key);
    if (found == vfs->files_.end()) {
      if (!(flags & SQLITE_OPEN_CREATE)) return SQLITE_CANTOPEN;
      found = vfs->files_.emplace(key, std::make_shared<MemoryVfs::File>()).first;
    }
    h->vfs = vfs;
    h->file = new std::shared_ptr<MemoryVfs::File>(found->second);
    h->base.pMethods = &kMethods;
    if (out_flags) *out_flags = flags;
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* v, const char* path, int) {
    const support::Sheltered disk;
    self(v)->files_.erase(path);
    return SQLITE_OK;
  }
  static int access(sqlite3_vfs* v, const char* path, int, int* out) {
    const support::Sheltered disk;
    *out = self(v)->files_.contains(path) ? 1 : 0;
    return SQLITE_OK;
  }
  static int full_path(sqlite3_vfs*, const char* path, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", path);
    return SQLITE_OK;
  }
  static int randomness(sqlite3_vfs* v, int size, char* out) {
    amzsim::Random r(self(v)->random_++);
    for (int i = 0; i < size; ++i) out[i] = static_cast<char>(r.next());
    return size;
  }
  static int sleep(sqlite3_vfs* v, int microseconds) {
    self(v)->waited_ += std::chrono::microseconds(microseconds);
    return microseconds;
  }
  static int time(sqlite3_vfs*, double* out) {
    *out = 2440587.5;
    return SQLITE_OK;
  }
  static int last_error(sqlite3_vfs*, int, char*) { return 0; }

  static int close(sqlite3_file* f) {
    Handle* h = of(f);
    unlock(f, SQLITE_LOCK_NONE);
    delete h->file;
    h->file = nullptr;
    return SQLITE_OK;
  }
  static int read(sqlite3_file* f, void* out, int amount, sqlite3_int64 offset) {
    const std::string& content = file(f).content;
    const auto from = static_cast<std::size_t>(offset);
    const std::size_t there = from < content.size() ? std::min(content.size() - from, static_cast<std::size_t>(amount)) : 0;
    if (there > 0) std::memcpy(out, content.data() + from, there);
    if (there == static_cast<std::size_t>(amount)) return SQLITE_OK;
    std::memset(static_cast<char*>(out) + there, 0, static_cast<std::size_t>(amount) - there);
    return SQLITE_IOERR_SHORT_READ;
  }
  static int write(sqlite3_file* f, const void* data, int amount, sqlite3_int64 offset) {
    const support::Sheltered disk;
    MemoryVfs* vfs = of(f)->vfs;
    ++vfs->writes_;
    if (vfs->failing_writes_ != 0) {
      if (vfs->failing_writes_ > 0) --vfs->failing_writes_;
      return SQLITE_FULL;
    }
    std::string& content = file(f).content;
    const std::size_t end = static_cast<std::size_t>(offset) + static_cast<std::size_t>(amount);
    if (content.size() < end) content.resize(end);
    std::memcpy(content.data() + offset, data, static_cast<std::size_t>(amount));
    return SQLITE_OK;
  }
  static int truncate(sqlite3_file* f, sqlite3_int64 size) {
    const support::Sheltered disk;
    file(f).content.resize(static_cast<std::size_t>(size));
    return SQLITE_OK;
  }
  static int sync(sqlite3_file* f, int) {
    const support::Sheltered disk;
    file(f).synced = file(f).content;
    return SQLITE_OK;
  }
  static int size(sqlite3_file* f, sqlite3_int64* out) {
    *out = static_cast<sqlite3_int64>(file(f).content.size());
    return SQLITE_OK;
  }

  static int lock(sqlite3_file* f, int level) {
    Handle* h = of(f);
    if (level <= h->level) return SQLITE_OK;
    auto& counts = file(f).lock_counts;
    const auto others = [&](int from) {
      int n = 0;
      for (int l = from; l <= SQLITE_LOCK_EXCLUSIVE; ++l) n += counts[l] - (h->level == l && h->level >= from ? 1 : 0);
      return n;
    };
    if (level == SQLITE_LOCK_SHARED && others(SQLITE_LOCK_PENDING) > 0) return SQLITE_BUSY;
    if (level == SQLITE_LOCK_RESERVED && others(SQLITE_LOCK_RESERVED) > 0) return SQLITE_BUSY;
    if (level == SQLITE_LOCK_EXCLUSIVE && others(SQLITE_LOCK_SHARED) > 0) return SQLITE_BUSY;
    if (h->level > SQLITE_LOCK_NONE) --counts[h->level];
    ++counts[level];
    h->level = level;
    return SQLITE_OK;
  }
  static int unlock(sqlite3_file* f, int level) {
    Handle* h = of(f);
    if (level >= h->level) return SQLITE_OK;
    auto& counts = file(f).lock_counts;
    --counts[h->level];
    if (level > SQLITE_LOCK_NONE) ++counts[level];
    h->level = level;
    return SQLITE_OK;
  }
  static int check_reserved(sqlite3_file* f, int* out) {
    const auto& counts = file(f).lock_counts;
    *out = counts[SQLITE_LOCK_RESERVED] + counts[SQLITE_LOCK_PENDING] + counts[SQLITE_LOCK_EXCLUSIVE] > 0 ? 1 : 0;
    return SQLITE_OK;
  }
  static int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector(sqlite3_file*) { return 4096; }
  static int features(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  static int shm_map(sqlite3_file* f, int region, int size, int extend, void volatile** out) {
    const support::Sheltered disk;
    MemoryVfs::File& data = file(f);
    if (!of(f)->uses_shm) {
      of(f)->uses_shm = true;
      ++data.shm_users;
    }
    while (extend && static_cast<int>(data.shared_memory.size()) <= region) {
      data.shared_memory.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
      std::memset(data.shared_memory.back().get(), 0, static_cast<std::size_t>(size));
    }
    *out = region < static_cast<int>(data.shared_memory.size()) ? data.shared_memory[static_cast<std::size_t>(region)].get() : nullptr;
    return SQLITE_OK;
  }
  static int shm_lock(sqlite3_file* f, int first, int count, int flags) {
    Handle* h = of(f);
    MemoryVfs::File& data = file(f);
    const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    if (flags & SQLITE_SHM_LOCK) {
      for (int i = first; i < first + count; ++i) {
        const bool mine = (h->shm_shared >> i & 1U) != 0;
        if (data.shm_exclusive[i] || (exclusive && data.shm_shared[i] > (mine ? 1 : 0))) return SQLITE_BUSY;
      }
    }
    for (int i = first; i < first + count; ++i) {
      const unsigned bit = 1U << i;
      unsigned& held = exclusive ? h->shm_exclusive : h->shm_shared;
      if (flags & SQLITE_SHM_LOCK) {
        if (held & bit) continue;
        held |= bit;
        if (exclusive) {
          data.shm_exclusive[i] = true;
        } else {
          ++data.shm_shared[i];
        }
      } else if (held & bit) {
        held &= ~bit;
        if (exclusive) {
          data.shm_exclusive[i] = false;
        } else {
          --data.shm_shared[i];
        }
      }
    }
    return SQLITE_OK;
  }
  static void shm_barrier(sqlite3_file*) {}
  static int shm_unmap(sqlite3_file* f, int) {
    Handle* h = of(f);
    if (h->uses_shm && --file(f).shm_users == 0) file(f).shared_memory.clear();
    h->uses_shm = false;
    return SQLITE_OK;
  }
};

MemoryVfs::MemoryVfs(std::uint64_t seed) : random_(seed) {
  static std::atomic<int> number{0};
  name_ = "world-" + std::to_string(++number);
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(Handle);
  vfs_.mxPathname = 512;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = &VfsCalls::open;
  vfs_.xDelete = &VfsCalls::remove;
  vfs_.xAccess = &VfsCalls::access;
  vfs_.xFullPathname = &VfsCalls::full_path;
  vfs_.xRandomness = &VfsCalls::randomness;
  vfs_.xSleep = &VfsCalls::sleep;
  vfs_.xCurrentTime = &VfsCalls::time;
  vfs_.xGetLastError = &VfsCalls::last_error;
  sqlite3_vfs_register(&vfs_, 0);
}

MemoryVfs::~MemoryVfs() { sqlite3_vfs_unregister(&vfs_); }

std::map<std::string, std::string> MemoryVfs::snapshot(Loss loss) const {
  std::map<std::string, std::string> files;
  for (const auto& [name, f] : files_) files[name] = loss == Loss::process ? f->content : f->synced;
  return files;
}

void MemoryVfs::restore(std::map<std::string, std::string> files) {
  files_.clear();
  for (auto& [name, content] : files) {
    auto f = std::make_shared<File>();
    f->content = f->synced = std::move(content);
    files_.emplace(name, std::move(f));
  }
}

}  // namespace world
