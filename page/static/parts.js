// Small pieces that several panels show.
import { now } from './api.js';
import { h } from './dom.js';
import { t } from './texts.js';

export const ended = (payment) => ['SUCCEEDED', 'FAILED', 'CANCELED', 'EXPIRED'].includes(payment.status);

// money shows an amount as the server formatted it; figures are of one width.
export const money = (m, kind = '') => h('span', { class: `money ${kind}`, title: `${m.amount} ${m.currency}` }, m.formatted);

export const status = (value) => h('span', { class: `pill ${value.toLowerCase()}` }, t(`status.${value}`));

export const via = (payment) => payment.parts.map((p) => t(p.channel ? `channel.${p.channel}` : `part.${p.kind}`)).join(' + ');

// problem shows an error beside what it is about; screen readers are told.
export const problem = (id, ...content) => h('div', { class: 'problem', id, role: 'alert' }, ...content);

export const panel = (name, title, ...content) =>
  h('section', { class: `panel ${name}`, 'aria-labelledby': `${name}-title` }, h('h2', { id: `${name}-title`, tabindex: '-1' }, title), ...content);

// countdown shows the seconds left until a moment of the product's clock, to the nearest: answers take their time, and a second more than there
// is would be seen first. It ticks while it is in the document.
export function countdown(until) {
  const node = h('span', { class: 'countdown', role: 'timer' });
  const tick = () => {
    const left = Math.max(0, Math.round((Date.parse(until) - now()) / 1000));
    const two = (n) => String(n).padStart(2, '0');
    const hours = Math.floor(left / 3600);
    const clock = `${hours ? `${hours}:` : ''}${two(Math.floor((left % 3600) / 60))}:${two(left % 60)}`;
    node.textContent = left ? t('payment.left', { time: clock }) : t('payment.over');
    node.classList.toggle('soon', left < 60);
    if (left && (node.isConnected || !node.seen)) setTimeout(tick, 1000);
    node.seen = node.isConnected || node.seen;
  };
  tick();
  return node;
}

// busy marks a form's button as working until the task ends; a second press does nothing meanwhile.
export async function busy(button, task) {
  const text = button.textContent;
  button.disabled = true;
  button.textContent = t('working');
  try {
    return await task();
  } finally {
    button.disabled = false;
    button.textContent = text;
  }
}
