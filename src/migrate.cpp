// SPDX-License-Identifier: Apache-2.0
#include "migrate.hpp"

#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <filesystem>

#include "base/json_writer.hpp"
#include "base/workers.hpp"
#include "open_store.hpp"
#include "store/copy.hpp"

namespace amzsync {
namespace {

std::string receipt(const std::vector<store::CopiedTable>& tables) {
  JsonWriter json;
  std::int64_t rows = 0, written = 0;
  json.begin_object().key("tables").begin_array();
  for (const store::CopiedTable& t : tables) {
    json.begin_object().field("name", t.name).field("rows", t.rows).field("copied", t.written).field("digest", t.digest).end_object();
    rows += t.rows;
    written += t.written;
  }
  json.end_array().field("rows", rows).field("copied", written).end_object();
  return std::move(json).text();
}

}  // namespace

Result<std::string> migrate(const std::string& from, const std::string& to, const std::function<void(const std::string& table, std::int64_t rows)>& progress, const Log& log) {
  if (store_kind(from) != StoreKind::sqlite) return Error(Code::setting_invalid, "What is copied from must be sqlite:PATH.");
  if (store_kind(to) != StoreKind::postgres) return Error(Code::setting_invalid, "What is copied into must be postgresql://…, in a build with PostgreSQL.");
  if (std::error_code failed; !std::filesystem::exists(from.substr(from.find(':') + 1), failed)) return Error(Code::not_found, "There is no database " + from + ".");

  asio::io_context timers;   // of the clock, which sets none here
  const auto clock = make_system_clock(timers.get_executor());
  Workers writers{2}, readers{1};   // the stores go first: their threads are joined while they still are
  AMZ_CHECK(writers.start(log));
  AMZ_CHECK(readers.start(log));
  const auto strand = [&] { return asio::make_strand(writers.executor()); };
  AMZ_TRY(source, open_store({.url = from}, strand(), readers.executor(), *clock, log));
  AMZ_TRY(target, open_store({.url = to}, strand(), readers.executor(), *clock, log));
  auto copied = store::copy_store(*source, *target, progress);
  writers.join();
  readers.join();
  if (!copied) return std::move(copied).error();
  return receipt(*copied);
}

}  // namespace amzsync
