import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { createClient } from 'graphql-ws';
import { token } from './personas.js';

let socket;

// signedInAs drops the socket of the persona before: a socket is signed in once, when it opens.
export function signedInAs() {
  socket?.dispose();
  socket = undefined;
}

// The socket is opened when a subscription wants it. GraphiQL takes one client for good, so this stands in for the present one.
const live = {
  subscribe(...args) {
    socket ??= createClient({
      url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
      connectionParams: () => (token() ? { authorization: `Bearer ${token()}` } : {}),
    });
    return socket.subscribe(...args);
  },
};

export const fetcher = createGraphiQLFetcher({
  url: '/graphql',
  wsClient: live,
  fetch: (url, options) => {
    const headers = new Headers(options.headers);
    if (token() && !headers.has('authorization')) headers.set('authorization', `Bearer ${token()}`);
    return fetch(url, { ...options, headers });
  },
});
