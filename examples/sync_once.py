#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole product flow in Python: connect a seller, wait for the sync, print what Amazon has paid back and what it still owes.

    amzsync-sim --listen 127.0.0.1:8090 --plant 50 &
    sync_once.py http://127.0.0.1:8090 once.db 'Atzr|sim-seller-1'
"""
import sys

import amzsync


def main() -> int:
    if len(sys.argv) != 4:
        print(f"usage: {sys.argv[0]} AMAZON_URL DATABASE REFRESH_TOKEN", file=sys.stderr)
        return 2
    amazon, path, refresh_token = sys.argv[1:]
    # A real host takes these from its own settings, and the key from a safe place.
    with amzsync.Engine(store=f"sqlite:{path}", client_id="amzn1.application-oa2-client.example", client_secret="example-secret", master_key="MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
                        lwa_endpoint=amazon, spapi_endpoint=amazon) as engine:
        run = engine.sync_wait("user-1", engine.connect("user-1", refresh_token))
        print(f"sync {run['syncId']}: {run['status']}")
        for total in engine.recoveries("user-1")["totals"]:
            print(f"paid back: {total['amount']} {total['currency']}")
        for owed in engine.finding_statistics("user-1")["claimable"]:
            print(f"still owed: {owed['amount']} {owed['currency']} in {owed['count']} findings")
        return 0 if run["status"] == "completed" else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except amzsync.Error as error:
        sys.exit(f"{error.name}: {error}")
