/* SPDX-License-Identifier: Apache-2.0
 *
 * The C interface as a C99 program uses it, right and wrong: capi_test AMAZON_URL DATABASE */
#include <amzsync/amzsync.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures = 0;

#define CHECK(condition)                                                    \
  do {                                                                      \
    if (!(condition)) {                                                     \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);       \
      ++failures;                                                           \
    }                                                                       \
  } while (0)

/* The call fails with this code, and its error says so. */
#define REFUSED(expected, call)                                             \
  do {                                                                      \
    amzsync_error *err = NULL;                                              \
    const int32_t code = (call);                                            \
    CHECK(code == (expected));                                              \
    CHECK(err != NULL && amzsync_error_code(err) == (expected));            \
    CHECK(err != NULL && amzsync_error_message(err)[0] != '\0');            \
    amzsync_error_free(err);                                                \
  } while (0)

static const char *kUser = "c-user";

/* What a subscriber was told. */
struct heard {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  amzsync_engine *engine;
  int64_t id;
  int milestones[16];
  char messages[16][32];
  int milestone_count;
  int terminal, closed, freed, deadlock;
  int64_t last_seq;
  int in_order;
};

static void on_event(void *user_data, const amzsync_event *event) {
  struct heard *h = user_data;
  const char *type = amzsync_event_type(event);
  pthread_mutex_lock(&h->mutex);
  if (amzsync_event_seq(event) > 0) {
    if (amzsync_event_seq(event) <= h->last_seq) h->in_order = 0;
    h->last_seq = amzsync_event_seq(event);
  }
  if (strcmp(type, "sync_progress") == 0 && amzsync_event_seq(event) > 0 && h->milestone_count < 16) {
    const char *json = amzsync_event_json(event, NULL);
    h->milestones[h->milestone_count] = atoi(strstr(json, "\"progress\":") + strlen("\"progress\":"));
    sscanf(strstr(json, "\"message\":\"") + strlen("\"message\":\""), "%31[^\"]", h->messages[h->milestone_count]);
    ++h->milestone_count;
    /* Waiting for oneself is refused, not a hang. */
    if (amzsync_unsubscribe(h->engine, h->id) == AMZSYNC_ERROR_WOULD_DEADLOCK && amzsync_close(h->engine) == AMZSYNC_ERROR_WOULD_DEADLOCK) h->deadlock = 1;
  }
  if (strncmp(type, "sync.", 5) == 0 && strcmp(type, "sync.started") != 0) ++h->terminal;
  if (strcmp(type, "engine.closed") == 0) ++h->closed;
  pthread_cond_broadcast(&h->changed);
  pthread_mutex_unlock(&h->mutex);
}
static void on_freed(void *user_data) {
  struct heard *h = user_data;
  pthread_mutex_lock(&h->mutex);
  ++h->freed;
  pthread_mutex_unlock(&h->mutex);
}

static int logs_freed = 0;
static void on_log(void *user_data, int32_t level, const char *message, const char *fields_json) {
  (void)message;
  CHECK(user_data == &logs_freed);
  CHECK(level >= AMZSYNC_LOG_DEBUG && level <= AMZSYNC_LOG_ERROR);
  CHECK(fields_json[0] == '{');
}
static void on_log_freed(void *user_data) { ++*(int *)user_data; }

static amzsync_options *make_options(const char *amazon, const char *path) {
  char store[1024];
  amzsync_options *options = amzsync_options_new();
  snprintf(store, sizeof store, "sqlite:%s", path);
  CHECK(amzsync_options_set_store(options, store, NULL) == AMZSYNC_OK);
  CHECK(amzsync_options_set_app(options, "client", "secret", "app", "https://host.example/callback", NULL) == AMZSYNC_OK);
  CHECK(amzsync_options_set_master_key(options, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", NULL) == AMZSYNC_OK);
  CHECK(amzsync_options_set_endpoints(options, amazon, amazon, amazon, NULL) == AMZSYNC_OK);
  CHECK(amzsync_options_set_sync_every_minutes(options, 0, NULL) == AMZSYNC_OK);
  CHECK(amzsync_options_set_log(options, AMZSYNC_LOG_DEBUG, on_log, &logs_freed, on_log_freed, NULL) == AMZSYNC_OK);
  return options;
}

static void test_about(void) {
  int32_t code;
  CHECK(strcmp(amzsync_version(), "0.1.0") == 0);
  CHECK(amzsync_abi_version() == AMZSYNC_ABI_VERSION);
  CHECK(strcmp(amzsync_status_name(AMZSYNC_OK), "ok") == 0);
  CHECK(strcmp(amzsync_status_name(AMZSYNC_ERROR_NOT_CONNECTED), "not_connected") == 0);
  for (code = -3; code < 300; ++code) CHECK(amzsync_status_name(code)[0] != '\0' && amzsync_status_sentence(code)[0] != '\0');
  CHECK(strcmp(amzsync_status_name(12345), "unknown") == 0);
  amzsync_error_free(NULL);
  amzsync_options_free(NULL);
  amzsync_answer_free(NULL);
  amzsync_event_free(NULL);
  amzsync_events_close(NULL);
  CHECK(amzsync_close(NULL) == AMZSYNC_OK);
}

static void test_options(const char *amazon) {
  amzsync_options *o = amzsync_options_new();
  amzsync_engine *engine = (amzsync_engine *)o;
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_open(o, &engine, &err));   /* nothing that is required was set */
  CHECK(engine == NULL);
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_options_set_store(NULL, "sqlite:x", &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_store(o, NULL, &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_store(o, "sqlite:", &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_app(o, NULL, NULL, NULL, NULL, &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_app(o, "c", "s", "a", "no url", &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_app(o, "c", "s", "a", "https://x.example/#y", &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_region(o, "moon", &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_environment(o, "", &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_endpoints(o, "http://example.com", NULL, NULL, &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_endpoints(o, NULL, "http://127.0.0.1.example.com", NULL, &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_master_key(o, "nonsense", &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_master_key(o, NULL, &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_finances(o, "v7", &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_streams(o, "weather", &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_history_days(o, 0, &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_history_days(o, 731, &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_sync_every_minutes(o, 1, &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_journal_days(o, -1, &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_shared_sellers(o, 2, &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_max_runs(o, 10001, &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_synchronous_full(o, 7, &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_host(o, "", "1", &err));
  REFUSED(AMZSYNC_ERROR_SETTING_INVALID, amzsync_options_set_log(o, 9, on_log, NULL, NULL, &err));
  amzsync_options_free(o);
  /* A database that can't be there. */
  o = make_options(amazon, "/proc/nowhere/x.db");
  REFUSED(AMZSYNC_ERROR_STORE_UNAVAILABLE, amzsync_open(o, &engine, &err));
  CHECK(engine == NULL);
  amzsync_options_free(o);
  CHECK(logs_freed == 1);
  logs_freed = 0;
}

static void test_arguments(amzsync_engine *engine) {
  amzsync_answer *answer = (amzsync_answer *)engine;
  amzsync_changes *changes = NULL;
  int64_t position = 0;
  amzsync_events *events = NULL;
  amzsync_stats stats;
  char long_user[300];
  memset(long_user, 'u', sizeof long_user - 1);
  long_user[sizeof long_user - 1] = '\0';
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_status(NULL, kUser, &answer, &err));
  CHECK(answer == NULL);
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_status(engine, NULL, &answer, &err));
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_status(engine, "", &answer, &err));
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_status(engine, long_user, &answer, &err));
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_status(engine, "a\nb", &answer, &err));
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_status(engine, "\xff\xfe", &answer, &err));
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_status(engine, kUser, NULL, &err));
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_history(engine, kUser, 0, 0, &answer, &err));
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_history(engine, kUser, 101, 0, &answer, &err));
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_history(engine, kUser, 10, -1, &answer, &err));
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_on_oauth_callback(engine, NULL, &answer, &err));
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_on_oauth_callback_start(engine, NULL, NULL, NULL, &err));
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_connect(engine, kUser, "", NULL, &answer, &err));
  REFUSED(AMZSYNC_ERROR_INVALID_GRANT, amzsync_connect(engine, kUser, "Atzr|nobody", NULL, &answer, &err));
  REFUSED(AMZSYNC_ERROR_NOT_FOUND, amzsync_sync_status(engine, kUser, "nothing", &answer, &err));
  REFUSED(AMZSYNC_ERROR_NOT_FOUND, amzsync_sync_wait(engine, kUser, "nothing", 10, &answer, &err));
  REFUSED(AMZSYNC_ERROR_NOT_FOUND, amzsync_sync_cancel(engine, kUser, "nothing", NULL, &err));
  REFUSED(AMZSYNC_ERROR_NOT_CONNECTED, amzsync_sync_start(engine, kUser, NULL, &answer, &err));
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_sync_start(engine, kUser, "weather", &answer, &err));
  REFUSED(AMZSYNC_ERROR_NOT_CONNECTED, amzsync_use_existing_connection(engine, kUser, &answer, &err));
  REFUSED(AMZSYNC_ERROR_NOT_CONNECTED, amzsync_disconnect(engine, kUser, NULL, &err));
  REFUSED(AMZSYNC_ERROR_NOT_FOUND, amzsync_consent_frontend(engine, "nothing", &answer, &err));
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_events_open(engine, "", 0, &events, &err));
  CHECK(events == NULL);
  CHECK(amzsync_unsubscribe(engine, 4711) == AMZSYNC_ERROR_NOT_FOUND);
  REFUSED(AMZSYNC_ERROR_NOT_FOUND, amzsync_changes_open(engine, "nobody", NULL, 0, &changes, &err));
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_changes_open(engine, kUser, "weather", 0, &changes, &err));
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_changes_open(engine, kUser, NULL, -1, &changes, &err));
  CHECK(changes == NULL);
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_changes_acknowledge(engine, kUser, "", 1, &err));
  REFUSED(AMZSYNC_ERROR_NOT_FOUND, amzsync_changes_acknowledged(engine, "nobody", "r", &position, &err));
  amzsync_changes_close(NULL);
  stats.size = 4;
  REFUSED(AMZSYNC_ERROR_INVALID_ARGUMENT, amzsync_stats_get(engine, &stats, &err));
  /* A caller with an older, shorter struct gets no more than fits. */
  memset(&stats, 0x55, sizeof stats);
  stats.size = 16;
  CHECK(amzsync_stats_get(engine, &stats, NULL) == AMZSYNC_OK);
  CHECK(stats.size == 16 && stats.runs_here == 0 && stats.runs_active == 0x5555555555555555LL);
  CHECK(amzsync_check(engine, NULL) == AMZSYNC_OK);
}

static void test_sync(amzsync_engine *engine, struct heard *h) {
  static const int milestones[] = {10, 30, 60, 90, 100};
  static const char *messages[] = {"Starting sync", "Fetching inventory", "Processing data", "Finalizing", "Complete"};
  amzsync_answer *run = NULL, *again = NULL, *over = NULL, *recoveries = NULL;
  amzsync_events *events = NULL;
  amzsync_event *event = NULL;
  amzsync_changes *changes = NULL;
  const char *json = NULL;
  size_t size = 0;
  int64_t position = 0, acknowledged = 0, rows = 0;
  int i, n = 0;
  char id[64];
  h->engine = engine;
  CHECK(amzsync_events_open(engine, kUser, 0, &events, NULL) == AMZSYNC_OK);
  CHECK(amzsync_close(engine) == AMZSYNC_ERROR_BUSY);   /* a reader is open */
  pthread_mutex_lock(&h->mutex);
  CHECK(amzsync_subscribe(engine, kUser, 0, on_event, h, on_freed, &h->id, NULL) == AMZSYNC_OK);
  pthread_mutex_unlock(&h->mutex);

  CHECK(amzsync_connect(engine, kUser, "Atzr|sim-seller-1", "ASELLER1", &run, NULL) == AMZSYNC_OK);
  CHECK(amzsync_answer_triggered(run) == 1);
  CHECK(strcmp(amzsync_answer_user(run), kUser) == 0);
  snprintf(id, sizeof id, "%s", amzsync_answer_sync_id(run));
  CHECK(amzsync_sync_start(engine, kUser, NULL, &again, NULL) == AMZSYNC_OK);
  CHECK(amzsync_answer_triggered(again) == 0 && strcmp(amzsync_answer_sync_id(again), id) == 0);
  CHECK(amzsync_sync_wait(engine, kUser, id, AMZSYNC_WAIT_FOREVER, &over, NULL) == AMZSYNC_OK);
  CHECK(strcmp(amzsync_answer_status(over), "completed") == 0);
  REFUSED(AMZSYNC_ERROR_SYNC_OVER, amzsync_sync_cancel(engine, kUser, id, "me", &err));
  CHECK(amzsync_recoveries(engine, kUser, 1, &recoveries, NULL) == AMZSYNC_OK);
  CHECK(strstr(amzsync_answer_json(recoveries, NULL), "\"totals\":[{\"currency\":\"USD\"") != NULL);
  CHECK(amzsync_answer_triggered(recoveries) == 0);

  /* What came into the database, as a host that keeps a copy hears of it. */
  CHECK(amzsync_changes_open(engine, kUser, "inventory,transactions", 0, &changes, NULL) == AMZSYNC_OK);
  CHECK(amzsync_changes_gap(changes) == 0 && amzsync_changes_position(changes) == 0);
  while (amzsync_changes_next(changes, &json, &size, NULL) == AMZSYNC_OK && json) {
    CHECK(strlen(json) == size && strstr(json, "\"op\":\"put\",\"row\":{") != NULL);
    ++rows;
  }
  CHECK(rows > 100);
  position = amzsync_changes_position(changes);
  CHECK(position >= rows);
  CHECK(amzsync_close(engine) == AMZSYNC_ERROR_BUSY);   /* this reader is open, too */
  amzsync_changes_close(changes);
  CHECK(amzsync_changes_acknowledge(engine, kUser, "copy", position, NULL) == AMZSYNC_OK);
  CHECK(amzsync_changes_acknowledge(engine, kUser, "copy", 1, NULL) == AMZSYNC_OK);   /* never goes back */
  CHECK(amzsync_changes_acknowledged(engine, kUser, "copy", &acknowledged, NULL) == AMZSYNC_OK && acknowledged == position);
  CHECK(amzsync_changes_open(engine, kUser, NULL, position, &changes, NULL) == AMZSYNC_OK);
  CHECK(amzsync_changes_next(changes, &json, NULL, NULL) == AMZSYNC_OK && json == NULL);
  amzsync_changes_close(changes);

  /* Pulled: the same events, numbered without a gap, up to the end. */
  while (amzsync_events_next(events, 10000, &event, NULL) == AMZSYNC_OK && event) {
    const int terminal = strcmp(amzsync_event_type(event), "sync.completed") == 0;
    if (amzsync_event_seq(event) > 0) {
      CHECK(amzsync_event_seq(event) == n + 1);
      n = (int)amzsync_event_seq(event);
      CHECK(amzsync_events_position(events) == n);
      CHECK(strncmp(amzsync_event_sse(event, NULL), "id: ", 4) == 0);
    }
    CHECK(strcmp(amzsync_event_user(event), kUser) == 0);
    amzsync_event_free(event);
    if (terminal) break;
  }
  CHECK(n == 8);   /* started, five milestones, detection.completed, completed */
  CHECK(amzsync_events_gap(events) == 0);
  CHECK(amzsync_events_next(events, 0, &event, NULL) == AMZSYNC_OK && event == NULL);
  CHECK(strncmp(amzsync_events_sse_hello(events, NULL), "retry: 3000\n", 12) == 0);
  CHECK(amzsync_events_fd(events) >= 0);
  amzsync_events_close(events);

  /* Called back: when unsubscribe returns, everything was said and nothing more will be. */
  pthread_mutex_lock(&h->mutex);
  while (h->terminal == 0) pthread_cond_wait(&h->changed, &h->mutex);
  pthread_mutex_unlock(&h->mutex);
  CHECK(amzsync_unsubscribe(engine, h->id) == AMZSYNC_OK);
  CHECK(h->freed == 1 && h->terminal == 1 && h->closed == 0 && h->in_order && h->deadlock);
  CHECK(h->milestone_count == 5);
  for (i = 0; i < 5 && i < h->milestone_count; ++i) CHECK(h->milestones[i] == milestones[i] && strcmp(h->messages[i], messages[i]) == 0);

  amzsync_answer_free(run);
  amzsync_answer_free(again);
  amzsync_answer_free(over);
  amzsync_answer_free(recoveries);
}

/* A child has the handles, and nobody who works for them. */
static void test_fork(amzsync_engine *engine, const amzsync_options *options) {
  amzsync_events *events = NULL;
  amzsync_changes *changes = NULL;
  int status = -1;
  pid_t child;
  CHECK(amzsync_events_open(engine, kUser, 0, &events, NULL) == AMZSYNC_OK);
  CHECK(amzsync_changes_open(engine, kUser, NULL, 0, &changes, NULL) == AMZSYNC_OK);
  child = fork();
  if (child == 0) {
    amzsync_answer *answer = NULL;
    amzsync_event *event = NULL;
    amzsync_stats stats;
    const char *json = NULL;
    int64_t id = 0;
    amzsync_engine *another = NULL;
    failures = 0;
    REFUSED(AMZSYNC_ERROR_FORKED, amzsync_open(options, &another, &err));
    REFUSED(AMZSYNC_ERROR_FORKED, amzsync_migrate("sqlite:/nowhere", "postgresql://nobody", NULL, NULL, &answer, &err));
    stats.size = sizeof stats;
    REFUSED(AMZSYNC_ERROR_FORKED, amzsync_status(engine, kUser, &answer, &err));
    REFUSED(AMZSYNC_ERROR_FORKED, amzsync_sync_start(engine, kUser, NULL, &answer, &err));
    REFUSED(AMZSYNC_ERROR_FORKED, amzsync_stats_get(engine, &stats, &err));
    REFUSED(AMZSYNC_ERROR_FORKED, amzsync_events_next(events, AMZSYNC_WAIT_FOREVER, &event, &err));
    REFUSED(AMZSYNC_ERROR_FORKED, amzsync_changes_next(changes, &json, NULL, &err));
    REFUSED(AMZSYNC_ERROR_FORKED, amzsync_subscribe(engine, NULL, AMZSYNC_EVENTS_LIVE, on_event, NULL, NULL, &id, &err));
    amzsync_events_close(events);
    CHECK(amzsync_close(engine) == AMZSYNC_ERROR_FORKED);
    _exit(failures);
  }
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  amzsync_changes_close(changes);
  amzsync_events_close(events);
}

/* What was closed before is no obstacle. */
static void test_fork_of_the_closed(const amzsync_options *options) {
  int status = -1;
  pid_t child = fork();
  if (child == 0) {
    amzsync_engine *engine = NULL;
    failures = 0;
    CHECK(amzsync_open(options, &engine, NULL) == AMZSYNC_OK);
    CHECK(amzsync_close(engine) == AMZSYNC_OK);
    _exit(failures);
  }
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(int argc, char **argv) {
  struct heard h, at_close;
  amzsync_options *options;
  amzsync_engine *engine = NULL;
  if (argc != 3) return 2;
  memset(&h, 0, sizeof h);
  memset(&at_close, 0, sizeof at_close);
  pthread_mutex_init(&h.mutex, NULL);
  pthread_cond_init(&h.changed, NULL);
  pthread_mutex_init(&at_close.mutex, NULL);
  pthread_cond_init(&at_close.changed, NULL);
  h.in_order = at_close.in_order = 1;

  test_about();
  test_options(argv[1]);
  options = make_options(argv[1], argv[2]);
  CHECK(amzsync_open(options, &engine, NULL) == AMZSYNC_OK);
  amzsync_options_free(options);
  CHECK(logs_freed == 0);   /* the engine still uses the sink */
  options = make_options(argv[1], argv[2]);
  test_arguments(engine);
  test_sync(engine, &h);
  test_fork(engine, options);
  at_close.engine = engine;
  CHECK(amzsync_subscribe(engine, NULL, AMZSYNC_EVENTS_LIVE, on_event, &at_close, on_freed, &at_close.id, NULL) == AMZSYNC_OK);
  CHECK(amzsync_close(engine) == AMZSYNC_OK);
  CHECK(at_close.closed == 1 && at_close.freed == 1 && at_close.terminal == 0);
  CHECK(logs_freed == 1);
  test_fork_of_the_closed(options);
  amzsync_options_free(options);
  CHECK(logs_freed == 2);
  if (failures == 0) printf("the C interface keeps its word\n");
  return failures == 0 ? 0 : 1;
}
