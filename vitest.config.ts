import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const dist = fileURLToPath(new URL('./dist/', import.meta.url));

/** Files that measure time: they run one after the other, when the rest has ended. */
const alone = [
  'test/server/http/{bad-requests,cost}.test.ts',
  'test/embed/{embed-texts,bundled/bundled-provider,transformers/transformers-provider}.test.ts',
  'test/operations/{add/add-ahead,tune/tune}.test.ts',
  'test/store/opening.test.ts',
  'test/vectors/annoy/annoy-exit.test.ts',
];

/** The files that take longest: they start first, so that none of them runs at the end with the other cores idle. */
const slowest = [
  'test/crash/faults.test.ts',
  'test/examples/docs.test.ts',
  'test/store/model.test.ts',
  'test/server/gateway/gateway.test.ts',
  'test/server/gateway/workers.test.ts',
  'test/store/directory/damaged-files.test.ts',
  'test/crash/crash-test.test.ts',
  'test/examples/quickstart.test.ts',
  'test/examples/api-pages.test.ts',
  'test/store/stored-columns.test.ts',
  'test/store/stored-terms.test.ts',
  'test/store/snapshot/changed-files.test.ts',
  'test/cli/manners.test.ts',
  'test/examples/programs.test.ts',
  'test/crash/crowd.test.ts',
  'test/semantic-index-states.test.ts',
  'test/embed/space-lock.test.ts',
  'test/store/catalog/unsound-vectors.test.ts',
];

class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = slowest.findIndex((path) => moduleId.replaceAll('\\', '/').endsWith(path));
      return place < 0 ? slowest.length : place;
    };
    return (await super.sort(files)).sort((left, right) => rank(left) - rank(right));
  }
}

export default defineConfig({
  resolve: {
    // Tests name the sources and run what ships: worker threads and the addon exist only in the build.
    alias: [{ find: /^(?:\.\.\/)+src\/(.*)\.js$/, replacement: `${dist}$1.js` }],
  },
  test: {
    server: { deps: { external: [/\/dist\//] } },
    setupFiles: ['test/property-seed.ts'],
    pool: 'forks',
    sequence: { sequencer: SlowestFirst },
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
          // Files share a process, which loads the package once. What a file changes of its process, it puts back.
          isolate: false,
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
