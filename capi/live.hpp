// SPDX-License-Identifier: Apache-2.0
// Which handles are alive. A host that passes one that was freed, or of another kind, is told so; what the handle points to is not touched to find out.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "base/result.hpp"

namespace amzsync::capi {
using namespace base;

enum class Kind : std::uint8_t { options, engine, error, answer, event, events, changes, exchange, token_call };

/// The handles that are alive in this process. Any thread; also in a forked child.
class Live {
 public:
  static void add(const void* handle, Kind kind);
  static void remove(const void* handle) noexcept;
  static bool has(const void* handle, Kind kind) noexcept;

  /// A call on an engine that is under way: until it is over, the engine is not freed.
  class Use {
   public:
    explicit Use(const void* engine) noexcept : engine_(engine) {}
    Use(Use&& other) noexcept : engine_(std::exchange(other.engine_, nullptr)) {}
    Use& operator=(Use&&) = delete;
    ~Use();

   private:
    const void* engine_;
  };
  /// Errors: closed (or being closed), invalid_argument (a handle of another kind).
  static Result<Use> use(const void* engine);
  /// A reader of an engine: while it lives, the engine does not close.
  class Reading {
   public:
    explicit Reading(const void* engine) noexcept : engine_(engine) {}
    Reading(Reading&& other) noexcept : engine_(std::exchange(other.engine_, nullptr)) {}
    Reading& operator=(Reading&&) = delete;
    ~Reading();

   private:
    const void* engine_;
  };
  /// Errors: closed.
  static Result<Reading> read(const void* engine);
  /// From here on nobody can begin to use the engine. Errors: busy (a reader is open; then nothing has changed), closed.
  static Status begin_close(const void* engine);
  static bool is_closing(const void* engine) noexcept;
  /// One that nobody closes, which counts as closed from then on: what else is done with it is told so. NULL: there is none.
  static const void* take_engine() noexcept;
  /// What is given to a callback for its time. To free it does nothing.
  static void lend(const void* handle) noexcept;
  static bool may_free(const void* handle, Kind kind) noexcept;
  /// Returns when no call on the engine is under way.
  static void await_unused(const void* engine);

 private:
  struct Entry {
    Kind kind;
    bool closing = false, lent = false;
    int uses = 0, readers = 0;
  };
  struct Table {
    Table();
    std::mutex mutex;
    std::condition_variable unused;
    std::unordered_map<const void*, Entry> handles;
  };
  static Table& table();
};

/// A handle of this kind is alive from its construction to its destruction. The first base of what it is the handle of, so that both have one address.
template <Kind kKind>
class Alive {
 public:
  Alive() { Live::add(this, kKind); }
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;
  ~Alive() { Live::remove(this); }
  static constexpr Kind kind = kKind;
};

/// Whether `handle` can be used.
template <class Handle>
bool is_live(const Handle* handle) noexcept {
  return handle && Live::has(handle, Handle::kind);
}
/// What a getter gives: `get(handle)`, or `otherwise` for a handle that is none.
template <class Handle, class Get, class Value>
Value from_live(const Handle* handle, Value otherwise, Get get) noexcept {
  return is_live(handle) ? static_cast<Value>(get(*handle)) : otherwise;
}
/// Text with its length.
template <class Handle, class Get>
const char* text_from_live(const Handle* handle, std::size_t* out_size, Get get) noexcept {
  const std::string* text = is_live(handle) ? &get(*handle) : nullptr;
  if (out_size) *out_size = text ? text->size() : 0;
  return text ? text->c_str() : "";
}
/// Frees it, once.
template <class Handle>
void free_live(Handle* handle) noexcept {
  if (handle && Live::may_free(handle, Handle::kind)) delete handle;
}

}  // namespace amzsync::capi
