// SPDX-License-Identifier: Apache-2.0
#include "sync/page_archive.hpp"

#include <algorithm>

#include "base/gunzip.hpp"
#include "base/gzip.hpp"

namespace amzsync::sync {
namespace {

constexpr std::string_view kType = "application/json";
constexpr std::uint64_t kMostBytes = 1ULL << 30;   // one page, unpacked

Result<JsonDocument> unpack(std::string_view packed) {
  std::string text;
  Gunzip gunzip(kMostBytes);
  const Gunzip::Out out = [&text](std::string_view bytes) -> Status {
    text += bytes;
    return Done{};
  };
  AMZ_CHECK(gunzip.push(packed, out));
  AMZ_CHECK(gunzip.finish(out));
  return JsonDocument::parse(text);
}

}  // namespace

std::string PageArchive::pack(const JsonDocument& page) const {
  if (!on_) return {};
  std::string text;
  append_json(text, page.root());
  return gzipped(text);
}

void PageArchive::keep(const store::RunTx& run, std::string_view packed) {
  if (!on_) return;
  if (pieces_ == 0) document_.number = store::begin_archive(run, document_);
  store::append_archive(run, document_.number, pieces_++, packed);
}

void PageArchive::close(const store::RunTx& run) const {
  if (on_ && pieces_ > 0) store::archive_whole(run, document_.number, pieces_, kType);
}

Async<Result<std::optional<JsonDocument>>> PageReader::next() {
  if (run_.cancel.cancelled()) co_return Code::cancelled;
  auto load = [user = run_.fence.user, archive = archive_, number = number_](store::Tx& tx) -> Result<std::optional<std::string>> { return store::archived_piece(tx, user, archive, number); };
  AMZ_CO_TRY(packed, co_await run_.services.store.read(std::move(load)));
  if (!packed) co_return std::optional<JsonDocument>();
  ++number_;
  auto work = [&packed] { return unpack(*packed); };
  AMZ_CO_TRY(page, co_await run_on(run_.services.work, std::move(work)));
  co_return std::optional<JsonDocument>(std::move(page));
}

}  // namespace amzsync::sync
