import { fill, h } from './dom.js';
import { t } from './texts.js';

// means asks what a channel wants to know before it is used: the bank, the way to get there, a card. node is shown under the channels,
// ids begin with name. input gives what goes into OnlineFundingInput beside channel and amount, or the text of what is missing.
export function means(name) {
  const node = h('div', { class: 'means', id: `${name}-means` });
  let option;
  let token;
  let frame;
  const ready = h('p', { class: 'hint', role: 'status' });

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

  const displays = () => option.displays.length > 1 && h('fieldset', {}, h('legend', {}, t('means.display')),
    option.displays.map((d, i) => h('label', { class: 'choice' },
      h('input', { type: 'radio', name: `${name}-display`, value: d, checked: i === 0 }), h('span', {}, t(`display.${d}`)))));

  function card() {
    if (!option.cardField) return false;
    if (option.cardField.provider !== 'sandbox') return h('p', { class: 'hint' }, t('card.elsewhere'));
    window.addEventListener('message', hear);
    fill(ready, t('card.why'));
    const at = new URL(option.cardField.url);
    at.searchParams.set('origin', location.origin);
    frame = h('iframe', { class: 'card-field', id: `${name}-card`, src: at.href, title: t('card.title'), referrerpolicy: 'no-referrer' });
    return [frame, ready];
  }

  // hear takes the token of the card field, and nothing from anybody else.
  function hear({ origin, source, data }) {
    if (!frame?.isConnected || source !== frame.contentWindow || origin !== new URL(option.cardField.url).origin || data?.type !== 'paydesk.card') return;
    token = data.token;
    fill(ready, t('card.ready'));
  }

  function input() {
    if (option.cardField && !token) return { missing: t('card.first') };
    const bankCode = node.querySelector('select')?.value;
    const display = node.querySelector('input:checked')?.value;
    return { more: { ...(bankCode && { bankCode }), ...(display && { display }), ...(token && { cardToken: token }) } };
  }

  return { node, show, reset, input, close: () => window.removeEventListener('message', hear) };
}
