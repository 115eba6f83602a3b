// Relay: compiled operations, sent by their hash, with the text where the server does not know it yet; subscriptions through
// graphql-ws. RELAY_ARTIFACTS names the folder that relay/compile.mjs has filled. With REGISTERED the text is never sent.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import relay from 'relay-runtime';
import { Problem } from './documents.mjs';
import { problemOf, socket } from './graphql-ws.mjs';

const { Environment, Network, Observable, RecordSource, Store, commitMutation, createOperationDescriptor, fetchQuery, getFragment, getRequest, getSingularSelector, readInlineData, requestSubscription } = relay;
const folder = process.env.RELAY_ARTIFACTS;
const registered = Boolean(process.env.REGISTERED);
const texts = JSON.parse(readFileSync(join(folder, 'persisted.json'), 'utf8'));
const load = createRequire(join(folder, '__generated__/'));
const artifact = (name) => load(`./${name}.graphql.js`);

const hashed = (id) => ({ extensions: { persistedQuery: { version: 1, sha256Hash: id } } });

// network is what an application writes for Relay.
function network({ base, authorization, locale }, ws, requests, codes) {
  const post = async (body) => {
    requests.push(`POST ${body.query ? 'text' : 'hash'}`);
    const answer = await fetch(`${base}/graphql`, {
      method: 'POST', body: JSON.stringify(body),
      headers: {
        'content-type': 'application/json', accept: 'application/graphql-response+json', 'accept-language': locale ?? 'en',
        ...(authorization() ? { authorization: authorization() } : {}),
      },
    });
    const result = await answer.json();
    codes.push(...(result.errors ?? []).map((e) => e.extensions?.code)); // beside data, Relay leaves them to the network
    if (!result.data) throw Problem.of(result.errors, answer.status);
    return result;
  };
  const ask = async ({ id }, variables) => {
    try {
      return await post({ ...hashed(id), variables });
    } catch (e) {
      if (registered || e.code !== 'PERSISTED_QUERY_NOT_FOUND') throw e;
      return post({ ...hashed(id), query: texts[id], variables });
    }
  };
  // graphql-ws wants a text, if an empty one.
  const live = ({ id }, variables) => Observable.create((sink) => ws.subscribe(
    { ...hashed(id), query: registered ? '' : texts[id], variables },
    { next: (result) => (result.errors ? sink.error(Problem.of(result.errors)) : sink.next(result)), error: (e) => sink.error(problemOf(e)), complete: () => sink.complete() },
  ));
  return Network.create(ask, live);
}

// unmask reads the payment that a fragment hides.
const unmask = (payment) => payment && readInlineData(artifact('Desk_payment'), payment);

export function connect(options) {
  const ws = socket(options);
  const requests = []; // how operations went out: "POST hash", "POST text"
  const codes = []; // of every error that came
  const environment = new Environment({ network: network(options, ws, requests, codes), store: new Store(new RecordSource()) });
  const query = (name, variables) => fetchQuery(environment, artifact(name), variables).toPromise();
  const mutate = (name, variables) => new Promise((resolve, reject) => {
    commitMutation(environment, { mutation: artifact(name), variables, onCompleted: resolve, onError: reject });
  });
  return {
    requests, codes,
    async run(name, variables) {
      if (name === 'TopUp') {
        const { topUp } = await mutate('DeskTopUpMutation', variables);
        return { topUp: { ...topUp, payment: unmask(topUp.payment) } };
      }
      if (name === 'Pay') {
        const { pay } = await mutate('DeskPayMutation', variables);
        return { pay: { ...pay, payment: unmask(pay.payment) } };
      }
      return query(name === 'Orders' ? 'DeskOrdersQuery' : `Desk${name}Query`, variables);
    },
    subscribe(name, variables, sink) {
      const { dispose } = requestSubscription(environment, {
        subscription: artifact(`Desk${name}Subscription`), variables,
        onNext: (data) => sink.next(data.paymentStatus ? { paymentStatus: unmask(data.paymentStatus) } : data),
        onError: (e) => sink.error(e), onCompleted: () => sink.complete(),
      });
      return dispose;
    },
    // pages does what usePaginationFragment does: the second page is fetched through node(id), the store joins it to the first.
    async pages(first) {
      const held = environment.retain(createOperationDescriptor(getRequest(artifact('DeskOrdersQuery')), { first }));
      const { viewer: { account } } = await query('DeskOrdersQuery', { first });
      const list = () => environment.lookup(getSingularSelector(getFragment(artifact('Desk_account')), account)).data.orders;
      const numbers = () => list().edges.map((e) => e.node.number);
      const one = numbers();
      await query('DeskOrdersPaginationQuery', { id: account.id, count: first, cursor: list().pageInfo.endCursor });
      const both = numbers();
      held.dispose();
      return [one, both];
    },
    close: () => ws.dispose(),
  };
}
