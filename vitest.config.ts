import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const dist = fileURLToPath(new URL('./dist/', import.meta.url));

/** Files that measure time or memory, or hold processes to a time: they run one after the other, when the rest has ended. */
const alone = [
  'test/crash/{crash-test,crowd}.test.ts',
  'test/server/**',
  'test/embed/{embed-texts,bundled/bundled-provider,transformers/transformers-provider}.test.ts',
  'test/examples/matrices.test.ts',
  'test/operations/{add/add-ahead,tune/tune}.test.ts',
  'test/store/{opening,sqlite/connection}.test.ts',
  'test/vectors/{native-memory,vector-buffer,annoy/annoy-exit}.test.ts',
];

export default defineConfig({
  resolve: {
    // Tests name the sources and run what ships: worker threads and the addon exist only in the build.
    alias: [{ find: /^(?:\.\.\/)+src\/(.*)\.js$/, replacement: `${dist}$1.js` }],
  },
  test: {
    server: { deps: { external: [/\/dist\//] } },
    setupFiles: ['test/property-seed.ts'],
    pool: 'forks',
    // For what hangs, not for what is slow: a busy machine takes many times as long.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'beside',
          include: ['test/**/*.test.ts'],
          exclude: alone,
          // On two cores as well: many tests wait for processes and files.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: alone.map(onlyTests), maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});

function onlyTests(pattern: string): string {
  return pattern.endsWith('**') ? `${pattern}/*.test.ts` : pattern;
}
