// A browser's own EventSource, which sends no headers: node clients/eventsource.mjs URL ELSEWHERE, two origins of two servers
// CHROMIUM names the browser.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const [base, elsewhere] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

// listen runs in the page: everything that an EventSource hears until complete or an error.
const listen = (address) => new Promise((resolve) => {
  const seen = [];
  const source = new EventSource(address);
  const end = () => { source.close(); resolve(seen); };
  source.addEventListener('next', (e) => seen.push({ next: JSON.parse(e.data) }));
  source.addEventListener('complete', (e) => { seen.push({ complete: e.data }); end(); });
  source.addEventListener('error', () => { seen.push({ error: source.readyState === EventSource.CLOSED ? 'refused' : 'reconnects' }); end(); });
});

try {
  const page = await browser.newPage();
  await page.goto(`${base}/`); // a page that may connect: other answers forbid everything
  const ask = (query, origin = '') => page.evaluate(listen, `${origin}/graphql?query=${encodeURIComponent(query)}`);
  assert.deepEqual(await ask('{ __typename }'), [{ next: { data: { __typename: 'Query' } } }, { complete: '' }]);
  const [next, complete] = await ask('subscription { balanceChanged { version } }');
  assert.equal(next.next.errors[0].extensions.code, 'UNAUTHENTICATED');
  assert.deepEqual(complete, { complete: '' });
  // A page of another origin whose own policy forbids nothing: what refuses it is ours.
  await page.route(`${elsewhere}/blank`, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
  await page.goto(`${elsewhere}/blank`);
  assert.deepEqual(await ask('{ __typename }', elsewhere), [{ next: { data: { __typename: 'Query' } } }, { complete: '' }], 'its own origin');
  assert.deepEqual(await ask('{ __typename }', base), [{ error: 'refused' }], 'another origin');
  console.log('EventSource: hears next and complete; nothing from another origin');
} finally {
  await browser.close();
}
