// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/liveness.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>

namespace amzsync::store {
namespace {

struct flock place_of(EngineNo engine) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = engine.value;
  lock.l_len = 1;
  return lock;
}

/// The descriptors of this process. A child that is forked would hold the places with it for as long as it lives, whatever became of the engines: it gives them up at once.
struct Descriptors {
  std::mutex mutex;   // held over a fork, so that the child finds the set whole
  std::set<int> open;

  static Descriptors& of_process() {
    static Descriptors* all = [] {
      auto* made = new Descriptors;   // never destroyed: engines may close while the process ends
      ::pthread_atfork([] { of_process().mutex.lock(); }, [] { of_process().mutex.unlock(); },
                       [] {
                         for (const int fd : of_process().open) ::close(fd);
                         of_process().open.clear();
                         of_process().mutex.unlock();
                       });
      return made;
    }();
    return *all;
  }
  void add(int fd) {
    std::lock_guard lock(mutex);
    open.insert(fd);
  }
  void close(int fd) {
    std::lock_guard lock(mutex);
    if (open.erase(fd) > 0) ::close(fd);   // in a child it is closed already, and the number may be another file's
  }
};

}  // namespace

LivenessFile::LivenessFile(int fd) : fd_(fd) { Descriptors::of_process().add(fd); }

Result<std::unique_ptr<LivenessFile>> LivenessFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Error(Code::store_unavailable, "The lock file " + path + " can't be opened: " + std::strerror(errno) + ".");
  return std::unique_ptr<LivenessFile>(new LivenessFile(fd));
}

LivenessFile::~LivenessFile() { Descriptors::of_process().close(fd_); }

Status LivenessFile::hold(EngineNo engine) {
  struct flock lock = place_of(engine);
  if (::fcntl(fd_, F_OFD_SETLK, &lock) != 0) return Error(Code::store_unavailable, std::string("The engine's lock can't be taken: ") + std::strerror(errno) + ".");
  return Done{};
}

bool LivenessFile::is_held(EngineNo engine) const {
  struct flock lock = place_of(engine);
  if (::fcntl(fd_, F_OFD_GETLK, &lock) != 0) return true;
  return lock.l_type != F_UNLCK;
}

}  // namespace amzsync::store
