// Two instances on one home: paid through the first, seen live through the second. node two-instances.mjs URL URL
import assert from 'node:assert/strict';
import {
  BALANCE_CHANGED, PAY, PAYMENT_STATUS, PLACE_ORDERS, TOP_UP, WHOSE_ACCOUNT, client, inOrder, money, openAccount, play, token, unique,
} from './lib.mjs';

const [here, there] = process.argv.slice(2);
const service = client(here, await token(here, 'SERVICE'));
const { account, customer } = await openAccount(here, service);
const elsewhere = client(there, await token(there, 'CREATOR', account.id));

// The token of one instance is good at the other: they share the key.
const guest = client(there, await token(here, 'CREATOR', account.id));
assert.equal((await guest.ask(WHOSE_ACCOUNT)).viewer.account.id, account.id);

const balances = elsewhere.ws(BALANCE_CHANGED);
await balances.until((d) => d.balanceChanged.available.amount === '0.00');

const { topUp } = await customer.ask(TOP_UP, { input: { idempotencyKey: unique('top-up'), online: { channel: 'ALIPAY', amount: money('80.00') } } });
const watchers = [elsewhere.ws(PAYMENT_STATUS, { id: topUp.payment.id }), elsewhere.sse(PAYMENT_STATUS, { id: topUp.payment.id })];
for (const w of watchers) await w.until((d) => d.paymentStatus.status === 'REQUIRES_ACTION');
const begin = performance.now();
await play(topUp.payment.nextAction, 'succeed');
for (const w of watchers) {
  await w.until((d) => d.paymentStatus.status === 'SUCCEEDED');
  await w.ended;
  inOrder('at the other instance', w.seen, 'SUCCEEDED');
}
await balances.until((d) => d.balanceChanged.available.amount === '80.00');
console.log(`a top-up here is seen there ${Math.round(performance.now() - begin)} ms after the payer's choice`);

const { placeOrders } = await service.ask(PLACE_ORDERS, {
  input: { idempotencyKey: unique('place'), accountId: account.id, orders: [{ number: unique('ORD'), type: 'NEW_PURCHASE', productType: 'ecs', items: [{ name: 'Cloud server', quantity: 1, amount: money('30.00') }] }] },
});
const input = { idempotencyKey: unique('pay'), orderId: placeOrders.orders[0].id, funding: { balance: money('30.00') } };
const [one, two] = await Promise.all([customer.ask(PAY, { input }), elsewhere.ask(PAY, { input })]); // one key at both at once
assert.equal(one.pay.payment?.id, two.pay.payment?.id);
assert.equal(one.pay.payment.status, 'SUCCEEDED');
await balances.until((d) => d.balanceChanged.available.amount === '50.00');
console.log('one key at both instances at once is one payment');

balances.stop();
for (const c of [service, customer, elsewhere, guest]) await c.close();
