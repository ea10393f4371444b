// SPDX-License-Identifier: Apache-2.0
// Whether an address belongs to the Internet, and not to this machine, its network or its cloud's own services: only there may a document be whose
// place somebody else names.
#pragma once

#include <sys/socket.h>

namespace amzsync::net {

bool is_public_address(const sockaddr* address) noexcept;

}  // namespace amzsync::net
