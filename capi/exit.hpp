// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace amzsync::capi {

/// From now on the threads of engines that are still open are stopped at the process's exit. Once, however often it is called. Throws std::bad_alloc.
void halt_at_exit();

}  // namespace amzsync::capi
