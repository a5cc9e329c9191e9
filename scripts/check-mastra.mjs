// Tests the vector store for Mastra with the real @mastra/core: packs the package, installs both into an empty project, compiles the
// programs of the guide and of the API reference against Mastra's types, and runs them. Not a development dependency: it would bring 160 packages and 130 MB.
//
//   node scripts/check-mastra.mjs    needs a registry; Mastra asks for Node 22.13 or newer, older ones print a warning
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { statedOutput } from './api/examples.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The programs to run: that of the guide and the examples of the API reference, with the output that they state. */
const guide = readFileSync(join(root, 'docs/frameworks.md'), 'utf8');
const block = [...guide.matchAll(/^```ts\n([\s\S]*?)^```$/gm)]
  .map(([, code]) => code)
  .find((code) => code.includes("'semantic-index/mastra'"));
const programs = {
  guide: { code: block, prints: [...block.matchAll(/^console\.log.*\/\/ (.*)$/gm)].map(([, line]) => line) },
  api: apiProgram('examples/api/mastra.ts'),
};

function apiProgram(path) {
  const code = readFileSync(join(root, path), 'utf8');
  return { code, prints: statedOutput(code) };
}

function run(command, args, cwd) {
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32' && command === 'npm',
  });
}

const folder = mkdtempSync(join(tmpdir(), 'semantic-index-mastra-'));
try {
  run(process.execPath, [join(root, 'scripts', 'prebuild.mjs')], root);
  const packed = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root);
  const tarball = join(folder, JSON.parse(packed)[0].filename);
  const project = join(folder, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"name":"project","private":true,"type":"module"}\n');
  run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '@mastra/core@1', 'zod@4', tarball], project);
  const modules = join(project, 'node_modules');
  for (const lent of ['better-sqlite3', 'better-sqlite3-prebuilt', '@types', 'undici-types']) {
    if (existsSync(join(root, 'node_modules', lent)))
      cpSync(join(root, 'node_modules', lent), join(modules, lent), { recursive: true });
  }
  for (const [name, { code }] of Object.entries(programs)) writeFileSync(join(project, `${name}.mts`), code);
  const options = {
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    module: 'NodeNext',
    target: 'ES2023',
    lib: ['ES2023', 'ESNext.Disposable', 'DOM'],
    types: ['node'],
  };
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, files: Object.keys(programs).map((name) => `${name}.mts`) }),
  );
  run(process.execPath, [join(root, 'node_modules', 'typescript-7', 'bin', 'tsc'), '-p', '.'], project);
  for (const [name, { prints }] of Object.entries(programs)) {
    const directory = join(folder, name);
    mkdirSync(directory);
    const printed = run(process.execPath, [join(project, `${name}.mjs`)], directory).trim();
    if (printed !== prints.join('\n')) throw new Error(`${name}: expected\n${prints.join('\n')}\ngot\n${printed}`);
  }
  console.log('The vector store works in Mastra.');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
