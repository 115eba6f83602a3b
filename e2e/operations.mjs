// The operations of operations.graphql, out of the manifest that `make generate` writes and every binary has in it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const { operations } = JSON.parse(readFileSync(new URL('../documents/manifest.json', import.meta.url), 'utf8'));

// operation is the text of a registered operation.
export function operation(name) {
  const found = operations.find((o) => o.name === name);
  assert.ok(found, `operation ${name} is in the manifest (make generate)`);
  return found.body;
}

// request is what is sent for a text. With BY_ID set it names the registered document, and no text is sent; graphql-ws wants
// query to be a string all the same.
export function request(query, variables) {
  if (!process.env.BY_ID) return { query, variables };
  const found = operations.find((o) => o.body === query);
  assert.ok(found, `is not registered: ${query}`);
  return { query: '', documentId: `sha256:${found.id}`, variables };
}
