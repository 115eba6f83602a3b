// make schema-check: everything that is to be known about the printed schema before it is merged. Exit 1 where something is wrong.
import { accepted, operations, read, released, root, served } from './files.mjs';
import { compare } from './compare.mjs';
import { lint } from './lint.mjs';
import { compileRelay } from './relay.mjs';

let wrong = 0;
function report(title, complaints) {
  wrong += complaints.length;
  console.log(`${complaints.length === 0 ? 'ok  ' : 'FAIL'} ${title}`);
  for (const c of complaints) console.log(`     ${c.replaceAll(`${root}/`, '')}`);
}

const files = operations();
report(`graphql-eslint: the schema and ${files.length} files of operations`, await lint(served, files));

const relay = compileRelay(served);
report(`relay-compiler: ${relay.artifacts.length} fragments and operations`, relay.complaints);

const changes = await compare(read(released), read(served), JSON.parse(read(accepted)));
for (const line of changes.dangerous) console.log(`note dangerous: ${line}`);
for (const line of changes.accepted) console.log(`note breaking, accepted: ${line}`);
report('no breaking change since the release', changes.breaking);
report('tools/schema/accepted.json says what is so', changes.stale);
if (changes.breaking.length > 0) {
  console.log('Clients that were written for the released schema would fail. Keep the old beside the new and deprecate it; or, if it is meant, say so:');
  console.log('  tools/schema/accepted.json: [{ "change": "<TYPE path, as above>", "reason": "<who was asked, why it cannot hurt>" }]');
}
process.exit(wrong === 0 ? 0 : 1);
