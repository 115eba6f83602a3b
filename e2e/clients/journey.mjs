// One customer's way through the product with one client: node clients/journey.mjs CLIENT URL, CLIENT being a file here.
import assert from 'node:assert/strict';
import { BOOKS, PLACE_ORDERS, client as plain, inOrder, minor, money, payingPersona, play, token, unique, watch } from '../lib.mjs';

const [name, base] = process.argv.slice(2);
const { connect } = await import(`./${name}.mjs`);
const persona = await payingPersona(base);
const service = plain(base, await token(base, 'SERVICE'));
const desk = connect({ base, authorization: () => `Bearer ${persona.token}` });
// follow watches; not every client says complete to whoever leaves by himself.
const follow = (operation, variables) => watch({ subscribe: (_, sink) => {
  const stop = desk.subscribe(operation, variables, { ...sink, next: (data) => sink.next({ data }) });
  return () => { stop(); sink.complete(); };
} }, operation, variables);
const failure = (promise) => promise.then((data) => assert.fail(`no error but ${JSON.stringify(data)}`), (e) => e);

// home
const home = await desk.run('Home');
assert.equal(home.viewer.name, persona.name);
assert.equal(home.viewer.role, 'CREATOR');
assert.equal(home.viewer.account.id, persona.accountId);

// orders, page by page: the second joins the first, newest first, none twice
const { placeOrders: placed } = await service.ask(PLACE_ORDERS, {
  input: { idempotencyKey: unique('place'), accountId: persona.accountId, orders: ['3.10', '3.20', '3.30', '3.40'].map((amount) => ({ number: unique('ORD'), type: 'NEW_PURCHASE', productType: 'ecs', items: [{ name: 'Cloud server', quantity: 1, amount: money(amount) }] })) },
});
assert.deepEqual(placed.errors, []);
const [one, both] = await desk.pages(2);
const mine = plain(base, persona.token);
const { orders: { nodes: newest } } = await mine.ask(BOOKS);
assert.deepEqual(both, newest.slice(0, 4).map((o) => o.number));
assert.deepEqual(one, both.slice(0, 2));
assert.deepEqual([...both].sort(), placed.orders.map((o) => o.number).sort());
console.log(`${name}: ${persona.name} at the desk, two pages of orders`);

// a top-up, watched to its end; the balance follows
const before = minor(home.balance.available.amount);
const balances = follow('Balance');
await balances.until((d) => minor(d.balanceChanged.available.amount) === before);
const { topUp } = await desk.run('TopUp', { input: { idempotencyKey: unique('top-up'), online: { channel: 'ALIPAY', amount: money('21.00') } } });
assert.deepEqual(topUp.errors, []);
assert.equal(topUp.payment.status, 'REQUIRES_ACTION');
const payment = follow('Watch', { id: topUp.payment.id });
await payment.until((d) => d.paymentStatus.status === 'REQUIRES_ACTION');
await play(topUp.payment.nextAction, 'succeed');
await payment.until((d) => d.paymentStatus.status === 'SUCCEEDED');
await payment.ended;
inOrder(name, payment.seen, 'SUCCEEDED');
await balances.until((d) => minor(d.balanceChanged.available.amount) === before + 2100n);

// an order from the balance; the same order again is an error that comes as data
const order = placed.orders[0];
const pay = () => desk.run('Pay', { input: { idempotencyKey: unique('pay'), orderId: order.id, funding: { balance: money('3.10') } } });
const { pay: paid } = await pay();
assert.deepEqual(paid.errors, []);
assert.equal(paid.payment.status, 'SUCCEEDED');
await balances.until((d) => minor(d.balanceChanged.available.amount) === before + 2100n - 310n);
const { pay: again } = await pay();
assert.equal(again.payment, null);
assert.equal(again.errors[0].code, 'ORDER_STATUS_CHANGED');
const versions = balances.seen.map((d) => BigInt(d.balanceChanged.version));
assert.ok(versions.every((v, i) => i === 0 || v > versions[i - 1]), `the balance's versions grow: ${versions}`);
balances.stop();
console.log(`${name}: topped up and paid, both seen live, the second payment of an order refused as data`);

// errors that are no data reach the client's own error with their code
const missing = follow('Watch', { id: topUp.payment.id.replace(/.$/, (c) => (c === '0' ? '1' : '0')) });
assert.equal((await failure(missing.ended)).code, 'NOT_FOUND');
const wrong = connect({ base, authorization: () => 'Bearer not.a.token' });
const refused = await failure(wrong.run('Home'));
assert.equal(refused.code, 'UNAUTHENTICATED', refused.message);
assert.ok([401, undefined].includes(refused.status) && [4401, undefined].includes(refused.closed), `${refused.status} ${refused.closed}`);
await wrong.close();
const nobody = connect({ base, authorization: () => undefined });
assert.equal((await failure(nobody.run('Home'))).code, 'UNAUTHENTICATED');
await nobody.close();
const { requests = [], codes = [] } = desk;
codes.length = 0;
const tooMany = desk.run('Orders', { first: 1000 });
if (name === 'relay') assert.deepEqual(await tooMany, { viewer: { account: null } }); // its way with a field that failed
else assert.equal((await failure(tooMany)).code, 'BAD_USER_INPUT');
if (['apollo', 'relay'].includes(name)) assert.deepEqual(codes, ['BAD_USER_INPUT'], 'what the error link, and the network, read');
console.log(`${name}: a missing payment, a wrong token, no token and a wrong argument, each with its code`);

// messages in the client's language
const messages = [];
for (const locale of ['en', 'zh-CN', 'zh-TW']) {
  const speaker = connect({ base, locale, authorization: () => `Bearer ${persona.token}` });
  const { topUp: result } = await speaker.run('TopUp', { input: { idempotencyKey: unique('none'), online: { channel: 'ALIPAY', amount: money('0.00') } } });
  assert.equal(result.errors[0].code, 'AMOUNT_INVALID');
  messages.push(result.errors[0].message);
  await speaker.close();
}
assert.match(messages[0], /^Enter an amount/);
assert.match(messages[1], /^请输入/);
assert.match(messages[2], /^請輸入/);
console.log(`${name}: messages in three languages`);

// a document known by its hash is not sent again
if (requests.length) {
  requests.length = 0;
  await desk.run('Home');
  assert.deepEqual(requests, [name === 'relay' ? 'POST hash' : 'GET hash']);
  console.log(`${name}: queries by their hash alone`);
}

for (const c of [desk, service, mine]) await c.close();
