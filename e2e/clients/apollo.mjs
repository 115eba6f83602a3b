// Apollo Client: queries as hashed GETs (automatic persisted queries), mutations by POST, subscriptions through graphql-ws.
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, ServerError, gql } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { createPersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import { OperationTypeNode } from 'graphql';
import WebSocket from 'ws';
import { Problem, documents } from './documents.mjs';
import { socket } from './graphql-ws.mjs';

globalThis.WebSocket ??= WebSocket; // Apollo looks at its constants, which browsers and Node 22 have

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

function problemOf(e) {
  if (CombinedGraphQLErrors.is(e)) return Problem.of(e.errors);
  if (ServerError.is(e)) return Problem.of(JSON.parse(e.bodyText).errors, e.statusCode);
  return e;
}

export function connect(options) {
  const { base, authorization, locale } = options;
  const requests = []; // how queries went out: "GET hash", "POST text", …
  const codes = []; // what the error link read
  const recorded = async (url, init) => {
    const query = init.method === 'GET' ? new URL(url).searchParams.get('query') : JSON.parse(init.body).query;
    requests.push(`${init.method} ${query ? 'text' : 'hash'}`);
    return fetch(url, init);
  };
  const ws = socket(options);
  const live = new GraphQLWsLink(ws);
  const plain = ApolloLink.from([
    new ErrorLink(({ error }) => { codes.push(problemOf(error).code); }),
    createPersistedQueryLink({ sha256, useGETForHashedQueries: true }),
    new SetContextLink(({ headers }) => ({ headers: {
      ...headers, 'accept-language': locale ?? 'en',
      ...(authorization() ? { authorization: authorization() } : { 'apollo-require-preflight': 'true' }),
    } })),
    new HttpLink({ uri: `${base}/graphql`, fetch: recorded }),
  ]);
  const client = new ApolloClient({
    link: ApolloLink.split(({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION, live, plain),
    cache: new InMemoryCache({ typePolicies: { Query: { fields: { orders: relayStylePagination() } } } }),
    defaultOptions: { query: { fetchPolicy: 'network-only' } },
  });
  return {
    requests, codes,
    async run(name, variables) {
      const document = gql(documents[name]);
      try {
        const mutates = document.definitions.some((d) => d.operation === 'mutation');
        return (await (mutates ? client.mutate({ mutation: document, variables }) : client.query({ query: document, variables }))).data;
      } catch (e) {
        throw problemOf(e);
      }
    },
    subscribe(name, variables, sink) {
      const subscription = client.subscribe({ query: gql(documents[name]), variables, fetchPolicy: 'no-cache' }).subscribe({
        next: ({ data, error }) => (error ? sink.error(problemOf(error)) : sink.next(data)),
        error: (e) => sink.error(problemOf(e)),
        complete: () => sink.complete(),
      });
      return () => subscription.unsubscribe();
    },
    // pages: the cache joins the second page to the first.
    async pages(first) {
      const list = client.watchQuery({ query: gql(documents.Orders), variables: { first }, fetchPolicy: 'network-only' });
      const numbers = (result) => result.data.orders.edges.map((e) => e.node.number);
      let subscription;
      const one = await new Promise((resolve, reject) => {
        subscription = list.subscribe({ next: (result) => !result.loading && resolve(result), error: reject });
      }).finally(() => subscription.unsubscribe());
      await list.fetchMore({ variables: { after: one.data.orders.pageInfo.endCursor } });
      return [numbers(one), numbers({ data: client.readQuery({ query: gql(documents.Orders), variables: { first } }) })];
    },
    async close() {
      client.stop();
      await ws.dispose();
    },
  };
}
