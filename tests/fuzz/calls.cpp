// SPDX-License-Identifier: Apache-2.0
// The C interface, called in any order with any texts and numbers: it answers with a code of its table, and an error exactly when it is none.
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "amzsync/amzsync.h"
#include "fuzz/targets.hpp"

namespace fuzz {
namespace {

/// An engine that performs nothing and reaches nobody.
amzsync_engine* engine() {
  static amzsync_engine* const opened = [] {
    const std::string file = "/tmp/amzsync-fuzz-" + std::to_string(::getpid()) + ".db";
    static std::string path;
    path = file;
    std::atexit([] {
      for (const char* end : {"", "-wal", "-shm", "-engines"}) ::unlink((path + end).c_str());
    });
    amzsync_options* options = amzsync_options_new();
    amzsync_engine* made = nullptr;
    if (amzsync_options_set_store(options, ("sqlite:" + file).c_str(), nullptr) != AMZSYNC_OK || amzsync_options_set_app(options, "client", "secret", "amzn1.sp.solution.x", "https://host.example/callback", nullptr) != AMZSYNC_OK ||
        amzsync_options_set_master_key(options, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", nullptr) != AMZSYNC_OK || amzsync_options_set_endpoints(options, "http://127.0.0.1:1", "http://127.0.0.1:1", "http://127.0.0.1:1", nullptr) != AMZSYNC_OK ||
        amzsync_options_set_max_runs(options, 0, nullptr) != AMZSYNC_OK || amzsync_open(options, &made, nullptr) != AMZSYNC_OK)
      std::abort();
    amzsync_options_free(options);
    return made;
  }();
  return opened;
}

/// The bytes, as the arguments of calls.
class Arguments {
 public:
  explicit Arguments(std::string_view bytes) : left_(bytes) {}
  bool over() const { return left_.empty(); }
  std::size_t choice(std::size_t of) { return take(left_, of); }
  /// NULL now and then.
  const char* text() {
    const std::size_t kind = take(left_, 8);
    if (kind == 0) return nullptr;
    if (kind < 4) return keep(kind == 1 ? "anna" : kind == 2 ? "bert" : "");
    const std::size_t size = std::min<std::size_t>(take(left_, 64), left_.size());
    std::string some(left_.substr(0, size));
    left_.remove_prefix(size);
    return keep(kind == 7 ? some + std::string(300'000, 'x') : some);
  }
  std::int64_t number() {
    constexpr std::int64_t kSome[]{0, 1, -1, 100, 1'000, INT32_MAX, INT64_MAX, INT64_MIN, 10, 1'001};
    return kSome[take(left_, std::size(kSome))];
  }
  std::int32_t small() { return static_cast<std::int32_t>(number()); }

 private:
  const char* keep(std::string text) { return kept_.emplace_back(std::make_unique<std::string>(std::move(text)))->c_str(); }
  std::string_view left_;
  std::vector<std::unique_ptr<std::string>> kept_;
};

/// Empties the error, and says what is wrong with the outcome.
std::string outcome(std::int32_t code, amzsync_error* err, amzsync_answer* answer, bool answers) {
  std::string wrong;
  if (!amzsync_status_name(code) || !*amzsync_status_name(code)) wrong = "a code that nobody knows: " + std::to_string(code);
  if ((code == AMZSYNC_OK) != (err == nullptr)) wrong = "code " + std::to_string(code) + (err ? " with" : " without") + " an error";
  if (err && !*amzsync_error_message(err)) wrong = "an error without a sentence";
  if (answers && (code == AMZSYNC_OK) != (answer != nullptr)) wrong = "code " + std::to_string(code) + (answer ? " with" : " without") + " an answer";
  amzsync_error_free(err);
  amzsync_answer_free(answer);
  return wrong;
}

std::string call(Arguments& a) {
  amzsync_engine* const e = engine();
  amzsync_error* err = nullptr;
  amzsync_answer* answer = nullptr;
  std::int32_t code = AMZSYNC_OK;
  bool answers = true;
  switch (a.choice(22)) {
    case 0: code = amzsync_findings(e, a.text(), a.text(), a.text(), a.small(), a.number(), &answer, &err); break;
    case 1: code = amzsync_finding_statistics(e, a.text(), &answer, &err); break;
    case 2: code = amzsync_explain(e, a.text(), a.text(), &answer, &err); break;
    case 3: code = amzsync_finding_set_state(e, a.text(), a.text(), a.text(), a.text(), &answer, &err); break;
    case 4: answers = false, code = amzsync_supply(e, a.text(), a.text(), a.text(), &err); break;
    case 5: code = amzsync_status(e, a.text(), &answer, &err); break;
    case 6: code = amzsync_history(e, a.text(), a.small(), a.number(), &answer, &err); break;
    case 7: code = amzsync_connection(e, a.text(), &answer, &err); break;
    case 8: code = amzsync_recoveries(e, a.text(), a.small(), &answer, &err); break;
    case 9: code = amzsync_consent_start(e, a.text(), a.text(), a.text(), &answer, &err); break;
    case 10: code = amzsync_consent_login(e, a.text(), a.text(), a.text(), a.text(), &answer, &err); break;
    case 11: code = amzsync_consent_frontend(e, a.text(), &answer, &err); break;
    case 12: {
      amzsync_oauth_params p{};
      p.size = a.choice(4) == 0 ? static_cast<std::uint32_t>(a.small()) : static_cast<std::uint32_t>(sizeof p);
      p.user = a.text(), p.state = a.text(), p.code = a.text(), p.seller_id = a.text(), p.error = a.text();
      code = amzsync_on_oauth_callback(e, &p, &answer, &err);
      break;
    }
    case 13: answers = false, code = amzsync_pause(e, "anna", a.text(), &err); break;
    case 14: answers = false, code = amzsync_resume(e, a.text(), a.text(), &err); break;
    case 15: code = amzsync_sync_start(e, a.text(), a.text(), &answer, &err); break;
    case 16: answers = false, code = amzsync_sync_cancel(e, a.text(), a.text(), a.text(), &err); break;
    case 17: code = amzsync_sync_status(e, a.text(), a.text(), &answer, &err); break;
    case 18: {
      const char* message = a.text();
      code = amzsync_notify(e, a.text(), message, message ? std::string_view(message).size() : 0, &answer, &err);
      break;
    }
    case 19: {
      answers = false;
      amzsync_changes* changes = nullptr;
      code = amzsync_changes_open(e, a.text(), a.text(), a.number(), &changes, &err);
      if (changes) {
        const char* json = nullptr;
        std::size_t size = 0;
        (void)amzsync_changes_next(changes, &json, &size, nullptr);
        amzsync_changes_close(changes);
      }
      break;
    }
    case 20: {
      answers = false;
      amzsync_events* events = nullptr;
      code = amzsync_events_open(e, a.text(), a.number(), &events, &err);
      if (events) {
        amzsync_event* event = nullptr;
        (void)amzsync_events_next(events, 0, &event, nullptr);
        amzsync_event_free(event);
        amzsync_events_close(events);
      }
      break;
    }
    default: answers = false, code = amzsync_changes_acknowledge(e, a.text(), a.text(), a.number(), &err); break;
  }
  return outcome(code, err, answer, answers);
}

/// The setters of options, which are freed whatever was set.
std::string set_options(Arguments& a) {
  amzsync_options* options = amzsync_options_new();
  std::string wrong;
  for (int n = 0; n < 6 && wrong.empty(); ++n) {
    amzsync_error* err = nullptr;
    std::int32_t code = AMZSYNC_OK;
    switch (a.choice(8)) {
      case 0: code = amzsync_options_set_store(options, a.text(), &err); break;
      case 1: code = amzsync_options_set_endpoints(options, a.text(), a.text(), a.text(), &err); break;
      case 2: code = amzsync_options_set_master_key(options, a.text(), &err); break;
      case 3: code = amzsync_options_set_streams(options, a.text(), &err); break;
      case 4: code = amzsync_options_set_history_days(options, a.small(), &err); break;
      case 5: code = amzsync_options_set_region(options, a.text(), &err); break;
      case 6: code = amzsync_options_set_journal_days(options, a.small(), &err); break;
      default: code = amzsync_options_set_archive_days(options, a.small(), &err); break;
    }
    wrong = outcome(code, err, nullptr, false);
  }
  amzsync_options_free(options);
  return wrong;
}

std::string feed_calls(const Target&, std::string_view bytes) {
  Arguments a(bytes);
  for (int n = 0; n < 20 && !a.over(); ++n)
    if (const std::string wrong = a.choice(8) == 7 ? set_options(a) : call(a); !wrong.empty()) return wrong;
  return "";
}

std::vector<std::string> call_seeds(const Target&) {
  std::vector<std::string> seeds;
  for (char f = 0; f < 22; ++f) seeds.push_back(std::string{'\0', f, '\1', '\5', '\4', 'a', 'b', 'c', 'd', '\2', '\3', '\0', f, '\0', '\1'});
  seeds.push_back({'\7', '\0', '\5', '\10', 's', 'q', 'l', 'i', 't', 'e', ':', 'x', '\2', '\3'});
  return seeds;
}

}  // namespace

std::vector<Target> call_targets() { return {{"calls", &feed_calls, &call_seeds}}; }

}  // namespace fuzz
