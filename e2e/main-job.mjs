// The main job from outside, with real clients: node main-job.mjs http://127.0.0.1:8080
import assert from 'node:assert/strict';
import { BALANCE_CHANGED, BOOKS, PAY, PAYMENT_STATUS, PLACE_ORDERS, TOP_UP, client, inOrder, minor, money, openAccount, play, token, unique } from './lib.mjs';

const base = process.argv[2] ?? 'http://127.0.0.1:8080';
const service = client(base, await token(base, 'SERVICE'));
const { account, customer } = await openAccount(base, service);
console.log(`account ${account.number} opened`);

const balances = customer.ws(BALANCE_CHANGED);
await balances.until((d) => d.balanceChanged.available.amount === '0.00');

// online does a payment with the payer, watched over WebSocket and SSE from before the payer acts to its end.
async function online(what, payment) {
  assert.equal(payment.status, 'REQUIRES_ACTION');
  const picture = await fetch(payment.nextAction.imageUrl);
  assert.match(picture.headers.get('content-type'), /^image\/svg\+xml/);
  await picture.text();
  const watchers = { WebSocket: customer.ws(PAYMENT_STATUS, { id: payment.id }), SSE: customer.sse(PAYMENT_STATUS, { id: payment.id }) };
  for (const w of Object.values(watchers)) await w.until((d) => d.paymentStatus.status === 'REQUIRES_ACTION');
  await play(payment.nextAction, 'succeed');
  for (const [name, w] of Object.entries(watchers)) {
    await w.until((d) => d.paymentStatus.status === 'SUCCEEDED');
    await w.ended;
    inOrder(`${what} over ${name}`, w.seen, 'SUCCEEDED');
  }
  console.log(`${what}: seen live over WebSocket and SSE, ${watchers.WebSocket.seen.map((d) => d.paymentStatus.status).join(' → ')}`);
}

async function topUp(channel, amount, total) {
  const input = { idempotencyKey: unique('top-up'), online: { channel, amount: money(amount) } };
  const { topUp: result } = await customer.ask(TOP_UP, { input });
  assert.deepEqual(result.errors, []);
  const { topUp: again } = await customer.ask(TOP_UP, { input });
  assert.equal(again.payment.id, result.payment.id, 'the same key is the same payment');
  await online(`top-up ${amount} through ${channel}`, result.payment);
  await balances.until((d) => d.balanceChanged.available.amount === total);
}

await topUp('ALIPAY', '200.00', '200.00');
await topUp('WECHAT_PAY', '50.50', '250.50');

const line = (name, amount) => ({ name, quantity: 1, period: '1 month', amount: money(amount) });
const order = (...items) => ({ number: unique('ORD'), type: 'NEW_PURCHASE', productType: 'ecs', items });
const { placeOrders: placed } = await service.ask(PLACE_ORDERS, {
  input: { idempotencyKey: unique('place'), accountId: account.id, orders: [order(line('Cloud server', '96.00'), line('Disk', '0.01')), order(line('Database', '30.25')), order(line('Domain', '12.00'))] },
});
assert.deepEqual(placed.errors, []);
const [first, second, third] = placed.orders;
assert.deepEqual(placed.orders.map((o) => o.amountDue.amount), ['96.01', '30.25', '12.00']);

const pay = (orderId, funding) => customer.ask(PAY, { input: { idempotencyKey: unique('pay'), orderId, funding } });
const { pay: fromBalance } = await pay(first.id, { balance: money('96.01') });
assert.deepEqual(fromBalance.errors, []);
assert.equal(fromBalance.payment.status, 'SUCCEEDED');
const watcher = customer.ws(PAYMENT_STATUS, { id: fromBalance.payment.id });
await watcher.ended; // an ended payment is sent once, then the subscription ends
inOrder('paid from the balance', watcher.seen, 'SUCCEEDED');
await balances.until((d) => d.balanceChanged.available.amount === '154.49');
console.log(`order ${first.number} paid from the balance`);

const { pay: throughChannel } = await pay(second.id, { online: { channel: 'WECHAT_PAY', amount: money('30.25') } });
assert.deepEqual(throughChannel.errors, []);
await online(`order ${second.number} paid online`, throughChannel.payment);

const { pay: short } = await pay(third.id, { balance: money('12.01') });
assert.equal(short.errors[0]?.code, 'FUNDING_MISMATCH');

const books = await customer.ask(BOOKS);
const status = Object.fromEntries(books.orders.nodes.map((o) => [o.number, o.status]));
assert.deepEqual(status, { [first.number]: 'PROCESSING', [second.number]: 'PROCESSING', [third.number]: 'PENDING_PAYMENT' });
const lines = books.transactions.nodes.toReversed();
assert.deepEqual(lines.map((l) => [l.kind, l.amount.amount]), [['TOP_UP', '200.00'], ['TOP_UP', '50.50'], ['ORDER_PAYMENT', '-96.01']]);
let sum = 0n;
for (const l of lines) {
  sum += minor(l.amount.amount);
  assert.equal(minor(l.balanceAfter.amount), sum, `after ${l.kind} ${l.amount.amount}`);
}
assert.equal(sum, minor(books.balance.available.amount));
assert.deepEqual([books.balance.available.amount, books.balance.frozen.amount, books.balance.total.amount], ['154.49', '0.00', '154.49']);
const versions = balances.seen.map((d) => BigInt(d.balanceChanged.version));
assert.ok(versions.every((v, i) => i === 0 || v > versions[i - 1]), `the balance's versions grow: ${versions}`);
console.log(`the statement adds up: ${lines.map((l) => l.amount.amount).join(' + ')} = ${books.balance.available.amount}`);

balances.stop();
await customer.close();
await service.close();
