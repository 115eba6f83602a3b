// graphql-ws: queries, mutations and subscriptions, all over one socket.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { Problem, data, documents, pages } from './documents.mjs';

// socket is a graphql-ws client, which Apollo, urql and Relay use for subscriptions too. retry is for those that outlive a
// server: shouldRetry must then take a refused connection for a reason to try again, which by default is fatal.
export function socket({ base, authorization, locale, retry, log = () => {} }) {
  return createClient({
    url: `${base.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: () => ({ authorization: authorization(), locale }),
    ...(retry ? { retryAttempts: Infinity, shouldRetry: () => true, retryWait: () => new Promise((go) => { setTimeout(go, 100); }) } : { retryAttempts: 0 }),
    on: { connected: () => log('connected'), closed: (event) => log('closed', event.code) },
  });
}

// problemOf reads what graphql-ws gives a sink's error: GraphQL errors, a close event or an Error.
export function problemOf(e) {
  if (Array.isArray(e)) return Problem.of(e);
  if (e instanceof Problem) return e;
  return new Problem({ closed: e.code, message: e.reason ?? e.message, code: e.code === 4401 ? 'UNAUTHENTICATED' : undefined });
}

export function connect(options) {
  const client = socket(options);
  const subscribe = (name, variables, sink) => client.subscribe({ query: documents[name], variables, operationName: name }, {
    next: (result) => (result.errors ? sink.error(Problem.of(result.errors)) : sink.next(result.data)),
    error: (e) => sink.error(problemOf(e)),
    complete: () => sink.complete(),
  });
  const run = async (name, variables) => {
    try {
      for await (const result of client.iterate({ query: documents[name], variables, operationName: name })) return data(result);
    } catch (e) {
      throw problemOf(e);
    }
  };
  return { run, subscribe, pages: (first) => pages(run, first), close: () => client.dispose() };
}
