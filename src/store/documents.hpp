// SPDX-License-Identifier: Apache-2.0
// Answers and events about runs as JSON, in the words of the product's contract. Status route, history and events show a run
// through the same function, so they can't disagree.
#pragma once

#include "store/runs.hpp"

namespace amzsync::store {

/// The body of GET /api/sync/status/:syncId; nullopt when this user has no such run.
std::optional<std::string> run_document(Tx& tx, UserNo user, const SyncId& id);
/// The body of GET /api/sync/status.
std::string status_document(Tx& tx, std::optional<UserNo> user);
/// The body of GET /api/sync/history; newest first.
std::string history_document(Tx& tx, std::optional<UserNo> user, int limit, std::int64_t offset);

/// Payload of sync_progress as the run's rows stand now.
std::string progress_payload(Tx& tx, RunNo run);
/// Payload of sync.started and of the terminal events.
std::string run_payload(Tx& tx, RunNo run);

std::string error_json(const Error& error);

}  // namespace amzsync::store
