/* SPDX-License-Identifier: Apache-2.0
 * The header alone, as strict C99. */
#include <amzsync/amzsync.h>

/* Where the fields of structs that cross the border are may never change. */
#define AT(type, field, place) typedef char at_##type##_##field[offsetof(type, field) == (place) ? 1 : -1]
AT(amzsync_oauth_params, user, 8);
AT(amzsync_oauth_params, state, 16);
AT(amzsync_oauth_params, code, 24);
AT(amzsync_oauth_params, seller_id, 32);
AT(amzsync_oauth_params, error, 40);
AT(amzsync_stats, size, 0);
AT(amzsync_stats, runs_here, 8);
AT(amzsync_stats, runs_active, 16);
AT(amzsync_stats, runs_queued, 24);
AT(amzsync_stats, connections, 32);
AT(amzsync_stats, needs_reauth, 40);
typedef char size_of_oauth_params[sizeof(amzsync_oauth_params) == 48 ? 1 : -1];
typedef char size_of_stats[sizeof(amzsync_stats) == 48 ? 1 : -1];
