// The page in a real browser, from choosing a persona to a payment that succeeds live: node page.mjs URL FOLDER
// Screenshots at desktop and phone width go into the folder. CHROMIUM names the browser.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { PLACE_ORDERS, TOP_UP, client, money, payingPersona, play, token, unique } from './lib.mjs';

const [base, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

const complaints = [];

// visit opens the page in a browser of its own; whatever it logs as an error or fetches from elsewhere is a complaint.
async function visit(size, locale = 'en-US', more = {}) {
  const context = await browser.newContext({ viewport: size, locale, timezoneId: 'Asia/Shanghai', ...more });
  context.setDefaultTimeout(30_000);
  context.on('request', (r) => {
    const url = new URL(r.url());
    if (/^(http|ws)s?:$/.test(url.protocol) && url.hostname !== '127.0.0.1') complaints.push(`fetched ${r.url()}`);
  });
  context.on('page', (p) => {
    p.on('console', (m) => ['error', 'warning'].includes(m.type()) && complaints.push(`console: ${m.text()} (${p.url()})`));
    p.on('pageerror', (e) => complaints.push(`script: ${e.message}`));
  });
  const page = await context.newPage();
  return { context, page };
}

async function shoot(page, name) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${name}: ${wide} px wider than the window`);
  await page.screenshot({ path: `${folder}/${name}.png` });
}

const available = (page) => page.locator('[data-figure=available] .money').getAttribute('title');
const minorOf = (title) => BigInt(title.split(' ')[0].replace('.', ''));

// signIn chooses a persona and waits until the page is live.
async function signIn(page, name) {
  await page.goto(base);
  await page.locator(`[data-persona="${name}"]`).click();
  await page.locator('#live.is-live').waitFor();
  await page.locator('main[aria-busy=false]').waitFor();
  await page.locator('#topup-amount').waitFor();
}

// A customer on the mainland, with orders that wait. One costs more than any balance.
const personas = await (await fetch(`${base}/dev/personas`)).json();
const customer = await payingPersona(base);
const service = client(base, await token(base, 'SERVICE'));
const place = (name, amount) => service.ask(PLACE_ORDERS, {
  input: { idempotencyKey: unique('place'), accountId: customer.accountId, orders: [{ number: unique('ORD'), type: 'NEW_PURCHASE', productType: 'ecs', items: [{ name, specification: '8 vCPU, 32 GiB', quantity: 1, period: '1 month', amount: money(amount) }] }] },
}).then((d) => assert.deepEqual(d.placeOrders.errors, []));

// topUp does the whole way with the mouse: channel, amount, code, the payer's page in a second tab, live SUCCEEDED.
async function topUp({ context, page }, name) {
  const before = minorOf(await available(page));
  await page.locator('#topup-amount').fill('12,5');
  await page.locator('#topup-submit').click();
  await page.locator('#topup-problem').waitFor();
  assert.equal(await page.locator('#topup-amount').getAttribute('aria-invalid'), 'true');
  await page.locator('#topup-amount').fill('128.50');
  await page.locator('#topup-submit').click();
  const dialog = page.locator('dialog');
  await dialog.locator('[data-status=REQUIRES_ACTION]').waitFor();
  const picture = dialog.locator('.qr img');
  await picture.evaluate((img) => img.decode());
  await dialog.locator('.countdown').waitFor();
  await shoot(page, `${name}-qr`);
  const [phone] = await Promise.all([context.waitForEvent('page'), dialog.locator('#payer-page').click()]);
  await phone.locator('button[value=succeed]').waitFor();
  await phone.locator('button[value=succeed]').click();
  await phone.locator('.result.good').waitFor();
  await phone.close();
  await dialog.locator('[data-status=SUCCEEDED]').waitFor(); // live: nobody has reloaded the page
  await shoot(page, `${name}-succeeded`);
  await dialog.locator('.close').click();
  await page.waitForFunction((want) => document.querySelector('[data-figure=available] .money').title.split(' ')[0].replace('.', '') === want, String(before + 12850n));
}

// payFromBalance pays a waiting order, and sees the balance fall.
async function payFromBalance(page, orderName, minor, name) {
  const before = minorOf(await available(page));
  await page.locator('.orders li', { hasText: orderName }).first().locator('button').click();
  await page.locator('#pay-BALANCE').check();
  await shoot(page, `${name}-pay`);
  await page.locator('#pay-submit').click();
  await page.locator('dialog [data-status=SUCCEEDED]').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.waitForFunction((want) => document.querySelector('[data-figure=available] .money').title.split(' ')[0].replace('.', '') === want, String(before - minor));
}

// tooMuch tries to pay more than there is: what is missing is shown, and a jump to the top-up with that amount.
async function tooMuch(page, orderName, name) {
  await page.locator('.orders li', { hasText: orderName }).first().locator('button').click();
  await page.locator('#pay-submit').click();
  await page.locator('#pay-topup').waitFor();
  await shoot(page, `${name}-insufficient`);
  await page.locator('#pay-topup').click();
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.match(await page.locator('#topup-amount').inputValue(), /^[0-9]+\.[0-9]{2}$/);
  assert.ok(await page.locator('#topup-amount').evaluate((x) => x === document.activeElement), 'the amount has the focus');
}

// withKeys pays a top-up's form by keyboard alone and cancels the payment.
async function withKeys(page) {
  await page.locator('#topup-amount').focus();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('66');
  await page.keyboard.press('Enter');
  await page.locator('dialog [data-status=REQUIRES_ACTION]').waitFor();
  await page.locator('dialog [data-focus=cancel]').focus();
  await page.keyboard.press('Enter');
  await page.locator('dialog [data-status=CANCELED]').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
}

// Products that the demo data has no orders for.
const SMALL = 'Load balancer';
const LARGE = 'GPU cluster';
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

async function desktop() {
  await place(SMALL, '28.50');
  await place(LARGE, '90000.00');
  const v = await visit(DESKTOP);
  await v.page.goto(base);
  await v.page.locator('.cards button').first().waitFor();
  await shoot(v.page, 'desktop-welcome');
  await signIn(v.page, customer.name);
  await topUp(v, 'desktop');
  await payFromBalance(v.page, SMALL, 2850n, 'desktop');
  await tooMuch(v.page, LARGE, 'desktop');
  await v.page.locator('#topup-amount').fill('');
  await v.page.locator('#topup-amount').blur();
  await v.page.evaluate(() => window.scrollTo(0, 0));
  await shoot(v.page, 'desktop-home');
  await withKeys(v.page);
  await v.page.evaluate(() => window.scrollTo(0, 0));
  await v.page.screenshot({ path: `${folder}/desktop-whole.png`, fullPage: true });
  for (const locale of ['zh-Hans', 'zh-Hant']) {
    await v.page.locator('#language').selectOption(locale);
    await v.page.locator('#live.is-live').waitFor();
    await v.page.locator('main[aria-busy=false]').waitFor();
    await v.page.locator('#topup-amount').waitFor();
    await shoot(v.page, `desktop-${locale}`);
  }
  await v.context.close();
}

async function phone() {
  await place(SMALL, '28.50');
  const v = await visit(PHONE, 'zh-CN', { colorScheme: 'dark', hasTouch: true });
  await v.page.goto(base);
  assert.equal(await v.page.locator('html').getAttribute('lang'), 'zh-Hans', 'the browser’s language');
  await v.page.locator('#language').selectOption('en');
  await signIn(v.page, customer.name);
  await topUp(v, 'phone-dark');
  await payFromBalance(v.page, SMALL, 2850n, 'phone-dark');
  await shoot(v.page, 'phone-dark-home');
  await v.context.close();
  const light = await visit(PHONE);
  await signIn(light.page, customer.name);
  await shoot(light.page, 'phone-home');
  await light.page.screenshot({ path: `${folder}/phone-whole.png`, fullPage: true });
  await light.page.locator('.payments .act button').first().click();
  await light.page.locator('dialog .timeline li').first().waitFor();
  await shoot(light.page, 'phone-payment');
  await light.page.setViewportSize({ width: 360, height: 740 });
  await shoot(light.page, 'narrow-payment');
  await light.page.keyboard.press('Escape');
  await light.page.locator('dialog').waitFor({ state: 'detached' });
  await shoot(light.page, 'narrow-home');
  await light.context.close();
}

// payAt opens the provider's page from the dialog, pays there, and sees it succeed live.
async function payAt({ context, page }, press) {
  await page.locator('dialog #payer-page').waitFor();
  const [there] = await Promise.all([context.waitForEvent('page'), press ? page.keyboard.press(press) : page.locator('dialog #payer-page').click()]);
  await there.locator('button[value=succeed]').click();
  await Promise.any([there.locator('.result.good').waitFor(), there.waitForURL('**/return/**')]); // after 3-D Secure the browser goes back by itself
  await there.close();
  await page.locator('dialog [data-status=SUCCEEDED]').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
}

// channels: a bank's page by a posted form, a card of the card field with 3-D Secure, PayPal by keyboard alone; and which are closed, and why.
async function channels() {
  const v = await visit(DESKTOP);
  await signIn(v.page, customer.name);
  await v.page.locator('.topup summary').click();
  await v.page.locator('.topup .closed small').first().waitFor();
  await shoot(v.page, 'desktop-closed');
  await v.page.locator('.topup summary').click();
  await v.page.locator('#topup-UNIONPAY_PERSONAL').check();
  await v.page.locator('#topup-amount').fill('31.00');
  await v.page.locator('#topup-bank').selectOption({ index: 2 });
  await shoot(v.page, 'desktop-bank');
  await v.page.locator('#topup-submit').click();
  await v.page.locator('dialog form #payer-page').waitFor();
  await shoot(v.page, 'desktop-redirect');
  await payAt(v);
  const abroad = personas.find((p) => p.name === 'Maya Thompson').name; // of the international entity
  await v.page.locator('#persona').selectOption(abroad);
  await v.page.locator('#topup-BANK_CARD').check();
  await v.page.locator('#topup-amount').fill('32');
  await v.page.locator('#topup-submit').click();
  await v.page.locator('#topup-problem').waitFor(); // no card yet
  const field = v.page.frameLocator('#topup-card');
  for (const [name, value] of [['number', '4000002760003184'], ['expiry', '12/30'], ['cvc', '123']]) await field.locator(`#${name}`).fill(value);
  await shoot(v.page, 'desktop-card');
  await field.locator('button').click();
  await v.page.locator('#topup-means .good').waitFor();
  await v.page.locator('#topup-submit').click();
  await payAt(v);
  await v.page.locator('#topup-PAYPAL').check();
  await v.page.locator('#topup-amount').focus();
  await v.page.keyboard.type('33');
  await v.page.keyboard.press('Enter');
  await v.page.locator('dialog #payer-page').focus();
  await payAt(v, 'Enter');
  await v.context.close();
}

// others: people without an account, and those who may only look.
async function others() {
  const v = await visit(DESKTOP);
  for (const role of ['OPERATOR', 'COLLABORATOR']) {
    const persona = personas.find((p) => p.role === role);
    await v.page.goto(base);
    if (role === 'OPERATOR') await v.page.locator(`[data-persona="${persona.name}"]`).click();
    else await v.page.locator('#persona').selectOption(persona.name);
    if (role === 'OPERATOR') await v.page.locator('.panel.note').waitFor();
    else {
      await v.page.locator('[data-figure=available]').waitFor();
      assert.equal(await v.page.locator('#topup-amount').count(), 0, 'a COLLABORATOR sees no top-up');
    }
    await shoot(v.page, `desktop-${role.toLowerCase()}`);
  }
  await v.context.close();
}

// without: a server that is not in development has no personas; a pasted token does.
async function without() {
  const v = await visit(PHONE);
  await v.page.route('**/dev/personas', (route) => route.fulfill({ status: 404, body: 'not found' }));
  await v.page.goto(base);
  await v.page.locator('#token').fill('not a token');
  await v.page.locator('form .main').click();
  await v.page.locator('#welcome-problem').waitFor();
  await v.page.locator('#token').fill(`Bearer ${await token(base, 'CREATOR', customer.accountId)}`);
  await shoot(v.page, 'phone-token');
  await v.page.locator('form .main').click();
  await v.page.locator('#live.is-live').waitFor();
  await v.page.locator('[data-figure=available]').waitFor();
  await v.context.close();
  complaints.splice(0, complaints.length, ...complaints.filter((c) => !/status of 40[14]/.test(c))); // asked for: 404 and 401
}

// reconnects: the socket breaks; the page says so, comes back by itself, and has missed nothing.
async function reconnects() {
  const v = await visit(DESKTOP);
  const sockets = [];
  await v.page.routeWebSocket('**/graphql', (ws) => {
    if (sockets.push(ws) !== 2) ws.connectToServer();
    else ws.close({ code: 1001 }); // the first try to come back fails
  });
  await signIn(v.page, customer.name);
  const before = minorOf(await available(v.page));
  await sockets[0].close({ code: 1001 });
  await v.page.locator('#live.is-waiting').waitFor();
  const mine = client(base, await token(base, 'CREATOR', customer.accountId));
  const { topUp: made } = await mine.ask(TOP_UP, { input: { idempotencyKey: unique('away'), online: { channel: 'ALIPAY', amount: money('10.00') } } });
  await play(made.payment.nextAction, 'succeed');
  await v.page.locator('#live.is-live').waitFor();
  await v.page.waitForFunction((want) => document.querySelector('[data-figure=available] .money').title.split(' ')[0].replace('.', '') === want, String(before + 1000n));
  assert.equal(sockets.length, 3);
  await mine.close();
  await v.context.close();
}

// execute opens a tab of GraphiQL and runs it until the answer has a text. It presses again where nothing came: GraphiQL
// looks at a tab's operation a moment after it has drawn it.
async function execute(page, tab, want) {
  await page.locator('.graphiql-tab-button', { hasText: new RegExp(`^${tab}$`) }).click();
  await page.locator('.graphiql-query-editor', { hasText: ` ${tab}` }).waitFor();
  const answer = page.locator('.result-window', { hasText: want });
  const button = page.locator('.graphiql-execute-button');
  for (let tries = 0; tries < 5; tries++) {
    if ((await button.getAttribute('aria-label'))?.startsWith('Execute')) await button.click();
    if (await answer.waitFor({ timeout: 5000 }).then(() => true, () => false)) return;
  }
  await answer.waitFor();
}

// graphiql runs a query, a mutation with variables and a subscription in the bundled editor, offline.
async function graphiql() {
  const v = await visit(DESKTOP);
  await signIn(v.page, customer.name);
  await v.page.goto(`${base}/graphiql/`);
  await v.page.locator('.graphiql-query-editor .view-line').first().waitFor();
  assert.equal(await v.page.locator('.bar select').inputValue(), customer.name, 'the page’s persona');
  await execute(v.page, 'Home', customer.accountNumber); // the editor draws only the lines in sight
  await shoot(v.page, 'graphiql');
  await execute(v.page, 'TopUp', 'REQUIRES_ACTION');
  await shoot(v.page, 'graphiql-topup');
  await execute(v.page, 'WatchBalance', 'balanceChanged');
  await shoot(v.page, 'graphiql-live');
  await v.context.close();
}

try {
  const steps = { desktop, phone, channels, others, without, reconnects, graphiql };
  const wanted = process.argv[4]?.split(',') ?? Object.keys(steps);
  for (const name of wanted) {
    await steps[name]();
    console.log(`${name}: done`);
  }
  assert.deepEqual(complaints, [], 'nothing is logged as an error, nothing comes from elsewhere');
} finally {
  await service.close();
  await browser.close();
}
