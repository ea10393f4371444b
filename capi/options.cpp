// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/json_writer.hpp"
#include "capi/handles.hpp"
#include "sync/streams.hpp"

namespace amzsync::capi {
namespace {

Error wrong(std::string sentence) { return Error(Code::setting_invalid, std::move(sentence)); }

/// Sets one option behind the firewall. `change(Options&) -> Status`.
template <class Change>
std::int32_t set(amzsync_options* options, amzsync_error** err, std::initializer_list<Given> texts, Change change) noexcept {
  return guarded(err, [&]() -> Status {
    if (!options) return missing("options");
    if (!is_live(options)) return Error(Code::invalid_argument, "What was passed as the options was freed, or is another handle.");
    AMZ_CHECK(check_texts(texts, Code::setting_invalid));
    return change(options->options);
  });
}

Result<bool> flag(const char* name, std::int32_t value) {
  if (value != 0 && value != 1) return wrong(std::string(name) + " must be 0 or 1, not " + std::to_string(value) + ".");
  return value == 1;
}

Result<int> in_range(const char* name, std::int32_t value, std::int32_t least, std::int32_t most) {
  if (value < least || value > most) return wrong(std::string(name) + " must be from " + std::to_string(least) + " to " + std::to_string(most) + ", not " + std::to_string(value) + ".");
  return static_cast<int>(value);
}

/// A base URL without its trailing slash.
Result<std::string> base_url(const char* name, const char* text) {
  std::string url = text_or_empty(text);
  while (!url.empty() && url.back() == '/') url.pop_back();
  if (!url.empty() && !net::is_safe_url(url)) return wrong(std::string(name) + " must be an https URL, or http on a loopback address, not " + quoted(url) + ".");
  return url;
}

}  // namespace

Result<std::vector<std::string>> parse_streams(std::string_view text, Code otherwise) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view name = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    const auto known = sync::stream_names();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      std::string all;
      for (const std::string_view k : known) all += (all.empty() ? "" : ", ") + std::string(k);
      return Error(otherwise, "There is no stream " + quoted(name) + "; the streams are " + all + ".");
    }
    names.emplace_back(name);
  }
  return names;
}

Result<RuntimeSettings> to_settings(const Options& o) {
  RuntimeSettings settings;
  settings.store = {o.store, o.synchronous_full};
  settings.ca_file = o.ca_file;
  settings.proxy = o.proxy;
  if (o.token_store) settings.make_token_store = [tokens = *o.token_store](Executor loop, Clock& clock) { return make_host_token_store(std::move(loop), clock, tokens); };
  if (o.http_client) settings.make_transport = [client = *o.http_client](Executor loop, Clock& clock) { return make_host_transport(std::move(loop), clock, client); };
  if (o.client_id.empty()) return wrong("The Login-with-Amazon client id is missing.");
  if (o.client_secret.empty()) return wrong("The Login-with-Amazon client secret is missing.");
  if (!o.master_keys) return wrong("The master key is missing; it must be base64 of 32 bytes.");

  EngineSettings& e = settings.engine;
  e.app = {o.client_id, o.client_secret};
  e.app_settings = {o.application_id, o.redirect_uri, o.consent_endpoint, o.draft};
  e.lwa_endpoint = o.lwa_endpoint.empty() ? "https://api.amazon.com" : o.lwa_endpoint;
  e.spapi.endpoint = o.spapi_endpoint.empty() ? std::string(spapi::endpoint_of(o.region, o.environment)) : o.spapi_endpoint;
  e.spapi.region = std::string(spapi::region_name(o.region));
  e.spapi.sandbox = o.environment == spapi::Environment::sandbox;
  AMZ_TRY(agent, spapi::make_user_agent(o.host_name, o.host_version.empty() ? std::string(amzsync_version()) : o.host_version));
  e.spapi.user_agent = agent;
  e.master_keys = *o.master_keys;
  e.sync = o.sync;
  e.sync.region = o.region;
  return settings;
}

}  // namespace amzsync::capi

using namespace amzsync;         // NOLINT: this file is the library's edge
using namespace amzsync::capi;   // NOLINT

extern "C" {

amzsync_options* amzsync_options_new(void) noexcept {
  try {
    return new amzsync_options();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void amzsync_options_free(amzsync_options* options) noexcept { free_live(options); }

int32_t amzsync_options_set_store(amzsync_options* options, const char* store, amzsync_error** err) noexcept {
  return set(options, err, {AMZ_GIVEN(store)}, [&](Options& o) -> Status {
    const std::string text = text_or_empty(store);
    const bool known = (text.starts_with("sqlite:") && text.size() > 7) || text.starts_with("postgresql://") || text.starts_with("postgres://");
    if (!known) return wrong("The store must be sqlite:PATH or postgresql://HOST/DATABASE.");
    o.store = text;
    return Done{};
  });
}

int32_t amzsync_options_set_synchronous_full(amzsync_options* options, int32_t on, amzsync_error** err) noexcept {
  return set(options, err, {}, [&](Options& o) -> Status {
    AMZ_TRY(value, flag("synchronous_full", on));
    o.synchronous_full = value;
    return Done{};
  });
}

int32_t amzsync_options_set_app(amzsync_options* options, const char* client_id, const char* client_secret, const char* application_id, const char* redirect_uri,
                                amzsync_error** err) noexcept {
  return set(options, err, {AMZ_GIVEN(client_id), AMZ_GIVEN(client_secret), AMZ_GIVEN(application_id), AMZ_GIVEN(redirect_uri)}, [&](Options& o) -> Status {
    if (text_or_empty(client_id).empty()) return wrong("The Login-with-Amazon client id is missing.");
    if (text_or_empty(client_secret).empty()) return wrong("The Login-with-Amazon client secret is missing.");
    const std::string redirect = text_or_empty(redirect_uri);
    if (!redirect.empty() && net::origin_of(redirect).empty()) return wrong("The redirect URI must be an absolute URL, not " + quoted(redirect) + ".");
    if (redirect.find('#') != std::string::npos) return wrong("The redirect URI must hold no '#'; Amazon refuses it.");
    o.client_id = client_id;
    o.client_secret = Secret(client_secret);
    o.application_id = text_or_empty(application_id);
    o.redirect_uri = redirect;
    return Done{};
  });
}

int32_t amzsync_options_set_app_draft(amzsync_options* options, int32_t draft, amzsync_error** err) noexcept {
  return set(options, err, {}, [&](Options& o) -> Status {
    AMZ_TRY(value, flag("app_draft", draft));
    o.draft = value;
    return Done{};
  });
}

int32_t amzsync_options_set_host(amzsync_options* options, const char* name, const char* version, amzsync_error** err) noexcept {
  return set(options, err, {AMZ_GIVEN(name), AMZ_GIVEN(version)}, [&](Options& o) -> Status {
    AMZ_TRY(agent, spapi::make_user_agent(text_or_empty(name), text_or_empty(version)));
    o.host_name = name;
    o.host_version = version;
    return Done{};
  });
}

int32_t amzsync_options_set_region(amzsync_options* options, const char* region, amzsync_error** err) noexcept {
  return set(options, err, {AMZ_GIVEN(region)}, [&](Options& o) -> Status {
    const auto known = spapi::region_from(text_or_empty(region));
    if (!known) return wrong("The region must be na, eu or fe, not " + quoted(text_or_empty(region)) + ".");
    o.region = *known;
    return Done{};
  });
}

int32_t amzsync_options_set_environment(amzsync_options* options, const char* environment, amzsync_error** err) noexcept {
  return set(options, err, {AMZ_GIVEN(environment)}, [&](Options& o) -> Status {
    const std::string text = text_or_empty(environment);
    if (text != "production" && text != "sandbox") return wrong("The environment must be production or sandbox, not " + quoted(text) + ".");
    o.environment = text == "sandbox" ? spapi::Environment::sandbox : spapi::Environment::production;
    return Done{};
  });
}

int32_t amzsync_options_set_endpoints(amzsync_options* options, const char* lwa, const char* spapi_url, const char* consent, amzsync_error** err) noexcept {
  return set(options, err, {AMZ_GIVEN(lwa), AMZ_GIVEN(spapi_url), AMZ_GIVEN(consent)}, [&](Options& o) -> Status {
    AMZ_TRY(lwa_base, base_url("The LWA endpoint", lwa));
    AMZ_TRY(spapi_base, base_url("The SP-API endpoint", spapi_url));
    AMZ_TRY(consent_base, base_url("The consent endpoint", consent));
    o.lwa_endpoint = lwa_base;
    o.spapi_endpoint = spapi_base;
    o.consent_endpoint = consent_base;
    return Done{};
  });
}

int32_t amzsync_options_set_ca_file(amzsync_options* options, const char* path, amzsync_error** err) noexcept {
  return set(options, err, {AMZ_GIVEN(path)}, [&](Options& o) -> Status {
    o.ca_file = text_or_empty(path);
    return Done{};
  });
}

int32_t amzsync_options_set_proxy(amzsync_options* options, const char* url, amzsync_error** err) noexcept {
  return set(options, err, {AMZ_GIVEN(url)}, [&](Options& o) -> Status {
    const std::string proxy = text_or_empty(url);
    const std::size_t scheme = proxy.find("://");
    const bool known = proxy.starts_with("http://") || proxy.starts_with("https://") || proxy.starts_with("socks5h://");
    // Not shown: it may hold a password.
    if (!proxy.empty() && (!known || scheme + 3 >= proxy.size() || proxy.find_first_of(" \t\r\n") != std::string::npos)) return wrong("The proxy must be a URL: http://, https:// or socks5h://, then [user:password@]host:port.");
    o.proxy = proxy;
    return Done{};
  });
}

int32_t amzsync_options_set_master_key(amzsync_options* options, const char* keys, amzsync_error** err) noexcept {
  return set(options, err, {AMZ_GIVEN(keys)}, [&](Options& o) -> Status {
    AMZ_TRY(parsed, auth::MasterKeys::parse(keys ? std::string_view(keys) : std::string_view()));
    o.master_keys = parsed;
    return Done{};
  });
}

int32_t amzsync_options_set_finances(amzsync_options* options, const char* source, amzsync_error** err) noexcept {
  return set(options, err, {AMZ_GIVEN(source)}, [&](Options& o) -> Status {
    const std::string text = text_or_empty(source);
    if (text != "2024-06-19" && text != "v0") return wrong("The finances source must be 2024-06-19 or v0, not " + quoted(text) + ".");
    o.sync.finances = text == "v0" ? store::MoneyStream::financial_events : store::MoneyStream::transactions;
    return Done{};
  });
}

int32_t amzsync_options_set_streams(amzsync_options* options, const char* streams, amzsync_error** err) noexcept {
  return set(options, err, {AMZ_GIVEN(streams)}, [&](Options& o) -> Status {
    AMZ_TRY(names, parse_streams(text_or_empty(streams), Code::setting_invalid));
    o.sync.named_streams = names;
    return Done{};
  });
}

int32_t amzsync_options_set_history_days(amzsync_options* options, int32_t days, amzsync_error** err) noexcept {
  return set(options, err, {}, [&](Options& o) -> Status {
    AMZ_TRY(value, in_range("history_days", days, 1, 730));
    o.sync.history_days = value;
    return Done{};
  });
}

int32_t amzsync_options_set_policy(amzsync_options* options, const char* file, const char* json, amzsync_error** err) noexcept {
  return set(options, err, {AMZ_GIVEN(file), AMZ_GIVEN_UP_TO(json, kLargestTable)}, [&](Options& o) -> Status {
    auto files = o.policy;
    files[std::string(text_or_empty(file))] = std::string(text_or_empty(json));
    auto parsed = detect::Policy::parse(files);
    if (!parsed) return Error(Code::setting_invalid, parsed.error().message);
    o.policy = std::move(files);
    o.sync.policy = std::make_shared<const detect::Policy>(std::move(*parsed));
    return Done{};
  });
}

int32_t amzsync_options_set_archive_days(amzsync_options* options, int32_t days, amzsync_error** err) noexcept {
  return set(options, err, {}, [&](Options& o) -> Status {
    AMZ_TRY(value, in_range("archive_days", days, 0, 3'650));
    o.sync.keep_archive = std::chrono::hours(24 * value);
    return Done{};
  });
}

int32_t amzsync_options_set_archive_pages(amzsync_options* options, int32_t on, amzsync_error** err) noexcept {
  return set(options, err, {}, [&](Options& o) -> Status {
    AMZ_TRY(value, flag("archive_pages", on));
    o.sync.archive_pages = value;
    return Done{};
  });
}

int32_t amzsync_options_set_sync_every_minutes(amzsync_options* options, int32_t minutes, amzsync_error** err) noexcept {
  return set(options, err, {}, [&](Options& o) -> Status {
    if (minutes != 0 && (minutes < 15 || minutes > 10'080)) return wrong("sync_every_minutes must be 0 (off) or from 15 to 10080, not " + std::to_string(minutes) + ".");
    o.sync.sync_every = std::chrono::minutes(minutes);
    return Done{};
  });
}

int32_t amzsync_options_set_journal_days(amzsync_options* options, int32_t days, amzsync_error** err) noexcept {
  return set(options, err, {}, [&](Options& o) -> Status {
    AMZ_TRY(value, in_range("journal_days", days, 1, 365));
    o.sync.keep_journal = std::chrono::hours(24) * value;
    return Done{};
  });
}

int32_t amzsync_options_set_shared_sellers(amzsync_options* options, int32_t allowed, amzsync_error** err) noexcept {
  return set(options, err, {}, [&](Options& o) -> Status {
    AMZ_TRY(value, flag("shared_sellers", allowed));
    o.sync.allow_shared_seller = value;
    return Done{};
  });
}

int32_t amzsync_options_set_max_runs(amzsync_options* options, int32_t runs, amzsync_error** err) noexcept {
  return set(options, err, {}, [&](Options& o) -> Status {
    AMZ_TRY(value, in_range("max_runs", runs, 0, 10'000));
    o.sync.max_active_runs = value;
    return Done{};
  });
}

int32_t amzsync_options_set_log(amzsync_options* options, int32_t least, amzsync_log_fn log, void* user_data, amzsync_free_fn free_fn, amzsync_error** err) noexcept {
  return set(options, err, {}, [&](Options& o) -> Status {
    AMZ_TRY(level, in_range("The log level", least, AMZSYNC_LOG_DEBUG, AMZSYNC_LOG_ERROR));
    // Freed when the last copy of the sink is gone: those of the options and of every engine opened with them.
    const auto owner = std::make_shared<HostData>(user_data, free_fn);
    Log sink = !log ? Log() : Log(
        [log, owner](LogLevel at, std::string_view message, std::span<const LogField> fields) {
          JsonWriter json;
          json.begin_object();
          for (const LogField& f : fields) std::visit([&](const auto& v) { json.field(f.name, v); }, f.value);
          json.end_object();
          log(owner->get(), static_cast<std::int32_t>(at), std::string(message).c_str(), json.text().c_str());
        },
        static_cast<LogLevel>(level));
    owner->keep();
    o.log = std::move(sink);
    return Done{};
  });
}

}  // extern "C"
