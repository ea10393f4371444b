/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole product flow in C: open an engine, connect a seller, wait for its sync, print what Amazon has paid back.
 *
 *   amzsync-sim --listen 127.0.0.1:8090 &
 *   minimal http://127.0.0.1:8090 minimal.db 'Atzr|sim-seller-1'
 */
#include <amzsync/amzsync.h>
#include <stdio.h>

/* Prints why a call failed, and frees the error. */
static int failed(const char *what, amzsync_error *err) {
  fprintf(stderr, "%s: %s\n", what, err ? amzsync_error_message(err) : "out of memory");
  amzsync_error_free(err);
  return 1;
}

static int configure(amzsync_options *options, const char *amazon, const char *path, amzsync_error **err) {
  char store[1024];
  snprintf(store, sizeof store, "sqlite:%s", path);
  /* A real host takes these from its own settings, and the key from a safe place. */
  return amzsync_options_set_store(options, store, err) ||
         amzsync_options_set_app(options, "amzn1.application-oa2-client.example", "example-secret", "amzn1.sp.solution.example", "https://host.example/callback", err) ||
         amzsync_options_set_master_key(options, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", err) ||
         amzsync_options_set_endpoints(options, amazon, amazon, amazon, err);
}

int main(int argc, char **argv) {
  amzsync_error *err = NULL;
  amzsync_options *options = amzsync_options_new();
  amzsync_engine *engine = NULL;
  amzsync_answer *run = NULL, *over = NULL, *recoveries = NULL;
  if (argc != 4) {
    fprintf(stderr, "usage: %s AMAZON_URL DATABASE REFRESH_TOKEN\n", argv[0]);
    return 2;
  }
  if (configure(options, argv[1], argv[2], &err)) return failed("options", err);
  if (amzsync_open(options, &engine, &err)) return failed("open", err);
  amzsync_options_free(options);

  if (amzsync_connect(engine, "user-1", argv[3], NULL, &run, &err)) return failed("connect", err);
  if (amzsync_sync_wait(engine, "user-1", amzsync_answer_sync_id(run), AMZSYNC_WAIT_FOREVER, &over, &err)) return failed("sync", err);
  if (amzsync_recoveries(engine, "user-1", 0, &recoveries, &err)) return failed("recoveries", err);
  printf("sync %s: %s\n", amzsync_answer_sync_id(run), amzsync_answer_status(over));
  printf("%s\n", amzsync_answer_json(recoveries, NULL));

  amzsync_answer_free(recoveries);
  amzsync_answer_free(over);
  amzsync_answer_free(run);
  amzsync_close(engine);
  return 0;
}
