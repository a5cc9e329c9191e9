// Packs the package, installs it into an empty project and uses it there as a stranger would: with import, with require,
// by its command, and without a compiler for our addon. Prints what was installed, and how large it is.
//
//   node scripts/check-install.mjs           install scripts off; on Node 20 this checkout lends the binary of better-sqlite3
//   node scripts/check-install.mjs --full    everything as npm does it: better-sqlite3 fetches its binary or compiles it
//   ... --prebuilt                           with the addons that are in prebuilds/ already
//   ... --tarball FILE                       a package that is packed already
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npm } from './package/npm.mjs';
import { givenTarball, pack } from './package/pack.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const full = process.argv.includes('--full');
const mostInstalled = 60e6;
const heavy = [
  'onnxruntime-node',
  'onnxruntime-web',
  'sharp',
  'fastify',
  'openai',
  '@xenova/transformers',
  'langchain',
  'ai',
];

const quickstart = `
  const index = await SemanticIndex.open(process.argv[2]);
  await index.addDocuments([
    { id: 'returns', text: 'Send the parcel back within 30 days and we refund the price.' },
    { id: 'delivery', text: 'Orders leave our warehouse the next morning.' },
  ]);
  const { hits: [hit] } = await index.search('Can I get my money back?');
  await index.optimize({ full: true });
  const { instructionSet } = await index.stats();
  await index.close();
  console.log(hit.id, instructionSet);
`;

function run(command, args, cwd, env = process.env) {
  return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function sizeOf(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

/** Names of the packages in a folder of modules. */
function packagesIn(modules) {
  return readdirSync(modules).flatMap((name) => {
    if (name.startsWith('.')) return [];
    return name.startsWith('@') ? readdirSync(join(modules, name)).map((part) => `${name}/${part}`) : [name];
  });
}

function check(holds, message) {
  if (holds) return;
  console.error(`FAILED: ${message}`);
  process.exitCode = 1;
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;
const folder = mkdtempSync(join(tmpdir(), 'semantic-index-install-'));
try {
  const tarball = givenTarball(process.argv) ?? pack(root, folder, { prebuilt: process.argv.includes('--prebuilt') });
  const project = join(folder, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"name":"project","private":true,"type":"module"}\n');
  const began = Date.now();
  const lends = !full && Number(process.versions.node.split('.')[0]) < 22;
  const flags = full ? [] : ['--ignore-scripts'];
  if (lends) {
    // A binary that is lent has to be of the version that is installed.
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules', 'better-sqlite3', 'package.json'), 'utf8'));
    flags.push(`better-sqlite3@${version}`);
  }
  npm(['install', '--no-audit', '--no-fund', '--prefer-offline', ...flags, tarball], project);
  const modules = join(project, 'node_modules');
  const installed = packagesIn(modules);
  const seconds = ((Date.now() - began) / 1000).toFixed(0);
  if (lends) {
    const binary = join('better-sqlite3', 'build', 'Release', 'better_sqlite3.node');
    mkdirSync(dirname(join(modules, binary)), { recursive: true });
    cpSync(join(root, 'node_modules', binary), join(modules, binary));
  }
  const total = installed.reduce((sum, name) => sum + sizeOf(join(modules, name)), 0);
  console.log(
    `${basename(tarball)}: ${megabytes(sizeOf(tarball))}; installed in ${seconds} s: ${installed.length} packages, ${megabytes(total)}`,
  );
  const bySize = installed.map((name) => [name, sizeOf(join(modules, name))]).sort((a, b) => b[1] - a[1]);
  for (const [name, bytes] of bySize) console.log(`  ${megabytes(bytes).padStart(9)}  ${name}`);
  check(total < mostInstalled, `${megabytes(total)} are installed: over ${megabytes(mostInstalled)}`);
  for (const name of heavy) check(!installed.includes(name), `${name} came along`);

  // A PATH without compilers: nothing here may need one.
  const bare = join(folder, 'bin');
  mkdirSync(bare);
  const env = { ...process.env, PATH: process.platform === 'win32' ? process.env.PATH : bare };
  writeFileSync(join(project, 'esm.mjs'), `import { SemanticIndex } from 'semantic-index';\n${quickstart}`);
  writeFileSync(
    join(project, 'require.cjs'),
    `const { SemanticIndex } = require('semantic-index');\n(async () => {${quickstart}})();\n`,
  );
  const imported = run(process.execPath, ['esm.mjs', join(folder, 'a')], project, env).trim();
  const required = run(process.execPath, ['--no-warnings', 'require.cjs', join(folder, 'b')], project, env).trim();
  console.log(`import: ${imported}; require: ${required}`);
  check(imported.startsWith('returns ') && required === imported, 'the quickstart does not find its answer');

  const main = join(modules, 'semantic-index', 'dist', 'cli', 'main.js');
  check(
    existsSync(join(modules, '.bin', process.platform === 'win32' ? 'semantic-index.cmd' : 'semantic-index')),
    'there is no command',
  );
  const found = run(process.execPath, [main, 'search', join(folder, 'a'), 'refund', '--json'], project, env);
  check(JSON.parse(found).hits[0].id === 'returns', 'the command does not find the answer');
  const doctor = JSON.parse(run(process.execPath, [main, 'doctor', '--json'], project, env));
  const engine = doctor.checks.find((each) => each.check === 'engine').message;
  console.log(`doctor: ${engine.replace(folder, '')}`);
  check(doctor.healthy && engine.includes('prebuilds'), 'the addon is not the prebuilt one');
  const fail = (args) => spawnSync(process.execPath, [main, ...args], { cwd: project, env, encoding: 'utf8' });
  const served = fail(['serve', join(folder, 'a')]);
  check(served.status === 6 && served.stderr.includes('npm install fastify'), 'serve does not say what it misses');

  rmSync(join(modules, 'semantic-index', 'prebuilds'), { recursive: true });
  const without = fail(['stats', join(folder, 'a')]);
  console.log(`without a prebuilt addon: ${without.stderr.trim()}`);
  check(
    without.status === 6 && without.stderr.includes('cmake-js compile'),
    'a missing addon does not say how to compile it',
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (process.exitCode !== 1) console.log('The package works where it is installed.');
