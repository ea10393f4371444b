// SPDX-License-Identifier: Apache-2.0
#include "auth/vault.hpp"

#include <openssl/evp.h>

#include <memory>

#include "base/crypto.hpp"

namespace amzsync::auth {
namespace {

// A sealed value: version, length of the key id, key id, nonce, ciphertext, tag.
constexpr char kVersion = 1;
constexpr std::size_t kKeyBytes = 32, kNonceBytes = 12, kTagBytes = 16, kMaxKeyId = 64;

struct CtxDeleter {
  void operator()(EVP_CIPHER_CTX* ctx) const noexcept { EVP_CIPHER_CTX_free(ctx); }
};
using Ctx = std::unique_ptr<EVP_CIPHER_CTX, CtxDeleter>;

const unsigned char* in(std::string_view s) noexcept { return reinterpret_cast<const unsigned char*>(s.data()); }
unsigned char* out(std::string& s) noexcept { return reinterpret_cast<unsigned char*>(s.data()); }

std::string associated_data(SecretKind kind, UserNo user, std::string_view header) {
  return "amzsync/" + std::to_string(static_cast<int>(kind)) + '/' + std::to_string(user.value) + '/' + std::string(header);
}

std::string header_of(const std::string& key_id) {
  std::string header;
  header += kVersion;
  header += static_cast<char>(key_id.size());
  header += key_id;
  return header;
}

bool usable_id(std::string_view id) noexcept {
  if (id.empty() || id.size() > kMaxKeyId) return false;
  for (const char c : id)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.')) return false;
  return true;
}

}  // namespace

Result<MasterKeys> MasterKeys::parse(std::string_view text) {
  const auto wrong = [](const char* why) { return Error(Code::setting_invalid, std::string("The master key ") + why + "; it must be base64 of 32 bytes, or id:key pairs with commas between."); };
  MasterKeys keys;
  if (text.empty()) return wrong("is missing");
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    Key key;
    if (const std::size_t colon = part.find(':'); colon != std::string_view::npos) {
      key.id = std::string(part.substr(0, colon));
      part = part.substr(colon + 1);
      if (!usable_id(key.id)) return wrong("has an id that is not made of letters, digits, '-', '_' and '.'");
    } else {
      key.id = "default";
    }
    auto bytes = base64_decode(part);
    if (!bytes) return wrong("is not base64");
    if (bytes->size() != kKeyBytes) {
      wipe(*bytes);
      return wrong("does not hold 32 bytes");
    }
    key.bytes = Secret(std::move(*bytes));
    for (const Key& other : keys.keys_)
      if (other.id == key.id) return wrong("has the same id twice");
    keys.keys_.push_back(std::move(key));
  }
  return keys;
}

std::string Vault::seal(SecretKind kind, UserNo user, const Secret& secret) const {
  const MasterKeys::Key& key = keys_.keys_.front();
  const std::string header = header_of(key.id);
  const std::string nonce = entropy_.bytes(kNonceBytes);
  const std::string aad = associated_data(kind, user, header);
  const std::string_view plain = secret.reveal();

  std::string cipher(plain.size(), '\0');
  std::string tag(kTagBytes, '\0');
  const Ctx ctx(EVP_CIPHER_CTX_new());
  int n = 0;
  EVP_EncryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, in(key.bytes.reveal()), in(nonce));
  EVP_EncryptUpdate(ctx.get(), nullptr, &n, in(aad), static_cast<int>(aad.size()));
  EVP_EncryptUpdate(ctx.get(), out(cipher), &n, in(plain), static_cast<int>(plain.size()));
  EVP_EncryptFinal_ex(ctx.get(), out(tag), &n);
  EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(kTagBytes), tag.data());
  return header + nonce + cipher + tag;
}

bool Vault::is_current(std::string_view sealed) const { return sealed.starts_with(header_of(key_id())); }

Result<Secret> Vault::open(SecretKind kind, UserNo user, std::string_view sealed) const {
  if (sealed.size() < 2 || sealed[0] != kVersion) return Code::key_unknown;
  const auto id_size = static_cast<std::size_t>(static_cast<unsigned char>(sealed[1]));
  if (sealed.size() < 2 + id_size + kNonceBytes + kTagBytes) return Code::key_unknown;
  const std::string_view header = sealed.substr(0, 2 + id_size);
  const std::string_view id = header.substr(2);
  const std::string_view nonce = sealed.substr(header.size(), kNonceBytes);
  const std::string_view cipher = sealed.substr(header.size() + kNonceBytes, sealed.size() - header.size() - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  const std::string aad = associated_data(kind, user, header);

  for (const MasterKeys::Key& key : keys_.keys_) {
    if (key.id != id) continue;
    std::string plain(cipher.size(), '\0');
    const Ctx ctx(EVP_CIPHER_CTX_new());
    int n = 0;
    EVP_DecryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, in(key.bytes.reveal()), in(nonce));
    EVP_DecryptUpdate(ctx.get(), nullptr, &n, in(aad), static_cast<int>(aad.size()));
    EVP_DecryptUpdate(ctx.get(), out(plain), &n, in(cipher), static_cast<int>(cipher.size()));
    EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(kTagBytes), tag.data());
    std::string rest(kTagBytes, '\0');
    if (EVP_DecryptFinal_ex(ctx.get(), out(rest), &n) == 1) return Secret(std::move(plain));
    wipe(plain);
  }
  return Code::key_unknown;
}

}  // namespace amzsync::auth
