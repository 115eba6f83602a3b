// urql: queries as hashed GETs (automatic persisted queries), mutations by POST, subscriptions through graphql-ws.
import { Client, fetchExchange, subscriptionExchange } from 'urql';
import { persistedExchange } from '@urql/exchange-persisted';
import { Problem, documents, pages } from './documents.mjs';
import { problemOf as ofSocket, socket } from './graphql-ws.mjs';

function problemOf({ graphQLErrors, networkError, response }) {
  if (graphQLErrors?.length) return Problem.of(graphQLErrors, response?.status);
  return networkError instanceof Problem ? networkError : new Problem({ status: response?.status, message: networkError?.message });
}

export function connect(options) {
  const { base, authorization, locale } = options;
  const requests = []; // how queries went out: "GET hash", "POST text", …
  const ws = socket(options);
  const client = new Client({
    url: `${base}/graphql`,
    requestPolicy: 'network-only',
    preferGetMethod: true,
    fetchOptions: () => ({ headers: {
      'accept-language': locale ?? 'en', ...(authorization() ? { authorization: authorization() } : { 'x-paydesk-client': 'e2e' }),
    } }),
    fetch: (url, init) => {
      const query = init.method === 'GET' ? new URL(url).searchParams.get('query') : JSON.parse(init.body).query;
      requests.push(`${init.method} ${query ? 'text' : 'hash'}`);
      return fetch(url, init);
    },
    exchanges: [
      persistedExchange({ preferGetForPersistedQueries: true }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({ unsubscribe: ws.subscribe({ query: request.query ?? '', variables: request.variables }, { ...sink, error: (e) => sink.error(ofSocket(e)) }) }),
        }),
      }),
    ],
  });
  const run = async (name, variables) => {
    const mutates = documents[name].startsWith('mutation');
    const result = await (mutates ? client.mutation(documents[name], variables) : client.query(documents[name], variables)).toPromise();
    if (result.error) throw problemOf(result.error);
    return result.data;
  };
  return {
    requests, run,
    subscribe(name, variables, sink) {
      let over = false; // urql marks the last result instead of telling the end
      const { unsubscribe } = client.subscription(documents[name], variables).subscribe((result) => {
        if (over) return;
        if (result.error) sink.error(problemOf(result.error));
        else if (result.hasNext !== false) sink.next(result.data);
        over = result.hasNext === false || Boolean(result.error);
        if (over && !result.error) sink.complete();
      });
      return unsubscribe;
    },
    pages: (first) => pages(run, first),
    close: () => ws.dispose(),
  };
}
