// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/liveness.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

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

}  // namespace

Result<std::unique_ptr<LivenessFile>> LivenessFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Error(Code::store_unavailable, "The lock file " + path + " can't be opened: " + std::strerror(errno) + ".");
  return std::unique_ptr<LivenessFile>(new LivenessFile(fd));
}

LivenessFile::~LivenessFile() { ::close(fd_); }

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
