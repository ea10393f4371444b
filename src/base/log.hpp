// SPDX-License-Identifier: Apache-2.0
// What the library says. It never prints: records go to the host's sink, structured, and hold no secret because a Secret
// can't be put into a field.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace amzsync::base {

enum class LogLevel : std::uint8_t { debug, info, warn, error };
std::string_view level_name(LogLevel level) noexcept;

struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t> value;

  LogField(std::string_view n, std::string_view text) : name(n), value(text) {}
  LogField(std::string_view n, const std::string& text) : name(n), value(std::string_view(text)) {}
  LogField(std::string_view n, const char* text) : name(n), value(std::string_view(text)) {}
  template <class Number>
    requires std::is_integral_v<Number>
  LogField(std::string_view n, Number number) : name(n), value(static_cast<std::int64_t>(number)) {}
};

/// Called from any thread of the library; the fields are borrowed for the call.
using LogSink = std::function<void(LogLevel, std::string_view message, std::span<const LogField>)>;

/// Cheap to copy; says nothing by default.
class Log {
 public:
  Log() = default;
  Log(LogSink sink, LogLevel least) : sink_(std::make_shared<LogSink>(std::move(sink))), least_(least) {}

  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) const { say(LogLevel::debug, message, fields); }
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) const { say(LogLevel::info, message, fields); }
  void warn(std::string_view message, std::initializer_list<LogField> fields = {}) const { say(LogLevel::warn, message, fields); }
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) const { say(LogLevel::error, message, fields); }

 private:
  void say(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const noexcept {
    try {
      if (sink_ && level >= least_) (*sink_)(level, message, {fields.begin(), fields.size()});
    } catch (const std::bad_alloc&) {
      // Nothing is to fail for want of a line about it.
    }
  }
  std::shared_ptr<LogSink> sink_;
  LogLevel least_ = LogLevel::info;
};

}  // namespace amzsync::base
