import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const dist = fileURLToPath(new URL('./dist/', import.meta.url));

export default defineConfig({
  resolve: {
    // Tests name the sources and run what ships: worker threads and the addon exist only in the build.
    alias: [{ find: /^(?:\.\.\/)+src\/(.*)\.js$/, replacement: `${dist}$1.js` }],
  },
  test: {
    include: ['test/**/*.test.ts'],
    server: { deps: { external: [/\/dist\//] } },
    setupFiles: ['test/property-seed.ts'],
    pool: 'forks',
    // For what hangs, not for what is slow: a busy machine takes many times as long.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
