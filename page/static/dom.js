// h makes an element: attributes by name, on… as listeners, properties for what attributes cannot say; children are nodes or
// text, and text never becomes markup.
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked' || name === 'disabled') node[name] = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(3).filter((c) => c !== undefined && c !== null && c !== false));
  return node;
}

// fill replaces what is in a node, and keeps the focus on the element with the same id or data-focus.
export function fill(node, ...children) {
  const at = document.activeElement;
  const mark = node.contains(at) && (at.id ? `#${CSS.escape(at.id)}` : at.dataset.focus && `[data-focus="${CSS.escape(at.dataset.focus)}"]`);
  node.replaceChildren(...children.flat(3).filter((c) => c !== undefined && c !== null && c !== false));
  if (mark) node.querySelector(mark)?.focus();
}

// dialog shows content over the page until it is closed; Escape closes it, the browser keeps the focus inside and gives it
// back afterwards. Where the opener was drawn anew meanwhile, its successor gets it.
export function dialog(label, onclose) {
  const opener = document.activeElement;
  const node = h('dialog', { 'aria-label': label });
  node.addEventListener('close', () => {
    node.remove();
    onclose?.();
    if (document.activeElement === document.body && opener?.dataset.focus) document.querySelector(`[data-focus="${CSS.escape(opener.dataset.focus)}"]`)?.focus();
  });
  node.addEventListener('click', (e) => e.target === node && node.close()); // the backdrop
  document.getElementById('dialogs').append(node);
  node.showModal();
  return node;
}
