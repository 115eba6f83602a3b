import { ask } from './api.js';
import { dialog, fill, h } from './dom.js';
import { busy, countdown, ended, money, problem, status, via } from './parts.js';
import { CANCEL_PAYMENT, WATCH_PAYMENT } from './operations.js';
import { t, time } from './texts.js';

// showPayment opens one payment and keeps it live until it is closed: what the payer does next, the status, what happened.
// changed is told when its version grows.
export function showPayment(live, id, first, changed) {
  let version = first?.version ?? 0;
  const stop = live.subscribe(WATCH_PAYMENT, { id }, ({ payment }) => {
    if (payment.version > version) changed(payment);
    version = payment.version;
    show(payment);
  }, (error) => error && fill(body, problem('payment-problem', error.message)));
  const box = dialog(t('payment.title'), stop);
  const body = h('div', { class: 'payment' }, h('p', { class: 'quiet' }, t('loading')));
  box.append(h('header', {}, h('h2', {}, t('payment.title')), closer(box)), body);
  if (first) show(first);

  function show(p) {
    const picture = body.querySelector('.qr img');
    fill(body,
      h('div', { class: 'headline' }, money(p.amount, 'large'), h('span', { 'aria-live': 'polite', 'data-status': p.status }, status(p.status))),
      next(p, picture),
      p.failure && problem('payment-failure', h('p', {}, p.failure.message), h('p', {}, p.failure.remedy)),
      p.status === 'SUCCEEDED' && h('p', { class: 'good', role: 'status' }, t(`payment.done.${p.purpose}`, { amount: p.amount.formatted })),
      h('dl', {}, row(t('payment.number'), p.number), p.orders.length > 0 && row(t('payment.orders'), p.orders.map((o) => o.number).join(', ')), row(t('payment.via'), via(p))),
      timeline(p), !ended(p) && cancel(p));
  }

  function cancel(p) {
    const wrong = h('div');
    const button = h('button', {
      type: 'button', class: 'quiet-button', 'data-focus': 'cancel',
      onclick: () => busy(button, async () => {
        try {
          const { result } = await ask(CANCEL_PAYMENT, { input: { paymentId: p.id } });
          if (result.errors.length) fill(wrong, problem('cancel-problem', result.errors.map((e) => e.message).join(' ')));
          else if (result.payment.version > version) {
            version = result.payment.version;
            changed(result.payment);
            show(result.payment);
          }
        } catch (e) {
          fill(wrong, problem('cancel-problem', e.message));
        }
      }),
    }, t('payment.cancel'));
    return h('footer', {}, wrong, button);
  }
}

export const closer = (box) => h('button', { type: 'button', class: 'close', 'aria-label': t('close'), title: t('close'), onclick: () => box.close() }, '×');

const row = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));

// next is what the payer has to do now. A picture that is there already stays: its link is signed for ten minutes only.
function next(p, picture) {
  const action = p.nextAction;
  if (p.status === 'PROCESSING') return h('p', { class: 'quiet' }, t('payment.processing'));
  if (action?.__typename === 'ScanQrCode') {
    const image = picture ?? h('img', { src: action.imageUrl, alt: t('payment.qr', { number: p.number }), width: 208, height: 208 });
    const page = /^https?:/.test(action.content);
    return h('div', { class: 'scan' },
      h('div', { class: 'qr' }, image),
      h('div', { class: 'how' },
        h('p', { class: 'strong' }, t('payment.scan', { channel: via(p) })), p.expiresAt && countdown(p.expiresAt),
        h('a', { class: 'button main', id: 'payer-page', href: action.content, ...(page ? { target: '_blank', rel: 'noopener' } : {}) }, t(page ? 'payment.page' : 'payment.app'))));
  }
  if (action?.__typename === 'Redirect') {
    return h('div', { class: 'scan' }, h('div', { class: 'how' },
      h('p', { class: 'strong' }, t('payment.there', { channel: via(p) })), p.expiresAt && countdown(p.expiresAt), goThere(action), h('p', { class: 'hint' }, t('payment.window'))));
  }
  return undefined;
}

// goThere opens the provider's page in a window of its own: by a link, or by a form where the provider wants one posted.
function goThere({ url, method, fields }) {
  const aside = { target: '_blank', rel: 'noopener' };
  if (method === 'GET') return h('a', { class: 'button main', id: 'payer-page', href: url, ...aside }, t('payment.redirect'));
  return h('form', { method: 'post', action: url, 'accept-charset': 'UTF-8', ...aside },
    fields.map((f) => h('input', { type: 'hidden', name: f.name, value: f.value })), h('button', { class: 'main', id: 'payer-page' }, t('payment.redirect')));
}

const timeline = (p) => h('section', { class: 'timeline' }, h('h3', {}, t('payment.timeline')),
  h('ol', {}, p.timeline.map((e) => h('li', { class: e.status.toLowerCase() },
    h('span', { class: 'strong' }, t(`status.${e.status}`)), e.note && h('span', {}, e.note), h('time', { datetime: e.at }, time(e.at, '2-digit'))))));
