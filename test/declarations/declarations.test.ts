import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unexportedTypes } from './unexported-types.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, { types?: string }>;
};
const entries = Object.values(exports).flatMap(({ types }) => (types === undefined ? [] : [join(root, types)]));
const strict: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
  noEmit: true,
};

/** A project of a user, with the package in its node_modules. */
let project: string;
beforeAll(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'semantic-index-user-')));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(root, join(project, 'node_modules/semantic-index'), 'dir');
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

function errorsOf(program: string, options: ts.CompilerOptions): string[] {
  const path = join(project, 'program.ts');
  writeFileSync(path, program);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([path], { ...strict, ...options }))
    .map(({ messageText, file, start }) => {
      const line =
        file === undefined ? '' : `${file.fileName}:${file.getLineAndCharacterOfPosition(start ?? 0).line + 1}: `;
      return line + ts.flattenDiagnosticMessageText(messageText, '\n');
    });
}

const resolutions: [name: string, options: ts.CompilerOptions][] = [
  ['node16', { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 }],
  ['bundler', { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }],
];

/** Options with required members, as an object has to have them. */
const required: Readonly<Record<string, string>> = {
  MatrixCreateOptions: '{ rows: 1, columns: 1 }',
  TransformersProviderOptions: "{ model: 'm' }",
  TransformersRerankerOptions: "{ model: 'm' }",
  StreamingOptions: "{ neighbors: 'neighbors.npy' }",
};

function optionTypes(): string[] {
  const program = ts.createProgram([join(root, 'dist/index.d.ts')], {
    ...strict,
    ...resolutions[0]?.[1],
    skipLibCheck: true,
  });
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(join(root, 'dist/index.d.ts')) as ts.SourceFile);
  return checker
    .getExportsOfModule(module as ts.Symbol)
    .map(({ name }) => name)
    .filter((name) => name.endsWith('Options'));
}

describe('the declarations in dist', () => {
  it('export every type that a public signature names', { timeout: 120_000 }, () => {
    const options = { ...strict, ...resolutions[0]?.[1], skipLibCheck: true };
    expect(entries.length).toBeGreaterThan(5);
    expect(unexportedTypes(entries, join(root, 'dist/'), options)).toEqual([]);
  });

  it.each(resolutions)('compile in a strict project with the resolution %s', { timeout: 120_000 }, (_, options) => {
    const types = optionTypes();
    expect(types.length).toBeGreaterThan(40);
    const program = `
      import { findDuplicates, Retriever, SemanticIndex, sync } from 'semantic-index';
      import type {
        AddOptions, DuplicateOptions, ExportOptions, Hit, IndexEvent, OpenOptions, OptimizeResult, Query, RetrieverOptions,
        SearchOptions, SearchResult, SyncOptions, TuneOptions,
      } from 'semantic-index';
      ${types.map((name) => `import type { ${name} as ${name}_ } from 'semantic-index';`).join('\n')}
      ${types.map((name) => `export const some${name}: ${name}_ = ${required[name] ?? '{}'};`).join('\n')}

      const o: SearchOptions = { k: 5 };
      const absent: SearchOptions = { k: undefined };
      const open: OpenOptions = { ann: { background: false }, onEvent: (event) => report(event) };
      const add: AddOptions = { onDuplicate: 'skip', threshold: 0.9 };
      const tune: TuneOptions = { recall: 0.9, queries: ['a', { id: 1 }, [1, 2]] };
      const exported: ExportOptions = { format: 'annoy' };
      const duplicates: DuplicateOptions = { near: false };
      const retrieval: RetrieverOptions = { k: 3 };
      const syncing: SyncOptions = { cleanup: 'full' };
      const query: Query = 'a';

      function report(event: IndexEvent): string {
        switch (event.type) {
          case 'seal': return \`\${event.segment} \${event.documents}\`;
          case 'repair': return \`\${event.file} \${event.milliseconds}\`;
          case 'damage': return \`\${event.file} \${event.reason}\`;
          case 'error': return event.error.code;
          default: return event.message;
        }
      }

      export async function main(): Promise<Hit[]> {
        const index = await SemanticIndex.open('x', open);
        await index.addDocuments(['a'], add);
        await index.tune(tune);
        await index.exportTo('y', exported);
        await findDuplicates(index, duplicates);
        await new Retriever(index, retrieval).retrieve('q', retrieval);
        await sync(index, [], syncing);
        const result: OptimizeResult = await index.optimize({ full: true });
        const { hits, next, explanation }: SearchResult = await index.search(query, { ...o, ...absent, after: undefined });
        await index.search(query, o);
        console.log(result.bytesAfter, next, explanation?.segments);
        return hits;
      }

      export async function typed(): Promise<number | undefined> {
        const index = await SemanticIndex.open<{ year: number }>('x');
        const options: SearchOptions<{ year: number }> = { where: { year: { $gte: 2000 } } };
        const { hits } = await index.search('a', options);
        // @ts-expect-error a year is a number
        await index.search('a', { where: { year: '2000' } });
        // @ts-expect-error there is no such option
        await index.search('a', { topK: 3 });
        return hits[0]?.metadata.year;
      }
    `;
    expect(errorsOf(program, options)).toEqual([]);
  });
});
