import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const dist = fileURLToPath(new URL('./dist/', import.meta.url));

/** Files that measure time or memory, or hold processes to a time: they run one after the other, when the rest has ended. */
const alone = [
  'test/crash/crowd.test.ts',
  'test/embed/{embed-texts,bundled/bundled-provider,transformers/transformers-provider}.test.ts',
  'test/operations/add/add-ahead.test.ts',
  'test/server/gateway/{gateway,gateway-faults,workers}.test.ts',
  'test/server/http/cost.test.ts',
  'test/store/opening.test.ts',
  'test/vectors/{native-memory,vector-buffer,annoy/annoy-exit}.test.ts',
];

/** The longest files, longest first: what is begun last should be short. A file that is not named begins after them. */
const longest = [
  'examples/docs',
  'crash/faults',
  'store/model',
  'semantic-index-states',
  'operations/tune/tune',
  'examples/quickstart',
  'store/snapshot/changed-files',
  'store/directory/damaged-files',
  'store/catalog/unsound-vectors',
  'cli/commands',
  'examples/programs',
  'crash/crash-test',
  'crash/power-cuts',
  'cli/manners',
  'embed/openai/openai-provider',
].map((name) => fileURLToPath(new URL(`./test/${name}.test.ts`, import.meta.url)));

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const begun = longest.flatMap((path) => sorted.filter(({ moduleId }) => moduleId === path));
    return [...begun, ...sorted.filter((file) => !begun.includes(file))];
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
    sequence: { sequencer: LongestFirst },
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
          // Files share processes: to start one and to load the sources takes longer than most files.
          isolate: false,
          // On two cores as well: many tests wait for processes and files.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
