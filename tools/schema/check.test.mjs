// The checker itself: each kind of fault is put into the real schema, and has to be seen.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Kind, parse, parseType, print, visit } from 'graphql';
import { compare } from './compare.mjs';
import { read, served } from './files.mjs';
import { compileRelay } from './relay.mjs';

const schema = read(served);
const dir = mkdtempSync(join(tmpdir(), 'paydesk-schema-'));
after(() => rmSync(dir, { recursive: true }));

const file = (name, text) => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};

/** edit changes what stands at a path ("Type", "Type.field", "Type.field.argument"); null removes it. */
function edit(text, path, change) {
  const names = [];
  let found = false;
  const isNamed = (node) => /Definition$/.test(node.kind) && node.name;
  const out = visit(parse(text), {
    enter(node) {
      if (!isNamed(node)) return undefined;
      names.push(node.name.value);
      if (names.join('.') !== path) return undefined;
      found = true;
      names.pop();
      return change === null ? null : { ...node, ...change(node) };
    },
    leave(node) {
      if (isNamed(node) && names.at(-1) === node.name.value) names.pop();
    },
  });
  assert.ok(found, `the schema has no ${path}`);
  return print(out);
}

const typed = (type) => () => ({ type: parseType(type) });
const add = (list, sdl) => (node) => ({ [list]: [...node[list], ...parse(sdl).definitions[0][list]] });
const directives = (sdl) => () => ({ directives: parse(`type T { f: Int ${sdl} }`).definitions[0].fields[0].directives });

const breaking = {
  'a field removed': [['Order.number', null], 'FIELD_REMOVED Order.number'],
  'a field that may now be null': [['Order.number', typed('String')], 'FIELD_TYPE_CHANGED Order.number'],
  'an argument made required': [['Query.account.id', typed('ID!')], 'FIELD_ARGUMENT_TYPE_CHANGED Query.account.id'],
  'an argument removed': [['Query.orders.filter', null], 'FIELD_ARGUMENT_REMOVED Query.orders.filter'],
  'an input field made required': [['OrderFilter.statuses', typed('[OrderStatus!]!')], 'INPUT_FIELD_TYPE_CHANGED OrderFilter.statuses'],
  'a new input field that is required': [['PayInput', add('fields', 'input I { pin: String! }')], 'INPUT_FIELD_ADDED PayInput.pin'],
  'an enum value dropped': [['CardBrand.JCB', null], 'ENUM_VALUE_REMOVED CardBrand.JCB'],
  'a union member dropped': [['PaymentAction', (n) => ({ types: n.types.slice(1) })], 'UNION_MEMBER_REMOVED PaymentAction'],
  'an interface left': [['Order', () => ({ interfaces: [] })], 'OBJECT_TYPE_INTERFACE_REMOVED Order'],
  'a role taken away': [['Query.topUpOptions', directives('@hasRole(anyOf: [CREATOR])')], 'ROLE_REMOVED Query.topUpOptions'],
  'roles named where none were': [['Query.balance', directives('@hasRole(anyOf: [FINANCE])')], 'ROLE_REMOVED Query.balance'],
  'a mutation no longer safe to repeat': [
    ['Mutation.pay', (n) => ({ directives: n.directives.filter((d) => d.name.value !== 'idempotent') })], 'IDEMPOTENT_REMOVED Mutation.pay',
  ],
};

for (const [name, [[path, change], key]] of Object.entries(breaking)) {
  test(`breaking: ${name}`, async () => {
    const changed = edit(schema, path, change);
    const seen = await compare(schema, changed);
    assert.deepEqual(seen.breaking.map((l) => l.split(':')[0]), [key]);

    const meant = await compare(schema, changed, [{ change: key, reason: 'nobody has asked for it yet' }]);
    assert.deepEqual([meant.breaking, meant.stale, meant.accepted.length], [[], [], 1]);
  });
}

test('what can only be added is not breaking; what clients may trip over is told', async () => {
  assert.deepEqual(await compare(schema, schema), { breaking: [], accepted: [], dangerous: [], stale: [] });
  let grown = edit(schema, 'Order', add('fields', 'type T { note: String }'));
  grown = edit(grown, 'OrderFilter', add('fields', 'input I { note: String }'));
  grown = edit(grown, 'Query.topUpOptions', directives('@hasRole(anyOf: [CREATOR, FINANCE, COLLABORATOR])'));
  grown = edit(grown, 'CardBrand', add('values', 'enum E { DINERS }'));
  const seen = await compare(schema, grown);
  assert.deepEqual(seen.breaking, []);
  assert.match(seen.dangerous.join('\n'), /ENUM_VALUE_ADDED CardBrand\.DINERS/);
});

test('the list of accepted changes holds nothing that is not so, and no empty reason', async () => {
  const removed = edit(schema, 'Order.number', null);
  const entry = { change: 'FIELD_REMOVED Order.number', reason: 'nobody has asked for it yet' };
  assert.equal((await compare(schema, schema, [entry])).stale.length, 1);
  const mute = await compare(schema, removed, [{ ...entry, reason: ' ' }]);
  assert.deepEqual([mute.breaking.length, mute.stale.length], [1, 1]);
});

const unfitForRelay = {
  'a Node without an id': ['Node.id', null, /Node/],
  'a connection without pageInfo': ['OrderConnection.pageInfo', null, /pageInfo/],
  'an edge without cursor': ['TransactionEdge.cursor', null, /cursor/],
  'a list without first': ['Account.orders.first', null, /first/],
  'a subscription gone': ['Subscription.paymentStatus', null, /paymentStatus/],
};

for (const [name, [path, change, words]] of Object.entries(unfitForRelay)) {
  test(`relay-compiler: ${name}`, () => {
    const { complaints } = compileRelay(file('relay.graphqls', edit(schema, path, change)));
    assert.match(complaints.join('\n'), words);
  });
}

// run is the checker as CI runs it, against other files.
function run(files) {
  const done = spawnSync(process.execPath, [join(import.meta.dirname, 'check.mjs')], {
    encoding: 'utf8', env: { ...process.env, SCHEMA_SERVED: files.served ?? served, SCHEMA_OPERATIONS: (files.operations ?? []).join(':') },
  });
  return { code: done.status, text: done.stdout + done.stderr };
}

test('the checker fails, and names each fault of a schema', () => {
  const faults = [
    ['Order.number', () => ({ description: undefined }), 'require-description'],
    ['Query.account.id', () => ({ description: undefined }), 'require-description'],
    ['CardBrand.JCB', () => ({ description: undefined }), 'require-description'],
    ['Money', add('fields', '"""D.""" type T { """D.""" MinorUnits: Int }'), 'naming-convention'],
    ['Bank', add('fields', '"""D.""" type T { """D.""" bankCity: String }'), 'no-typename-prefix'],
    ['Bill.period', directives('@deprecated'), 'require-deprecation-reason'],
    ['OrderEdge.cursor', typed('[String!]'), 'relay-edge-types'],
    ['BillConnection.pageInfo', null, 'relay-connection-types'],
    ['Account.payments.after', typed('[String]'), 'relay-arguments'],
    ['PageInfo.hasNextPage', typed('Boolean'), 'relay-page-info'],
    ['Mutation.pay', () => ({ type: parseType('Boolean') }), 'no-scalar-result-type-on-mutation'],
  ];
  let bad = faults.reduce((text, [path, change]) => edit(text, path, change), schema);
  bad += '\n"""Nobody gives it."""\ntype Nowhere {\n  """D."""\n  a: Int\n}\n';
  const { code, text } = run({ served: file('bad.graphqls', bad) });
  assert.equal(code, 1, text);
  for (const rule of [...faults.map(([, , r]) => r), 'no-unreachable-types']) assert.match(text, new RegExp(`\\(@graphql-eslint/${rule}\\)`));
  assert.equal(text.match(/require-description/g).length, 3, text);
  assert.match(text, /FAIL relay-compiler/);
  assert.match(text, /FIELD_TYPE_CHANGED PageInfo\.hasNextPage/);
});

test('the checker fails on operations that the schema does not answer', () => {
  const operations = [
    file('a.graphql', 'query A { viewer { name nickname } }\n\nquery Same { now }\n'),
    file('b.graphql', 'query Same { now }\n\nfragment Unused on Bill { id }\n\nmutation M($id: ID!) { cancelOrder(input: { orderId: 5.5 }) { errors { code } } }\n'),
  ];
  const { code, text } = run({ operations });
  assert.equal(code, 1, text);
  for (const rule of ['fields-on-correct-type', 'no-unused-fragments', 'no-unused-variables', 'value-literals-of-correct-type']) {
    assert.match(text, new RegExp(`\\(@graphql-eslint/${rule}\\)`));
  }
});

test('the checker passes what is committed', () => {
  const { code, text } = run({});
  assert.equal(code, 0, text);
  assert.equal(text.match(/^ok {3}/gm).length, 4, text);
});

test('edit changes one thing', () => {
  assert.equal(edit(schema, 'Order.number', () => ({})), print(parse(schema)));
  assert.ok(!parse(edit(schema, 'CardBrand.JCB', null)).definitions.some((d) => d.kind === Kind.ENUM_TYPE_DEFINITION && d.values.some((v) => v.name.value === 'JCB')));
});
