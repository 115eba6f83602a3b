// A Relay client against the printed schema: relay-compiler has to take every fragment and operation of relay/.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import compiler from 'relay-compiler';

const sources = join(import.meta.dirname, 'relay');

/**
 * compileRelay compiles the sources in a folder of its own, so that nothing is written into the tree.
 * @returns {{complaints: string[], artifacts: string[]}} the compiler's words where it refuses; the names it made where not
 */
export function compileRelay(schema) {
  const dir = mkdtempSync(join(tmpdir(), 'paydesk-relay-'));
  try {
    cpSync(sources, join(dir, 'src'), { recursive: true });
    cpSync(schema, join(dir, 'schema.graphql'));
    mkdirSync(join(dir, 'made'));
    writeFileSync(join(dir, 'relay.config.json'), JSON.stringify({
      src: 'src', schema: 'schema.graphql', artifactDirectory: 'made', language: 'javascript', eagerEsModules: true,
    }));
    const run = spawnSync(compiler, ['--noWatchman', '--output', 'quiet-with-errors', 'relay.config.json'], { cwd: dir, encoding: 'utf8' });
    if (run.error) throw run.error;
    const complaints = run.status === 0 ? [] : [`${run.stdout}${run.stderr}`.trim()];
    return { complaints, artifacts: readdirSync(join(dir, 'made')).map((f) => f.replace('.graphql.js', '')).sort() };
  } finally {
    rmSync(dir, { recursive: true });
  }
}
