// SPDX-License-Identifier: Apache-2.0
// Asio itself, compiled once.
#include <asio/impl/src.hpp>
