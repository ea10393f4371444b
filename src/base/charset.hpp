// SPDX-License-Identifier: Apache-2.0
// The three encodings in which Amazon writes reports, to UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace amzsync::base {

enum class Charset : std::uint8_t { utf8, cp1252, shift_jis };
std::string_view charset_name(Charset charset) noexcept;

/// The charset of a Content-Type header ("text/plain; charset=Cp1252"); nullopt when it names none that we know.
std::optional<Charset> charset_of(std::string_view content_type) noexcept;

/// Text as UTF-8. What is no text in its own charset is read as Windows-1252, which has a character for every byte, so that
/// nothing gets lost: bytes without a character of their own stand as the control character of the same number.
std::string to_utf8(std::string_view text, Charset charset);

}  // namespace amzsync::base
