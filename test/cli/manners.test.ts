import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { completionScript } from '../../src/cli/completion.js';
import { ended, main, runCli, scratchFolder, startCli } from './run-cli.js';
import { runHere, runJsonHere } from './run-here.js';

/** A working directory with an index that holds one line, for commands that change nothing. */
let indexed: string;
beforeAll(async () => {
  indexed = mkdtempSync(join(tmpdir(), 'semantic-index-'));
  await runHere(['add', 'idx', '-', '--format', 'lines'], { cwd: indexed, input: 'one line\n' });
});
afterAll(() => rmSync(indexed, { recursive: true }));

test.each([
  ['no command', ['serch'], 2, 'Did you mean search?'],
  ['an option that is not there', ['search', 'idx', 'x', '--kk', '3'], 2, 'unknown option'],
  ['a number that is none', ['search', 'idx', 'x', '-k', 'many'], 2, 'positive integer'],
  ['an operator that is not known', ['list', 'idx', '--where', 'year==3'], 2, 'There is no operator =='],
  ['an encoding that is not known', ['add', 'idx', 'x.md', '--encoding', 'latin99'], 2, 'latin99'],
  ['a missing argument', ['search', 'idx'], 2, "missing required argument 'query'"],
  ['no index', ['search', 'nowhere', 'x'], 4, 'semantic-index init nowhere'],
  ['no such file', ['add', 'idx', 'nowhere.md'], 1, 'There is no file or directory'],
  ['a filter that is none', ['list', 'idx', '--where', '{"$bad":1}'], 2, 'INVALID_FILTER'],
  ['a document that is not there', ['get', 'idx', 'nothing'], 4, 'NOT_FOUND'],
  ['stdin without format', ['add', 'idx', '-'], 2, '--format'],
  ['another model', ['search', 'idx', 'x', '--model', 'openai:m', '--base-url', 'http://127.0.0.1:9/v1'], 1, '--model'],
  ['a model that is none', ['search', 'idx', 'x', '--model', 'magic'], 2, 'transformers:MODEL'],
])('%s is said in words, without a stack', async (_, args, code, words) => {
  const result = await runHere(args, { cwd: indexed });
  expect(result.stderr).toContain(words);
  expect(result).toMatchObject({ code, stdout: '' });
  expect(result.stderr).not.toMatch(/\n\s+at /);
});

test.each([
  ['wrong use', ['search', 'idx', 'x', '--kk', '3'], 2],
  ['an error of the library', ['search', 'nowhere', 'x'], 4],
])('a process ends with the code of %s, and prints the same', async (_, args, code) => {
  const result = await runCli(args, { cwd: indexed });
  expect(result).toEqual(await runHere(args, { cwd: indexed }));
  expect(result.code).toBe(code);
});

test('the line of a broken record is named, also as JSON', async () => {
  const cwd = scratchFolder();
  writeFileSync(join(cwd, 'bad.jsonl'), '{"text":"good"}\n\n{"text":\n');
  const { code, stderr } = await runHere(['add', 'idx', 'bad.jsonl', '--json'], { cwd });
  expect(code).toBe(2);
  expect(JSON.parse(stderr).error).toMatchObject({
    code: 'INVALID_FILE',
    message: 'bad.jsonl, line 3: it is not JSON',
  });
  writeFileSync(join(cwd, 'bad.csv'), 'title,body\na,b\n');
  const table = await runHere(['add', 'idx', 'bad.csv'], { cwd });
  expect(table.stderr).toContain('there are: title, body');
});

test.each([
  [['search', 'idx', 'x', '--kk', '3', '--json'], "unknown option '--kk'"],
  [['serch', '--json'], "unknown command 'serch'"],
  [['search', 'idx', '--json'], "missing required argument 'query'"],
  [['migrate', 'idx', '--json'], '--model'],
])('wrong use is JSON too where JSON is asked for: %j', async (args, words) => {
  const { code, stdout, stderr } = await runHere(args, { cwd: indexed });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(JSON.parse(stderr).error).toMatchObject({ code: 'INVALID_ARGUMENT', hint: expect.stringContaining('--help') });
  expect(JSON.parse(stderr).error.message).toContain(words);
});

test('prints the stack on request', async () => {
  const { stderr } = await runHere(['search', 'nowhere', 'x', '--debug'], { cwd: scratchFolder() });
  expect(stderr).toMatch(/\n\s+at /);
});

test('colours only where they are wanted, and no bar in a pipe', async () => {
  const cwd = scratchFolder();
  const input = 'one line\nanother line\n';
  const added = await runCli(['add', 'idx', '-', '--format', 'lines'], { cwd, input });
  expect(added.stderr).toBe('');
  const search = (env: Record<string, string>, ...flags: string[]) =>
    runHere(['search', 'idx', 'line', ...flags], { cwd, env });
  expect((await search({})).stdout).not.toContain('\u001b[');
  expect((await search({ FORCE_COLOR: '1' })).stdout).toContain('\u001b[');
  expect((await search({ FORCE_COLOR: '1', NO_COLOR: '1' })).stdout).not.toContain('\u001b[');
  expect((await search({ FORCE_COLOR: '1' }, '--no-color')).stdout).not.toContain('\u001b[');
});

const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;

// `script` of util-linux is what gives a program a terminal without a dependency.
test.skipIf(!hasScript)('a bar on a terminal', () => {
  const cwd = scratchFolder();
  mkdirSync(join(cwd, 'docs'));
  for (let file = 0; file < 20; file++)
    writeFileSync(join(cwd, `docs/${file}.md`), `# Title ${file}\n\nText ${file}.\n`);
  const command = `${process.execPath} ${main} add idx docs`;
  const output = execFileSync('script', ['-qec', command, '/dev/null'], { cwd, encoding: 'utf8', input: '' });
  expect(output).toMatch(/[█░]{30} +\d+% \| files/);
  expect(output).toContain('20 files: 20 new');
});

test('Ctrl-C leaves a whole index with what was committed', { timeout: 240_000 }, async () => {
  const cwd = scratchFolder();
  await runJsonHere(['init', 'idx'], { cwd });
  const child = startCli(['add', 'idx', '-', '--format', 'lines', '--batch-size', '10'], { cwd });
  const ending = ended(child);
  // Endless input: what ends it is the signal.
  let line = 0;
  child.stdin.on('error', () => {});
  const feeding = setInterval(() => {
    for (let more = 0; more < 20; more++) child.stdin.write(`This is line ${line++} of the input.\n`);
  }, 20);
  await expect
    .poll(async () => (await runHere(['stats', 'idx', '--json'], { cwd })).stdout, { timeout: 120_000, interval: 200 })
    .toMatch(/"documents":[1-9]/);
  child.kill('SIGINT');
  const { code, stderr, stdout } = await ending;
  clearInterval(feeding);
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  expect(stderr).toContain('The index is whole');
  expect(await runJsonHere(['validate', 'idx', '--full'], { cwd })).toMatchObject({ valid: true });
  const { documents } = await runJsonHere(['stats', 'idx'], { cwd });
  expect(documents).toBeGreaterThan(0);
});

test('watch adds what changes and deletes what goes', { timeout: 240_000 }, async () => {
  const cwd = scratchFolder();
  mkdirSync(join(cwd, 'docs'));
  writeFileSync(join(cwd, 'docs/a.md'), '# A\n\nApples.\n');
  const child = startCli(['add', 'idx', 'docs', '--watch', '--json'], { cwd });
  const ending = ended(child);
  const texts = async () => (await runHere(['list', 'idx', '--json'], { cwd })).stdout;
  const poll = () => expect.poll(texts, { timeout: 60_000, interval: 200 });
  // Whatever is written once the first add is done is part of the watch.
  await poll().toContain('Apples');
  writeFileSync(join(cwd, 'docs/b.md'), '# B\n\nBananas.\n');
  await poll().toContain('Bananas');
  execFileSync(process.execPath, ['-e', "require('node:fs').rmSync('docs/a.md')"], { cwd });
  await poll().not.toContain('Apples');
  child.kill('SIGINT');
  const { code, stdout } = await ending;
  expect(code).toBe(0);
  for (const line of stdout.trim().split('\n')) JSON.parse(line);
});

test('a closed output pipe is not an error', () => {
  const cwd = scratchFolder();
  execFileSync(process.execPath, [main, 'add', 'idx', '-', '--format', 'lines'], { cwd, input: 'a b c\n'.repeat(3) });
  const piped = spawnSync(`"${process.execPath}" "${main}" export idx | head -c 1`, { cwd, shell: true });
  expect(piped.stderr.toString()).toBe('');
});

test('completion has commands, flags and choices, and leaves files to the shell', async () => {
  const cwd = scratchFolder();
  const complete = (...words: string[]) => runHere(['complete', '--', ...words], { cwd });
  expect((await complete('se')).stdout).toBe('search\nserve\n'.replace('serve\n', (await complete('ser')).stdout));
  expect((await complete('search', 'idx', '--min')).stdout).toBe('--min-score\n');
  expect((await complete('search', 'idx', '--mode', 'v')).stdout).toBe('vector\n');
  expect((await complete('completion', '')).stdout).toBe('bash\nzsh\nfish\n');
  expect((await complete('add', 'idx', 'do')).code).toBe(9);
  const script = completionScript('bash').replaceAll('$(semantic-index ', `$("${process.execPath}" "${main}" `);
  const asked = `${script}\nCOMP_WORDS=(semantic-index val) COMP_CWORD=1\n_semantic_index\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
  expect(await runJsonHere(['completion', 'bash'], { cwd })).toEqual({
    shell: 'bash',
    script: completionScript('bash'),
  });
  if (process.platform !== 'win32')
    expect(execFileSync('bash', ['-c', asked], { encoding: 'utf8' })).toBe('validate\n');
});
