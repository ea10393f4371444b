// SPDX-License-Identifier: Apache-2.0
// How many instructions the parts take, counted by callgrind, since clocks are noisy and this is not: instructions.py runs it and reads what callgrind writes.
#include <valgrind/callgrind.h>

#include "parts.hpp"

int main() {
  constexpr int kTimes = 10;
  for (const amzsync::bench::Part& part : amzsync::bench::parts()) {
    const std::string told = part.name + " " + std::to_string(part.items * kTimes);
    part.run();   // what happens once is not counted
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    for (int i = 0; i < kTimes; ++i) part.run();
    CALLGRIND_DUMP_STATS_AT(told.c_str());
    CALLGRIND_STOP_INSTRUMENTATION;
  }
}
