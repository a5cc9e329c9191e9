import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';
import { beforeAll, describe, expect, test } from 'vitest';
import { scratchFolder } from '../cli/run-cli.js';
import { preambles } from './docs-preambles.js';
import { needsMastra } from './needs-mastra.js';
import { type BlockRun, runBlocks } from './run-blocks.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const guides = globSync('docs/*.md', { cwd: root }).sort();
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const blocksOf = (path: string, language: string): string[] =>
  [...read(path).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, code = '']) => code);

test('every block is of a language that is run here, or output', () => {
  for (const path of [...guides, 'README.md', 'CONTRIBUTING.md']) {
    for (const [, language] of read(path).matchAll(/^```(\S*)\n[\s\S]*?^```$/gm)) {
      expect(['ts', 'sh', 'json', 'text'], path).toContain(language);
    }
  }
});

const programs = guides
  .flatMap((path) =>
    blocksOf(path, 'ts').map((code, position) => ({ name: `${path.slice('docs/'.length)} ${position}`, code })),
  )
  .filter((program) => !needsMastra(program));

test('no preamble is left over', () => {
  expect(programs.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(preambles)));
});

describe('programs of the guides', () => {
  let run: BlockRun;
  beforeAll(async () => {
    run = await runBlocks(
      'docs',
      programs.map(({ name, code }) => ({ name, code: `${preambles[name] ?? ''}\n${code}` })),
    );
  }, 240_000);

  test.each(programs)('$name runs', ({ name }) => {
    expect(run.results.get(name)).toMatchObject({ error: '', stderr: '' });
  });

  test('keep no process alive', () => {
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

test.each(guides.flatMap((path) => blocksOf(path, 'json').map((code) => ({ path, code }))))(
  'the JSON of $path is JSON',
  ({ code }) => {
    expect(JSON.parse(code)).toBeTypeOf('object');
  },
);

/** A free port, to replace the one in a guide. */
function freePort(): Promise<string> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(String(port)));
    });
  });
}

// `--json` came with curl 7.82.
const hasCurl = spawnSync('curl', ['--json', '{}', '--version']).status === 0;

/** Runs the commands of a guide, one block after the other, in a directory with the files that it mentions. */
async function runCommands(blocks: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const cwd = scratchFolder();
  mkdirSync(join(cwd, 'docs'));
  for (const path of guides) cpSync(join(root, path), join(cwd, path));
  cpSync(join(root, 'README.md'), join(cwd, 'README.md'));
  writeFileSync(join(cwd, 'tickets.csv'), 'number,body\n17,"The parcel never came, what now?"\n18,Two were sent.\n');
  writeFileSync(join(cwd, 'in.csv'), 'number,title\n1,"Lamp, red"\n2,"lamp red"\n3,Table\n');
  const asked = ['parcel', 'never came', 'what now', 'the parcel came', 'parcel now'];
  writeFileSync(
    join(cwd, 'questions.jsonl'),
    asked.map((query) => JSON.stringify({ query, relevant: ['17'] })).join('\n'),
  );
  writeFileSync(join(cwd, 'topics.tsv'), asked.map((query, place) => `${place}\t${query}`).join('\n'));
  writeFileSync(join(cwd, 'qrels.txt'), asked.map((_, place) => `${place} 0 17 1`).join('\n'));
  mkdirSync(join(cwd, 'bin'));
  const command = join(cwd, 'bin/semantic-index');
  writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'dist/cli/main.js')}" "$@"\n`);
  chmodSync(command, 0o755);
  const script = `set -eo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n${blocks.join('\n').replaceAll('8087', await freePort())}`;
  const env = { ...process.env, PATH: `${join(cwd, 'bin')}:${process.env.PATH}` };
  return new Promise((resolve) => {
    execFile('bash', ['-c', script], { cwd, env, encoding: 'utf8', timeout: 470_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}

// The commands of the guides are written for a shell of POSIX.
describe.skipIf(process.platform === 'win32')('the commands of', () => {
  const withCommands = guides.filter((path) => blocksOf(path, 'sh').length > 0);
  test.for(withCommands)('%s run', { timeout: 480_000 }, async (path, { skip }) => {
    skip(!hasCurl && read(path).includes('curl '), 'there is no curl here, or an old one');
    const { code, stdout, stderr } = await runCommands(blocksOf(path, 'sh'));
    expect(code === 0 ? '' : stderr).toBe('');
    expect(stdout.length).toBeGreaterThan(100);
    expect(stdout).not.toContain('"error"');
  });

  test('README.md run, where they are ours', { timeout: 480_000 }, async () => {
    const ours = blocksOf('README.md', 'sh').filter((block) => block.startsWith('semantic-index add'));
    expect(ours.length).toBeGreaterThan(0);
    const { code, stdout, stderr } = await runCommands(ours);
    expect(code === 0 ? '' : stderr).toBe('');
    expect(stdout).toContain('docs/operate.md');
  });

  test('README.md are those that the checks of this repository run', () => {
    // Installing, testing and starting are steps of .ci/run, and test/crash/ kills processes; a test that ran them would run itself.
    const lines = blocksOf('README.md', 'sh').join('\n').split('\n');
    const commands = lines.map((line) => line.replace(/\s*#.*$/, '')).filter((line) => line !== '');
    const known = /^(?:[A-Z_]+=\S+ )*(?:npm (?:install semantic-index|test|start)|semantic-index)\b/;
    for (const command of commands) expect(command).toMatch(known);
  });
});

test('every guide is reached from llms.txt, and every example from its list', () => {
  for (const path of guides) expect(read('llms.txt'), path).toContain(`](${path})`);
  const programs = globSync('*.ts', { cwd: join(root, 'examples') });
  for (const path of programs) expect(read('examples/README.md'), path).toContain(`](${path})`);
});

test('links between the pages lead somewhere', () => {
  for (const path of [...guides, 'README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'llms.txt', 'examples/README.md']) {
    for (const [, target = ''] of read(path).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)) {
      const file = join(root, path, '..', target);
      expect(globSync(file, { absolute: true, onlyFiles: false }).length, `${path}: ${target}`).toBeGreaterThan(0);
    }
  }
});
