// Follows a balance and a payment over the ends of servers: node clients/follow.mjs CLIENT URL TOKEN PAYMENT
// Each thing that happens is a line of JSON; it goes on until its input ends.
const [name, base, bearer, id] = process.argv.slice(2);
const { connect } = await import(`./${name}.mjs`);
const tell = (what) => console.log(JSON.stringify(what));

const desk = connect({ base, authorization: () => `Bearer ${bearer}`, retry: true, log: (connection, code) => tell({ connection, code }) });
const sink = (of, next) => ({ next, error: (e) => tell({ error: `${e.code ?? e.closed}: ${e.message}` }), complete: () => tell({ complete: of }) });
const stops = [
  desk.subscribe('Balance', {}, sink('balance', ({ balanceChanged: b }) => tell({ balance: b.available.amount, version: Number(b.version) }))),
  desk.subscribe('Watch', { id }, sink('payment', ({ paymentStatus: p }) => tell({ payment: p.status, version: p.version }))),
];

for await (const _ of process.stdin); // until it ends
for (const stop of stops) stop();
await desk.close();
