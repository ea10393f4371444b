// SPDX-License-Identifier: Apache-2.0
// Reads a seller's inventory ledger from the store: first looks through all of it, then reads the rows of some products at a time. In memory are only those
// that are being read, and the numbers of the others, of a few bytes each.
#pragma once

#include "detect/ledger.hpp"
#include "store/sql.hpp"

namespace amzsync::detect {

class LedgerReader {
 public:
  /// `tables` must outlive it: it names products there.
  LedgerReader(UserNo user, Tables& tables) : user_(user), t_(tables) {}

  /// False: the whole ledger was looked through. A call takes some hundredths of a second; each may be in a transaction of its own, so long as nobody writes
  /// the seller's ledger between them.
  bool look(store::Tx& tx, Ledger& to);
  /// After the look: the next products, each whole, their rows in order of (day, row). nullopt: that was all. Rows that nothing of a product alone is
  /// concluded from (customers' returns) are not among them.
  std::optional<std::vector<std::vector<LedgerRow>>> next(store::Tx& tx);

 private:
  /// Numbers of rows, as their differences.
  class Numbers {
   public:
    void add(std::int64_t number);
    void tell(std::vector<std::int64_t>& to) const;
    std::size_t count() const { return count_; }

   private:
    std::vector<std::uint8_t> bytes_;
    std::int64_t last_ = 0;
    std::size_t count_ = 0;
  };
  LedgerRow row_of(const store::Rows& r);

  UserNo user_;
  Tables& t_;
  std::optional<Day> from_, day_;         // the look: the next day, and the one that it is in
  std::string identity_;                  // of the row that it came to
  std::int64_t occurrence_ = -1;
  std::unordered_map<Name, Numbers, NameHasher> rows_;   // by FNSKU
  std::vector<Name> order_;               // products, once all was looked through
  std::size_t at_ = 0;
};

}  // namespace amzsync::detect
