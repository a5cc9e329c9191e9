import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeProgram } from '../../src/cli/program.js';
import { type Hit, SemanticIndex } from '../../src/index.js';
import { tinyStaticModel } from '../embed/bundled/tiny-static-model.js';
import { runJson, scratchFolder } from './run-cli.js';
import { runHere, runJsonHere } from './run-here.js';

function folderOfTexts(): string {
  const cwd = scratchFolder();
  mkdirSync(join(cwd, 'docs/deep'), { recursive: true });
  writeFileSync(
    join(cwd, 'docs/returns.md'),
    '# Returns\n\nSend the parcel back within 30 days and we refund the price.\n',
  );
  writeFileSync(join(cwd, 'docs/deep/delivery.txt'), 'Orders leave our warehouse the next morning.\n');
  writeFileSync(join(cwd, 'docs/deep/picture.txt'), Buffer.from([137, 80, 78, 71, 0, 0, 1]));
  return cwd;
}

test('every command has a description with examples', async () => {
  const { commands } = await makeProgram([]);
  for (const command of commands.filter((known) => known.name() !== 'complete')) {
    let help = '';
    command.configureOutput({
      writeOut: (text) => {
        help += text;
      },
    });
    command.outputHelp();
    expect(help, command.name()).toMatch(/Examples:\n {2}\$ /);
    expect(command.description(), command.name()).not.toBe('');
  }
});

test('a command is found by its name without the others', async () => {
  const { commands } = await makeProgram([]);
  const names = commands.map((command) => command.name());
  expect(names.length).toBeGreaterThan(30);
  for (const name of names) {
    const alone = await makeProgram([name]);
    expect(alone.commands.map((command) => command.name())).toContain(name);
  }
});

test('a folder from its first index to its backup', { timeout: 240_000 }, async () => {
  const cwd = folderOfTexts();
  const json = (...args: string[]) => runJsonHere(args, { cwd });
  expect(await json('init', 'idx')).toEqual({ index: 'idx', model: 'bundled', metric: 'angular', documents: 0 });
  const added = await json('add', 'idx', 'docs');
  expect(added).toMatchObject({ files: { sources: { added: 2 } }, skipped: ['docs/deep/picture.txt'] });
  expect(await json('add', 'idx', 'docs')).toMatchObject({ files: { sources: { unchanged: 2 }, embedded: 0 } });

  const { hits } = (await json('search', 'idx', 'can I get my money back?')) as { hits: { id: string }[] };
  const id = hits[0]?.id as string;
  expect(id).toMatch(/^docs\/returns\.md#/);
  expect(await json('similar', 'idx', id)).toMatchObject({
    hits: [{ metadata: { source: 'docs/deep/delivery.txt' } }],
  });
  expect(await json('get', 'idx', id)).toMatchObject({ documents: [{ id }] });
  const text = await runHere(['search', 'idx', 'can I get my money back?'], { cwd });
  expect(text.stdout).toMatch(/^ 1 {2}0\.\d{3} {2}docs\/returns\.md:\d+\n/);
  const colored = await runHere(['search', 'idx', 'parcels'], { cwd, env: { FORCE_COLOR: '1' } });
  expect(colored.stdout).toContain('\u001B[33mparcel\u001B[39m');
  const snippets = (await json('search', 'idx', 'parcels', '--snippet')) as { hits: Hit[] };
  expect(snippets.hits[0]?.snippet?.highlighted).toContain('**parcel**');
  expect(await json('search', 'idx', 'refund', '--explain')).toMatchObject({ explanation: { exact: true } });

  const input = '{"id":1,"text":"A whale.","year":1851}\n{"id":2,"text":"An orphan.","year":1861}\n"alone"\n';
  const piped = await runHere(['add', 'idx', '-', '--format', 'jsonl', '--json'], { cwd, input });
  expect(JSON.parse(piped.stdout)).toMatchObject({ records: { added: 3 } });
  const where = '{"year":{"$gt":1855}}';
  expect(await json('search', 'idx', 'a book', '--where', where)).toMatchObject({
    hits: [{ id: 2, text: 'An orphan.' }],
  });
  writeFileSync(join(cwd, 'table.csv'), 'number,body,price\nA1,"Tea, green",3.5\nA2,Coffee,4\n');
  const fields = ['--text-field', 'body', '--id-field', 'number'];
  expect(await json('add', 'idx', 'table.csv', ...fields)).toMatchObject({ records: { added: 2 } });
  expect(await json('list', 'idx', '--where', 'price=3.5')).toMatchObject({
    documents: [{ id: 'A1', text: 'Tea, green', metadata: { price: 3.5 } }],
  });
  const questions = await runHere(['search', 'idx', '-', '-k', '1', '--json'], { cwd, input: 'hot drink\nparcel\n' });
  expect(JSON.parse(questions.stdout).searches).toHaveLength(2);

  await runHere(['add', 'idx', '-', '--format', 'lines'], { cwd, input: 'alone!\n' });
  expect(await json('dedupe', 'idx')).toMatchObject({
    duplicates: 1,
    groups: [{ duplicates: [{ kind: 'normalized' }] }],
  });
  expect(await json('dedupe', 'idx', '--apply', 'delete')).toMatchObject({ changed: 1 });
  const odd =
    'id,text,note\r\n1,"How do I cancel my ""premium"" plan?","a, b"\r\n2,Where is it?,"two\nlines"\r\n3,"How can I cancel my ""premium"" plan?",x\r\n4,,-\r\n';
  writeFileSync(join(cwd, 'odd.csv'), `\ufeff${odd}`);
  const written = ['--output', 'kept.csv', '--report', 'report.csv'];
  expect(await json('dedupe', 'odd.csv', ...written)).toEqual({
    ...{ rows: 4, duplicates: 1, groups: 1, kept: 3 },
    invalid: [],
  });
  expect(readFileSync(join(cwd, 'kept.csv'), 'utf8')).toBe(
    'id,text,note\n1,"How do I cancel my ""premium"" plan?","a, b"\n2,Where is it?,"two\nlines"\n4,,-\n',
  );
  expect(readFileSync(join(cwd, 'report.csv'), 'utf8')).toMatch(/\n5,2,near,0\.\d{3},do,can,"How can I cancel/);
  writeFileSync(join(cwd, 'odd.jsonl'), '{"text":"Tea","n":1}\n\n{"n":2,"text":"tea!"}\n"Coffee"');
  expect(await json('dedupe', 'odd.jsonl', '--output', 'kept.jsonl')).toMatchObject({
    rows: 3,
    duplicates: 1,
    kept: 2,
  });
  expect(readFileSync(join(cwd, 'kept.jsonl'), 'utf8')).toBe('{"text":"Tea","n":1}\n"Coffee"\n');
  const broken = '{"text":"Tea"}\n{"text":17}\n{"text":\n{"n":1}\n{"text":"tea!"}\n';
  writeFileSync(join(cwd, 'broken.jsonl'), broken);
  const skipping = ['--on-invalid', 'skip', '--output', 'kept.jsonl'];
  expect(await json('dedupe', 'broken.jsonl', ...skipping)).toMatchObject({
    ...{ rows: 2, duplicates: 1, kept: 1 },
    invalid: [
      { place: 'broken.jsonl, line 2', message: expect.stringMatching(/expected a string in "text", got 17$/) },
      { place: 'broken.jsonl, line 3', message: expect.stringMatching(/it is not JSON$/) },
      { place: 'broken.jsonl, line 4', message: expect.stringMatching(/there is none$/) },
    ],
  });
  expect(readFileSync(join(cwd, 'kept.jsonl'), 'utf8')).toBe('{"text":"Tea"}\n');
  expect((await runHere(['dedupe', 'broken.jsonl', ...skipping], { cwd })).stdout).toContain(
    'Left out: broken.jsonl, line 2',
  );
  const ended = await runHere(['dedupe', 'broken.jsonl'], { cwd });
  expect(ended).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/broken\.jsonl, line 2.*\n.*--on-invalid skip/),
  });
  writeFileSync(join(cwd, 'open.csv'), 'text\nTea\n"Tea');
  expect(await json('dedupe', 'open.csv', '--on-invalid', 'skip')).toMatchObject({
    rows: 1,
    invalid: [{ code: 'INVALID_FILE' }],
  });
  for (const refused of [
    ['odd.csv', '--text', 'title'],
    ['gone.csv'],
    ['odd.csv', '--output', 'odd.csv'],
    ['odd.csv', '--output', '-'],
    ['odd.csv', '--exact'],
  ]) {
    expect((await runHere(['dedupe', ...refused], { cwd })).code).not.toBe(0);
  }
  expect(await json('delete', 'idx', '1', '--dry-run')).toEqual({ deleted: 1, dryRun: true });
  expect(await json('delete', 'idx', '--where', 'year=1851')).toEqual({ deleted: 1, dryRun: false });

  for (const refused of [['--where', '{}'], ['--where', '{"$and":[]}', '--dry-run'], [], ['2', '--all']]) {
    expect((await runHere(['delete', 'idx', ...refused], { cwd })).code).not.toBe(0);
  }

  expect(await json('validate', 'idx', '--full')).toMatchObject({ valid: true });
  expect(await json('optimize', 'idx', '--full')).toMatchObject({ segments: 1 });
  await json('delete', 'idx', '2');
  expect(await json('optimize', 'idx')).toMatchObject({ items: 1 });
  expect(await json('rebuild', 'idx', '--from', 'texts')).toMatchObject({ documents: 5 });
  expect(await json('stats', 'idx')).toMatchObject({ documents: 5, dimensions: 384 });

  expect(await json('backup', 'idx', 'copy')).toMatchObject({ documents: 5 });
  expect(existsSync(join(cwd, 'copy/cli.json'))).toBe(true);
  expect(await json('export', 'idx', 'out')).toMatchObject({ documents: 5 });
  expect(await json('export', 'idx', 'out.ann', '--format', 'annoy')).toMatchObject({ documents: 5 });
  const lines = await runHere(['export', 'idx'], { cwd });
  expect(JSON.parse(lines.stdout.split('\n')[0] as string).vector).toHaveLength(384);
  expect(await json('import', 'idx2', 'out')).toMatchObject({ added: 5, embedded: 0 });
  expect(await json('search', 'idx2', 'hot drink', '-k', '1')).toMatchObject({ hits: [{}] });
  expect(await json('delete', 'idx2', '--all', '--dry-run')).toEqual({ deleted: 5, dryRun: true });
  expect(await json('delete', 'idx2', '--all')).toEqual({ deleted: 5, dryRun: false });
  expect(await json('doctor', 'idx')).toMatchObject({ healthy: true });
});

test('doctor examines and names the model of the index', async () => {
  const cwd = scratchFolder();
  const model = async (...args: string[]) => {
    const { code, stdout } = await runHere(['doctor', ...args, '--json'], { cwd, env: { OPENAI_API_KEY: 'none' } });
    const { checks } = JSON.parse(stdout) as { checks: { check: string; passed: boolean }[] };
    return { code, ...checks.find(({ check }) => check === 'model') };
  };
  const bundled = { code: 0, passed: true, message: expect.stringMatching(/^bundled.*384 dimensions/) };
  expect(await model()).toMatchObject(bundled);
  await runHere(['add', 'texts', '-', '--format', 'lines'], { cwd, input: 'one line\n' });
  expect(await model('texts')).toMatchObject({ ...bundled, message: expect.stringContaining('bundled, of texts') });

  await runHere(['init', 'own', '--model', 'none'], { cwd });
  expect(await model('own')).toMatchObject({ code: 0, passed: true, message: expect.stringContaining('none, of own') });
  await using given = await SemanticIndex.open(join(cwd, 'given'), { provider: null });
  await given.addDocuments([{ id: 1, vector: [1, 0], text: 'one' }]);
  expect(await model('given')).toMatchObject({ code: 0, passed: true, message: expect.stringContaining('none, of') });

  // No process listens there.
  const service = ['--model', 'openai:m', '--base-url', 'http://127.0.0.1:9/v1'];
  await runHere(['init', 'asked', ...service], { cwd, env: { OPENAI_API_KEY: 'none' } });
  const failed = expect.stringContaining('openai:m, of asked: ');
  expect(await model('asked')).toMatchObject({ code: 3, passed: false, message: failed });
  expect(await model(...service)).toMatchObject({ code: 3, passed: false });
  expect(await model('texts', ...service)).toMatchObject({ code: 3, hint: expect.stringContaining('it is bundled') });
});

test('plan reports what an add would embed, with and without an index', async () => {
  const cwd = folderOfTexts();
  const json = (...args: string[]) => runJsonHere(['plan', 'idx', ...args], { cwd });
  expect(await json('docs')).toMatchObject({ documents: 2, new: 2, embed: 2 });
  expect(existsSync(join(cwd, 'idx'))).toBe(false);
  // Neither a key nor the service is needed: nothing is sent.
  const service = ['--model', 'openai:text-embedding-3-small'];
  expect(await json('docs', ...service, '--price-per-million-tokens', '0.02')).toMatchObject({
    counted: true,
    cost: expect.any(Number),
  });
  await runJsonHere(['add', 'idx', 'docs'], { cwd });
  writeFileSync(join(cwd, 'docs/returns.md'), '# Returns\n\nNothing is taken back.\n');
  expect(await json('docs')).toMatchObject({
    documents: 2,
    new: 1,
    unchanged: 1,
    embed: 1,
  });
  writeFileSync(join(cwd, 'table.csv'), 'id,text\nA1,Tea\nA2,Tea\n');
  expect(await json('docs', 'table.csv')).toMatchObject({ documents: 4, new: 3, embed: 2 });
  const piped = await runHere(['plan', 'idx', '-', '--format', 'lines', '--price-per-million-tokens', '1'], {
    cwd,
    input: 'Tea\n',
  });
  expect(piped.stdout).toMatch(
    /^documents {2}1: 1 new, .*\nto embed {3}1 text of (?:about )?\d+ tokens?; .*\ncost {7}0\.0/,
  );
  expect(await runJsonHere(['stats', 'idx'], { cwd })).toMatchObject({ documents: 2 });
  const cheap = await runHere(['plan', 'idx', '-', '--format', 'lines', '--price-per-million-tokens', '0.02'], {
    cwd,
    input: 'Tea\n',
  });
  expect(cheap.stdout).toMatch(/^cost {7}0\.0{6,}\d\d$/m);
});

test.each([
  ['plan', ['plan', 'idx', 'docs', '--price', '1'], '--price-per-million-tokens'],
  ['crash-test', ['crash-test', 'scratch', '--seconds', '5'], '--duration'],
])('%s names the new flag for a renamed one', async (_, args, name) => {
  const { code, stderr } = await runHere(args, { cwd: folderOfTexts() });
  expect(stderr).toContain(`was renamed: use ${name}`);
  expect(code).toBe(2);
});

test('prune deletes the chunks of files that are gone, not of those that are not named', async () => {
  const cwd = folderOfTexts();
  const prune = (name: string) => runJsonHere(['add', 'idx', name, '--prune'], { cwd });
  await runJsonHere(['add', 'idx', 'docs'], { cwd });
  expect(await prune('docs/returns.md')).toMatchObject({ files: { sources: { unchanged: 1, deleted: 0 } } });
  rmSync(join(cwd, 'docs/deep/delivery.txt'));
  expect(await prune('docs/returns.md')).toMatchObject({ files: { sources: { unchanged: 1, deleted: 1 } } });
});

test('a name that leads nowhere leaves no index behind, and one of several that cannot be read ends with 1', async () => {
  const cwd = folderOfTexts();
  expect(await runHere(['add', 'idx', 'dosc'], { cwd })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('"docs"'),
  });
  expect(existsSync(join(cwd, 'idx'))).toBe(false);
  symlinkSync('nowhere.md', join(cwd, 'docs/dangling.md'));
  const { code, stdout } = await runHere(['add', 'idx', 'docs'], { cwd });
  expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining('Could not read docs/dangling.md') });
  expect(await runHere(['init', 'docs'], { cwd })).toMatchObject({
    code: 4,
    stderr: expect.not.stringContaining('init'),
  });
  const same = await runHere(['migrate', 'idx', '--model', 'bundled'], { cwd });
  expect(same).toMatchObject({ code: 0, stdout: expect.stringContaining('there is nothing to move') });
});

test('vectors of the caller need no model', async () => {
  const cwd = scratchFolder();
  await runJsonHere(['init', 'idx', '--model', 'none', '--metric', 'euclidean'], { cwd });
  writeFileSync(join(cwd, 'v.jsonl'), '{"id":"a","text":"a","vector":[0,1]}\n{"id":"b","text":"b","vector":[5,5]}\n');
  await runJsonHere(['add', 'idx', 'v.jsonl'], { cwd });
  expect(await runJsonHere(['search', 'idx', '[5, 4]', '--vector', '-k', '1'], { cwd })).toMatchObject({
    hits: [{ id: 'b' }],
  });
});

test('tune chooses, and migrate moves the index to another model', { timeout: 240_000 }, async () => {
  const cwd = folderOfTexts();
  await runJsonHere(['add', 'idx', 'docs'], { cwd });
  expect(await runJsonHere(['tune', 'idx', '--svg', 'recall.svg'], { cwd })).toMatchObject({ tuning: { exact: true } });
  expect(readFileSync(join(cwd, 'recall.svg'), 'utf8')).toMatch(/^<svg/);
  expect((await runHere(['stats', 'idx'], { cwd })).stdout).toMatch(
    /^recall +at least 1\.000 of the 10 .* exact search; /m,
  );
  const compared = await runJsonHere(['tune', 'idx', '--trees', '2,4', '--dry-run'], { cwd });
  expect(compared).toMatchObject({ trees: [{ trees: 2 }, { trees: 4 }] });
  const model = tinyStaticModel(['the', 'parcel', 'orders', 'morning']).folder;
  onTestFinished(() => rmSync(model, { recursive: true }));
  expect(await runJsonHere(['migrate', 'idx', '--model', `bundled:${model}`], { cwd })).toMatchObject({
    documents: 2,
    cutOver: true,
  });
  // Noted: no flag is needed from now on.
  expect(await runJsonHere(['search', 'idx', 'the', '-k', '1'], { cwd })).toMatchObject({ hits: [{}] });
  expect((await runHere(['migrate', 'idx'], { cwd })).code).toBe(2);
});

test('import makes an index for what it reads, and none for what it cannot read', async () => {
  const cwd = scratchFolder();
  const open = (name: string) => SemanticIndex.open(join(cwd, name), { provider: null, metric: 'euclidean' });
  await using index = await open('idx');
  await index.addDocuments([{ id: 1, text: 'a lantern', vector: [1, 2] }]);
  await index.exportTo(join(cwd, 'out'));
  expect(await runJsonHere(['import', 'copy', 'out'], { cwd })).toMatchObject({ added: 1 });
  expect((await (await open('copy')).stats()).metric).toBe('euclidean');
  const { code, stderr } = await runHere(['import', 'other', 'idx'], { cwd });
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('idx is not a directory that exportTo wrote'),
  });
  expect(existsSync(join(cwd, 'other'))).toBe(false);
});

test('records keep a field called __proto__', async () => {
  const cwd = scratchFolder();
  writeFileSync(
    join(cwd, 'a.jsonl'),
    '{"id":1,"text":"one","__proto__":{"x":1}}\n{"id":2,"text":"two","metadata":{"__proto__":2}}\n',
  );
  writeFileSync(join(cwd, 'b.csv'), 'id,text,__proto__\n3,three,7\n');
  await runJsonHere(['add', 'idx', 'a.jsonl', 'b.csv'], { cwd });
  const { stdout } = await runHere(['list', 'idx', '--json'], { cwd });
  expect(stdout).toContain('"id":1,"text":"one","metadata":{"__proto__":{"x":1}}');
  expect(stdout).toContain('"id":2,"text":"two","metadata":{"__proto__":2}');
  expect(stdout).toContain('"id":"3","text":"three","metadata":{"__proto__":7}');
});

test('a path that is a file, and a missing index, are answered with the next step', async () => {
  const cwd = scratchFolder();
  writeFileSync(join(cwd, 'file'), 'x');
  expect((await runHere(['search', 'file', 'x'], { cwd })).stderr).toMatch(
    /file is a file\n.*Name the directory of an index/,
  );
  expect((await runHere(['add', 'file/idx', 'file'], { cwd })).stderr).toMatch(
    /A part of the path file\/idx is a file/,
  );
  expect((await runHere(['doctor', 'missing'], { cwd })).stdout).toContain('semantic-index init missing');
  await runHere(['init', 'idx'], { cwd });
  expect((await runHere(['get', 'idx', 'a"b'], { cwd })).stderr).toContain('No document has the id "a\\"b"');
});

test('dedupe names the records of a file by their lines', async () => {
  const cwd = scratchFolder();
  writeFileSync(join(cwd, 'in.csv'), 'text\n"a lantern\nof copper"\nA kettle\na kettle!\n');
  const { stdout } = await runHere(['dedupe', 'in.csv'], { cwd });
  expect(stdout).toMatch(/^line 4\n +1\.000 +normalized +line 5$/m);
});

test('crash-test keeps its promises', { timeout: 240_000 }, async () => {
  const cwd = scratchFolder();
  expect(await runJson(['crash-test', 'scratch', '--rounds', '2'], { cwd })).toMatchObject({
    rounds: 2,
    lost: 0,
    faults: [],
  });
});

test('a damaged index ends validate with 3', async () => {
  const cwd = folderOfTexts();
  await runJsonHere(['add', 'idx', 'docs'], { cwd });
  const file = join(cwd, 'idx/index.db');
  const bytes = readFileSync(file);
  // Past the header, so that it still opens: pages of the middle are overwritten.
  bytes.fill(0xa5, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 8192);
  writeFileSync(file, bytes);
  const { code, stdout, stderr } = await runHere(['validate', 'idx', '--full', '--json'], { cwd });
  // Damage of a page that opening needs is an error of its own.
  if (code === 1) expect(JSON.parse(stderr).error.code).toBe('CORRUPT');
  else expect({ code, valid: JSON.parse(stdout).valid }).toEqual({ code: 3, valid: false });
});

test('evaluate measures, compares and sets a minimum', { timeout: 240_000 }, async () => {
  const cwd = folderOfTexts();
  await runHere(['add', 'idx', 'docs'], { cwd });
  const ids = ((await runJsonHere(['list', 'idx'], { cwd })) as { documents: { id: string; text: string }[] })
    .documents;
  const right = ids.find(({ text }) => text.includes('refund'))?.id as string;
  writeFileSync(join(cwd, 'questions.jsonl'), `${JSON.stringify({ query: 'money back', relevant: [right] })}\n`);
  writeFileSync(join(cwd, 'topics.tsv'), '1\tmoney back\n2\twho?\n');
  writeFileSync(join(cwd, 'qrels.txt'), `1 0 ${right} 1\n`);
  const measured = await runJsonHere(
    [
      'evaluate',
      'idx',
      'topics.tsv',
      '--qrels',
      'qrels.txt',
      '--compare',
      'mode=hybrid',
      '--compare',
      'mode=vector',
      '--svg',
      'q.svg',
    ],
    { cwd },
  );
  expect(measured).toMatchObject({
    k: 10,
    variants: [{ name: 'hybrid' }, { name: 'vector', measures: { hitRate: { mean: 1 } } }],
  });
  expect(readFileSync(join(cwd, 'q.svg'), 'utf8')).toMatch(/^<svg /);
  const low = await runHere(
    ['evaluate', 'idx', 'questions.jsonl', '-k', '1', '--min', 'recall@1=1', '--min', 'ndcg=0.5'],
    { cwd },
  );
  expect(low).toMatchObject({ code: 0, stdout: expect.stringContaining('1 question, means') });
  const high = await runHere(['evaluate', 'idx', 'questions.jsonl', '-k', '3', '--min', 'precision@3=0.9'], { cwd });
  expect(high).toMatchObject({ code: 3, stdout: expect.stringContaining('Below the minimum: precision@3') });
  const advised = ['evaluate', 'idx', 'questions.jsonl', '--advise-min-score', '--compare', 'rerank=tokens'];
  const { minScore } = (await runJsonHere(advised, { cwd })) as { minScore: { minScore: number } };
  const [hit] = (
    (await runJsonHere(['search', 'idx', 'money back', '--rerank', 'tokens'], { cwd })) as { hits: { score: number }[] }
  ).hits;
  expect(minScore).toMatchObject({ answered: 1, kept: 1, minScore: hit?.score });
  expect(await runHere(advised, { cwd })).toMatchObject({
    stdout: expect.stringMatching(/minScore 0\.\d{4}: 100 % of 1 answered/),
  });
  const few = await runHere(['evaluate', 'idx', 'questions.jsonl', '--fit-rerank'], { cwd });
  expect(few.stderr).toMatch(/fit needs at least as many questions as folds/);
  for (const [args, message] of [
    [['questions.jsonl', '--min', 'recall@5=1'], /lists have 10 hits/],
    [['questions.jsonl', '--min', 'f1=1'], /Expected a minimum/],
    [['questions.jsonl', '--compare', 'mode'], /Expected option=value/],
    [[], /expected a file with questions, or --propose/],
    [['missing.jsonl'], /missing\.jsonl/],
  ] as const) {
    const refused = await runHere(['evaluate', 'idx', ...args], { cwd });
    expect(refused.code, args.join(' ')).toBe(args[0] === 'missing.jsonl' ? 1 : 2);
    expect(refused.stderr, args.join(' ')).toMatch(message);
  }
});
