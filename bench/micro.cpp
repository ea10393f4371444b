// SPDX-License-Identifier: Apache-2.0
// How long the parts take: Google Benchmark, since its figures are what C++ engineers know how to read. `scripts/bench micro`.
#include <benchmark/benchmark.h>

#include "parts.hpp"

int main(int argc, char** argv) {
  for (const amzsync::bench::Part& part : amzsync::bench::parts())
    benchmark::RegisterBenchmark(part.name.c_str(), [part](benchmark::State& state) {
      for (auto _ : state) part.run();
      state.SetItemsProcessed(part.items * static_cast<std::int64_t>(state.iterations()));
      if (part.bytes > 0) state.SetBytesProcessed(part.bytes * static_cast<std::int64_t>(state.iterations()));
    });
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
