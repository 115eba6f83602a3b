// Every audit of graphql-http, one JSON line each: node clients/audits.mjs URL [TOKEN]
// Its GETs carry a header of ours: without one a GET may come from another site's page, and is refused (contract §2).
import { serverAudits } from 'graphql-http';

const [base, token] = process.argv.slice(2);

const fetchFn = (url, init = {}) => {
  const headers = new Headers(init.headers);
  if (token) headers.set('authorization', `Bearer ${token}`);
  else headers.set('x-paydesk-client', 'audits');
  return fetch(url, { ...init, headers });
};

for (const audit of serverAudits({ url: `${base}/graphql`, fetchFn })) {
  const { id, name, status, reason } = await audit.fn();
  console.log(JSON.stringify({ id, name, status, reason }));
}
