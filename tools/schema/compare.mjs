// What a change of the schema means to clients that were written for the released one.
import { diff } from '@graphql-inspector/core';
import { buildSchema, isObjectType, valueFromASTUntyped } from 'graphql';

// Who may use a root field that names no roles (the description of @hasRole says so).
const CUSTOMERS = ['CREATOR', 'FINANCE', 'COLLABORATOR', 'PARTNER'];

/**
 * compare judges every change between two schemas, given as text.
 * @param accepted breaking changes that are meant: [{ change: 'FIELD_REMOVED Query.orders', reason: 'why' }]
 * @returns {{breaking: string[], accepted: string[], dangerous: string[], stale: string[]}} lines for people; stale are entries
 *   of accepted that nothing needs, or that give no reason. The schema may be released where breaking and stale are empty.
 */
export async function compare(released, served, accepted = []) {
  const before = buildSchema(released);
  const after = buildSchema(served);
  const changes = [...(await diff(before, after)).filter((c) => !ofOurDirectives(c)).map(flat), ...promises(before, after)];
  const meant = new Map(accepted.filter((a) => a.reason?.trim().length >= 10).map((a) => [a.change, a.reason]));
  const result = { breaking: [], accepted: [], dangerous: [], stale: [] };
  const used = new Set();
  for (const { level, key, message } of changes) {
    if (level === 'DANGEROUS') result.dangerous.push(`${key}: ${message}`);
    if (level !== 'BREAKING') continue;
    used.add(key);
    if (meant.has(key)) result.accepted.push(`${key}: ${message} (${meant.get(key)})`);
    else result.breaking.push(`${key}: ${message}`);
  }
  for (const { change, reason } of accepted) {
    if (!meant.has(change)) result.stale.push(`${change}: the reason is missing or says nothing: ${JSON.stringify(reason)}`);
    else if (!used.has(change)) result.stale.push(`${change}: there is no such change`);
  }
  return result;
}

const flat = (c) => ({ level: c.criticality.level, key: `${c.type} ${c.path ?? ''}`.trim(), message: c.message });

// To the inspector a directive on a field is a note. Ours are promises, so promises() judges them.
const ofOurDirectives = (c) => /@(hasRole|idempotent)\b/.test(c.path ?? '') && c.type.startsWith('DIRECTIVE_USAGE');

// promises gives a breaking change for each field that a role may no longer use, or that can no longer be repeated safely.
function promises(before, after) {
  const out = [];
  for (const [path, field] of fields(before)) {
    const now = fields(after).get(path);
    if (!now) continue; // removed: the inspector says so
    const lost = roles(field).filter((r) => !roles(now).includes(r));
    if (lost.length > 0) out.push({ level: 'BREAKING', key: `ROLE_REMOVED ${path}`, message: `${lost.join(', ')} may no longer use it` });
    if (directive(field, 'idempotent') && !directive(now, 'idempotent')) {
      out.push({ level: 'BREAKING', key: `IDEMPOTENT_REMOVED ${path}`, message: 'repeating the call would do it twice' });
    }
  }
  return out;
}

function fields(schema) {
  const out = new Map();
  for (const type of Object.values(schema.getTypeMap()).filter((t) => isObjectType(t) && !t.name.startsWith('__'))) {
    for (const field of Object.values(type.getFields())) out.set(`${type.name}.${field.name}`, field);
  }
  return out;
}

const directive = (field, name) => field.astNode.directives.find((d) => d.name.value === name);

function roles(field) {
  const found = directive(field, 'hasRole');
  return found ? valueFromASTUntyped(found.arguments[0].value) : CUSTOMERS;
}
