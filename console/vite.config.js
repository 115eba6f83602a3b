import { rmSync } from 'node:fs';
import { defineConfig } from 'vite';

// dist/placeholder.html is committed, so that Go builds without npm: only what a build makes is cleared before it.
const clear = {
  name: 'clear-assets',
  buildStart: () => rmSync(new URL('dist/assets', import.meta.url), { recursive: true, force: true }),
};

// React libraries mark their files for server rendering, which a bundle has no use for.
const quiet = (warning, warn) => warning.code === 'MODULE_LEVEL_DIRECTIVE' || warn(warning);

export default defineConfig({
  base: '/graphiql/',
  plugins: [clear],
  worker: { format: 'es' }, // Monaco's workers are files of ours: nothing is fetched from a CDN
  build: { outDir: 'dist', emptyOutDir: false, chunkSizeWarningLimit: 8000, target: 'es2022', rolldownOptions: { onwarn: quiet } },
});
