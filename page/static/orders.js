import { ask, newKey } from './api.js';
import { dialog, fill, h } from './dom.js';
import { means } from './means.js';
import { busy, money, problem } from './parts.js';
import { closer } from './payment.js';
import { START_PAYMENT } from './operations.js';
import { t, time } from './texts.js';

const titleOf = (o) => {
  const [item, ...others] = o.items;
  return [item?.name ?? o.productType, others.length && t('orders.items', { count: others.length, all: o.items.length })].filter(Boolean).join(' ');
};

// orderRow is one waiting order; acts has pay(order) and open(paymentId), mayPay whether the viewer may.
export function orderRow(o, mayPay, acts) {
  const sub = [o.number, o.items[0]?.specification, o.expiresAt && t('orders.until', { time: time(o.expiresAt) })].filter(Boolean).join(' · ');
  return h('li', {},
    h('div', { class: 'what' }, h('span', { class: 'title' }, titleOf(o)), h('span', { class: 'sub' }, sub), blocked(o)),
    h('div', { class: 'sum' }, money(o.amountDue)),
    mayPay && h('div', { class: 'act' }, button(o, acts)));
}

const blocked = (o) => !o.payability.payable && !o.activePayment && h('span', { class: 'sub warn' }, o.payability.message);

function button(o, acts) {
  if (o.activePayment) return h('button', { type: 'button', 'data-focus': o.id, onclick: () => acts.open(o.activePayment.id) }, t('orders.continue'));
  return h('button', { type: 'button', class: 'tinted', 'data-focus': o.id, disabled: !o.payability.payable, 'aria-label': `${t('orders.pay')} ${o.number}`, onclick: () => acts.pay(o) }, t('orders.pay'));
}

// sum adds what is due for an order and those linked to it, in whole minor units.
function sum(o) {
  const all = [o, ...o.linkedOrders].map((x) => x.amountDue.amount);
  const digits = (all[0].split('.')[1] ?? '').length;
  const total = all.reduce((a, x) => a + BigInt(x.replace('.', '')), 0n).toString().padStart(digits + 1, '0');
  return { amount: digits ? `${total.slice(0, -digits)}.${total.slice(-digits)}` : total, currency: o.amountDue.currency };
}

// payOrder asks how to pay and pays. channels are the options open online, balance gives the present one; started is told of the
// payment, missing of the money that is short.
export function payOrder(o, { channels, balance, started, missing }) {
  const total = sum(o);
  const text = o.linkedOrders.length ? `${total.amount} ${total.currency}` : o.amountDue.formatted;
  const keys = new Map(); // one key for each way of paying: trying the same again is the same payment
  const more = means('pay', () => fill(wrong));
  const box = dialog(t('pay.title', { number: o.number }), more.close);
  const wrong = h('div', { id: 'pay-wrong' });
  const submit = h('button', { class: 'main', id: 'pay-submit' }, t('pay.submit', { amount: text }));
  const radio = (value, name, hint) => h('label', { class: 'choice' },
    h('input', { type: 'radio', name: 'with', value, checked: value === 'BALANCE', id: `pay-${value}`, onchange: () => { fill(wrong); more.show(channels.find((c) => c.channel === value)); } }),
    h('span', {}, name, hint && h('small', {}, hint)));
  const form = h('form', { onsubmit: pay },
    h('dl', {}, row(titleOf(o), o.amountDue.formatted), o.linkedOrders.map((x) => row(`${t('pay.linked')}: ${x.number}`, x.amountDue.formatted)),
      h('div', { class: 'total' }, h('dt', {}, t('pay.due')), h('dd', { class: 'money large' }, text))),
    h('fieldset', { class: 'channels' }, h('legend', {}, t('pay.from')),
      radio('BALANCE', t('pay.balance'), balance() && t('pay.balancehas', { amount: balance().available.formatted })),
      channels.map((c) => radio(c.channel, c.name))),
    more.node, wrong, h('footer', {}, submit));
  box.append(h('header', {}, h('h2', {}, t('pay.title', { number: o.number })), closer(box)), form);

  async function pay(e) {
    e.preventDefault();
    const how = new FormData(form).get('with');
    const asked = how === 'BALANCE' ? {} : more.input();
    if (asked.missing) return fill(wrong, problem('pay-problem', asked.missing));
    const funding = how === 'BALANCE' ? { balance: total } : { online: { channel: how, amount: total, ...asked.more } };
    const meant = JSON.stringify(funding);
    if (!keys.has(meant)) keys.set(meant, newKey());
    fill(wrong);
    await busy(submit, async () => {
      try {
        const { result } = await ask(START_PAYMENT, { input: { idempotencyKey: keys.get(meant), orderId: o.id, funding, expectedTotal: total } });
        if (!result.payment) return fill(wrong, result.errors.map(explain));
        box.close();
        started(result.payment);
      } catch (err) {
        fill(wrong, problem('pay-problem', err.message));
      }
    });
  }

  // explain shows an error with what helps: what is missing and the way to it, or which orders stand in the way.
  function explain(error) {
    if (error.shortfall && channels.length > 0) {
      const jump = h('button', { type: 'button', id: 'pay-topup', onclick: () => { box.close(); missing(error.shortfall); } }, t('pay.topup', { shortfall: error.shortfall.formatted }));
      return problem('pay-problem', h('p', {}, error.message), jump);
    }
    const said = error.blocked?.some((b) => b.message === error.message); // beside the order's number, once is enough
    return problem('pay-problem', !said && h('p', {}, error.message),
      error.blocked?.map((b) => h('p', {}, t('pay.blocked', { number: b.order.number, message: b.message }))));
  }
}

const row = (name, value) => h('div', {}, h('dt', {}, name), h('dd', { class: 'money' }, value));
