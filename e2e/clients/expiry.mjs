// Tokens that end under open subscriptions, with graphql-ws and graphql-sse: node clients/expiry.mjs URL ACCOUNT
// The clients ask for a token whenever they connect, so a new subscription goes on where the old one ended.
import assert from 'node:assert/strict';
import { createClient as createSse } from 'graphql-sse';
import { createClient as createWs } from 'graphql-ws';
import WebSocket from 'ws';
import { within } from '../lib.mjs';

const [base, accountId] = process.argv.slice(2);
const query = 'subscription { balanceChanged { available { amount } } }';

async function authorization(ttl) {
  const answer = await fetch(`${base}/dev/token`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ role: 'CREATOR', accountId, ttl }) });
  return `Bearer ${(await answer.json()).token}`;
}

// tokens are short at first, then long; asked counts them.
function tokens() {
  const given = { asked: 0, next: () => authorization(given.asked++ ? '1h' : '3s') };
  return given;
}

// end subscribes and gives what came until the end, which error or complete tells.
const end = (client) => within(20_000, 'the subscription ends with its token', new Promise((resolve) => {
  const seen = [];
  client.subscribe({ query }, { next: (result) => seen.push(result), error: (error) => resolve({ seen, error }), complete: () => resolve({ seen }) });
}));

// first subscribes, takes one result and leaves.
async function first(client) {
  for await (const result of client.iterate({ query })) return result;
}

const socket = tokens();
const ws = createWs({ url: `${base.replace(/^http/, 'ws')}/graphql`, webSocketImpl: WebSocket, shouldRetry: () => true, connectionParams: async () => ({ authorization: await socket.next() }) });
const closed = await end(ws);
assert.equal(closed.seen[0].data.balanceChanged.available.amount, '0.00');
assert.equal(closed.seen.length, 1);
assert.equal(closed.error?.code, 4401, 'graphql-ws never tries again after 4401: that is for the application to decide');
assert.equal(socket.asked, 1);
assert.equal((await first(ws)).data.balanceChanged.available.amount, '0.00');
assert.equal(socket.asked, 2);
await ws.dispose();
console.log('graphql-ws: closed with 4401 when the token ended, went on with a new one');

const stream = tokens();
const sse = createSse({ url: `${base}/graphql`, headers: async () => ({ authorization: await stream.next() }) });
const over = await end(sse);
assert.equal(over.error, undefined);
assert.equal(over.seen[0].data.balanceChanged.available.amount, '0.00');
assert.deepEqual(over.seen.slice(1).map((r) => r.errors[0].extensions.code), ['UNAUTHENTICATED']);
assert.equal((await first(sse)).data.balanceChanged.available.amount, '0.00');
assert.equal(stream.asked, 2);
sse.dispose();
console.log('graphql-sse: told UNAUTHENTICATED and completed when the token ended, went on with a new one');
