// Installs the packed package as npm, pnpm and yarn do by default, without install scripts, under Node 20, 22 and 24, and
// runs the first program of the README there. On Node 22 and later it has to work; on Node 20, where SQLite's binary comes
// from an install script, it has to fail with the one command that adds it. Node and the package managers come from npm.
//
//   node scripts/check-managers.mjs                      every combination
//   node scripts/check-managers.mjs --node 24 --npm      one Node, or one of --npm --pnpm --yarn --yarn-pnp
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, '.cache', 'managers');
const args = process.argv.slice(2);
const windows = process.platform === 'win32';

/** What is installed by name from npm; a manager's last version that runs on a Node, and how it is started. */
const managers = {
  npm: {
    spec: { 20: 'npm@11', 22: 'npm@12', 24: 'npm@12' },
    script: 'npm/bin/npm-cli.js',
    // npm 11 runs install scripts, npm 12 asks first: both are to do without.
    install: (tarball) => ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', tarball],
  },
  pnpm: {
    spec: { 20: 'pnpm@10', 22: 'pnpm@latest', 24: 'pnpm@latest' },
    script: 'pnpm/bin/pnpm.cjs',
    install: (tarball) => ['add', '--prefer-offline', '--config.strict-dep-builds=false', tarball],
  },
  yarn: {
    spec: { 20: '@yarnpkg/cli-dist@4', 22: '@yarnpkg/cli-dist@4', 24: '@yarnpkg/cli-dist@4' },
    script: '@yarnpkg/cli-dist/bin/yarn.js',
    install: (tarball) => ['add', `semantic-index@file:${tarball}`],
    settings: 'nodeLinker: node-modules\nenableScripts: false\n',
  },
  'yarn-pnp': {
    spec: { 20: '@yarnpkg/cli-dist@4', 22: '@yarnpkg/cli-dist@4', 24: '@yarnpkg/cli-dist@4' },
    script: '@yarnpkg/cli-dist/bin/yarn.js',
    install: (tarball) => ['add', `semantic-index@file:${tarball}`],
    settings: 'nodeLinker: pnp\nenableScripts: false\n',
    run: ['node'],
  },
};

function npm(parameters, cwd) {
  const script = process.env.npm_execpath;
  const [command, first] = script?.endsWith('.js') ? [process.execPath, [script]] : ['npm', []];
  return execFileSync(command, [...first, ...parameters], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: windows && command === 'npm',
  });
}

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

/** The start file of a package manager. */
function managerScript({ script }, spec) {
  const folder = join(cache, spec.replace(/[^\w.-]+/g, '-'));
  const file = join(folder, 'node_modules', script);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  npm(['install', '--no-audit', '--no-fund', '--ignore-scripts', '--force', '--prefer-offline', spec], folder);
  return file;
}

function firstProgram() {
  const [, code] = /^```ts\n([\s\S]*?)^```$/m.exec(readFileSync(join(root, 'README.md'), 'utf8'));
  return code;
}

/** What one combination printed, and whether that is right. */
function attempt(major, name, tarball, folder) {
  const manager = managers[name];
  const node = nodeProgram(major);
  const script = managerScript(manager, manager.spec[major]);
  const project = join(folder, `${name}-${major}`);
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"name":"project","private":true,"type":"module"}\n');
  writeFileSync(join(project, 'first.mjs'), firstProgram());
  if (manager.settings) writeFileSync(join(project, '.yarnrc.yml'), manager.settings);
  if (manager.settings) writeFileSync(join(project, 'yarn.lock'), '');
  const environment = {
    ...process.env,
    PATH: `${dirname(node)}${windows ? ';' : ':'}${process.env.PATH}`,
    // Of the npm that started this script: it would decide for the others.
    npm_execpath: undefined,
    npm_node_execpath: undefined,
    npm_config_user_agent: undefined,
    npm_config_store_dir: join(folder, 'pnpm-store'),
    npm_config_cache: npm(['config', 'get', 'cache'], root).trim(),
    YARN_NPM_REGISTRY_SERVER: registry,
    YARN_UNSAFE_HTTP_WHITELIST: new URL(registry).hostname,
    YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
    YARN_ENABLE_TELEMETRY: 'false',
    YARN_GLOBAL_FOLDER: join(folder, 'yarn'),
  };
  const began = Date.now();
  const run = (parameters) =>
    spawnSync(node, parameters, { cwd: project, env: environment, encoding: 'utf8', timeout: 300_000 });
  const installed = run([script, ...manager.install(tarball)]);
  const seconds = ((Date.now() - began) / 1000).toFixed(0);
  if (installed.status !== 0) {
    return { right: false, line: `not installed: ${installed.stdout}${installed.stderr}` };
  }
  const { status, stdout, stderr } = run([...(manager.run ? [script, ...manager.run] : []), 'first.mjs']);
  const works = status === 0 && /^returns 0\.\d+$/.test(stdout.trim()) && stderr === '';
  const explains = status !== 0 && stderr.includes("code: 'ADDON_MISSING'") && stderr.includes(commandOn20);
  const right = major === 20 ? works || explains : works;
  const said = works ? stdout.trim() : explains ? `ADDON_MISSING … ${commandOn20}` : `${stdout}${stderr}`;
  return { right, line: `installed in ${seconds} s; ${said}` };
}

const commandOn20 = 'npm install-scripts approve better-sqlite3 && npm rebuild better-sqlite3';
const registry = npm(['config', 'get', 'registry'], root).trim();
const majors = args.includes('--node') ? [Number(args[args.indexOf('--node') + 1])] : [20, 22, 24];
const named = Object.keys(managers).filter((name) => args.includes(`--${name}`));
const folder = mkdtempSync(join(tmpdir(), 'semantic-index-managers-'));
try {
  execFileSync(process.execPath, [join(root, 'scripts', 'prebuild.mjs')], { cwd: root, stdio: 'ignore' });
  npm(['pack', '--ignore-scripts', '--pack-destination', folder], root);
  const tarball = join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('.tgz')),
  );
  for (const major of majors) {
    for (const name of named.length > 0 ? named : Object.keys(managers)) {
      const { right, line } = attempt(major, name, tarball, folder);
      console.log(`${right ? 'ok    ' : 'FAILED'} Node ${major}, ${managers[name].spec[major]} (${name}): ${line}`);
      if (!right) process.exitCode = 1;
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
