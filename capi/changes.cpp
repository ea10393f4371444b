// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <deque>

#include "base/json_writer.hpp"
#include "capi/handles.hpp"
#include "store/changes.hpp"
#include "store/users.hpp"

using namespace amzsync;         // NOLINT: this file is the library's edge
using namespace amzsync::capi;   // NOLINT

struct amzsync_changes : Alive<Kind::changes> {
  amzsync_changes(amzsync_engine* e, Live::Reading r) : reading(std::move(r)), engine(e) {}
  Live::Reading reading;
  amzsync_engine* engine;
  std::optional<store::ChangeReader> reader;
  std::deque<store::Change> waiting;   // read, and not given out yet
  std::int64_t position = 0;
  std::string json;
};

namespace {

constexpr std::size_t kLongestName = 100;

Result<UserNo> known_user(store::Tx& tx, const UserId& user) {
  const auto number = store::find_user(tx, user);
  if (!number) return Error(Code::not_found, "There is no such user.");
  return *number;
}

Result<std::string> reader_name(const char* reader) {
  std::string name = text_or_empty(reader);
  if (name.empty() || name.size() > kLongestName) return Error(Code::invalid_argument, "reader must be a name of 1 to 100 bytes.");
  return name;
}

Result<std::vector<std::string>> streams_of(const char* streams) {
  std::vector<std::string> names;
  std::string name;
  for (const char c : text_or_empty(streams) + ",") {
    if (c != ',') {
      name += c;
      continue;
    }
    if (name.empty()) continue;
    const auto known = store::change_streams();
    if (std::find(known.begin(), known.end(), name) == known.end()) return Error(Code::invalid_argument, "There are no rows of a stream '" + clean_utf8(name, 50) + "'.");
    names.push_back(std::exchange(name, {}));
  }
  return names;
}

std::string change_json(const store::Change& c) {
  JsonWriter json;
  json.begin_object().field("seq", c.seq).field("stream", c.stream).field("id", c.row).field("op", c.content.empty() ? "delete" : "put");
  if (!c.content.empty()) json.field_raw("row", c.content);
  return std::move(json.end_object()).text();
}

}  // namespace

extern "C" {

int32_t amzsync_changes_open(amzsync_engine* engine, const char* user, const char* streams, int64_t after, amzsync_changes** out_changes, amzsync_error** err) noexcept {
  if (out_changes) *out_changes = nullptr;
  return calling(engine, err, {AMZ_GIVEN(user), AMZ_GIVEN(streams)}, [&](Runtime& runtime) -> Status {
    if (!user) return missing("user");
    if (!out_changes) return missing("out_changes");
    if (after < 0) return Error(Code::invalid_argument, "after must not be negative.");
    AMZ_TRY(id, parse_user_id(user));
    AMZ_TRY(names, streams_of(streams));
    AMZ_TRY(reading, Live::read(engine));
    auto changes = std::make_unique<amzsync_changes>(engine, std::move(reading));
    AMZ_CHECK(runtime.engine().store().read_now([&](store::Tx& tx) -> Status {
      AMZ_TRY(number, known_user(tx, id));
      changes->reader.emplace(tx, number, after, names);
      return Done{};
    }));
    changes->position = changes->reader->position();
    *out_changes = changes.release();
    return Done{};
  });
}

int32_t amzsync_changes_next(amzsync_changes* changes, const char** out_json, size_t* out_size, amzsync_error** err) noexcept {
  if (out_json) *out_json = nullptr;
  if (out_size) *out_size = 0;
  return reading(changes, "changes", err, [&](Runtime& runtime) -> Status {
    if (!out_json) return missing("out_json");
    if (changes->waiting.empty()) {
      // An attempt that comes to nothing has not moved it on.
      std::optional<store::ChangeReader> moved;
      AMZ_TRY(some, runtime.engine().store().read_aside([&](store::Tx& tx) -> Result<std::vector<store::Change>> {
        moved = changes->reader;
        return moved->next(tx);
      }));
      changes->reader = std::move(moved);
      changes->waiting.assign(std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
    }
    if (changes->waiting.empty()) {
      changes->position = changes->reader->position();   // also over what turned out to be no row any more
      return Done{};
    }
    const store::Change change = std::move(changes->waiting.front());
    changes->waiting.pop_front();
    if (change.seq > 0) changes->position = change.seq;
    changes->json = change_json(change);
    *out_json = changes->json.c_str();
    if (out_size) *out_size = changes->json.size();
    return Done{};
  });
}

int64_t amzsync_changes_position(const amzsync_changes* changes) noexcept {
  return from_live(changes, int64_t{0}, [](const amzsync_changes& c) { return c.position; });
}
int32_t amzsync_changes_gap(const amzsync_changes* changes) noexcept {
  return from_live(changes, 0, [](const amzsync_changes& c) { return c.reader->began_anew(); });
}

void amzsync_changes_close(amzsync_changes* changes) noexcept {
  (void)reading(changes, "changes", nullptr, [&](Runtime&) -> Status {
    delete changes;
    return Done{};
  });
}

int32_t amzsync_changes_acknowledge(amzsync_engine* engine, const char* user, const char* reader, int64_t position, amzsync_error** err) noexcept {
  return waiting(engine, err, {AMZ_GIVEN(user), AMZ_GIVEN(reader)}, [&](Runtime& runtime) -> Status {
    if (!user) return missing("user");
    if (position < 0) return Error(Code::invalid_argument, "position must not be negative.");
    AMZ_TRY(id, parse_user_id(user));
    AMZ_TRY(name, reader_name(reader));
    auto write = [id, name, position](store::Tx& tx) -> Status {
      AMZ_TRY(number, known_user(tx, id));
      store::acknowledge_changes(tx, number, name, position);
      return Done{};
    };
    return runtime.wait(runtime.engine().store().write(store::Urgency::normal, std::move(write)));
  });
}

int32_t amzsync_changes_acknowledged(amzsync_engine* engine, const char* user, const char* reader, int64_t* out_position, amzsync_error** err) noexcept {
  if (out_position) *out_position = 0;
  return calling(engine, err, {AMZ_GIVEN(user), AMZ_GIVEN(reader)}, [&](Runtime& runtime) -> Status {
    if (!user) return missing("user");
    if (!out_position) return missing("out_position");
    AMZ_TRY(id, parse_user_id(user));
    AMZ_TRY(name, reader_name(reader));
    AMZ_TRY(position, runtime.engine().store().read_now([&](store::Tx& tx) -> Result<std::int64_t> {
      AMZ_TRY(number, known_user(tx, id));
      return store::acknowledged_changes(tx, number, name);
    }));
    *out_position = position;
    return Done{};
  });
}

}  // extern "C"
