// SPDX-License-Identifier: Apache-2.0
// The sync of money as it is written with the npm client amazon-sp-api and better-sqlite3: the same pages and rows as bench/plain.cpp.
// node plain.mjs API URL TOKEN DAYS DATABASE; the modules are found beside it (scripts/bench ingest puts them there).
import {createHash} from 'node:crypto';
import http from 'node:http';
import {createRequire} from 'node:module';

const require = createRequire(process.env.AMZSYNC_NODE_MODULES + '/');
const https = require('https');
const [, , api, url, refreshToken, days, path] = process.argv;
const amazon = new URL(url);
const agent = new http.Agent({keepAlive: true});
// The client knows Amazon's hosts alone, and speaks TLS with a new connection for each call: it is spared both.
https.request = (options, done) => http.request({...options, hostname: amazon.hostname, port: amazon.port, agent}, done);
const {SellingPartner} = require('amazon-sp-api');
const Database = require('better-sqlite3');

const start = performance.now();
const db = new Database(path);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = NORMAL');
db.exec(`CREATE TABLE events(event_key TEXT PRIMARY KEY, user_id TEXT NOT NULL, event_list TEXT NOT NULL, posted_at TEXT, order_id TEXT, marketplace TEXT);
CREATE TABLE lines(event_key TEXT NOT NULL, number INTEGER NOT NULL, path TEXT NOT NULL, line_type TEXT NOT NULL, sku TEXT, currency TEXT, amount REAL, PRIMARY KEY(event_key, number))`);
const putEvent = db.prepare(`INSERT INTO events VALUES(?, 'bench', ?, ?, ?, ?) ON CONFLICT(event_key) DO UPDATE SET posted_at=excluded.posted_at, order_id=excluded.order_id,
marketplace=excluded.marketplace`);
const putLine = db.prepare(`INSERT INTO lines VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(event_key, number) DO UPDATE SET path=excluded.path, line_type=excluded.line_type, sku=excluded.sku,
currency=excluded.currency, amount=excluded.amount`);

const first = (object, names) => {
  for (const name of names) if (object[name]) return object[name];
  return '';
};
const types = ['ChargeType', 'FeeType', 'PromotionType', 'AdjustmentType', 'breakdownType', 'transactionType'];

function store(list, event) {
  const key = event.transactionId || `${list}/${createHash('sha1').update(JSON.stringify(event)).digest('hex')}`;
  putEvent.run(key, list, first(event, ['PostedDate', 'postedDate', 'TransactionPostedDate', 'TransactionCreationDate']), first(event, ['AmazonOrderId', 'OrderId', 'SellerOrderId']),
    first(event, ['MarketplaceName', 'MarketplaceId']));
  let number = 0;
  const walk = (object, path, sku) => {
    sku = first(object, ['SellerSKU', 'SKU', 'sku']) || sku;
    for (const [name, value] of Object.entries(object)) {
      const here = path ? `${path}.${name}` : name;
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one === null || typeof one !== 'object') continue;
        const amount = one.CurrencyAmount ?? one.currencyAmount;
        if (amount === undefined) walk(one, here, sku);
        else putLine.run(key, number++, here, first(object, types), sku, one.CurrencyCode ?? one.currencyCode ?? '', amount);
      }
    }
  };
  walk(event, '', '');
}

// The simulator takes the token's form as Amazon documents it, which the client does not send.
const form = new URLSearchParams({grant_type: 'refresh_token', client_id: 'bench-app', client_secret: 'bench', refresh_token: refreshToken});
const granted = await (await fetch(url + '/auth/o2/token', {method: 'POST', body: form, headers: {'user-agent': 'Bench/1 (Language=Node.js)'}})).json();
const client = new SellingPartner({region: 'na', refresh_token: refreshToken, access_token: granted.access_token, credentials: {SELLING_PARTNER_APP_CLIENT_ID: 'bench-app', SELLING_PARTNER_APP_CLIENT_SECRET: 'bench'},
  options: {user_agent: 'Bench/1 (Language=Node.js)'}});
const v0 = api === 'v0';
const now = Date.now() - 300_000;
let pages = 0;
for (let from = Number(days); from > 0; from -= 180) {
  const [after, before] = [from, Math.max(0, from - 180)].map(day => new Date(now - day * 86_400_000).toISOString().slice(0, 19) + 'Z');
  let token;
  do {
    const query = v0 ? {PostedAfter: after, PostedBefore: before, MaxResultsPerPage: 100, ...(token && {NextToken: token})} : {postedAfter: after, postedBefore: before, ...(token && {nextToken: token})};
    const page = await client.callAPI({operation: v0 ? 'listFinancialEvents' : 'listTransactions', endpoint: 'finances', query, options: {version: v0 ? 'v0' : '2024-06-19'}});
    if (pages % 10 === 0) db.exec('BEGIN');
    ++pages;
    if (v0) for (const [list, events] of Object.entries(page.FinancialEvents)) for (const event of events) store(list, event);
    else for (const event of page.transactions) store('transactions', event);
    if (pages % 10 === 0) db.exec('COMMIT');
    token = v0 ? page.NextToken : page.nextToken;
  } while (token);
}
if (pages % 10 !== 0) db.exec('COMMIT');
db.close();
console.log(JSON.stringify({seconds: (performance.now() - start) / 1000, pages}));
process.exit(0);   // what the client keeps open would hold it
