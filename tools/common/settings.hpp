// SPDX-License-Identifier: Apache-2.0
// The settings that our programs share: flag over environment over file. `--x-y` is AMZSYNC_X_Y is `x-y` in a TOML or INI file.
#pragma once

#include <CLI/CLI.hpp>
#include <amzsync/amzsync.hpp>
#include <optional>
#include <string>
#include <vector>

namespace amzsync_tools {

/// A setting that is wrong: the one line to print.
struct WrongSetting {
  std::string line;
};

/// Values as given; empty where nothing was. Checked by the library when an engine is opened with them.
struct Settings {
  std::string store = "sqlite:var/amzsync.db";
  std::string lwa_client_id, lwa_client_secret, lwa_client_secret_file;
  std::string application_id, redirect_uri;
  std::string region = "na";
  std::string spapi_environment = "production";
  std::string ca_certificates, proxy;
  std::string lwa_endpoint, spapi_endpoint, consent_endpoint;
  std::string master_key, master_key_file;
  std::string finances = "2024-06-19";
  std::string streams;
  std::string history_days = "540";
  std::string sync_every_minutes = "360";
  std::string policy;
  std::string archive_days = "90";
  std::string archive = "reports";
  std::string journal_days = "7";
  std::string max_runs = "10000";
  std::string synchronous = "normal";
  std::string log_level = "info";
  std::string log_format = "text";
  bool demo = false;

  // Of the host alone.
  std::string listen = "127.0.0.1:8080";
  std::string jwt_secret, jwt_secret_file;
  std::string frontend_origins;
  std::string user_requests_per_minute = "60000", address_requests_per_minute = "300000";
};

/// Adds the options to a program; `host` shows those of the host in its help.
void add_settings(CLI::App& app, Settings& settings, bool host);

/// What is wrong with the arguments or the file of settings, as one line.
std::string parse_problem(const CLI::ParseError& e);

/// The program's arguments with those of the environment in front, for every setting that no flag names. What stands in the
/// file that a `…-file` setting names takes the place of that setting, so that flag over environment over file holds for it too.
std::optional<WrongSetting> with_environment(int argc, char** argv, std::vector<std::string>& arguments);

/// Whether a setting holds nothing.
bool is_blank(const std::string& value);

/// Reads the _FILE settings and, in demo mode, makes what may be left out.
std::optional<WrongSetting> complete(Settings& settings);

/// The library's options. The failing setting is named as a user knows it.
std::optional<WrongSetting> apply(const Settings& settings, amzsync::Options& options);

/// Log records as `info: message { userId: 'u1' }` or as JSON lines on stderr.
amzsync::Options::LogSink make_log_sink(const Settings& settings);
/// AMZSYNC_LOG_ number of a level's name; nullopt for none.
std::optional<std::int32_t> log_level_from(const std::string& name);

/// The client secret from its file, as it is now; `into` stays where none was named.
std::optional<WrongSetting> reread_client_secret(const Settings& settings, std::string& into);

/// The environment variable of a setting; a name that is no setting's as it is.
std::string shown_name(std::string_view name);

/// A store's address as it may be shown: "postgresql://user:***@host/db", and nothing of what may hold a password elsewhere.
std::string without_password(const std::string& store);

}  // namespace amzsync_tools
