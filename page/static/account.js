import { ask } from './api.js';
import { fill, h } from './dom.js';
import { list } from './lists.js';
import { orderRow, payOrder } from './orders.js';
import { ended, money, problem, status, via } from './parts.js';
import { showPayment } from './payment.js';
import { HOME, WATCH_BALANCE, WATCH_PAYMENT } from './operations.js';
import { t, time } from './texts.js';
import { topUpPanel } from './topup.js';

const SIZES = { orders: 6, payments: 6, transactions: 8 };

// account shows a customer's account in main, kept live, and gives a function that lets it go.
export function account(main, live, viewer) {
  const may = (permission) => viewer.permissions.includes(permission);
  const watched = new Map(); // payments that have not ended, by id
  let balance;
  let soon;

  const figures = h('section', { class: 'balance', 'aria-label': t('balance') }, h('p', { class: 'quiet' }, t('loading')));
  const trouble = h('div');
  const topUp = may('TOP_UP') ? topUpPanel(opened) : undefined;
  const orders = list('orders', t('orders'), t('orders.none'), SIZES.orders, (o) => orderRow(o, may('PAY'), { pay, open }));
  const payments = list('payments', t('payments'), t('payments.none'), SIZES.payments, paymentRow);
  const transactions = list('transactions', t('statement'), t('statement.none'), SIZES.transactions, transactionRow);
  fill(main, who(viewer), trouble, figures,
    h('div', { class: topUp ? 'columns' : 'columns single' }, topUp?.node, h('div', { class: 'lists' }, orders.node, payments.node, transactions.node)));

  async function refresh() {
    soon = undefined;
    try {
      const data = await ask(HOME, { orders: orders.wanted(), payments: payments.wanted(), transactions: transactions.wanted() });
      showBalance(data.balance);
      orders.set(data.orders);
      payments.set(data.payments);
      transactions.set(data.transactions);
      watch();
      fill(trouble);
    } catch (e) {
      fill(trouble, problem('home-problem', h('p', {}, e.message), h('button', { type: 'button', onclick: refresh }, t('again'))));
    }
    main.setAttribute('aria-busy', 'false');
  }

  // later gathers what happens at once into one question.
  function later() { soon ??= setTimeout(refresh, 150); }

  function showBalance(b) {
    if (balance && BigInt(b.version) < BigInt(balance.version)) return; // an answer that a newer push has overtaken
    balance = b;
    const figure = (key, m, note, kind = '') => h('div', { class: `figure ${kind}`, 'data-figure': key }, h('span', { class: 'label' }, t(`balance.${key}`)), money(m), note && h('span', { class: 'sub' }, note));
    fill(figures, figure('available', b.available, undefined, 'first'), figure('frozen', b.frozen), figure('total', b.total),
      b.credit && figure('credit', b.credit.available, t('balance.creditof', { limit: b.credit.limit.formatted })));
  }

  // watch follows every shown payment that has not ended, and leaves those that have.
  function watch() {
    for (const p of payments.nodes()) {
      if (ended(p) || watched.has(p.id)) continue;
      watched.set(p.id, live.subscribe(WATCH_PAYMENT, { id: p.id }, ({ payment }) => changed(payment), () => watched.delete(p.id)));
    }
  }

  function changed(payment) {
    payments.put(payment);
    if (ended(payment)) {
      later();
      if (payment.purpose === 'TOP_UP' && payment.status === 'SUCCEEDED') topUp?.reload(); // its amount is the last one now
    }
  }

  function open(id) { showPayment(live, id, payments.nodes().find((p) => p.id === id), changed); }

  function opened(payment) {
    later();
    showPayment(live, payment.id, payment, changed);
  }

  function pay(order) {
    payOrder(order, { channels: topUp?.channels() ?? [], balance: () => balance, started: opened, missing: (m) => topUp?.want(m) });
  }

  function paymentRow(p) {
    const detail = [p.orders.length ? p.orders.map((o) => o.number).join(', ') : p.number, via(p), time(p.createdAt)].join(' · ');
    return h('li', { 'data-payment': p.id },
      h('div', { class: 'what' }, h('span', { class: 'title' }, t(`purpose.${p.purpose}`)), h('span', { class: 'sub' }, detail)),
      h('div', { class: 'sum' }, money(p.amount), status(p.status)),
      h('div', { class: 'act' }, h('button', { type: 'button', class: 'quiet-button', 'data-focus': p.id, 'aria-label': `${t('payments.details')} ${p.number}`, onclick: () => open(p.id) },
        t(ended(p) || !may('PAY') ? 'payments.details' : 'payments.continue'))));
  }

  refresh();
  const stop = live.subscribe(WATCH_BALANCE, {}, ({ balance: b }) => {
    const moved = balance && b.version !== balance.version;
    showBalance(b);
    if (moved) later();
  });
  return () => {
    clearTimeout(soon);
    stop();
    for (const end of watched.values()) end();
  };
}

// who says for whom and as whom the page is; whoever has no button to pay with learns why.
const who = ({ name, role, permissions, account: a }) => h('p', { class: 'who' }, h('span', { class: 'strong' }, a.name),
  h('span', { class: 'sub' }, [a.number, name, role, !permissions.includes('PAY') && t('persona.reader')].filter(Boolean).join(' · ')));

function transactionRow(x) {
  const out = x.amount.amount.startsWith('-');
  const about = x.order?.number ?? x.payment?.number ?? (x.note !== t(`kind.${x.kind}`) && x.note);
  const detail = [about, time(x.postedAt)].filter(Boolean).join(' · ');
  return h('li', {},
    h('div', { class: 'what' }, h('span', { class: 'title' }, t(`kind.${x.kind}`)), h('span', { class: 'sub' }, detail)),
    h('div', { class: 'sum' }, h('span', { class: `money ${out ? '' : 'in'}` }, `${out ? '' : '+'}${x.amount.formatted}`), h('span', { class: 'sub' }, t('statement.after', { amount: x.balanceAfter.formatted }))));
}
