import { fill, h } from './dom.js';
import { t } from './texts.js';

// means asks what a channel wants to know before it is used: the bank, the way to get there, a card. node is shown under the channels,
// ids begin with name. input gives what goes into OnlineFundingInput beside channel and amount, or the text of what is missing; ready is
// called when a card is there.
export function means(name, ready) {
  const node = h('div', { class: 'means', id: `${name}-means` });
  let option;
  let token;
  let frame;

  // show draws what an option wants; the same channel again keeps what was chosen.
  function show(next) {
    const same = next?.channel === option?.channel;
    option = next;
    if (!same) reset();
  }

  function reset() {
    token = frame = undefined;
    window.removeEventListener('message', hear);
    fill(node, option && [banks(), displays(), card()]);
  }

  const banks = () => option.banks.length > 0 && [h('label', { for: `${name}-bank` }, t('means.bank')),
    h('select', { id: `${name}-bank` }, h('option', { value: '' }, t('means.anybank')), option.banks.map((b) => h('option', { value: b.code }, b.name)))];

  const displays = () => option.displays.length > 1 && [h('label', { for: `${name}-display` }, t('means.display')),
    h('select', { id: `${name}-display` }, option.displays.map((d) => h('option', { value: d }, t(`display.${d}`))))];

  function card() {
    if (!option.cardField) return false;
    if (option.cardField.provider !== 'sandbox') return h('p', { class: 'hint' }, t('card.elsewhere'));
    window.addEventListener('message', hear);
    const at = new URL(option.cardField.url);
    at.searchParams.set('origin', location.origin);
    frame = h('iframe', { class: 'card-field', id: `${name}-card`, src: at.href, title: t('card.title'), referrerpolicy: 'no-referrer' });
    return [frame, h('p', { class: 'hint' }, t('card.why'))];
  }

  // hear takes the token of the card field, and nothing from anybody else.
  function hear({ origin, source, data }) {
    if (!frame?.isConnected || source !== frame.contentWindow || origin !== new URL(option.cardField.url).origin || data?.type !== 'paydesk.card') return;
    token = data.token;
    fill(node, h('p', { class: 'good', role: 'status' }, t('card.ready')), h('button', { type: 'button', class: 'quiet-button', onclick: reset }, t('card.other')));
    ready();
  }

  function input() {
    if (option.cardField && !token) {
      frame?.focus();
      return { missing: t(frame ? 'card.first' : 'card.elsewhere') };
    }
    const bankCode = node.querySelector(`#${name}-bank`)?.value;
    const display = node.querySelector(`#${name}-display`)?.value;
    return { more: { ...(bankCode && { bankCode }), ...(display && { display }), ...(token && { cardToken: token }) } };
  }

  return { node, show, reset, input, close: () => window.removeEventListener('message', hear) };
}
