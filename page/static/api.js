import { session } from './session.js';
import { t } from './texts.js';

// Refused is a top-level error: the code decides, the message is the server's, in the page's language.
export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

let offset = 0; // server's clock minus this device's, in milliseconds

// now is the product's clock, by which countdowns go.
export const now = () => Date.now() + offset;

// ask runs a query or a mutation. Faults of the request or the system are thrown as Refused; payload errors are the caller's.
export async function ask(query, variables = {}) {
  let answer;
  let body;
  try {
    answer = await fetch('/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json;q=0.9',
        'accept-language': session.locale,
        ...(session.token ? { authorization: `Bearer ${session.token}` } : {}),
      },
      body: JSON.stringify({ query, variables }),
    });
    body = await answer.json();
  } catch {
    throw new Refused(answer?.status === 401 ? 'UNAUTHENTICATED' : 'UNAVAILABLE', t('error.unreachable'));
  }
  if (body.data?.now) offset = Date.parse(body.data.now) - Date.now();
  const [error] = body.errors ?? [];
  if (error) throw new Refused(error.extensions?.code ?? (answer.status === 401 ? 'UNAUTHENTICATED' : 'INTERNAL'), error.message);
  return body.data;
}

// newKey is an idempotency key: one for each thing a person means to do, kept while the same thing is tried again.
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}
