// make schema-release: the served schema becomes the one that clients are promised. To be run when a version is released.
import { copyFileSync, writeFileSync } from 'node:fs';
import { accepted, released, served } from './files.mjs';

copyFileSync(served, released);
writeFileSync(accepted, '[]\n');
console.log('tools/schema/released.graphqls is what docs/schema.graphqls is, and accepted.json is empty: commit both with the release');
