// What the clients here ask, by name. Relay has its own copy in relay/Desk.js, since its compiler reads templates.
const PAYMENT = 'id number status version expiresAt nextAction { __typename ... on ScanQrCode { content imageUrl } } timeline { status version }';

export const documents = {
  Home: 'query Home { viewer { name role account { id number } } balance { id available { amount } version } }',
  Orders: `query Orders($first: Int!, $after: String) {
    orders(first: $first, after: $after) { edges { cursor node { id number status } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }
  }`,
  TopUp: `mutation TopUp($input: TopUpInput!) { topUp(input: $input) { payment { ${PAYMENT} } errors { code message field } } }`,
  Pay: `mutation Pay($input: PayInput!) { pay(input: $input) { payment { ${PAYMENT} } errors { code message field } } }`,
  Watch: `subscription Watch($id: ID!) { paymentStatus(paymentId: $id) { ${PAYMENT} } }`,
  Balance: 'subscription Balance { balanceChanged { id available { amount } version } }',
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
