// Installs the packed package as npm, pnpm and yarn do by default, without install scripts, under Node 20, 22 and 24, and
// runs the first program of the README there. On Node 22 and later it has to work; on Node 20, where SQLite's binary comes
// from an install script, it has to fail with the one command that adds it. Node and the package managers come from npm.
//
//   node scripts/check-managers.mjs                      every combination
//   node scripts/check-managers.mjs --quick              npm under every Node, the others under the newest
//   node scripts/check-managers.mjs --node 24 --npm      one Node, or one of --npm --pnpm --yarn --yarn-pnp
//   ... --tarball FILE                                   a package that is packed already
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npm } from './package/npm.mjs';
import { givenTarball, pack } from './package/pack.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, '.cache', 'managers');
const args = process.argv.slice(2);
const windows = process.platform === 'win32';

/** What is installed by name from npm; a manager's last version that runs on a Node, and how it is started. */
const managers = {
  npm: {
    spec: { 20: 'npm@11', 22: 'npm@12', 24: 'npm@12' },
    bin: 'npm',
    // npm 11 runs install scripts, npm 12 asks first: both are to do without.
    install: (tarball) => ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', tarball],
  },
  pnpm: {
    spec: { 20: 'pnpm@10', 22: 'pnpm@11', 24: 'pnpm@11' },
    bin: 'pnpm',
    install: (tarball) => ['add', '--prefer-offline', '--config.strict-dep-builds=false', tarball],
  },
  yarn: {
    spec: { 20: '@yarnpkg/cli-dist@4', 22: '@yarnpkg/cli-dist@4', 24: '@yarnpkg/cli-dist@4' },
    bin: 'yarn',
    install: (tarball) => ['add', `semantic-index@file:${tarball}`],
    settings: 'nodeLinker: node-modules\nenableScripts: false\n',
  },
  'yarn-pnp': {
    spec: { 20: '@yarnpkg/cli-dist@4', 22: '@yarnpkg/cli-dist@4', 24: '@yarnpkg/cli-dist@4' },
    bin: 'yarn',
    install: (tarball) => ['add', `semantic-index@file:${tarball}`],
    settings: 'nodeLinker: pnp\nenableScripts: false\n',
    run: ['node'],
  },
};

/** The program of that Node: this one, or the one that npm's package of Node's binaries holds. */
function nodeProgram(major) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const folder = join(cache, `node-${major}`);
  const program = join(folder, 'package', 'bin', windows ? 'node.exe' : 'node');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const name = `node-${windows ? 'win' : process.platform}-${process.arch}@${major}`;
  const packed = JSON.parse(npm(['pack', '--json', '--prefer-offline', name], folder));
  execFileSync('tar', ['-xzf', packed[0].filename], { cwd: folder });
  rmSync(join(folder, packed[0].filename));
  return program;
}

/** The start file of a package manager, as its package.json names it. */
function managerScript({ bin }, spec) {
  const folder = join(cache, spec.replace(/[^\w.-]+/g, '-'));
  const home = join(folder, 'node_modules', spec.slice(0, spec.lastIndexOf('@')));
  const manifest = join(home, 'package.json');
  if (!existsSync(manifest)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
    npm(['install', '--no-audit', '--no-fund', '--ignore-scripts', '--force', '--prefer-offline', spec], folder);
  }
  return join(home, JSON.parse(readFileSync(manifest, 'utf8')).bin[bin]);
}

/** The first program of the README, and what its comments say that it prints. */
function firstProgram() {
  const [, code] = /^```ts\n([\s\S]*?)^```$/m.exec(readFileSync(join(root, 'README.md'), 'utf8'));
  const prints = [...code.matchAll(/\/\/ => (.*)$/gm)].map(([, line]) => `${line}\n`).join('');
  if (prints === '') throw new Error('the first program of README.md says nowhere what it prints (// => ...)');
  return { code, prints };
}

/** Runs a program to its end and resolves to what it printed. */
function run(program, parameters, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, { ...options, stdio: ['ignore', 'pipe', 'pipe'], timeout: 300_000 });
    const printed = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8').on('data', (text) => {
        printed[stream] += text;
      });
    }
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, ...printed }));
  });
}

/** The environment of a package manager, without what the npm that started this script decides for the others. */
function environment(node, project) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^npm_(?:execpath|node_execpath|config_user_agent)$/.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
    npm_config_store_dir: join(project, '.pnpm-store'),
    YARN_NPM_REGISTRY_SERVER: registry,
    YARN_UNSAFE_HTTP_WHITELIST: new URL(registry).hostname,
    YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
    YARN_ENABLE_TELEMETRY: 'false',
    YARN_GLOBAL_FOLDER: join(project, '.yarn-global'),
  };
}

/** What one combination printed, and whether that is right. */
async function attempt({ major, name, node, script }, tarball, folder) {
  const manager = managers[name];
  const project = join(folder, `${name}-${major}`);
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"name":"project","private":true,"type":"module"}\n');
  const program = firstProgram();
  writeFileSync(join(project, 'first.mjs'), program.code);
  if (manager.settings) {
    writeFileSync(join(project, '.yarnrc.yml'), manager.settings);
    writeFileSync(join(project, 'yarn.lock'), '');
  }
  const options = { cwd: project, env: environment(node, project) };
  const began = Date.now();
  const installed = await run(node, [script, ...manager.install(tarball)], options);
  const seconds = ((Date.now() - began) / 1000).toFixed(0);
  if (installed.status !== 0) {
    return { right: false, line: `not installed: ${installed.stdout}${installed.stderr}` };
  }
  const start = manager.run ? [script, ...manager.run] : [];
  const { status, stdout, stderr } = await run(node, [...start, 'first.mjs'], options);
  const works = status === 0 && stdout === program.prints && stderr === '';
  const explains = status !== 0 && stderr.includes("code: 'ADDON_MISSING'") && stderr.includes(commandOn20);
  const right = works || (major === 20 && explains);
  const said = works
    ? 'the program prints what it should'
    : explains
      ? `ADDON_MISSING … ${commandOn20}`
      : `${stdout}${stderr}`;
  return { right, line: `installed in ${seconds} s; ${said}` };
}

const commandOn20 = 'npm install-scripts approve better-sqlite3 && npm rebuild better-sqlite3';
const registry = npm(['config', 'get', 'registry'], root).trim();
const majors = args.includes('--node') ? [Number(args[args.indexOf('--node') + 1])] : [20, 22, 24];
const named = Object.keys(managers).filter((name) => args.includes(`--${name}`));
const combinations = majors
  .flatMap((major) => (named.length > 0 ? named : Object.keys(managers)).map((name) => ({ major, name })))
  .filter(({ major, name }) => !args.includes('--quick') || name === 'npm' || major === Math.max(...majors))
  .map(({ major, name }) => ({
    major,
    name,
    node: nodeProgram(major),
    script: managerScript(managers[name], managers[name].spec[major]),
  }));
const folder = mkdtempSync(join(tmpdir(), 'semantic-index-managers-'));

/** Takes one combination after the other from the list that it shares with its like. */
async function work(waiting, tarball) {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { right, line } = await attempt(next, tarball, folder);
    const { major, name } = next;
    console.log(`${right ? 'ok    ' : 'FAILED'} Node ${major}, ${managers[name].spec[major]} (${name}): ${line}`);
    if (!right) process.exitCode = 1;
  }
}

try {
  const tarball = givenTarball(args) ?? pack(root, folder);
  const waiting = [...combinations];
  await Promise.all([work(waiting, tarball), work(waiting, tarball)]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
