// Where things are. The checker's own tests name other files by SCHEMA_SERVED and SCHEMA_OPERATIONS.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');
/** What the server serves, as `make generate` printed it. */
export const served = process.env.SCHEMA_SERVED ?? join(root, 'docs', 'schema.graphqls');
/** What clients were last promised. `make schema-release` moves it. */
export const released = join(import.meta.dirname, 'released.graphqls');
/** Breaking changes since then that are meant, each with its reason. */
export const accepted = join(import.meta.dirname, 'accepted.json');

export const read = (path) => readFileSync(path, 'utf8');

/** operations are the files with GraphQL documents that git knows or would know, of the console and of e2e. */
export function operations() {
  if (process.env.SCHEMA_OPERATIONS !== undefined) return process.env.SCHEMA_OPERATIONS.split(':').filter(Boolean);
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z', '--', '*.graphql'], { cwd: root, encoding: 'utf8' });
  return listed.split('\0').filter(Boolean).map((f) => join(root, f));
}
