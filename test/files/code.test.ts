import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { parseFile } from '../../src/files/parse-file.js';
import type { ParsedFile } from '../../src/files/parsed-file.js';
import { chunkDocuments } from '../../src/rag/chunking/chunk-documents.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A function in a class in each language; the names are those that the headings must have. */
const languages: readonly (readonly [file: string, code: string, path: readonly string[]])[] = [
  ['a.js', 'class Cart {\n  // Sums.\n  total(items) {\n    return items.length;\n  }\n}\n', ['Cart', 'total']],
  [
    'a.ts',
    'export namespace Shop {\n  export const total = (n: number): number => {\n    return n;\n  };\n}\n',
    ['Shop', 'total'],
  ],
  ['a.tsx', 'export class Cart {\n  total = () => {\n    return <b>1</b>;\n  };\n}\n', ['Cart', 'total']],
  ['a.py', 'class Cart:\n    @cached\n    def total(self):\n        return 1\n', ['Cart', 'total']],
  ['a.go', 'package a\n\n// Total sums.\nfunc (c *Cart) Total() int {\n\treturn 1\n}\n', ['Total']],
  [
    'a.rs',
    'impl Sum for Cart {\n    /// Sums.\n    #[inline]\n    fn total(&self) -> u32 {\n        1\n    }\n}\n',
    ['Sum for Cart', 'total'],
  ],
  ['a.java', 'class Cart {\n  /** Sums. */\n  @Override\n  int total() {\n    return 1;\n  }\n}\n', ['Cart', 'total']],
  [
    'a.cpp',
    'namespace shop {\ntemplate <class T>\nint Cart::total(T x) {\n  return 1;\n}\n}\n',
    ['shop', 'Cart::total'],
  ],
  ['a.c', 'static int *total(int x)\n{\n  return 0;\n}\n', ['total']],
  [
    'a.cs',
    'namespace Shop {\n  class Cart {\n    int Total() {\n      return 1;\n    }\n  }\n}\n',
    ['Shop', 'Cart', 'Total'],
  ],
  ['a.php', '<?php\nclass Cart {\n  function total() {\n    return 1;\n  }\n}\n', ['Cart', 'total']],
  ['a.rb', 'module Shop\n  class Cart\n    def total\n      1\n    end\n  end\nend\n', ['Shop', 'Cart', 'total']],
  ['a.sh', '# Sums.\ntotal() {\n  echo 1\n}\n', ['total']],
  ['a.ps1', 'function Get-Total {\n  return 1\n}\n', ['Get-Total']],
];

const real = [
  'src/rag/*.ts',
  'src/files/*.ts',
  'native/kernel/{base,io}/*.cpp',
  'node_modules/commander/lib/*.js',
  'node_modules/cmake-js/lib/import/*.cs',
];

/** Functions without functions inside, of at least three lines. */
function functions({ text, blocks }: ParsedFile) {
  const definitions = blocks.filter(({ kind }) => kind === 'definition');
  return definitions.filter(
    (one) =>
      text.slice(one.start, one.end).split('\n').length >= 3 &&
      !definitions.some((other) => other !== one && other.start >= one.start && other.end <= one.end),
  );
}

describe('source code', () => {
  it.each(languages)('finds the definitions of %s', async (name, code, path) => {
    const { blocks, text } = await parseFile(Buffer.from(code), { name });
    expect(text).toBe(code);
    const inner = blocks.at(-1);
    expect(inner?.headings).toEqual(path);
    // Comments, decorators and attributes belong to it.
    const body = text.slice(inner?.start, inner?.end);
    for (const mark of ['Sums.', '@cached', '#[inline]', '@Override', 'template']) {
      if (code.includes(mark)) expect(body).toContain(mark);
    }
  });

  it('keeps functions whole, covers every character, and cites their lines', async () => {
    const files = globSync(real, { cwd: root, absolute: true }).sort();
    let [count, split] = [0, 0];
    for (const path of files) {
      const file = await parseFile(path);
      const source = readFileSync(path, 'utf8').split('\n');
      const chunks = chunkDocuments(file).map(({ metadata }) => metadata?.chunk);
      const covered = new Uint8Array(file.text.length);
      for (const chunk of chunks) {
        covered.fill(1, chunk?.start, chunk?.end);
        const lines = source.slice((chunk?.startLine ?? 0) - 1, chunk?.endLine).join('\n');
        expect(lines).toContain(file.text.slice(chunk?.start, chunk?.end));
      }
      for (const { index } of file.text.matchAll(/\S/g)) if (covered[index] !== 1) throw new Error(`${path}: ${index}`);
      for (const { start, end } of functions(file)) {
        count++;
        const first = start + file.text.slice(start, end).search(/\S/);
        if (!chunks.some((chunk) => (chunk?.start ?? end) <= first && (chunk?.end ?? 0) >= end)) split++;
      }
    }
    expect(count).toBeGreaterThan(200);
    expect(split / count).toBeLessThanOrEqual(0.05);
  });
});
