import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './main.css';
import { GraphiQL } from 'graphiql';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { fetcher, signedInAs } from './fetcher.js';
import { tabs } from './operations.js';
import { choose, chosen, load, token } from './personas.js';

function Bar({ personas, name, onChoose }) {
  return (
    <header className="bar">
      <a href="/">paydesk</a>
      <label>
        Ask as{' '}
        <select value={name} onChange={(e) => onChoose(e.target.value)}>
          <option value="">nobody</option>
          {personas.map((p) => <option key={p.name} value={p.name}>{p.name} · {p.role}</option>)}
        </select>
      </label>
      {personas.length === 0 && <span>No personas here: put a token into the Headers tab.</span>}
    </header>
  );
}

function Page({ personas }) {
  const [name, setName] = useState(chosen());
  const onChoose = (next) => {
    choose(next, personas.find((p) => p.name === next)?.token ?? '');
    signedInAs();
    setName(next);
  };
  const account = personas.find((p) => p.name === name)?.accountId ?? personas.find((p) => p.role === 'CREATOR')?.accountId;
  return (
    <>
      <Bar personas={personas} name={name} onChoose={onChoose} />
      <main><GraphiQL fetcher={fetcher} defaultTabs={tabs(account)} defaultEditorToolsVisibility="variables" /></main>
    </>
  );
}

const personas = await load().catch(() => []);
const known = personas.find((p) => p.name === chosen());
const first = known ?? personas.find((p) => p.role === 'CREATOR');
if (first && (known || !token())) choose(first.name, first.token); // the stored token may be of another day
createRoot(document.getElementById('root')).render(<Page personas={personas} />);
