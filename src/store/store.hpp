// SPDX-License-Identifier: Apache-2.0
// The one door to the database: transactions. A seam with one adapter per database; the tests wrap it to fail or to kill the
// engine at any call. What the transactions do is in the files beside this one (users, consents, connections, runs, journal, …).
#pragma once

#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <type_traits>

#include "base/async.hpp"
#include "store/sql.hpp"

namespace amzsync::store {

/// Triggers go before everything else that waits to be written.
enum class Urgency : std::uint8_t { trigger, normal };

/// One transaction's work, with its types erased. `attempt` may be called again when the database asked for it.
class Job {
 public:
  virtual ~Job() = default;
  virtual Status attempt(Tx& tx) = 0;
  /// Called once: after the commit, or with the error that prevented it.
  virtual void finish(Status outcome) = 0;
};

/// Runs a job's work once. What escapes from it is a bug, or want of memory: it fails the transaction, not the process.
template <class Work, class R>
Status attempt_work(Work& work, Tx& tx, std::optional<R>& result) {
  result.reset();
  try {
    result.emplace(work(tx));
  } catch (const std::bad_alloc&) {
    return Code::no_memory;
  } catch (const std::exception& e) {
    return Error(Code::internal, std::string("A transaction failed in a way that nobody expected: ") + e.what());
  }
  if (!*result) return result->error();
  return Done{};
}

class Store {
 public:
  virtual ~Store() = default;

  /// Runs `work(Tx&) -> Result<T>` in a transaction of its own and answers after the commit. Not cancellable: the outcome is
  /// always learnt. An error from `work` rolls it back.
  template <class Work>
  auto write(Urgency urgency, Work work) -> Async<std::invoke_result_t<Work&, Tx&>> {
    using R = std::invoke_result_t<Work&, Tx&>;
    auto start = [this, urgency, w = std::move(work)](Completion<R> done) mutable {
      submit_write(urgency, std::make_unique<JobOf<R, Work>>(std::move(w), std::move(done)));
    };
    co_return co_await await_completion<R>(std::move(start));
  }

  /// The same for a read-only snapshot; never waits for a writer.
  template <class Work>
  auto read(Work work) -> Async<std::invoke_result_t<Work&, Tx&>> {
    using R = std::invoke_result_t<Work&, Tx&>;
    auto start = [this, w = std::move(work)](Completion<R> done) mutable {
      submit_read(std::make_unique<JobOf<R, Work>>(std::move(w), std::move(done)));
    };
    co_return co_await await_completion<R>(std::move(start));
  }

  /// A read on the calling thread, which it blocks for as long as the query takes; for callers that are no coroutines. Any thread.
  template <class Work>
  auto read_now(Work work) -> std::invoke_result_t<Work&, Tx&> {
    Here<Work> here(work);
    perform_read(here);
    return here.outcome();
  }

  /// The same of what is much to read, on a replica where there is one: all that was committed before the call is seen there too. `work` may be attempted again.
  template <class Work>
  auto read_aside(Work work) -> std::invoke_result_t<Work&, Tx&> {
    Here<Work> here(work);
    perform_read_aside(here);
    return here.outcome();
  }

  /// Registers this engine with the database; its number is proof of life as long as the store is open.
  virtual Result<EngineNo> register_engine() = 0;
  /// False only when it is certain that this engine's process is gone.
  virtual bool engine_may_live(EngineNo engine) = 0;

  /// The engine is about to close: what can't be written within some seconds is given up. Any thread.
  virtual void hurry() noexcept {}

  /// Whether there is room to go on: a disk is left with some to spare for everything else that lives on it. Cheap; any thread.
  virtual bool has_room() { return true; }

  /// Whether what was deleted is gone from the store's files too. False: not yet, for somebody still reads what was there before. What was copied
  /// elsewhere is out of reach.
  Async<Result<bool>> scrub() {
    auto start = [this](Completion<Result<bool>> done) { submit_scrub(std::move(done)); };
    co_return co_await await_completion<Result<bool>>(std::move(start));
  }

  /// A number that differs after any commit by any process. Cheap; loop thread.
  virtual std::uint64_t change_counter() = 0;
  /// Called on the writer's thread after each commit of this process. Set once, before the first write.
  virtual void on_commit(std::function<void()> listener) = 0;

  // For adapters and for wrappers around them; everybody else uses the templates above.
  virtual void submit_write(Urgency urgency, std::unique_ptr<Job> job) = 0;
  virtual void submit_read(std::unique_ptr<Job> job) = 0;
  virtual void perform_read(Job& job) = 0;
  virtual void perform_read_aside(Job& job) { perform_read(job); }
  virtual void submit_scrub(Completion<Result<bool>> done) = 0;

 private:
  /// Of a caller that waits for it.
  template <class Work>
  class Here final : public Job {
   public:
    using R = std::invoke_result_t<Work&, Tx&>;
    explicit Here(Work& work) : work_(work) {}
    Status attempt(Tx& tx) override { return attempt_work(work_, tx, result_); }
    void finish(Status s) override { outcome_.emplace(std::move(s)); }
    R outcome() {
      if (!*outcome_) return std::move(outcome_->error());
      return std::move(*result_);
    }

   private:
    Work& work_;
    std::optional<R> result_;
    std::optional<Status> outcome_;
  };

  template <class R, class Work>
  struct JobOf final : Job {
    JobOf(Work w, Completion<R> d) : work(std::move(w)), done(std::move(d)) {}
    Status attempt(Tx& tx) override { return attempt_work(work, tx, result); }
    void finish(Status outcome) override {
      if (!outcome) return done(R(std::move(outcome).error()));
      done(std::move(*result));
    }
    Work work;
    Completion<R> done;
    std::optional<R> result;
  };
};

}  // namespace amzsync::store
