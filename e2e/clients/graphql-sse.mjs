// graphql-sse in distinct connections mode: queries, mutations and subscriptions, each a stream of events.
import { createClient } from 'graphql-sse';
import { Problem, data, documents, pages } from './documents.mjs';

const problemOf = async (e) => {
  if (e instanceof Problem || !e.response) return e;
  const { errors } = await e.response.json();
  return Problem.of(errors, e.response.status);
};

export function connect({ base, authorization, locale, retry, log = () => {} }) {
  const client = createClient({
    url: `${base}/graphql`,
    headers: () => ({ ...(authorization() ? { authorization: authorization() } : { 'x-paydesk-client': 'e2e' }), 'accept-language': locale ?? 'en' }),
    ...(retry ? { retryAttempts: Infinity, retry: () => new Promise((go) => { setTimeout(go, 100); }) } : { retryAttempts: 0 }),
    on: { connected: () => log('connected') },
  });
  const subscribe = (name, variables, sink) => client.subscribe({ query: documents[name], variables, operationName: name }, {
    next: (result) => (result.errors ? sink.error(Problem.of(result.errors)) : sink.next(result.data)),
    error: async (e) => sink.error(await problemOf(e)),
    complete: () => sink.complete(),
  });
  const run = async (name, variables) => {
    try {
      for await (const result of client.iterate({ query: documents[name], variables, operationName: name })) return data(result);
    } catch (e) {
      throw await problemOf(e);
    }
  };
  return { run, subscribe, pages: (first) => pages(run, first), close: () => client.dispose() };
}
