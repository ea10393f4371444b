// SPDX-License-Identifier: Apache-2.0
// Amazon's official models (Swagger 2.0) as judges: what a request or an answer has that its model does not know, or lacks. Only the
// part of Swagger that the models use; what a model says beyond that is itself a finding, so nothing passes unread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "sim/simulator.hpp"

namespace support {
using amzsync::base::Json;
using amzsync::base::JsonDocument;

/// A file of the official models by its path among them. They are not part of this project: nullopt, and a word on it, where it is absent.
std::optional<JsonDocument> official_model(const std::string& file);

class Swagger {
 public:
  void add(JsonDocument model) { models_.push_back(std::move(model)); }
  void request(const amzsim::SimRequest& request);
  void answer(const amzsim::SimRequest& asked, int status, std::string_view content_type, std::string_view body);

  /// What is against the models, each once: "listTransactions query postedAfter: is no date-time", "getReport 200 $.reportId: is no string".
  std::set<std::string> findings;
  /// Every place that was looked at, as in findings: tells what was judged at all.
  std::set<std::string> seen;

 private:
  struct Operation {
    Json model, item;
    std::string name;
    std::map<std::string, std::string> in_path;   ///< values of the path's parameters
  };
  std::optional<Operation> find(const amzsim::SimRequest& request) const;
  void blame(const std::string& where, const std::string& what) { findings.insert(where + ": " + what); }
  /// `part`: of an allOf, which knows only some of the members.
  void check(Json model, Json value, Json schema, const std::string& where, bool part = false);
  void check_text(std::string_view text, Json schema, const std::string& where);
  void check_size(double size, Json least, Json most, const std::string& where);

  std::vector<JsonDocument> models_;
};

}  // namespace support
