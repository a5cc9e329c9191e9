// Bundles what users import and what threads and programs start with, because a process that loads three hundred modules one by
// one spends half a second on it, and a thread a tenth. All bundles share their parts (dist/chunks), so that no class exists twice
// in a program. The modules stay in dist/ beside them: tests import single ones.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { imported, started } from './entries.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const dist = join(root, 'dist');
// From the sources: an entry in dist may be a bundle of the last time.
const src = join(root, 'src');

const slashed = (path) => path.split(sep).join('/');
const addressOfDist = '__address_of_dist__';

/** Modules find files (the addon, models, package.json) by their own address, which is not that of the bundle. */
const keepAddresses = {
  name: 'keep-addresses',
  setup(bundle) {
    bundle.onLoad({ filter: /src[\\/].*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const address = `new URL(${JSON.stringify(slashed(relative(src, path)).replace(/\.ts$/, '.js'))}, ${addressOfDist}).href`;
      return { contents: source.replaceAll('import.meta.url', address), loader: 'ts' };
    });
  },
};

const { outputFiles } = await build({
  entryPoints: [
    ...imported.map((entry) => ({ in: join(src, `${entry}.ts`), out: `entries/${entry}` })),
    ...started.map((entry) => ({ in: join(src, `${entry}.ts`), out: entry })),
  ],
  outdir: dist,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  legalComments: 'none',
  write: false,
  plugins: [keepAddresses],
});

for (const { path, text } of outputFiles) {
  const toDist = JSON.stringify(`${slashed(relative(dirname(path), dist)) || '.'}/`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text.replaceAll(addressOfDist, `new URL(${toDist}, import.meta.url)`));
}
