import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { apiPages, readApi, renderPages, statedOutput, topics } from '../../scripts/api-pages.mjs';
import { needsMastra } from './needs-mastra.js';
import { type BlockRun, runBlocks } from './run-blocks.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

describe('the API reference', () => {
  const { pages, missing } = apiPages(root);

  test('has an example for every function and every public method', () => {
    expect(missing).toEqual([]);
  });

  // After a change of the public declarations: node scripts/api-pages.mjs
  test('is what the declarations say', () => {
    for (const [path, text] of pages) expect(readFileSync(join(root, path), 'utf8'), path).toBe(text);
    expect(
      readdirSync(join(root, 'docs/api'))
        .map((name) => `docs/api/${name}`)
        .sort(),
    ).toEqual([...pages.keys()].filter((path) => path.startsWith('docs/api/')).sort());
  });

  test('has a heading or a table for every export of every entry point, and at most 800 lines on a page', () => {
    const all = [...pages.values()].join('\n');
    for (const { name } of readApi(root, exports)) {
      expect(all, name).toMatch(new RegExp(`^## ${name}\\b|<a id="${name.toLowerCase()}">`, 'm'));
    }
    for (const [path, text] of pages) expect(text.split('\n').length, path).toBeLessThanOrEqual(800);
  });

  test('has no broken links within itself', () => {
    for (const [path, text] of pages) {
      for (const [, page = '', anchor = ''] of text.matchAll(/\]\(([\w./-]+\.md)#([\w-]+)\)/g)) {
        const target = pages.get(join(path, '..', page)) ?? '';
        const headings = [...target.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
          heading
            .toLowerCase()
            .replaceAll(/[^a-z0-9 -]/g, '')
            .replaceAll(' ', '-'),
        );
        expect([...headings, ...[...target.matchAll(/<a id="([^"]+)"/g)].map(([, id]) => id)], path).toContain(anchor);
      }
    }
  });

  test('misses a method without an example, and an export that is not documented', () => {
    const api = [
      {
        entryPoint: 'semantic-index',
        name: 'f',
        kind: 'function',
        signature: 'function f(): void',
        doc: '',
        throws: [],
        members: [],
        file: '/dist/a.d.ts',
      },
    ];
    expect(renderPages(api, new Map(), topics).missing).toEqual(
      expect.arrayContaining([
        'f has no example in examples/api',
        'a topic names SemanticIndex, which is not exported',
      ]),
    );
  });
});

const programs = readdirSync(join(root, 'examples/api'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ name: file.slice(0, -3), code: readFileSync(join(root, 'examples/api', file), 'utf8') }))
  .filter((program) => !needsMastra(program));

describe('the examples of the API reference', () => {
  let run: BlockRun;
  beforeAll(async () => {
    run = await runBlocks('api-examples', programs);
  }, 240_000);

  test.each(programs)('$name prints what it states', ({ name, code }) => {
    const { error, stdout = '', stderr } = run.results.get(name) ?? {};
    expect({ error, stderr }).toEqual({ error: '', stderr: '' });
    const printed = stdout.trimEnd().split('\n');
    expect(printed.map((line) => line.trimEnd())).toEqual(statedOutput(code).map((line) => line.trimEnd()));
  });

  test('keep no process alive', () => {
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  });
});
