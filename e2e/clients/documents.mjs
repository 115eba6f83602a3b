// What the clients here ask, by name. Relay has its own copy in relay/Desk.js, since its compiler reads templates.
import { BALANCE_CHANGED, PAY, PAYMENT_STATUS, TOP_UP } from '../lib.mjs';

export const documents = {
  Home: 'query Home { viewer { name role account { id number } } balance { id available { amount } version } }',
  Orders: `query Orders($first: Int!, $after: String) {
    orders(first: $first, after: $after) { edges { cursor node { id number status } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }
  }`,
  TopUp: TOP_UP,
  Pay: PAY,
  Watch: PAYMENT_STATUS,
  Balance: BALANCE_CHANGED,
};

// Problem is what a client's own error says: the code of the first GraphQL error, the HTTP status or the close code.
export class Problem extends Error {
  constructor({ code, status, message, closed }) {
    super(message ?? `status ${status ?? closed}`);
    Object.assign(this, { code, status, closed });
  }

  static of(errors, status) {
    return new Problem({ code: errors[0]?.extensions?.code, message: errors[0]?.message, status });
  }
}

// data is a result's data; its errors are thrown.
export function data(result) {
  if (result.errors?.length) throw Problem.of(result.errors);
  return result.data;
}

// pages reads two pages, as clients do that keep no list themselves: the numbers on the first, those on both.
export async function pages(run, first) {
  const numbers = (list) => list.orders.edges.map((e) => e.node.number);
  const one = await run('Orders', { first });
  const two = await run('Orders', { first, after: one.orders.pageInfo.endCursor });
  return [numbers(one), [...numbers(one), ...numbers(two)]];
}
