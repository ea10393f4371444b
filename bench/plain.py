# SPDX-License-Identifier: Apache-2.0
"""The sync of money as it is written in Python with nothing but what comes with it: the same pages and rows as bench/plain.cpp.
plain.py API URL TOKEN DAYS DATABASE"""
import datetime
import hashlib
import json
import sqlite3
import sys
import time
import urllib.parse
import urllib.request

HEADERS = {"user-agent": "Bench/1 (Language=Python)"}
TYPES = ("ChargeType", "FeeType", "PromotionType", "AdjustmentType", "breakdownType", "transactionType")


def ask(url, body=None):
    with urllib.request.urlopen(urllib.request.Request(url, body, HEADERS)) as answer:
        return json.load(answer)


def first(thing, names):
    for name in names:
        if thing.get(name):
            return thing[name]
    return ""


def lines_of(thing, path, sku):
    sku = first(thing, ("SellerSKU", "SKU", "sku")) or sku
    for name, value in thing.items():
        here = f"{path}.{name}" if path else name
        for one in value if isinstance(value, list) else (value,):
            if not isinstance(one, dict):
                continue
            amount = one.get("CurrencyAmount", one.get("currencyAmount"))
            if amount is None:
                yield from lines_of(one, here, sku)
            else:
                yield here, first(thing, TYPES), sku, first(one, ("CurrencyCode", "currencyCode")), amount


def store(db, group, event):
    key = event.get("transactionId") or f"{group}/{hashlib.sha1(json.dumps(event).encode()).hexdigest()}"
    db.execute("INSERT INTO events VALUES(?, 'bench', ?, ?, ?, ?) ON CONFLICT(event_key) DO UPDATE SET posted_at=excluded.posted_at, order_id=excluded.order_id, marketplace=excluded.marketplace",
               (key, group, first(event, ("PostedDate", "postedDate", "TransactionPostedDate", "TransactionCreationDate")), first(event, ("AmazonOrderId", "OrderId", "SellerOrderId")),
                first(event, ("MarketplaceName", "MarketplaceId"))))
    db.executemany("INSERT INTO lines VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(event_key, number) DO UPDATE SET path=excluded.path, line_type=excluded.line_type, sku=excluded.sku, "
                   "currency=excluded.currency, amount=excluded.amount", [(key, number, *line) for number, line in enumerate(lines_of(event, "", ""))])


def main():
    api, url, refresh_token, days, path = sys.argv[1:]
    start = time.monotonic()
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE TABLE events(event_key TEXT PRIMARY KEY, user_id TEXT NOT NULL, event_list TEXT NOT NULL, posted_at TEXT, order_id TEXT, "
                     "marketplace TEXT); CREATE TABLE lines(event_key TEXT NOT NULL, number INTEGER NOT NULL, path TEXT NOT NULL, line_type TEXT NOT NULL, sku TEXT, currency TEXT, amount REAL, "
                     "PRIMARY KEY(event_key, number))")
    form = {"grant_type": "refresh_token", "client_id": "bench-app", "client_secret": "bench", "refresh_token": refresh_token}
    HEADERS["x-amz-access-token"] = ask(url + "/auth/o2/token", urllib.parse.urlencode(form).encode())["access_token"]
    v0 = api == "v0"
    now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=5)
    pages = 0
    for since in range(int(days), 0, -180):
        after, before = ((now - datetime.timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%SZ") for day in (since, max(0, since - 180)))
        query = {"PostedAfter": after, "PostedBefore": before, "MaxResultsPerPage": 100} if v0 else {"postedAfter": after, "postedBefore": before}
        while True:
            page = ask(url + ("/finances/v0/financialEvents?" if v0 else "/finances/2024-06-19/transactions?") + urllib.parse.urlencode(query))["payload"]
            if pages % 10 == 0:
                db.execute("BEGIN")
            pages += 1
            for group, events in page["FinancialEvents"].items() if v0 else (("transactions", page["transactions"]),):
                for event in events:
                    store(db, group, event)
            if pages % 10 == 0:
                db.execute("COMMIT")
            name = "NextToken" if v0 else "nextToken"
            if not page.get(name):
                break
            query[name] = page[name]
    if pages % 10:
        db.execute("COMMIT")
    db.close()
    print(json.dumps({"seconds": time.monotonic() - start, "pages": pages}))


main()
