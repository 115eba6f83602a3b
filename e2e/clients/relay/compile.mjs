// Compiles Desk.js against docs/schema.graphqls with relay-compiler: node compile.mjs FOLDER
// The artifacts come into FOLDER/__generated__, the documents by their SHA-256 into FOLDER/persisted.json.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import compiler from 'relay-compiler';

const folder = process.argv[2];
const here = import.meta.dirname;
mkdirSync(join(folder, 'src'), { recursive: true });
mkdirSync(join(folder, '__generated__'));
copyFileSync(join(here, 'Desk.js'), join(folder, 'src/Desk.js'));
copyFileSync(join(here, '../../../docs/schema.graphqls'), join(folder, 'schema.graphql'));
writeFileSync(join(folder, 'persisted.json'), '{}');
writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }'); // artifacts find each other as Node's own modules
writeFileSync(join(folder, 'relay.config.json'), JSON.stringify({
  src: 'src', schema: 'schema.graphql', language: 'javascript', artifactDirectory: '__generated__', eagerEsModules: false,
  persistConfig: { file: 'persisted.json', algorithm: 'SHA256' },
}));
execFileSync(compiler, ['relay.config.json'], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
