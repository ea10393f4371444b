// SPDX-License-Identifier: Apache-2.0
// Amazon's usage plans: one token bucket per application, seller, region and operation, inside the only path to Amazon.
//
// A bucket is a row of the store that one engine holds at a time and works on in memory, so that two users of one seller, two
// processes and a takeover share one level. The published plan is where it starts; `x-amzn-RateLimit-Limit` and quota errors
// that we did not cause teach it (developer-docs "Usage Plans and Rate Limits").
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "base/async.hpp"
#include "base/clock.hpp"
#include "spapi/operations.hpp"
#include "store/store.hpp"

namespace amzsync::spapi {

struct BucketKey {
  std::string app_id;
  std::string account;    ///< the seller, else the connection
  std::string region;
  std::string operation;
  friend auto operator<=>(const BucketKey&, const BucketKey&) = default;
};

/// Told when a wait of noticeable length begins, and again when more is known of it; nullopt when it is over.
using WaitListener = std::function<void(std::optional<Instant> until)>;

class Throttle {
  struct Bucket;

 public:
  /// A call that was let through and may not have reached Amazon yet. To be kept until its answer is there, or will not come.
  class Underway {
   public:
    Underway(Throttle& throttle, std::shared_ptr<Bucket> bucket);
    Underway(Underway&& other) noexcept = default;
    Underway& operator=(Underway&&) = delete;
    ~Underway() { ended(); }
    void ended() noexcept;

   private:
    Throttle* throttle_;
    std::shared_ptr<Bucket> bucket_;
  };

  Throttle(store::Store& store, Clock& clock, EngineNo me) : store_(store), clock_(clock), me_(me) {}

  /// Takes one call from the bucket, waiting for it as long as needed. Errors: cancelled, no_memory, those of the store.
  Async<Result<Underway>> acquire(BucketKey key, const Operation& operation, CancelToken cancel, WaitListener listener);

  /// The rate that an answer told, calls per second.
  void learn_rate(const BucketKey& key, double rate);
  /// A quota error came although the bucket had a call left: somebody else shares it. From then on less of the rate is used, and little by
  /// little more again.
  void drained(const BucketKey& key);

  /// Whether quota errors came on end a short while ago: a 403 then is Amazon's way to shut out, and no lost right.
  bool was_abused(const BucketKey& key) const;
  /// A call was answered.
  void served(const BucketKey& key);

  /// Prolongs what is in use and gives back what is not. To be called every few seconds, and once with `closing`.
  Async<Status> maintain(bool closing);

  /// In how long the last of so many calls would be let through, if nobody else asked for one; for estimates.
  Duration time_for(const BucketKey& key, const Operation& operation, std::int64_t calls) const;

 private:
  struct Waiting {
    const WaitListener& listener;
    bool told = false;
    void tell(Instant until);
  };
  struct Place {
    Place(std::list<Waiting>& all, const WaitListener& listener) : line(all), at(all.insert(all.end(), Waiting{listener})) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { line.erase(at); }
    std::list<Waiting>& line;
    std::list<Waiting>::iterator at;
  };
  struct Bucket {
    double level = 0, rate = 0, cap = 0;
    double told_rate = 0;   // as the row has it
    double share = 1;       // of the rate: what others who use the same plan leave us
    Steady as_of{};
    Steady last_used{};
    Steady held_since{};    // or prolonged
    Steady last_refused{};  // with a quota error
    int refusals = 0;       // on end
    int underway = 0;       // calls that Amazon may not have counted yet
    bool held = false;
    Gate queue{1};
    CancelSource* first_sleeps = nullptr;   // the one at the head of the line; cancelled where its call may come sooner than it thought
    std::list<Waiting> line;   // whoever wants a call of it, in the order in which they come through the queue
  };
  Async<Result<Underway>> wait_for_turn(const BucketKey& key, const Operation& operation, std::shared_ptr<Bucket> shared, CancelToken cancel);
  Async<Result<bool>> count(const BucketKey& key, Bucket& bucket);
  Async<void> sleep_for_one(Bucket& bucket, CancelToken cancel);
  Async<Result<std::optional<Instant>>> hold(const BucketKey& key, const Operation& operation, Bucket& bucket);
  void refill(Bucket& bucket) const;
  Duration wait_of(const Bucket& bucket, std::size_t place) const;
  void tell_line(Bucket& bucket);

  store::Store& store_;
  Clock& clock_;
  EngineNo me_;
  std::map<BucketKey, std::shared_ptr<Bucket>> buckets_;
};

}  // namespace amzsync::spapi
