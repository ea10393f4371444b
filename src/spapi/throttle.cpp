// SPDX-License-Identifier: Apache-2.0
#include "spapi/throttle.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "store/runs.hpp"

namespace amzsync::spapi {
namespace {

constexpr Duration kLease = store::kRunLease;
constexpr Duration kIdle = std::chrono::seconds(2);        // given back when unused for so long, so that others need not wait for it
constexpr Duration kRetryHold = std::chrono::milliseconds(500);
constexpr Duration kNoticeable = std::chrono::seconds(2);
// Calls reach Amazon later than they are sent, and not all equally late. Our bucket holds this much time less than Amazon's,
// once, so that a call which overtakes a slower one does not find Amazon's bucket empty.
constexpr double kSlackSeconds = 0.15;
// What is left of a shared plan is found by giving way much at each quota error and coming back a little with each call: about one call in
// fifteen finds the end of it then, and fifty after the others have stopped all of it is ours again.
constexpr int kAbuse = 3;
constexpr Duration kAbuseIsOver = std::chrono::minutes(20);   // longer than the pause after which a call is tried again
constexpr double kGiveWay = 0.7, kComeBack = 0.01, kLeastShare = 0.1;

double seconds(Duration d) noexcept { return static_cast<double>(d.count()) / 1e6; }
Duration from_seconds(double s) noexcept { return Duration(static_cast<Duration::rep>(std::ceil(s * 1e6))); }

struct Hold {
  std::optional<Instant> others_until;   ///< another holds the bucket until then
  double level = 0, rate = 0;
  int refusals = 0;
  Duration since_refused{};
};

}  // namespace

Throttle::Underway::Underway(Throttle& throttle, std::shared_ptr<Bucket> bucket) : throttle_(&throttle), bucket_(std::move(bucket)) {
  throttle_->refill(*bucket_);
  bucket_->level -= 1.0;
  ++bucket_->underway;
}

void Throttle::Underway::ended() noexcept {
  if (!bucket_) return;
  throttle_->refill(*bucket_);
  --bucket_->underway;
  bucket_.reset();
}

/// As if each call reached Amazon at the very end of its way: until then Amazon's bucket may be full, and what would flow in is lost.
void Throttle::refill(Bucket& b) const {
  const Steady now = clock_.steady();
  b.level = std::min(b.cap - b.underway, b.level + seconds(now - b.as_of) * b.rate * b.share);
  b.as_of = now;
}

/// How long the one at this place of the line waits, the first of which is 1.
Duration Throttle::wait_of(const Bucket& b, std::size_t place) const { return from_seconds(std::max(0.0, (static_cast<double>(place) - b.level) / (b.rate * b.share))); }

Duration Throttle::time_for(const BucketKey& key, const Operation& operation, std::int64_t calls) const {
  Bucket fresh;
  fresh.level = fresh.cap = operation.burst;
  fresh.rate = operation.rate;
  fresh.as_of = clock_.steady();
  const auto found = buckets_.find(key);
  Bucket& bucket = found == buckets_.end() || found->second->cap <= 0 ? fresh : *found->second;
  refill(bucket);
  return wait_of(bucket, static_cast<std::size_t>(calls));
}

void Throttle::Waiting::tell(Instant until) {
  if (!listener) return;
  listener(until);
  told = true;
}

/// Everybody in the line is told, for each waits for all those before it.
void Throttle::tell_line(Bucket& b) {
  std::size_t place = 0;
  for (Waiting& one : b.line)
    if (const Duration wait = wait_of(b, ++place); wait >= kNoticeable) one.tell(clock_.now() + wait);
}

/// Makes the bucket this engine's. What it gives: until when another holds it that may be alive.
Async<Result<std::optional<Instant>>> Throttle::hold(const BucketKey& key, const Operation& operation, Bucket& bucket) {
  const double full = operation.burst - std::min(0.5, operation.rate * kSlackSeconds);
  auto take = [this, key, full, rate = operation.rate, share = bucket.share](store::Tx& tx) -> Result<Hold> {
    tx.run("INSERT INTO buckets(app_id, account, region, operation, level, rate, as_of) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING", key.app_id,
           key.account, key.region, key.operation, full, rate, tx.now());
    Hold hold;
    std::int64_t holder = 0;
    {
      store::Rows r = tx.rows("SELECT level, rate, as_of, holder, held_until, refusals, refused_at FROM buckets WHERE app_id=?1 AND account=?2 AND region=?3 AND operation=?4", key.app_id,
                              key.account, key.region, key.operation);
      if (!r.next()) return Code::internal;
      holder = r.integer(3);
      if (holder != 0 && holder != me_.value && r.instant(4) > tx.now()) {
        hold.others_until = r.instant(4);
        return hold;
      }
      hold.rate = r.real(1);
      hold.refusals = static_cast<int>(r.integer(5));
      hold.since_refused = std::max(Duration{}, tx.now() - r.instant(6));
      const double passed = std::max(0.0, seconds(tx.now() - r.instant(2)));
      // A holder that did not give the bucket back may have emptied it a moment ago, where it did not count each call.
      const bool known = holder == 0 || hold.rate <= store::kCountedRate;
      hold.level = known ? std::min(full, r.real(0) + passed * hold.rate * share) : 0.0;
    }
    tx.run("UPDATE buckets SET holder=?5, held_until=?6 WHERE app_id=?1 AND account=?2 AND region=?3 AND operation=?4", key.app_id, key.account, key.region,
           key.operation, me_, tx.now() + kLease);
    return hold;
  };
  auto outcome = co_await store_.write(store::Urgency::normal, std::move(take));
  if (!outcome) co_return outcome.error();
  if (!outcome->others_until) {
    // What this engine used of it a while ago counts also where the row is gone, since its user was erased.
    const bool used_before = bucket.cap > 0;
    if (used_before) refill(bucket);
    bucket.cap = full;
    bucket.level = used_before ? std::min(outcome->level, bucket.level) : outcome->level;
    bucket.rate = bucket.told_rate = outcome->rate;
    bucket.as_of = bucket.last_used = bucket.held_since = clock_.steady();
    bucket.held = true;
    // What others were refused, this one was refused.
    if (outcome->refusals > bucket.refusals && outcome->since_refused < kAbuseIsOver) {
      bucket.refusals = outcome->refusals;
      bucket.last_refused = clock_.steady() - outcome->since_refused;
    }
  }
  co_return outcome->others_until;
}

/// A call of a slow plan is worth a write before it is made: whoever takes over from us, however we end, then knows what is left. False: the bucket is no longer ours.
Async<Result<bool>> Throttle::count(const BucketKey& key, Bucket& bucket) {
  bucket.told_rate = bucket.rate;
  auto write = [this, key, level = bucket.level, rate = bucket.rate](store::Tx& tx) -> Result<bool> {
    return tx.run("UPDATE buckets SET level=?5, rate=?6, as_of=?7 WHERE app_id=?1 AND account=?2 AND region=?3 AND operation=?4 AND holder=?8", key.app_id, key.account, key.region, key.operation,
                  level, rate, tx.now(), me_) > 0;
  };
  auto counted = co_await store_.write(store::Urgency::normal, std::move(write));
  co_return counted;
}

Async<Result<Throttle::Underway>> Throttle::acquire(BucketKey key, const Operation& operation, CancelToken cancel, WaitListener listener) {
  auto& slot = buckets_[key];
  if (!slot) slot = std::make_shared<Bucket>();
  const std::shared_ptr<Bucket> bucket = slot;  // keeps it in the map while it is used
  bucket->last_used = clock_.steady();
  const Place place(bucket->line, listener);
  Error failure(Code::no_memory);
  try {
    auto admitted = co_await wait_for_turn(key, operation, bucket, cancel);
    if (place.at->told) listener(std::nullopt);
    if (admitted) bucket->share = std::min(1.0, bucket->share + kComeBack);
    co_return admitted;
  } catch (...) {
    failure = error_of(std::current_exception());
  }
  if (place.at->told) listener(std::nullopt);
  co_return failure;
}

Async<Result<Throttle::Underway>> Throttle::wait_for_turn(const BucketKey& key, const Operation& operation, std::shared_ptr<Bucket> shared, CancelToken cancel) {
  Bucket& bucket = *shared;
  if (bucket.held) {
    refill(bucket);
    if (const Duration wait = wait_of(bucket, bucket.line.size()); wait >= kNoticeable) bucket.line.back().tell(clock_.now() + wait);
  }
  const Gate::Pass turn = co_await bucket.queue.enter(cancel);
  if (!turn) co_return Code::cancelled;
  const Steady since = clock_.steady();
  for (;;) {
    // Who stood still for so long must look whether it is another's by now.
    if (clock_.steady() - bucket.held_since >= kLease) bucket.held = false;
    if (!bucket.held) {
      AMZ_CO_TRY(others_until, co_await hold(key, operation, bucket));
      if (others_until) {
        // At the latest: one that is alive gives it back as soon as it needs it no more.
        if (clock_.steady() - since >= kNoticeable)
          for (Waiting& one : bucket.line) one.tell(*others_until);
        co_await clock_.sleep_for(kRetryHold, cancel);
        if (cancel.cancelled()) co_return Code::cancelled;
        continue;
      }
    }
    refill(bucket);
    bucket.last_used = clock_.steady();
    if (bucket.level >= 1.0) {
      Underway call(*this, shared);
      if (std::min(bucket.rate, bucket.told_rate) > store::kCountedRate) co_return call;
      AMZ_CO_TRY(counted, co_await count(key, bucket));
      if (counted) co_return call;
      bucket.held = false;   // it is another's by now
      continue;
    }
    tell_line(bucket);
    co_await sleep_for_one(bucket, cancel);
    if (cancel.cancelled()) co_return Code::cancelled;
  }
}

/// Until a call is there, at the rate that is known now; less where a better one is learnt meanwhile.
Async<void> Throttle::sleep_for_one(Bucket& bucket, CancelToken cancel) {
  CancelSource sooner;
  const auto heard = cancel.on_cancel([&] { sooner.cancel(cancel.reason()); });
  if (cancel.cancelled()) co_return;
  struct Asleep {
    CancelSource*& place;
    ~Asleep() { place = nullptr; }
  };
  bucket.first_sleeps = &sooner;
  const Asleep asleep{bucket.first_sleeps};
  co_await clock_.sleep_for(wait_of(bucket, 1), sooner.token());
}

void Throttle::learn_rate(const BucketKey& key, double rate) {
  const auto found = buckets_.find(key);
  constexpr double kLeast = 0.001, kMost = 1000.0;  // beyond that the header is not a rate
  if (found == buckets_.end() || !(rate >= kLeast && rate <= kMost)) return;
  Bucket& bucket = *found->second;
  refill(bucket);
  const bool better = rate > bucket.rate;
  bucket.rate = rate;
  if (better && bucket.first_sleeps) bucket.first_sleeps->cancel(CancelReason::turn_over);
}

void Throttle::drained(const BucketKey& key) {
  const auto found = buckets_.find(key);
  if (found == buckets_.end()) return;
  refill(*found->second);
  found->second->level = std::min(found->second->level, 0.0);
  found->second->share = std::max(kLeastShare, found->second->share * kGiveWay);
  found->second->refusals = clock_.steady() - found->second->last_refused < kAbuseIsOver ? found->second->refusals + 1 : 1;
  found->second->last_refused = clock_.steady();
}

void Throttle::served(const BucketKey& key) {
  if (const auto found = buckets_.find(key); found != buckets_.end()) found->second->refusals = 0;
}

bool Throttle::was_abused(const BucketKey& key) const {
  const auto found = buckets_.find(key);
  return found != buckets_.end() && found->second->refusals >= kAbuse && clock_.steady() - found->second->last_refused < kAbuseIsOver;
}

Async<Status> Throttle::maintain(bool closing) {
  struct Level {
    BucketKey key;
    double level, rate;
    bool give_back;
    int refusals;
    Duration since_refused;
  };
  std::vector<Level> levels;
  for (auto it = buckets_.begin(); it != buckets_.end();) {
    Bucket& b = *it->second;
    refill(b);
    if (!b.held) {
      it = b.share >= 1 && b.level >= b.cap && it->second.use_count() == 1 ? buckets_.erase(it) : std::next(it);
      continue;
    }
    const bool give_back = closing || clock_.steady() - b.last_used >= kIdle;
    levels.push_back({it->first, b.level, b.rate, give_back, b.refusals, clock_.steady() - b.last_refused});
    b.told_rate = b.rate;
    if (give_back) b.held = false;  // whoever still waits in its queue holds it anew
    // That others use it too is not forgotten, nor how much of a slow plan was used.
    const bool forget = give_back && b.share >= 1 && (b.level >= b.cap || b.rate > store::kCountedRate) && it->second.use_count() == 1;
    it = forget ? buckets_.erase(it) : std::next(it);
  }
  if (levels.empty()) co_return Done{};
  struct Kept {
    BucketKey key;
    bool ours;
  };
  auto write = [this, levels = std::move(levels)](store::Tx& tx) -> Result<std::vector<Kept>> {
    std::vector<Kept> kept;
    for (const Level& l : levels) {
      const bool ours = tx.run(
          "UPDATE buckets SET level=?5, rate=?6, as_of=?7, holder=?8, held_until=?9, refusals=?11, refused_at=?12 WHERE app_id=?1 AND account=?2 AND region=?3 AND operation=?4 AND holder=?10",
          l.key.app_id, l.key.account, l.key.region, l.key.operation, l.level, l.rate, tx.now(), l.give_back ? 0 : me_.value, l.give_back ? Instant{} : tx.now() + kLease,
          me_, l.refusals, l.refusals > 0 ? tx.now() - l.since_refused : Instant{}) > 0;
      if (!l.give_back) kept.push_back({l.key, ours});
    }
    return kept;
  };
  const Steady asked = clock_.steady();
  AMZ_CO_TRY(kept, co_await store_.write(store::Urgency::normal, std::move(write)));
  for (const auto& [key, ours] : kept) {
    const auto found = buckets_.find(key);
    if (found == buckets_.end()) continue;
    if (ours) {
      found->second->held_since = asked;
    } else {
      found->second->held = false;
    }
  }
  co_return Done{};
}

}  // namespace amzsync::spapi
