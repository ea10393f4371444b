// SPDX-License-Identifier: Apache-2.0
// Seals secrets for the database: AES-256-GCM under a named key, bound to the user and the kind of secret, so that a sealed
// value copied to another row does not open there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.hpp"
#include "base/id.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace amzsync::auth {
using namespace base;

enum class SecretKind : std::uint8_t { refresh_token, access_token, authorisation_code };

/// The master keys: the first seals, all open. Text form: base64 of 32 bytes, or `id:base64` pairs with commas between.
class MasterKeys {
 public:
  /// Errors: setting_invalid, with a sentence that never shows the key.
  static Result<MasterKeys> parse(std::string_view text);

 private:
  friend class Vault;
  struct Key {
    std::string id;
    Secret bytes;
  };
  std::vector<Key> keys_;
};

class Vault {
 public:
  Vault(MasterKeys keys, Entropy& entropy) : keys_(std::move(keys)), entropy_(entropy) {}

  /// Any thread.
  std::string seal(SecretKind kind, UserNo user, const Secret& secret) const;
  /// Errors: key_unknown (another key, a damaged value, or a value that belongs elsewhere).
  Result<Secret> open(SecretKind kind, UserNo user, std::string_view sealed) const;
  /// Whether it was sealed under the name of the key that seals now.
  bool is_current(std::string_view sealed) const;
  const std::string& key_id() const { return keys_.keys_.front().id; }

 private:
  MasterKeys keys_;
  Entropy& entropy_;
};

}  // namespace amzsync::auth
