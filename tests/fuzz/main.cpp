// SPDX-License-Identifier: Apache-2.0
// amzsync-fuzz TARGET [options of libFuzzer] [corpus], where it is built with a fuzzer. amzsync-fuzz --list names the targets, --seeds FOLDER writes where the
// corpus of each begins, --feed FOLDER feeds that and what is in the folder.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>

#include "fuzz/targets.hpp"

namespace fuzz {

std::size_t take(std::string_view& bytes, std::size_t below) {
  if (bytes.empty() || below < 2) return 0;
  const auto number = static_cast<unsigned char>(bytes.front());
  bytes.remove_prefix(1);
  return number % below;
}

namespace {

std::vector<Target> all() {
  std::vector<Target> targets;
  for (auto* more : {&answer_targets, &document_targets, &text_targets, &http_targets, &call_targets, &sync_targets})
    for (Target& t : (*more)()) targets.push_back(std::move(t));
  return targets;
}

void write_seeds(const std::filesystem::path& folder) {
  for (const Target& t : all()) {
    std::filesystem::create_directories(folder / t.name);
    int n = 0;
    for (const std::string& seed : t.seeds(t)) std::ofstream(folder / t.name / ("seed-" + std::to_string(++n)), std::ios::binary) << seed;
  }
}

/// Every target's seeds, and the files under `folder`, which are named after their targets: what broke, or nothing.
std::string feed_all(const std::filesystem::path& folder) {
  for (const Target& t : all()) {
    std::vector<std::string> inputs = t.seeds(t);
    if (std::filesystem::is_directory(folder / t.name))
      for (const auto& entry : std::filesystem::directory_iterator(folder / t.name)) {
        std::ifstream file(entry.path(), std::ios::binary);
        inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
      }
    for (const std::string& input : inputs)
      if (const std::string broken = t.feed(t, input); !broken.empty()) return t.name + ": " + broken;
  }
  return "";
}

/// What is no fuzzing; nullopt: the first argument is a target.
std::optional<int> perform(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "--list") {
    for (const Target& t : all()) std::cout << t.name << "\n";
    return 0;
  }
  if (first == "--seeds" && argc == 3) {
    write_seeds(argv[2]);
    return 0;
  }
  if (first == "--feed" && argc == 3) {
    const std::string broken = feed_all(argv[2]);
    if (!broken.empty()) std::cerr << broken << "\n";
    return broken.empty() ? 0 : 1;
  }
  return std::nullopt;
}

}  // namespace
}  // namespace fuzz

#ifdef AMZSYNC_FUZZER

namespace {
const fuzz::Target* chosen = nullptr;
}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (const auto code = fuzz::perform(*argc, *argv)) std::exit(*code);
  static const std::vector<fuzz::Target> targets = fuzz::all();
  const std::string first = *argc > 1 ? (*argv)[1] : "";
  for (const auto& t : targets)
    if (t.name == first) chosen = &t;
  if (!chosen) {
    std::cerr << "amzsync-fuzz: there is no target '" << first << "'; amzsync-fuzz --list names them\n";
    std::exit(2);
  }
  for (int i = 1; i + 1 < *argc; ++i) (*argv)[i] = (*argv)[i + 1];
  --*argc;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string broken = chosen->feed(*chosen, {reinterpret_cast<const char*>(data), size});
  if (broken.empty()) return 0;
  std::fprintf(stderr, "%s: %s\n", chosen->name.c_str(), broken.c_str());
  std::abort();
}

#else

int main(int argc, char** argv) {
  if (const auto code = fuzz::perform(argc, argv)) return *code;
  std::cerr << "amzsync-fuzz: without a fuzzer it takes --list, --seeds FOLDER or --feed FOLDER\n";
  return 2;
}

#endif
