// Real clients for the scripts here: plain fetch, graphql-ws and graphql-sse, and the person with the phone.
import assert from 'node:assert/strict';
import { createClient as createSse } from 'graphql-sse';
import { createClient as createWs } from 'graphql-ws';
import WebSocket from 'ws';
import { operation, request } from './operations.mjs';

export const unique = (prefix) => `${prefix}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`.toUpperCase();
export const money = (amount) => ({ amount, currency: 'CNY' });

// minor gives whole minor units: no float ever adds money.
export const minor = (amount) => BigInt(amount.replace('.', ''));

export async function token(base, role, accountId) {
  const answer = await fetch(`${base}/dev/token`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ role, ...(accountId ? { accountId } : {}) }),
  });
  assert.equal(answer.status, 200, `POST /dev/token: ${answer.status}`);
  return (await answer.json()).token;
}

// payingPersona is a demo customer on the mainland, who may top up through Alipay.
export async function payingPersona(base) {
  const personas = await (await fetch(`${base}/dev/personas`)).json();
  for (const p of personas.filter((x) => x.role === 'CREATOR')) {
    const options = await client(base, p.token).ask(operation('OpenChannels'));
    if (options.topUpOptions.channels.some((c) => c.channel === 'ALIPAY' && c.available)) return p;
  }
  return assert.fail('no CREATOR may top up through Alipay');
}

// client gives ask (HTTP), ws and sse (watch a subscription) for one token.
export function client(base, bearer) {
  const authorization = `Bearer ${bearer}`;
  const socket = createWs({ url: `${base.replace(/^http/, 'ws')}/graphql`, webSocketImpl: WebSocket, connectionParams: { authorization }, retryAttempts: 0 });
  const stream = createSse({ url: `${base}/graphql`, headers: { authorization }, retryAttempts: 0 });
  return {
    async ask(query, variables) {
      const answer = await fetch(`${base}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', authorization }, body: JSON.stringify(request(query, variables)) });
      const body = await answer.json();
      assert.equal(body.errors, undefined, `${query.slice(0, 60)}: ${JSON.stringify(body.errors)}`);
      return body.data;
    },
    ws: (query, variables) => watch(socket, query, variables),
    sse: (query, variables) => watch(stream, query, variables),
    async close() {
      stream.dispose();
      await socket.dispose();
    },
  };
}

// watch collects a subscription's results: until(test) resolves with the first that passes, ended when the server completes.
export function watch(transport, query, variables) {
  const seen = [];
  let wake = () => {};
  let failure;
  let stop;
  const ended = new Promise((resolve, reject) => {
    stop = transport.subscribe(request(query, variables), {
      next(result) {
        if (result.errors) failure = new Error(JSON.stringify(result.errors));
        else seen.push(result.data);
        wake();
      },
      error(e) {
        failure = e instanceof Error ? e : new Error(JSON.stringify(e?.reason ?? e));
        wake();
        reject(failure);
      },
      complete: resolve,
    });
  });
  ended.catch(() => {}); // told by until as well
  return {
    seen, stop: () => stop(), ended: within(30_000, 'the subscription ends', ended),
    until: (test) => within(30_000, `a result: ${test}`, new Promise((resolve, reject) => {
      const look = () => {
        const found = seen.find(test);
        if (found) resolve(found);
        else if (failure) reject(failure);
      };
      wake = look;
      look();
    })),
  };
}

export function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms); });
  const either = Promise.race([promise, late]).finally(() => clearTimeout(timer));
  either.catch(() => {}); // whoever awaits it is told
  return either;
}

// play is the payer: follow nextAction to the page it leads to, and choose there.
export async function play(action, outcome) {
  const page = await fetch(action.content);
  assert.equal(page.status, 200, `the payer's page: ${page.status}`);
  await page.text();
  const done = await fetch(page.url, { method: 'POST', body: new URLSearchParams({ outcome }) });
  assert.equal(done.status, 200, `the payer's choice: ${done.status} ${await done.text()}`);
}

export const TOP_UP = operation('TopUp');
export const PAY = operation('Pay');
export const PLACE_ORDERS = operation('PlaceOrders');
export const PAYMENT_STATUS = operation('Watch');
export const BALANCE_CHANGED = operation('Balance');
export const BOOKS = operation('Books');
export const WHOSE_ACCOUNT = operation('WhoseAccount');

// openAccount opens a verified person's account as the vendor's systems do, and gives the customer's client.
export async function openAccount(base, service) {
  const number = unique('E2E');
  const { openAccount: opened } = await service.ask(operation('OpenAccount'), {
    input: { idempotencyKey: unique('open'), number, name: 'Li Na', kind: 'INDIVIDUAL', region: 'CN', country: 'CN', signingEntity: 'MAINLAND', currency: 'CNY', realName: 'Li Na', email: 'li.na@example.com', phone: '+8613800138000' },
  });
  assert.deepEqual(opened.errors, []);
  assert.equal(opened.account.number, number);
  assert.equal(opened.account.identity, 'VERIFIED');
  return { account: opened.account, customer: client(base, await token(base, 'CREATOR', opened.account.id)) };
}

// inOrder checks what a watcher of one payment saw: the state at once, versions that only grow, an end after a terminal status.
export function inOrder(name, seen, last) {
  const states = seen.map((d) => d.paymentStatus);
  assert.ok(states.length > 0, `${name}: nothing seen`);
  for (let i = 1; i < states.length; i++) assert.ok(states[i].version > states[i - 1].version, `${name}: version ${states[i].version} after ${states[i - 1].version}`);
  assert.equal(states.at(-1).status, last, `${name}: ends with ${states.at(-1).status}`);
  assert.ok(states.slice(0, -1).every((s) => ['REQUIRES_ACTION', 'PROCESSING'].includes(s.status)), `${name}: went on after an end`);
  assert.deepEqual(states.at(-1).timeline.map((e) => e.version), states.at(-1).timeline.map((_, i) => i + 1), `${name}: the timeline has a gap`);
}
