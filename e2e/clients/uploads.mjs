// Multipart requests as plain fetch sends them (GraphQL multipart request specification): node clients/uploads.mjs URL TOKEN
import assert from 'node:assert/strict';

const [base, bearer] = process.argv.slice(2);

async function send(headers) {
  const body = new FormData();
  body.append('operations', JSON.stringify({ query: '{ __typename }' }));
  body.append('map', '{}');
  const answer = await fetch(`${base}/graphql`, { method: 'POST', headers, body });
  return { status: answer.status, ...(await answer.json()) };
}

const plain = await send({});
assert.equal(plain.status, 403, 'a form of another site could look like this');
assert.equal(plain.errors[0].extensions.code, 'FORBIDDEN');
for (const headers of [{ 'apollo-require-preflight': 'true' }, { 'x-paydesk-client': 'e2e' }, { authorization: `Bearer ${bearer}` }]) {
  assert.deepEqual(await send(headers), { status: 200, data: { __typename: 'Query' } }, Object.keys(headers)[0]);
}
console.log('multipart: refused without a header of our own, answered with one');
