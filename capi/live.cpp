// SPDX-License-Identifier: Apache-2.0
#include "capi/live.hpp"

#include <pthread.h>

#include <new>

namespace amzsync::capi {

Live::Table::Table() {
  // A child must not find the mutex held by a thread that it does not have, nor what the parent's threads are at, whose own mutexes they may hold.
  ::pthread_atfork([] { table().mutex.lock(); }, [] { table().mutex.unlock(); },
                   [] {
                     std::erase_if(table().handles, [](const auto& h) { return h.second.kind == Kind::exchange || h.second.kind == Kind::token_call; });
                     table().mutex.unlock();
                   });
}

Live::Table& Live::table() {
  // Never destroyed: a host may free handles in the destructors of its own static objects.
  alignas(Table) static unsigned char place[sizeof(Table)];
  static Table* const table = new (place) Table();
  return *table;
}

void Live::add(const void* handle, Kind kind) {
  Table& t = table();
  std::lock_guard lock(t.mutex);
  t.handles.insert_or_assign(handle, Entry{.kind = kind});
}

void Live::remove(const void* handle) noexcept {
  Table& t = table();
  std::lock_guard lock(t.mutex);
  t.handles.erase(handle);
}

bool Live::has(const void* handle, Kind kind) noexcept {
  Table& t = table();
  std::lock_guard lock(t.mutex);
  const auto found = t.handles.find(handle);
  return found != t.handles.end() && found->second.kind == kind;
}

Result<Live::Use> Live::use(const void* engine) {
  if (!engine) return Error(Code::invalid_argument, "engine must not be NULL.");
  Table& t = table();
  std::lock_guard lock(t.mutex);
  const auto found = t.handles.find(engine);
  if (found == t.handles.end()) return Code::closed;
  if (found->second.kind != Kind::engine) return Error(Code::invalid_argument, "What was passed as the engine is another handle.");
  if (found->second.closing) return Code::closed;
  ++found->second.uses;
  return Use(engine);
}

Live::Use::~Use() {
  if (!engine_) return;
  Table& t = table();
  std::lock_guard lock(t.mutex);
  const auto found = t.handles.find(engine_);
  if (found != t.handles.end() && --found->second.uses == 0) t.unused.notify_all();
}

Result<Live::Reading> Live::read(const void* engine) {
  Table& t = table();
  std::lock_guard lock(t.mutex);
  const auto found = t.handles.find(engine);
  if (found == t.handles.end() || found->second.closing) return Code::closed;
  ++found->second.readers;
  return Reading(engine);
}

Live::Reading::~Reading() {
  if (!engine_) return;
  Table& t = table();
  std::lock_guard lock(t.mutex);
  const auto found = t.handles.find(engine_);
  if (found != t.handles.end()) --found->second.readers;
}

Status Live::begin_close(const void* engine) {
  Table& t = table();
  std::lock_guard lock(t.mutex);
  const auto found = t.handles.find(engine);
  if (found == t.handles.end() || found->second.closing) return Code::closed;
  if (found->second.readers > 0) return Code::busy;
  found->second.closing = true;
  return Done{};
}

bool Live::is_closing(const void* engine) noexcept {
  Table& t = table();
  std::lock_guard lock(t.mutex);
  const auto found = t.handles.find(engine);
  return found == t.handles.end() || found->second.closing;
}

const void* Live::take_engine() noexcept {
  Table& t = table();
  std::lock_guard lock(t.mutex);
  for (auto& [handle, entry] : t.handles)
    if (entry.kind == Kind::engine && !std::exchange(entry.closing, true)) return handle;
  return nullptr;
}

void Live::lend(const void* handle) noexcept {
  Table& t = table();
  std::lock_guard lock(t.mutex);
  const auto found = t.handles.find(handle);
  if (found != t.handles.end()) found->second.lent = true;
}

bool Live::may_free(const void* handle, Kind kind) noexcept {
  Table& t = table();
  std::lock_guard lock(t.mutex);
  const auto found = t.handles.find(handle);
  return found != t.handles.end() && found->second.kind == kind && !found->second.lent;
}

void Live::await_unused(const void* engine) {
  Table& t = table();
  std::unique_lock lock(t.mutex);
  t.unused.wait(lock, [&] { return t.handles.at(engine).uses == 0; });
}

}  // namespace amzsync::capi
