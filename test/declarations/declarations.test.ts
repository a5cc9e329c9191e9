import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportsOf, unexportedTypes } from './unexported-types.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, { types?: string }>;
};
const entries = Object.values(exports).flatMap(({ types }) => (types === undefined ? [] : [join(root, types)]));
const strict = {
  strict: true,
  exactOptionalPropertyTypes: true,
  target: 'es2023',
  lib: ['es2023', 'esnext.disposable'],
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

/** Compilers and resolutions that users have. */
const projects = [
  { compiler: 'typescript', module: 'node16', moduleResolution: 'node16' },
  { compiler: 'typescript-7', module: 'node16', moduleResolution: 'node16' },
  { compiler: 'typescript-7', module: 'esnext', moduleResolution: 'bundler' },
  { compiler: 'typescript', module: 'nodenext', moduleResolution: 'nodenext', exactOptionalPropertyTypes: false },
];

/** What a compiler prints about a program, and how it ends. */
function compile(compiler: string, options: object, program: string): { status: number | null; stdout: string } {
  writeFileSync(join(project, 'program.ts'), program);
  const settings = { compilerOptions: { ...strict, ...options }, files: ['program.ts'] };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(settings));
  const command = [join(root, 'node_modules', compiler, 'bin/tsc'), '--project', '.', '--pretty', 'false'];
  const { status, stdout } = spawnSync(process.execPath, command, { cwd: project, encoding: 'utf8' });
  return { status, stdout };
}

/** Options with required members, as an object has to have them. */
const required: Readonly<Record<string, string>> = {
  MatrixCreateOptions: '{ rows: 1, columns: 1 }',
  TransformersProviderOptions: "{ model: 'm' }",
  TransformersRerankerOptions: "{ model: 'm' }",
  StreamingOptions: "{ neighbors: 'neighbors.npy' }",
};

describe('the declarations in dist', () => {
  let declared: ts.Program;
  beforeAll(() => {
    const { options, errors } = ts.convertCompilerOptionsFromJson(
      { ...strict, module: 'node16', moduleResolution: 'node16' },
      root,
    );
    expect(errors).toEqual([]);
    expect(entries.length).toBeGreaterThan(5);
    declared = ts.createProgram(entries, { ...options, skipLibCheck: true });
  }, 120_000);

  it('export every type that a public signature names', () => {
    expect(unexportedTypes(declared, entries, join(root, 'dist/'))).toEqual([]);
  });

  it.each(projects)(
    'compile in a strict project with $compiler and the resolution $moduleResolution',
    ({ compiler, ...options }) => {
      const types = exportsOf(declared, join(root, 'dist/index.d.ts'))
        .map(({ name }) => name)
        .filter((name) => name.endsWith('Options'));
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
      expect(compile(compiler, options, program)).toEqual({ status: 0, stdout: '' });
    },
  );
});
