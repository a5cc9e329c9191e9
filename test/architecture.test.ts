import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';
import { describe, expect, test } from 'vitest';
import { phraseViolations } from './architecture/phrases.js';
import { crowdedFolders, nativeViolations, repeatedTypes, rooms, sourceViolations } from './architecture/rules.js';
import { parseSource } from './architecture/source-file.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const peers = Object.keys(manifest.peerDependencies ?? {});
const dependencies = {
  required: Object.keys(manifest.dependencies ?? {}),
  optional: peers.filter((name) => manifest.peerDependenciesMeta?.[name]?.optional === true),
};

function read(pattern: string, ignore: string[] = []): [path: string, text: string][] {
  const paths = globSync(pattern, { cwd: root, ignore }).sort();
  return paths.map((path) => [path, readFileSync(root + path, 'utf8')]);
}

describe('the tree', () => {
  test('src keeps to its layers, owners and sizes', () => {
    const files = read('src/**/*.ts').map(([path, text]) => parseSource(path, text));
    expect(files.length).toBeGreaterThan(3);
    expect(sourceViolations(files, dependencies)).toEqual([]);
  });

  test('ARCHITECTURE.md names every room and every folder inside one', () => {
    const page = readFileSync(`${root}ARCHITECTURE.md`, 'utf8');
    expect(page.split('\n').length).toBeLessThanOrEqual(250);
    expect(rooms().filter((room) => !page.includes(room))).toEqual([]);
  });

  test('every module that users import, or a thread or process starts with, is bundled', () => {
    const bundled = readFileSync(`${root}scripts/prepare/entries.mjs`, 'utf8');
    const exported = Object.values<{ types?: string }>(manifest.exports).flatMap(
      ({ types }) => types?.slice('./dist/'.length, -'.d.ts'.length) ?? [],
    );
    const started = read('src/**/*.ts').flatMap(([path, text]) =>
      [...text.matchAll(/(?:new Worker|fork)\(\s*new URL\('\.\/(.+)\.js'/g)].map(([, name]) =>
        posix.join(posix.dirname(path), name as string).slice('src/'.length),
      ),
    );
    expect(started.length).toBeGreaterThan(3);
    expect([...exported, ...started].filter((entry) => !bundled.includes(`'${entry}'`))).toEqual([]);
  });

  // Two copies of SQLite in one process drop each other's file locks: tests use the one that the catalog loads.
  test('tests open databases with the SQLite of src/store/sqlite/sqlite.ts', () => {
    const loaders = read('test/**/*.ts').flatMap(([path, text]) =>
      parseSource(path, text)
        .imports.filter(({ target, typeOnly }) => target === 'better-sqlite3' && !typeOnly)
        .map(() => path),
    );
    expect(loaders).toEqual([]);
  });

  test('the kernel does not include Node, and each instruction set is in its own file', () => {
    const files = read('native/**/*.{cpp,h}', ['native/build*/**']);
    expect(files.length).toBeGreaterThan(3);
    expect(files.flatMap(([path, text]) => nativeViolations(path, text))).toEqual([]);
  });

  test('no folder of the native code is crowded', () => {
    expect(crowdedFolders(globSync('native/**/*', { cwd: root, ignore: ['native/build*/**'] }))).toEqual([]);
  });

  test('no two headers of the native code define one type', () => {
    expect(repeatedTypes(read('native/{kernel,binding}/**/*.h'))).toEqual([]);
    const twice = [
      ['a.h', 'struct Candidate {\n};\nclass Other;'],
      ['b.h', 'class Candidate : Base {\n};\nclass Other;'],
    ] as const;
    expect(repeatedTypes(twice)).toEqual([expect.stringContaining('b.h defines Candidate')]);
  });
});

/** Where the list of phrases holds; planted ones, a list of stop words, data and builds are left out. */
const plainEnglish = ['*.md', '{bench,docs,examples,scripts,src,test}/**/*.{ts,mjs,md}', 'native/**/*.{cpp,h,md}'];
const otherWords = [
  ...['test/architecture.test.ts', 'test/architecture/phrases.ts', 'src/analysis/terms.ts'],
  ...['**/fixtures/**', 'native/build*/**', 'bench/results/**', 'bench/peers/**'],
];

describe('the language', () => {
  test('has none of the listed phrases', () => {
    const files = plainEnglish.flatMap((pattern) => read(pattern, otherWords));
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap(([path, text]) => phraseViolations(path, text))).toEqual([]);
  });

  test.each([
    ['who for a process', '// Whoever holds the lock writes.', 'who for things'],
    ['whom across a line end', '/** Calls\n * whom it knows. */', 'who for things'],
    ['is no X', "const message = 'the id is no string';", 'is no X'],
    ['is told, broken over two lines', 'A writer that waits too long is\ntold `BUSY`.', 'is told'],
    ['tells', 'This page tells of modes.', 'tells'],
    ['nobody', '// Nobody reads it.', 'nobody'],
    ['under way', 'Work under way is awaited.', 'under way'],
    ['anew', 'The file is made anew.', 'anew'],
    ['but for', 'All routes but for /health.', 'but for'],
    ['a what-clause as a noun', '/** What `open(path, options)` takes. */', 'What … takes'],
    ['the bench of', 'See the bench of speed.', 'the bench of'],
  ])('finds %s', (_, text, name) => {
    expect(phraseViolations('src/a.ts', `\n${text}`)).toEqual([
      expect.stringMatching(new RegExp(`^src/a.ts:[23]: .*\\(${name}\\)`)),
    ]);
  });

  test('allows people, existence and comparison', () => {
    const text = 'Users who ask, those who search. There is no index. It is no longer there, and is no more than that.';
    expect(phraseViolations('docs/a.md', text)).toEqual([]);
  });
});

describe('the rules find', () => {
  const violations = (sources: Record<string, string>) =>
    sourceViolations(
      Object.entries(sources).map(([path, text]) => parseSource(path, text)),
      { required: ['better-sqlite3'], optional: ['openai'] },
    );

  test.each([
    ['an upward import', 'src/vectors/metric.ts', `import { open } from '../store/catalog.js';`, 'points upwards'],
    [
      'an upward export',
      'src/errors.ts',
      `export * from './types/x.js';\nexport * from './index.js';`,
      'points upwards',
    ],
    ['an upward type', 'src/store/a.ts', `import type { S } from '../semantic-index.js';`, 'points upwards'],
    ['an upward lazy import', 'src/rag/a.ts', `const cli = await import('../cli/main.js');`, 'points upwards'],
    [
      'an upward worker',
      'src/vectors/a.ts',
      `new Worker(new URL('../embed/w.js', import.meta.url));`,
      'points upwards',
    ],
    ['an upward inline type', 'src/types.ts', `export type S = import('./index.js').S;`, 'points upwards'],
    [
      'a folder that uses the class from below',
      'src/embed/a.ts',
      `import '../operations/add/add-documents.js';`,
      'points upwards',
    ],
    ['an operation that knows the class', 'src/operations/a.ts', `import '../semantic-index.js';`, 'points upwards'],
    [
      'an upward import inside a room',
      'src/store/catalog/a.ts',
      `import { x } from '../snapshot/b.js';`,
      'points upwards inside "store"',
    ],
    [
      'folders of one level that meet',
      'src/embed/openai/a.ts',
      `import { x } from '../bundled/b.js';`,
      'strangers inside "embed"',
    ],
    ['a folder without a place', 'src/store/heap/a.ts', `import { x } from '../catalog/b.js';`, 'has no place'],
    ['strangers that meet', 'src/embed/a.ts', `import { x } from '../store/b.js';`, 'strangers'],
    ['a room without a layer', 'src/helpers/a.ts', '', 'has no layer'],
    [
      'an operation that knows the store',
      'src/operations/search/a.ts',
      `import type { Store } from '../../store/store.js';`,
      'expected an interface of src/backend',
    ],
    [
      'SQLite outside the store',
      'src/ranking/a.ts',
      `import type { Database } from 'better-sqlite3';`,
      'only src/store/',
    ],
    [
      'a second loader of SQLite',
      'src/store/catalog/a.ts',
      `import Database from 'better-sqlite3';`,
      'only src/store/sqlite/ does',
    ],
    ['an undeclared library', 'src/store/a.ts', `import x from 'left-pad';`, 'not among the dependencies'],
    ['an optional library at once', 'src/embed/a.ts', `import OpenAI from 'openai';`, 'it is optional'],
    ['a computed import', 'src/store/a.ts', 'await import(name);', 'imports a computed name'],
    ['printing', 'src/store/a.ts', `console.log('x');`, 'prints'],
    ['exiting', 'src/store/a.ts', 'process.exit(1);', 'ends the process'],
    ['reading the environment', 'src/store/a.ts', 'const x = process.env.HOME;', 'reads the environment'],
    ['a second loader of the addon', 'src/store/a.ts', `require('./x.node');`, 'loads an addon'],
    ['writing files elsewhere', 'src/ranking/a.ts', `import { writeFileSync } from 'node:fs';`, 'can write files'],
    ['a file too long', 'src/types.ts', '\n'.repeat(451), 'two concepts'],
  ])('%s', (_, path, text, words) => {
    expect(violations({ [path]: text }).join('\n')).toContain(words);
  });

  test('a crowded folder', () => {
    const files = Array.from({ length: 21 }, (_, n) => [`src/store/catalog/f${n}.ts`, '']);
    expect(violations(Object.fromEntries(files))).toEqual([
      'src/store/catalog has 21 files: over 20 needs folders inside',
    ]);
  });

  test('a circle', () => {
    const circle = violations({
      'src/store/a.ts': `import { b } from './b.js';`,
      'src/store/b.ts': `import { a } from './a.js';`,
    });
    expect(circle).toEqual(['circle of imports: src/store/a.ts -> src/store/b.ts -> src/store/a.ts']);
  });

  test('nothing in what is allowed', () => {
    const allowed = violations({
      'src/store/catalog/catalog.ts': `import type { Database } from 'better-sqlite3';\nimport { E } from '../../errors.js'; // console.log(1)`,
      'src/embed/openai/openai-provider.ts': `import type { A } from 'openai';\nawait import('openai');\nprocess.env.OPENAI_API_KEY;`,
      'src/store/catalog/metadata/filter-sql.ts': `import { readFileSync } from 'node:fs';\nconst text = 'console.log, process.exit';`,
      'src/operations/add/add-documents.ts': `import { E } from '../../embed/e.js';\nimport { B } from '../../backend/b.js';`,
      'src/index-reading.ts': `import { J } from './operations/j.js';\nimport { S } from './store/s.js';`,
      'src/index.ts': `export { SemanticIndex } from './semantic-index.js';`,
    });
    expect(allowed).toEqual([]);
  });

  test.each([
    ['napi.h in the kernel', 'native/kernel/annoy/forest.cpp', '#include <napi.h>', 'only native/binding knows Node'],
    [
      'the binding in the kernel',
      'native/kernel/annoy/forest.cpp',
      '#include "../binding/x.h"',
      'does not know the binding',
    ],
    ['intrinsics elsewhere', 'native/kernel/exact/scan.cpp', '#include <immintrin.h>', 'intrinsics belong'],
    [
      'the environment elsewhere',
      'native/kernel/exact/scan.cpp',
      'auto x = std::getenv("A");',
      'reads the environment',
    ],
    [
      'a later folder of the kernel in an earlier one',
      'native/kernel/annoy/forest.cpp',
      '#include "graph/graph_view.h"',
      'native/kernel/annoy may not depend on native/kernel/graph',
    ],
    [
      'distances in the file layer',
      'native/kernel/io/atomic_file.cpp',
      '#include "distance/metric.h"',
      'may not depend on',
    ],
    [
      'the build of the graph in its search',
      'native/kernel/graph/a.cpp',
      '#include "graph/build/b.h"',
      'may not depend on',
    ],
    ['an include without its folder', 'native/kernel/annoy/forest.cpp', '#include "status.h"', 'expected a path from'],
    [
      'a later folder of the binding in an earlier one',
      'native/binding/terms/a.cpp',
      '#include "binding/search/search_part.h"',
      'native/binding/terms may not depend on native/binding/search',
    ],
    [
      'a header of the binding without its prefix',
      'native/binding/addon.cpp',
      '#include "work.h"',
      'expected binding/',
    ],
    ['a binding folder without a level', 'native/binding/helpers/a.cpp', '', 'has no level'],
    ['a kernel folder without a level', 'native/kernel/helpers/a.cpp', '', 'has no level'],
    ['a file too long', 'native/kernel/exact/scan.cpp', '\n'.repeat(451), 'two concepts'],
  ])('%s', (_, path, text, words) => {
    expect(nativeViolations(path, text).join('\n')).toContain(words);
  });

  test('nothing in what the native code may include', () => {
    expect(
      nativeViolations(
        'native/kernel/distance/distance_avx2.cpp',
        '#include <immintrin.h>\n#include "distance/distance.h"\n#include "base/status.h"',
      ),
    ).toEqual([]);
    expect(
      nativeViolations(
        'native/binding/terms/terms_file.cpp',
        '#include <napi.h>\n#include "terms/terms_file.h"\n#include "binding/base/work.h"',
      ),
    ).toEqual([]);
  });
});
