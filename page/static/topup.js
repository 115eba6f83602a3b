import { ask, newKey } from './api.js';
import { judge, minor, scale } from './amount.js';
import { fill, h } from './dom.js';
import { means } from './means.js';
import { busy, panel, problem } from './parts.js';
import { START_TOP_UP, TOP_UP_OPTIONS } from './operations.js';
import { listed, t } from './texts.js';

// topUpPanel is the form that brings money in. started is told of the payment that it made.
export function topUpPanel(started) {
  const body = h('div', {}, h('p', { class: 'quiet' }, t('loading')));
  const node = panel('topup', t('topup'), body);
  const state = { key: newKey(), sent: '', channels: [], means: means('topup', () => fill(state.wrong)) };

  async function load() {
    try {
      const { topUpOptions } = await ask(TOP_UP_OPTIONS);
      show(topUpOptions);
    } catch (e) {
      fill(body, problem('topup-load', e.message), h('button', { type: 'button', onclick: load }, t('again')));
    }
  }

  function show({ channels, suggested, lastAmount }) {
    const open = state.channels = channels.filter((c) => c.available);
    if (open.length === 0) {
      fill(body, h('p', { class: 'quiet' }, t('topup.none')), reasons(channels));
      return;
    }
    state.channel = open.find((c) => c.channel === state.channel?.channel) ?? open[0];
    fill(body, form(channels, suggested, lastAmount));
    limits();
  }

  function form(channels, suggested, lastAmount) {
    state.hint = h('p', { class: 'hint', id: 'topup-hint' });
    state.wrong = h('div', { id: 'topup-wrong' });
    state.input = h('input', {
      id: 'topup-amount', name: 'amount', inputmode: 'decimal', autocomplete: 'off', 'aria-describedby': 'topup-hint topup-wrong',
      value: state.input?.value ?? '', oninput: () => complain(), onblur: () => state.input.value && check(),
    });
    state.button = h('button', { class: 'main', id: 'topup-submit' }, t('topup.submit'));
    const offers = [lastAmount && offer(lastAmount, t('topup.last', { amount: lastAmount.formatted })), ...suggested.map((m) => offer(m, m.formatted))];
    return h('form', { novalidate: true, onsubmit: submit },
      h('fieldset', { class: 'channels' }, h('legend', {}, t('topup.channel')), channels.filter((c) => c.available).map(choice)),
      closed(channels.filter((c) => !c.available)), state.means.node,
      h('label', { for: 'topup-amount' }, t('topup.amount')),
      h('div', { class: 'amount' }, h('span', { 'aria-hidden': 'true' }, state.channel.minimum.currency), state.input),
      state.hint, state.wrong, h('div', { class: 'offers' }, offers), state.button);
  }

  function choice(c) {
    const radio = h('input', {
      type: 'radio', name: 'channel', value: c.channel, id: `topup-${c.channel}`, checked: c === state.channel,
      onchange: () => { state.channel = c; limits(); if (state.input.value) check(); },
    });
    return h('label', { class: 'choice' }, radio, h('span', {}, c.name));
  }

  // closed names what cannot be used and why, out of the way.
  const closed = (list) => list.length > 0 && h('details', {}, h('summary', {}, t('topup.closed', { count: list.length })), reasons(list));

  const reasons = (list) => h('ul', { class: 'closed' }, [...new Set(list.map((c) => c.reason))].map((reason) =>
    h('li', {}, h('span', {}, listed(list.filter((c) => c.reason === reason).map((c) => c.name))), h('small', {}, reason))));

  const offer = (m, text) => h('button', { type: 'button', class: 'offer', onclick: () => { state.input.value = m.amount.replace(/\.0+$/, ''); check(); } }, text);

  function limits() {
    const { minimum, maximum, wholeUnitsOnly } = state.channel;
    state.means.show(state.channel);
    state.hint.textContent = t(wholeUnitsOnly ? 'topup.whole' : 'topup.limits', { minimum: minimum.formatted, maximum: maximum.formatted });
  }

  function complain(...content) {
    state.input.setAttribute('aria-invalid', content.length > 0);
    fill(state.wrong, content.length > 0 && problem('topup-problem', ...content));
  }

  // check shows what is wrong with the amount, and gives it where nothing is.
  function check() {
    const { amount, problem: key, args } = judge(state.input.value, state.channel);
    if (key) complain(t(key, args));
    else complain();
    return amount;
  }

  async function submit(e) {
    e.preventDefault();
    const amount = check();
    if (amount === undefined) return state.input.focus();
    const { more, missing } = state.means.input();
    if (missing) return fill(state.wrong, problem('topup-problem', missing));
    const online = { channel: state.channel.channel, amount: { amount, currency: state.channel.minimum.currency }, ...more };
    if (state.sent !== JSON.stringify(online)) [state.key, state.sent] = [newKey(), JSON.stringify(online)]; // the same again is the same payment
    await busy(state.button, async () => {
      try {
        const { result } = await ask(START_TOP_UP, { input: { idempotencyKey: state.key, online } });
        if (!result.payment) return complain(...result.errors.map((x) => h('p', {}, x.message)));
        state.sent = '';
        state.input.value = '';
        state.means.reset(); // a card's token is good for once
        started(result.payment);
      } catch (err) {
        complain(err.message);
      }
    });
  }

  load();
  return {
    node,
    reload: load,
    channels: () => state.channels,
    // want puts an amount in, raised to the channel's minimum, and takes the person there.
    want(m) {
      if (!state.input) return;
      const { minimum } = state.channel;
      const digits = scale(minimum.amount);
      state.input.value = minor(m.amount, digits) < minor(minimum.amount, digits) ? minimum.amount : m.amount;
      check();
      state.input.focus();
      node.scrollIntoView({ block: 'center', behavior: 'smooth' });
    },
  };
}
