// SPDX-License-Identifier: Apache-2.0
// Ends of runs that are not of their own making: cancelled while nobody performs them, or given up. Like every end they plan the next sync and keep
// what was triggered meanwhile.
#pragma once

#include "store/runs.hpp"
#include "sync/services.hpp"

namespace amzsync::sync {

/// In this transaction: every run that somebody wants cancelled and that nobody performs, and so nobody would end; or whose engine has not heard of a cancel
/// from before `unheard_since`. How many.
int end_cancelled(Services& services, store::Tx& tx, Instant unheard_since = {});

/// Until no other engine holds a run that is to be cancelled: one that stands still, or is cut off, hears of no cancel, and whoever cancels is told of the end within a
/// second all the same.
Async<void> end_unheard(Services& services, CancelToken life);

/// Forgets the tokens, and codes that are still to bring some, and has the active run cancelled, so that none follows it. False: there was neither a connection nor a code.
bool disconnect(Services& services, store::Tx& tx, UserNo user, std::string_view by);

/// A run that stands still, or whose workers always die. It counts as cancelled where that was asked for.
void give_up(Services& services, const store::RunTx& run, bool replay);

}  // namespace amzsync::sync
