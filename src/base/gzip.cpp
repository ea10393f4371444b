// SPDX-License-Identifier: Apache-2.0
#include "base/gzip.hpp"

#include <zlib.h>

namespace amzsync::base {

std::string gzipped(std::string_view bytes) {
  z_stream z{};
  constexpr int kGzip = 16 + MAX_WBITS;
  deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, bytes.size()) + 32, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

}  // namespace amzsync::base
