import { ask } from './api.js';
import { fill, h } from './dom.js';
import { MORE_ORDERS, MORE_PAYMENTS, MORE_TRANSACTIONS } from './operations.js';
import { panel, problem } from './parts.js';
import { t } from './texts.js';

const more = { orders: MORE_ORDERS, payments: MORE_PAYMENTS, transactions: MORE_TRANSACTIONS };

// list is a panel with rows and a button for the next page. root is the field's name, size the first page's length, row
// makes a row of a node.
export function list(root, title, none, size, row) {
  const rows = h('ul', { class: 'rows' });
  const foot = h('div', { class: 'more' });
  const node = panel(root, title, rows, foot);
  let nodes = [];
  let page = { hasNextPage: false };
  const variable = root[0].toUpperCase() + root.slice(1);

  function show() {
    fill(rows, nodes.length ? nodes.map(row) : h('li', { class: 'none' }, none));
    fill(foot, page.hasNextPage && h('button', { type: 'button', class: 'quiet-button', 'data-focus': 'more', onclick: next }, t('more')));
  }

  async function next() {
    try {
      const { [root]: result } = await ask(more[root], { [root]: size, [`after${variable}`]: page.endCursor });
      nodes = [...nodes, ...result.nodes];
      page = result.pageInfo;
      show();
    } catch (e) {
      foot.prepend(problem(`${root}-problem`, e.message));
    }
  }

  fill(rows, h('li', { class: 'none' }, t('loading')));
  return {
    node,
    wanted: () => Math.min(100, Math.max(size, nodes.length)), // as many as are shown now
    set(result) {
      nodes = result.nodes;
      page = result.pageInfo;
      show();
    },
    // put takes a newer state of a node that is shown.
    put(changed) {
      const at = nodes.findIndex((n) => n.id === changed.id);
      if (at < 0 || nodes[at].version > changed.version) return;
      nodes = nodes.with(at, changed);
      show();
    },
    nodes: () => nodes,
  };
}
