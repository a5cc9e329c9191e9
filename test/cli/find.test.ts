import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { estimateTokens } from '../../src/index.js';
import { overlapEncoder } from '../embed/transformers/overlap-encoder.js';
import { runHere, runJsonHere } from './run-here.js';

let cwd: string;
const inHere = () => ({ cwd, env: { XDG_CACHE_HOME: join(cwd, 'cache') } });
const run = (...args: string[]) => runHere(args, inHere());
const json = (...args: string[]) => runJsonHere(args, inHere());

const guide = [
  '# Certificates',
  '',
  'A certificate expires after a year.',
  '',
  '## Renewal',
  '',
  'Renew the certificate with <renew> & restart the server.',
  ...Array.from({ length: 60 }, (_, at) => `Line ${at} about harbours and nothing else of interest.`),
].join('\n');

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'semantic-index-'));
  mkdirSync(join(cwd, 'notes/deep'), { recursive: true });
  writeFileSync(join(cwd, 'notes/guide.md'), guide);
  writeFileSync(join(cwd, 'notes/deep/code.py'), 'def renew_certificate(name):\n    return issue(name)\n');
  writeFileSync(join(cwd, 'notes/broken.pdf'), 'not a PDF');
  const { code, stderr } = await run('add', 'idx', 'notes');
  expect([code, stderr.includes('broken.pdf')]).toEqual([1, false]);
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe('find', () => {
  it('indexes a directory on first use, and reads only changes later', async () => {
    const first = await run('find', 'how do I renew a certificate?', 'notes');
    expect(first.code).toBe(0);
    expect(first.stdout).toContain('notes/guide.md:');
    expect(first.stderr).toMatch(/Indexed notes in .* 2 new files, 0 changed/);
    expect(first.stderr).toContain('Not read: broken.pdf (');
    const again = await run('find', 'how do I renew a certificate?', 'notes');
    expect([again.stdout, again.stderr.includes('Indexed')]).toEqual([first.stdout, false]);
    writeFileSync(join(cwd, 'notes/parcels.md'), 'A parcel travels for three days.\n');
    const { hits, index } = await json('find', 'how long does a parcel travel?', 'notes');
    expect((hits as unknown[])[0]).toMatchObject({ metadata: { source: 'notes/parcels.md' } });
    expect(String(index).startsWith(join(cwd, 'cache', 'semantic-index', 'find', 'notes-'))).toBe(true);
    rmSync(join(cwd, 'notes/parcels.md'));
    const stale = await run('find', 'parcel', 'notes', '--format', 'paths', '-k', '1', '--no-sync');
    expect(stale.stdout).toBe('notes/parcels.md\n');
    const fresh = await run('find', 'parcel', 'notes', '--format', 'paths');
    expect(fresh.stdout).not.toContain('parcels');
  });

  it('finds the same index from another directory', async () => {
    const below = { cwd: join(cwd, 'notes'), env: { XDG_CACHE_HOME: join(cwd, 'cache') } };
    const { stdout, stderr } = await runHere(
      ['find', 'Renewal of certificates after a year', '--format', 'paths', '-k', '1'],
      below,
    );
    expect([stdout, stderr.includes('Indexed')]).toEqual(['guide.md\n', false]);
  });

  it('prints code in its lines, and prose across the width', async () => {
    const { stdout } = await run('find', 'renew_certificate', 'notes', '-k', '1', '--where', 'file.language=python');
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining(['    def renew_certificate(name):', '        return issue(name)']),
    );
    const prose = await run('find', 'restart the server', 'notes', '-k', '1');
    expect(prose.stdout).toMatch(/restart the server\. Line 0 about harbours/);
  });

  it('leaves out hits below a score', async () => {
    const { hits } = await json('find', 'how do I renew a certificate?', 'notes', '--min-score', '0.4');
    for (const { score } of hits as { score: number }[]) expect(score).toBeGreaterThanOrEqual(0.4);
    expect((await run('find', 'certificate', 'notes', '--min-score', '9')).stdout).toBe('No hits.\n');
  });

  it('keeps the index in another directory', async () => {
    const { index } = await json('find', 'renewal', 'notes', '--index', 'own');
    expect(index).toBe('own');
    expect((await json('stats', 'own')).documents).toBeGreaterThan(2);
  });

  it('refuses what is not a directory', async () => {
    expect(await run('find', 'a', 'notes/guide.md')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not a directory'),
    });
    expect(await run('find', 'a', 'missing')).toMatchObject({ code: 1, stderr: expect.stringContaining('missing') });
  });
});

describe('search --format', () => {
  it('prints Markdown and XML with places, and well-formed text', async () => {
    const md = await run('search', 'idx', 'renew certificate', '-k', '2', '--format', 'md');
    expect(md.stdout).toMatch(/^## 1\. \S+ \(lines? [\d-]+\)/);
    expect(md.stdout).toContain('Renew the certificate with <renew> & restart');
    const xml = await run('search', 'idx', 'renew certificate', '-k', '2', '--format', 'xml');
    expect(xml.stdout).toMatch(
      /^<documents>\n<document index="1" id="[^"]+" source="[^"]+" place="lines? [\d-]+" score="0\.\d+">/,
    );
    expect(xml.stdout).toContain('with &lt;renew&gt; &amp; restart');
    expect(xml.stdout.trimEnd().endsWith('</documents>')).toBe(true);
  });

  it('prints each path once, and JSON as --json does', async () => {
    const { stdout } = await run('search', 'idx', 'certificate harbours', '--format', 'paths');
    expect(stdout.trim().split('\n').sort()).toEqual(['notes/deep/code.py', 'notes/guide.md']);
    const ids = async (...flags: string[]) => {
      const { stdout } = await run('search', 'idx', 'certificate', ...flags);
      return JSON.parse(stdout).hits.map(({ id }: { id: string }) => id);
    };
    expect(await ids('--format', 'json')).toEqual(await ids('--json'));
  });

  it('stops before a number of tokens', async () => {
    const all = (await run('search', 'idx', 'harbours', '--format', 'md', '--full')).stdout;
    const some = (await run('search', 'idx', 'harbours', '--format', 'md', '--full', '--max-tokens', '400')).stdout;
    expect([all.startsWith(some.trimEnd()), estimateTokens(some) <= 400, estimateTokens(all) > 400]).toEqual([
      true,
      true,
      true,
    ]);
    const { hits } = await json('search', 'idx', 'harbours', '--max-tokens', '400');
    expect((hits as unknown[]).length).toBeLessThan(6);
    // JSON repeats the text in its snippet.
    const { stdout } = await run('search', 'idx', 'harbours', '--json', '--max-tokens', '1500');
    expect(estimateTokens(stdout)).toBeLessThanOrEqual(1600);
  });
});

describe('get', () => {
  it('prints lines of sources, chunks with neighbors, and documents', async () => {
    const lines = await run('get', 'idx', 'notes/guide.md', '--lines', '5-7');
    expect(lines.stdout).toBe(`notes/guide.md  lines 5-7\n${guide.split('\n').slice(4, 7).join('\n')}\n`);
    const whole = await run('get', 'idx', 'notes/guide.md');
    expect(whole.stdout).toBe(`notes/guide.md  lines 1-67\n${guide}\n`);
    const { hits } = await json('search', 'idx', 'renew', '-k', '1', '--where', 'source=notes/guide.md');
    const { id } = (hits as { id: string }[])[0] as { id: string };
    expect((await run('get', 'idx', id)).stdout).toContain('"source":"notes/guide.md"');
    const { passages } = await json('get', 'idx', id, '--neighbors', '1');
    expect((passages as { ids: string[] }[])[0]?.ids.length).toBeGreaterThan(1);
  });

  it('continues a passage that was cut', async () => {
    const first = await run('get', 'idx', 'notes/guide.md', '--max-tokens', '200');
    const next = /--after (\w+)/.exec(first.stderr)?.[1] as string;
    const second = await run('get', 'idx', 'notes/guide.md', '--after', next);
    const lines = (text: string) => text.split('\n').slice(1, -1);
    expect([...lines(first.stdout), ...lines(second.stdout)].filter(Boolean)).toEqual(
      guide.split('\n').filter(Boolean),
    );
  });

  it.each([
    [['get', 'idx', 'nothing'], 4, 'NOT_FOUND'],
    [['get', 'idx', 'nothing', '--lines', '1'], 4, 'NOT_FOUND'],
    [['get', 'idx', 'notes/guide.md', '--lines', '900'], 4, 'Its last line with text is 67'],
    [['get', 'idx', 'notes/guide.md', '--lines', 'ten'], 2, 'Expected a range such as 10-40'],
    [['get', 'idx', 'notes/guide.md', '--pages', '1'], 4, 'It has no pages'],
  ])('refuses %j', async (args, code, message) => {
    expect(await run(...args)).toMatchObject({ code, stderr: expect.stringContaining(message) });
  });
});

describe('mcp --install', () => {
  it('prints configurations that start the server', async () => {
    const own = ['--readonly', '--language', 'de', '--description', "a shop's rules"];
    const { configurations } = await json('mcp', 'idx', '--install', ...own);
    const all = configurations as { client: string; configuration: string }[];
    expect(all.map(({ client }) => client)).toEqual(
      expect.arrayContaining([
        'claude-code',
        'claude-desktop',
        'cursor',
        'vscode',
        'codex',
        'gemini',
        'windsurf',
        'zed',
      ]),
    );
    const flags = ['--readonly', '--description', "a shop's rules", '--language', 'de'];
    const args = [expect.any(String), 'mcp', join(cwd, 'idx'), ...flags];
    const of = (name: string) => all.find(({ client }) => client === name)?.configuration as string;
    expect(JSON.parse(of('claude-desktop'))).toEqual({ mcpServers: { idx: { command: process.execPath, args } } });
    expect(JSON.parse(of('vscode'))).toEqual({ servers: { idx: { type: 'stdio', command: process.execPath, args } } });
    expect(JSON.parse(of('zed'))).toEqual({ context_servers: { idx: { command: process.execPath, args } } });
    expect(of('claude-code')).toMatch(
      /^claude mcp add idx -- \S+ \S+ mcp \S+ --readonly --description 'a shop'\\''s rules' --language de$/,
    );
    expect(of('codex')).toContain('[mcp_servers.idx]\ncommand = ');
  });

  it('names models by absolute paths: a client has another working directory', async () => {
    const { configurations } = await json(
      'mcp',
      'idx',
      '--install',
      'zed',
      '--rerank-model',
      relative(cwd, overlapEncoder()),
    );
    const [{ configuration }] = configurations as [{ configuration: string }];
    const { args } = JSON.parse(configuration).context_servers.idx as { args: string[] };
    expect(args.slice(-2)).toEqual(['--rerank-model', expect.stringMatching(/overlap/)]);
    expect(isAbsolute(args.at(-1) as string)).toBe(true);
  });

  it('refuses an index that does not exist', async () => {
    const refused = await run('mcp', 'nowhere', '--install', 'cursor');
    expect(refused).toMatchObject({ stdout: '', stderr: expect.stringContaining('NOT_AN_INDEX') });
    expect(refused.code).not.toBe(0);
  });

  it('names the clients when it does not know one', async () => {
    expect(await run('mcp', 'idx', '--install', 'cursr')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean cursor?'),
    });
  });
});
