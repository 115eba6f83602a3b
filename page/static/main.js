import { account } from './account.js';
import { ask } from './api.js';
import { fill, h } from './dom.js';
import { panel, problem } from './parts.js';
import { VIEWER } from './operations.js';
import { locales, session } from './session.js';
import { Live } from './socket.js';
import { t } from './texts.js';

const bar = document.getElementById('bar');
const main = document.getElementById('main');
let personas = [];
let letGo = () => {};
let live;

// findPersonas asks for the demo data's people; a server that is not in development has none.
async function findPersonas() {
  try {
    const answer = await fetch('/dev/personas');
    if (answer.ok) personas = await answer.json();
  } catch { /* the page then says that the server cannot be reached */ }
}

const label = (p) => `${p.name} · ${p.role}`;

function showBar() {
  document.documentElement.lang = session.locale;
  const state = h('span', { class: 'live is-off', id: 'live', role: 'status' });
  const language = h('select', { id: 'language', 'aria-label': t('language'), onchange: (e) => { session.locale = e.target.value; start(); } },
    Object.entries(locales).map(([code, name]) => h('option', { value: code, selected: code === session.locale }, name)));
  const persona = h('select', { id: 'persona', 'aria-label': t('persona'), onchange: (e) => signIn(personas.find((p) => p.name === e.target.value)) },
    !personas.some((p) => p.name === session.persona) && h('option', { value: '', selected: true }, t('persona.choose')),
    personas.map((p) => h('option', { value: p.name, selected: p.name === session.persona }, label(p))));
  fill(bar,
    h('a', { class: 'brand', href: '/' }, 'paydesk'), session.token && state, h('span', { class: 'space' }),
    personas.length > 0 && h('a', { href: '/graphiql/' }, t('graphiql')), language,
    personas.length > 0 ? persona : session.token && h('button', { type: 'button', class: 'quiet-button', onclick: () => { session.signOut(); start(); } }, t('signout')));
  return (value) => {
    state.className = `live is-${value}`;
    state.textContent = t(`live.${value}`);
  };
}

function signIn(persona) {
  if (!persona) return;
  session.signIn(persona.name, persona.token);
  start();
}

// start shows the page for whoever is signed in now, from the beginning.
async function start() {
  letGo();
  live?.close();
  letGo = () => {};
  document.getElementById('dialogs').replaceChildren();
  const onstate = showBar();
  if (!session.token) return welcome();
  const mine = live = new Live(() => ({ authorization: `Bearer ${session.token}`, locale: session.locale }), (s) => mine === live && onstate(s));
  main.setAttribute('aria-busy', 'true');
  fill(main, h('p', { class: 'quiet' }, t('loading')));
  try {
    const { viewer } = await ask(VIEWER);
    if (mine !== live) return; // somebody else was chosen meanwhile
    if (viewer.account) letGo = account(main, live, viewer);
    else noAccount(viewer);
  } catch (e) {
    if (mine !== live) return;
    main.setAttribute('aria-busy', 'false');
    if (e.code === 'UNAUTHENTICATED') {
      session.signOut();
      showBar();
      return welcome(t('error.session'));
    }
    fill(main, problem('start-problem', h('p', {}, e.message), h('button', { type: 'button', onclick: start }, t('again'))));
  }
}

function noAccount(viewer) {
  main.setAttribute('aria-busy', 'false');
  fill(main, panel('note', viewer.name, h('p', {}, t('persona.noaccount', { role: viewer.role })), h('p', {}, h('a', { class: 'button', href: '/graphiql/' }, t('persona.api')))));
}

// welcome is for nobody yet: the demo data's people, or a token where there are none.
function welcome(trouble) {
  main.setAttribute('aria-busy', 'false');
  fill(main, h('div', { class: 'welcome' }, trouble && problem('welcome-problem', trouble), personas.length ? people() : tokenForm()));
}

const people = () => panel('people', t('persona.choose'), h('p', { class: 'quiet' }, t('persona.why')),
  h('ul', { class: 'cards' }, personas.map((p) => h('li', {}, h('button', { type: 'button', 'data-persona': p.name, 'data-role': p.role, onclick: () => signIn(p) },
    h('span', { class: 'title' }, p.name), h('span', { class: 'sub' }, [p.role, p.accountNumber].filter(Boolean).join(' · ')))))));

function tokenForm() {
  const text = h('textarea', { id: 'token', rows: 5, required: true, spellcheck: 'false', autocomplete: 'off' });
  const use = (e) => {
    e.preventDefault();
    const token = text.value.trim().replace(/^Bearer\s+/i, '');
    if (!token) return text.focus();
    session.signIn('', token);
    start();
  };
  return panel('sign-in', t('token.title'), h('p', { class: 'quiet' }, t('token.why')), h('form', { onsubmit: use }, h('label', { for: 'token' }, t('token.label')), text, h('button', { class: 'main' }, t('token.use'))));
}

await findPersonas();
const known = personas.find((p) => p.name === session.persona);
if (known) session.signIn(known.name, known.token); // tokens of personas are made anew; the stored one may have ended
start();
