// SPDX-License-Identifier: Apache-2.0
#include "common/settings.hpp"

#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/terminal.hpp"

namespace amzsync_tools {
namespace {

constexpr std::array<std::string_view, 34> kNames{
    "store",          "lwa-client-id",    "lwa-client-secret", "lwa-client-secret-file", "application-id",     "redirect-uri",       "region",
    "spapi-environment", "ca-certificates", "proxy",           "lwa-endpoint",  "spapi-endpoint",    "consent-endpoint",       "master-key",         "master-key-file",    "finances",
    "streams",        "history-days",     "policy",            "sync-every-minutes", "archive-days",          "archive",            "journal-days",       "synchronous",
    "log-level",      "log-format",       "listen",            "jwt-secret",             "jwt-secret-file",    "frontend-origins",   "user-requests-per-minute",
    "address-requests-per-minute", "max-runs", "demo"};
constexpr std::string_view kFile = "-file";   // how the name of a setting ends that names a file which holds a secret

std::string variable(std::string_view name) {
  std::string text = "AMZSYNC_";
  for (const char c : name) text += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::optional<WrongSetting> read_file(const std::string& path, std::string_view name, std::string& into) {
  if (path.empty()) return std::nullopt;
  std::ifstream file(path);
  std::stringstream content;
  content << file.rdbuf();
  if (!file) return WrongSetting{variable(name) + " is '" + path + "', which can't be read; it must be a file that holds the secret"};
  into = content.str();
  while (!into.empty() && (into.back() == '\n' || into.back() == '\r' || into.back() == ' ')) into.pop_back();
  if (is_blank(into)) return WrongSetting{variable(name) + " is '" + path + "', which is empty; it must be a file that holds the secret"};
  return std::nullopt;
}

}  // namespace

bool is_blank(const std::string& value) { return value.find_first_not_of(" \t\r\n") == std::string::npos; }

std::string shown_name(std::string_view name) { return std::find(kNames.begin(), kNames.end(), name) == kNames.end() ? std::string(name) : variable(name); }

std::string without_password(const std::string& store) {
  const std::size_t scheme = store.find("://");
  if (scheme == std::string::npos) return store.find("password") == std::string::npos ? store : "***";
  // Whatever a password holds that ought to be written as %XX, it ends at the last @.
  const std::size_t at = store.rfind('@'), colon = store.find(':', scheme + 3);
  const std::string shown = at != std::string::npos && colon < at ? store.substr(0, colon + 1) + "***" + store.substr(at) : store;
  return shown.substr(0, shown.find('?'));
}

std::optional<WrongSetting> reread_client_secret(const Settings& settings, std::string& into) {
  const std::string& path = settings.lwa_client_secret_file;
  // A pipe could be read at the start, and would now be waited for.
  std::error_code failed;
  if (std::filesystem::exists(path, failed) && !std::filesystem::is_regular_file(path, failed))
    return WrongSetting{variable("lwa-client-secret-file") + " is '" + path + "', which can't be read again; it must be a plain file"};
  return read_file(path, "lwa-client-secret-file", into);
}

namespace {

std::string base64(const std::string& bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) text += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

/// A demo keeps its own key beside its database, so that it can be stopped and started.
std::optional<WrongSetting> demo_key(Settings& settings) {
  if (!settings.master_key.empty()) return std::nullopt;
  const std::string path = settings.store.substr(settings.store.find(':') + 1) + ".demo-key";
  std::error_code failed;
  if (const auto folder = std::filesystem::path(path).parent_path(); !folder.empty()) std::filesystem::create_directories(folder, failed);
  if (std::ifstream existing(path); existing >> settings.master_key) return std::nullopt;
  std::string bytes(32, '\0');
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return WrongSetting{"no random bytes for the demo's key"};
  settings.master_key = base64(bytes);
  const ::mode_t before = ::umask(0077);
  std::ofstream file(path);
  file << settings.master_key << "\n";
  ::umask(before);
  if (!file) return WrongSetting{"AMZSYNC_STORE is '" + settings.store + "', beside which the demo's key can't be written"};
  return std::nullopt;
}

std::optional<std::int32_t> whole_number(const std::string& text) {
  std::int32_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(value) : std::nullopt;
}

/// As Node prints it: in the first of three quotes that the text does not hold, else with its own escaped.
std::string plain_value(const nlohmann::json& value) {
  if (!value.is_string()) return value.dump();
  const auto text = value.get<std::string>();
  const std::string_view quotes = "'\"`";
  const auto free = std::find_if(quotes.begin(), quotes.end(), [&](char quote) { return text.find(quote) == std::string::npos; });
  const char quote = free == quotes.end() ? '\'' : *free;
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + quote;
}

}  // namespace

void add_settings(CLI::App& app, Settings& s, bool host) {
  app.set_config("--config", "", "A TOML or INI file of settings");
  app.config_formatter(std::make_shared<CLI::ConfigTOML>());
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.add_option("--store", s.store, "sqlite:PATH or postgresql://…")->capture_default_str();
  app.add_option("--lwa-client-id", s.lwa_client_id, "Login-with-Amazon client id");
  app.add_option("--lwa-client-secret", s.lwa_client_secret, "Login-with-Amazon client secret");
  app.add_option("--lwa-client-secret-file", s.lwa_client_secret_file, "File that holds it");
  app.add_option("--application-id", s.application_id, "The application's id at Amazon (amzn1.sp.solution...)");
  app.add_option("--redirect-uri", s.redirect_uri, "One of the application's redirect URIs");
  app.add_option("--region", s.region, "na, eu or fe")->capture_default_str();
  app.add_option("--spapi-environment", s.spapi_environment, "production or sandbox")->capture_default_str();
  app.add_option("--ca-certificates", s.ca_certificates, "PEM file of certificates to trust in place of the system's");
  app.add_option("--proxy", s.proxy, "http://[user:password@]host:port, through which Amazon is reached");
  app.add_option("--lwa-endpoint", s.lwa_endpoint, "Base URL in place of https://api.amazon.com");
  app.add_option("--spapi-endpoint", s.spapi_endpoint, "Base URL in place of the region's endpoint");
  app.add_option("--consent-endpoint", s.consent_endpoint, "Base URL in place of the marketplace's Seller Central");
  app.add_option("--master-key", s.master_key, "base64 of 32 bytes, or id:key pairs with commas between");
  app.add_option("--master-key-file", s.master_key_file, "File that holds it");
  app.add_option("--finances", s.finances, "2024-06-19 or v0")->capture_default_str();
  app.add_option("--streams", s.streams, "Datasets, with commas between; default: all that the app's roles allow")->join();
  app.add_option("--policy", s.policy, "Folder with tables of policy that take the place of the embedded ones");
  app.add_option("--history-days", s.history_days, "How far back the first sync goes")->capture_default_str();
  app.add_option("--sync-every-minutes", s.sync_every_minutes, "Period of the re-sync; 0: off")->capture_default_str();
  app.add_option("--archive-days", s.archive_days, "How long raw reports are kept")->capture_default_str();
  app.add_option("--archive", s.archive, "reports, or all: the pages of lists too")->capture_default_str();
  app.add_option("--journal-days", s.journal_days, "How long events are kept")->capture_default_str();
  app.add_option("--synchronous", s.synchronous, "normal or full")->capture_default_str();
  app.add_option("--log-level", s.log_level, "debug, info, warn or error")->capture_default_str();
  app.add_option("--log-format", s.log_format, "text or json")->capture_default_str();
  app.add_flag("--demo", s.demo, "Demo mode: no sign-in; loopback only");
  // One file of settings serves all programs, so every one takes those of the host, and only the host shows them.
  const auto of_host = [&](CLI::Option* option) { return host ? option : option->group(""); };
  of_host(app.add_option("--listen", s.listen, "Address and port"))->capture_default_str();
  of_host(app.add_option("--jwt-secret", s.jwt_secret, "HS256 secret of the users' tokens"));
  of_host(app.add_option("--jwt-secret-file", s.jwt_secret_file, "File that holds it"));
  of_host(app.add_option("--frontend-origins", s.frontend_origins, "Allowed front ends, with commas between; the first is the default"))->join();
  of_host(app.add_option("--max-runs", s.max_runs, "Syncs performed at once; 0: none"))->capture_default_str();
  of_host(app.add_option("--user-requests-per-minute", s.user_requests_per_minute, "Requests of one user; 0: no limit"));
  of_host(app.add_option("--address-requests-per-minute", s.address_requests_per_minute, "Requests from one address; 0: no limit"));
}

std::string parse_problem(const CLI::ParseError& e) {
  const std::string text = e.what();
  constexpr std::string_view kUnknown = "INI was not able to parse ";
  if (text.starts_with(kUnknown)) return "the settings file (--config) holds '" + text.substr(kUnknown.size()) + "', which is no setting; --help lists them";
  // "--streams: At Most 1 required but received 2"
  if (const std::size_t several = text.find(": At Most 1 required but received "); several != std::string::npos)
    return text.substr(0, several) + " holds several values; it must be one, in quotes where it has commas";
  if (const std::size_t gone = text.find(" was not readable (missing?)"); gone != std::string::npos) return "--config is '" + text.substr(0, gone) + "', which can't be read; it must be a file of settings";
  return text;
}

std::optional<WrongSetting> with_environment(int argc, char** argv, std::vector<std::string>& arguments) {
  const std::vector<std::string> given(argv + 1, argv + argc);
  const auto flagged = [&](std::string_view name) {
    const std::string flag = "--" + std::string(name);
    return std::any_of(given.begin(), given.end(), [&](const std::string& arg) { return arg == flag || arg.starts_with(flag + "="); });
  };
  const auto is_set = [](std::string_view name) {
    const char* value = std::getenv(variable(name).c_str());
    return value && *value;
  };
  // --x-file=PATH brings --x=CONTENT along.
  const auto secret_from = [&](std::string_view name, const std::string& path) -> std::optional<WrongSetting> {
    std::string content;
    if (auto wrong = read_file(path, name, content)) return wrong;
    arguments.push_back("--" + std::string(name.substr(0, name.rfind(kFile))) + "=" + content);
    arguments.push_back("--" + std::string(name) + "=" + path);
    return std::nullopt;
  };
  for (const std::string_view name : kNames) {
    if (!is_set(name) || flagged(name)) continue;
    const std::string value = std::getenv(variable(name).c_str());
    if (name == "demo" && value != "0" && value != "1" && value != "true" && value != "false") return WrongSetting{"AMZSYNC_DEMO is '" + value + "'; it must be 1 or 0"};
    if (!name.ends_with(kFile)) {
      if (!flagged(std::string(name) + std::string(kFile))) arguments.push_back("--" + std::string(name) + "=" + value);
      continue;
    }
    const std::string_view itself = name.substr(0, name.rfind(kFile));
    if (flagged(itself) || is_set(itself)) continue;
    if (auto wrong = secret_from(name, value)) return wrong;
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string_view arg = given[i];
    const auto file = std::find_if(kNames.begin(), kNames.end(), [&](std::string_view name) {
      const std::string flag = "--" + std::string(name);
      return name.ends_with(kFile) && (arg.starts_with(flag + "=") || (arg == flag && i + 1 < given.size()));
    });
    if (file == kNames.end() || flagged(file->substr(0, file->rfind(kFile)))) {
      arguments.push_back(given[i]);
      continue;
    }
    const std::size_t equals = arg.find('=');
    if (auto wrong = secret_from(*file, equals == std::string_view::npos ? given[++i] : given[i].substr(equals + 1))) return wrong;
  }
  return std::nullopt;
}

std::optional<WrongSetting> complete(Settings& s) {
  struct Secret {
    const std::string& file;
    std::string_view name;
    std::string& value;
  };
  for (const Secret& secret : {Secret{s.lwa_client_secret_file, "lwa-client-secret-file", s.lwa_client_secret}, Secret{s.master_key_file, "master-key-file", s.master_key},
                               Secret{s.jwt_secret_file, "jwt-secret-file", s.jwt_secret}}) {
    if (!secret.value.empty()) continue;
    if (auto wrong = read_file(secret.file, secret.name, secret.value)) return wrong;
  }
  // What a list of the file, or several flags, hold comes one a line.
  for (std::string* list : {&s.streams, &s.frontend_origins}) std::replace(list->begin(), list->end(), '\n', ',');
  const auto one_of = [](std::string_view name, const std::string& value, std::initializer_list<std::string_view> right) -> std::optional<WrongSetting> {
    std::string all;
    for (const std::string_view r : right) {
      if (value == r) return std::nullopt;
      all += (all.empty() ? "" : " or ") + std::string(r);
    }
    return WrongSetting{variable(name) + " is '" + value + "'; it must be " + all};
  };
  if (auto wrong = one_of("synchronous", s.synchronous, {"normal", "full"})) return wrong;
  if (auto wrong = one_of("archive", s.archive, {"reports", "all"})) return wrong;
  if (auto wrong = one_of("log-level", s.log_level, {"debug", "info", "warn", "error"})) return wrong;
  if (auto wrong = one_of("log-format", s.log_format, {"text", "json"})) return wrong;
  if (s.demo) {
    if (s.lwa_client_id.empty()) s.lwa_client_id = "amzn1.application-oa2-client.demo";
    if (s.lwa_client_secret.empty()) s.lwa_client_secret = "demo-secret";
    if (s.application_id.empty()) s.application_id = "amzn1.sp.solution.demo";
    return demo_key(s);
  }
  return std::nullopt;
}

std::optional<std::int32_t> log_level_from(const std::string& name) {
  if (name == "debug") return AMZSYNC_LOG_DEBUG;
  if (name == "info") return AMZSYNC_LOG_INFO;
  if (name == "warn") return AMZSYNC_LOG_WARN;
  if (name == "error") return AMZSYNC_LOG_ERROR;
  return std::nullopt;
}

std::optional<WrongSetting> apply(const Settings& s, amzsync::Options& options) {
  const auto missing = [](std::string_view name, const std::string& right) { return WrongSetting{variable(name) + " is missing; it must be " + right}; };
  if (is_blank(s.lwa_client_id)) return missing("lwa-client-id", "the application's Login-with-Amazon client id");
  if (is_blank(s.lwa_client_secret)) return missing("lwa-client-secret", "the application's Login-with-Amazon client secret");
  if (is_blank(s.master_key)) return missing("master-key", "base64 of 32 bytes");

  // `shown`: the value as it may be shown; nullptr for a secret.
  const auto check = [](std::string_view name, const std::string* shown, const amzsync::Expected<amzsync::Nothing>& result) -> std::optional<WrongSetting> {
    if (result) return std::nullopt;
    return WrongSetting{variable(name) + (shown ? " is '" + (shown->find('@') == std::string::npos ? *shown : without_password(*shown)) + "'" : " is wrong") + ": " + result.error().message()};
  };
  // A number; the library says which ones are right.
  const auto count = [&](std::string_view name, const std::string& text, auto set) -> std::optional<WrongSetting> {
    const auto number = whole_number(text);
    if (!number) return WrongSetting{variable(name) + " is '" + text + "'; it must be a whole number"};
    return check(name, &text, (options.*set)(*number));
  };
  const std::string store = without_password(s.store);
  if (auto w = check("store", &store, options.set_store(s.store))) return w;
  if (auto w = check("synchronous", &s.synchronous, options.set_synchronous_full(s.synchronous == "full"))) return w;
  if (auto w = check("redirect-uri", &s.redirect_uri, options.set_app(s.lwa_client_id, s.lwa_client_secret, s.application_id, s.redirect_uri))) return w;
  if (auto w = check("region", &s.region, options.set_region(s.region))) return w;
  if (auto w = check("spapi-environment", &s.spapi_environment, options.set_environment(s.spapi_environment))) return w;
  if (auto w = check("ca-certificates", &s.ca_certificates, options.set_ca_file(s.ca_certificates))) return w;
  if (auto w = check("proxy", nullptr, options.set_proxy(s.proxy))) return w;
  if (auto w = check("lwa-endpoint", &s.lwa_endpoint, options.set_endpoints(s.lwa_endpoint, "", ""))) return w;
  if (auto w = check("spapi-endpoint", &s.spapi_endpoint, options.set_endpoints(s.lwa_endpoint, s.spapi_endpoint, ""))) return w;
  if (auto w = check("consent-endpoint", &s.consent_endpoint, options.set_endpoints(s.lwa_endpoint, s.spapi_endpoint, s.consent_endpoint))) return w;
  if (auto w = check("master-key", nullptr, options.set_master_key(s.master_key))) return w;
  if (auto w = check("finances", &s.finances, options.set_finances(s.finances))) return w;
  if (auto w = check("streams", &s.streams, options.set_streams(s.streams))) return w;
  if (!s.policy.empty()) {
    std::error_code failed;
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(s.policy, failed))
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    if (failed || files.empty()) return WrongSetting{variable("policy") + " is '" + s.policy + "'; it must be a folder that holds windows.json, values.json or rate_cards.json"};
    for (const auto& file : files) {
      std::ifstream in(file, std::ios::binary);
      const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
      if (auto w = check("policy", &s.policy, options.set_policy(file.filename().string(), text))) return w;
    }
  }
  if (auto w = count("history-days", s.history_days, &amzsync::Options::set_history_days)) return w;
  if (auto w = count("sync-every-minutes", s.sync_every_minutes, &amzsync::Options::set_sync_every_minutes)) return w;
  if (auto w = count("archive-days", s.archive_days, &amzsync::Options::set_archive_days)) return w;
  if (auto w = check("archive", &s.archive, options.set_archive_pages(s.archive == "all"))) return w;
  if (auto w = count("journal-days", s.journal_days, &amzsync::Options::set_journal_days)) return w;
  if (auto w = count("max-runs", s.max_runs, &amzsync::Options::set_max_runs)) return w;
  if (auto w = check("log-level", &s.log_level, options.set_log(*log_level_from(s.log_level), make_log_sink(s)))) return w;
  return std::nullopt;
}

amzsync::Options::LogSink make_log_sink(const Settings& s) {
  const bool as_json = s.log_format == "json";
  return [as_json](std::int32_t level, std::string_view message, std::string_view fields) {
    static constexpr std::array<const char*, 4> kLevels{"debug", "info", "warn", "error"};
    const char* name = kLevels.at(static_cast<std::size_t>(level));
    const auto parsed = nlohmann::ordered_json::parse(fields, nullptr, false);
    std::string line;
    if (as_json) {
      nlohmann::ordered_json record;
      record["level"] = name;
      record["message"] = message;
      if (parsed.is_object()) record.update(parsed);
      line = record.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    } else {
      line = std::string(name) + ": " + std::string(message);
      if (parsed.is_object() && !parsed.empty()) {
        line += " {";
        bool first = true;
        for (const auto& [key, value] : parsed.items()) {
          line += (first ? " " : ", ") + key + ": " + plain_value(value);
          first = false;
        }
        line += " }";
      }
      // One record is one line, whatever a name or a message holds.
      for (char& c : line)
        if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    }
    Terminal::standard_error().write(line);
  };
}

}  // namespace amzsync_tools
