// Checks the contents of `npm pack`: everything that users need, no development files, and no broken links between pages.
import { readFileSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npm } from './package/npm.mjs';
import { imported, started } from './prepare/entries.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const largestUnpacked = 60 * 1024 * 1024;

const needed = [
  'LICENSE',
  'README.md',
  'CHANGELOG.md',
  'docs/api.md',
  'docs/search.md',
  ...imported.map((entry) => `dist/entries/${entry}.js`),
  ...started.map((entry) => `dist/${entry}.js`),
  'dist/index.d.ts',
  'models/semantic-index-en/config.json',
  'models/semantic-index-en/tokenizer.json',
  'models/semantic-index-en/model.safetensors',
  'models/semantic-index-en/README.md',
  'models/write-onnx.mjs',
  'native/CMakeLists.txt',
  'native/kernel/distance/distance.cpp',
  'native/binding/addon.cpp',
];

const unwanted = [
  [/^(?:test|examples|bench|scripts|\.ci|\.github|src)\//, 'development files'],
  [/^native\/(?:build|test|fuzz)/, 'native tests or builds'],
  [/\btraining\b/, 'training'],
  [/(?:\.made-from|\.log)$/, 'traces of a build'],
  [/\.test\./, 'tests'],
];

const [tarball] = JSON.parse(npm(['pack', '--dry-run', '--json', '--ignore-scripts'], root));
const paths = tarball.files.map((file) => file.path);

/** Relative links of a packed page that lead to files outside of the package. */
function brokenLinks(page) {
  const text = readFileSync(`${root}/${page}`, 'utf8');
  const targets = [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)].map(([, target]) => target);
  return targets
    .filter((target) => !paths.includes(posix.join(posix.dirname(page), target)))
    .map((target) => `a link of ${page} leads nowhere: ${target}`);
}

const pages = paths.filter((path) => path.endsWith('.md') && !path.startsWith('models/'));
const problems = [
  ...pages.flatMap(brokenLinks),
  ...needed.filter((path) => !paths.includes(path)).map((path) => `missing: ${path}`),
  ...paths.flatMap((path) => unwanted.filter(([pattern]) => pattern.test(path)).map(([, what]) => `${what}: ${path}`)),
];
if (tarball.unpackedSize > largestUnpacked)
  problems.push(`${tarball.unpackedSize} bytes unpacked: over ${largestUnpacked}`);

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
console.log(
  `${tarball.filename}: ${paths.length} files, ${megabytes(tarball.size)}, ${megabytes(tarball.unpackedSize)} unpacked`,
);
for (const file of [...tarball.files].sort((a, b) => b.size - a.size).slice(0, 5)) {
  console.log(`  ${megabytes(file.size).padStart(9)}  ${file.path}`);
}
if (problems.length > 0) {
  console.error(problems.map((problem) => `In the package, ${problem}`).join('\n'));
  process.exit(1);
}
