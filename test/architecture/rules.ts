import { posix } from 'node:path';
import type { SourceFile } from './source-file.js';

/** The rooms of src/ from the ground up: an import may point to a room further up in this list, never further down. */
const layers: readonly (readonly string[])[] = [
  ['errors'],
  ['types'],
  ['options', 'time-slice', 'random', 'segmenter', 'byte-writer', 'crash-points'],
  ['check-arguments', 'addon'],
  ['vectors', 'terms', 'analysis', 'backend'],
  ['ranking', 'search', 'columns', 'snippets', 'files'],
  ['embed', 'store', 'postgres', 'shards'],
  ['operations'],
  ['semantic-index'],
  ['copy', 'dedupe', 'rag', 'evaluation', 'crash-test'],
  ['index', 'testing'],
  ['server', 'adapters'],
  ['cli'],
];

/**
 * The walls inside a room: its folders from the ground up, by the same rule. `.` stands for the files that lie in the room
 * itself but those that are named. Folders of one row do not know each other.
 */
const walls: Readonly<Record<string, readonly (readonly string[])[]>> = {
  adapters: [['.'], ['mastra'], ['mastra.ts']],
  cli: [['.'], ['flags'], ['sources'], ['commands'], ['program.ts'], ['main.ts']],
  embed: [['.'], ['bundled', 'openai', 'transformers', 'testing'], ['static', 'text-workers']],
  files: [['content'], ['markdown'], ['readers'], ['folders'], ['.']],
  operations: [
    ['.'],
    ['query'],
    ['add', 'search'],
    ['transfer'],
    ['migrate', 'tune', 'evaluate'],
    ['documents.ts', 'upkeep.ts'],
  ],
  analysis: [['fields'], ['.'], ['query', 'likeness']],
  postgres: [['connection'], ['tables'], ['search'], ['.']],
  rag: [['chunking'], ['.']],
  server: [['http'], ['gateway', 'mcp'], ['.']],
  store: [['directory'], ['sqlite'], ['catalog'], ['build', 'validate'], ['writer'], ['snapshot'], ['.'], ['salvage']],
  vectors: [['.'], ['matrix'], ['annoy']],
};

/** Every room and every folder inside one, as ARCHITECTURE.md has to name it. */
export function rooms(): string[] {
  const folders = Object.values(walls)
    .flat(2)
    .filter((name) => name !== '.' && !name.endsWith('.ts'))
    .map((name) => `${name}/`);
  return [
    ...layers.flat(),
    ...folders,
    ...kernelFolders.flat(),
    ...bindingFolders.flat().filter((name) => name !== '.'),
  ];
}

/** Imports that the order of the layers would allow and the design forbids: operations know a backend by its interface only. */
const seams: readonly { readonly from: string; readonly to: string }[] = [
  { from: 'src/operations/', to: 'src/store/' },
  { from: 'src/operations/', to: 'src/postgres/' },
];

/** Most files of one folder before it needs walls. */
const maxFiles = 20;

/** Longest file, in lines, before it counts as two concepts. */
const longestFile = 450;

/** Files with privileges that others do not have; each entry is a path or, with a slash at the end, a folder. */
const owners = {
  'better-sqlite3': ['src/store/sqlite/'],
  'types of better-sqlite3': ['src/store/'],
  addon: ['src/addon/addon.ts'],
  environment: [
    'src/options.ts',
    'src/options/',
    'src/addon/addon.ts',
    'src/embed/openai/openai-provider.ts',
    // The writers that are killed get theirs, and an option of Node more.
    'src/crash-test/writer-process.ts',
    'src/cli/',
  ],
  'computed imports': ['src/embed/transformers/transformers-model.ts'],
  // Each is a separate entry point, imported only together with its framework, whose classes it extends.
  'optional libraries at once': ['src/adapters/'],
  printing: ['src/cli/', 'src/crash-test/main.ts'],
  // Signal 0 only asks whether a process lives; crashTest kills its own.
  signals: ['src/store/catalog/lease-owner.ts', 'src/crash-test/', 'src/cli/'],
  writing: [
    'src/store/directory/files.ts',
    'src/store/directory/segment-directory.ts',
    'src/store/backup.ts',
    'src/store/export-folder.ts',
    'src/store/salvage/salvage.ts',
    'src/vectors/',
    'src/copy/',
    'src/crash-test/',
    // The folder of the sockets between the front and its workers.
    'src/server/gateway/gateway-sockets.ts',
    // The folders of the indexes that a store of Mastra deletes.
    'src/adapters/mastra/named-indexes.ts',
    'src/cli/',
  ],
} as const;

const writingFunctions =
  /^(?:\*|write|append|rename|rm|unlink|mkdir|mkdtemp|truncate|ftruncate|copyFile|cp|createWriteStream|link|symlink|chmod|utimes)(?:File|dir)?v?(?:Sync)?$/;

function owns(files: readonly string[], path: string): boolean {
  return files.some((file) => (file.endsWith('/') ? path.startsWith(file) : path === file));
}

/**
 * The room of a file: the folder in src/ that it is in, or its own name when it lies in src/ itself and has a layer. The
 * other files of src/ itself are parts of the class.
 */
function roomOf(path: string): string {
  const [, name = '', ...below] = path.split('/');
  if (below.length > 0) return name;
  const file = name.replace(/\.ts$/, '');
  return layerOf(file) < 0 ? 'semantic-index' : file;
}

function layerOf(room: string): number {
  return layers.findIndex((rooms) => rooms.includes(room));
}

/** The file in src/ that a relative import names. */
function resolve(from: string, target: string): string {
  return posix.join(posix.dirname(from), target).replace(/\.js$/, '.ts');
}

/** `@scope/name/sub/path` -> `@scope/name`. */
function packageOf(target: string): string {
  return target.split('/', target.startsWith('@') ? 2 : 1).join('/');
}

/** What package.json says about the libraries that the code may name. */
export interface Dependencies {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

function layerViolations(file: SourceFile): string[] {
  const room = roomOf(file.path);
  if (layerOf(room) < 0)
    return [`${file.path}: the room "${room}" has no layer; give it one in ${import.meta.filename}`];
  return file.imports
    .filter(({ target }) => target.startsWith('.'))
    .map(({ target }) => resolve(file.path, target))
    .filter((target) => target.startsWith('src/'))
    .flatMap((target) => {
      const other = roomOf(target);
      if (seams.some(({ from, to }) => owns([from], file.path) && owns([to], target))) {
        return [`${file.path} imports ${target}: expected an interface of src/backend`];
      }
      if (other === room) return wallViolations(file.path, target, room);
      if (layerOf(other) < layerOf(room)) return [];
      const arrow = layerOf(other) === layerOf(room) ? `"${room}" and "${other}" are strangers` : 'points upwards';
      return [`${file.path} imports ${target}: ${arrow}`];
    });
}

/** Where a file lies in its room: a folder, its own name when `walls` names it, otherwise `.`. */
function placeIn(path: string, order: readonly (readonly string[])[] = []): string {
  const [, , name = '', ...below] = path.split('/');
  return below.length > 0 || order.some((places) => places.includes(name)) ? name : '.';
}

function wallViolations(from: string, to: string, room: string): string[] {
  const order = walls[room];
  const [own, other] = [placeIn(from, order), placeIn(to, order)];
  if (own === other) return [];
  if (order === undefined) return [`${from} imports ${to}: the folders of "${room}" have no order; give them one`];
  const level = (folder: string) => order.findIndex((folders) => folders.includes(folder));
  const unknown = [own, other].find((folder) => level(folder) < 0);
  if (unknown !== undefined)
    return [`${from} imports ${to}: the folder "${unknown}" of "${room}" has no place; give it one`];
  if (level(other) < level(own)) return [];
  const arrow = level(other) === level(own) ? `"${own}" and "${other}" are strangers` : 'points upwards';
  return [`${from} imports ${to}: ${arrow} inside "${room}"`];
}

/** Folders with too many files of their own. */
export function crowdedFolders(paths: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const path of paths) counts.set(posix.dirname(path), (counts.get(posix.dirname(path)) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count > maxFiles)
    .map(([folder, count]) => `${folder} has ${count} files: over ${maxFiles} needs folders inside`);
}

function libraryViolations(file: SourceFile, { required, optional }: Dependencies): string[] {
  const found: string[] = [];
  for (const { target, typeOnly, lazy } of file.imports) {
    if (target.startsWith('.') || target.startsWith('node:')) continue;
    if (target === '') {
      if (!owns(owners['computed imports'], file.path)) found.push(`${file.path} imports a computed name`);
      continue;
    }
    const name = packageOf(target);
    const allowed = owners[typeOnly ? 'types of better-sqlite3' : 'better-sqlite3'];
    if (name === 'better-sqlite3' && !owns(allowed, file.path)) {
      found.push(`${file.path} imports better-sqlite3: only ${allowed} does`);
    }
    if (typeOnly || required.includes(name)) continue;
    if (!optional.includes(name))
      found.push(`${file.path} imports ${name}: not among the dependencies of package.json`);
    else if (!lazy && !owns(owners['optional libraries at once'], file.path))
      found.push(`${file.path} imports ${name} at once: it is optional, load it with import()`);
  }
  return found;
}

function privilegeViolations(file: SourceFile): string[] {
  const found: string[] = [];
  const forbid = (what: string, allowed: readonly string[], broken: boolean) => {
    if (broken && !owns(allowed, file.path)) found.push(`${file.path} ${what}: only ${allowed.join(', ')} may`);
  };
  const reads = (name: RegExp) => file.properties.some((property) => name.test(property));
  forbid('prints', owners.printing, reads(/^console\./) || reads(/^process\.(?:stdout|stderr)$/));
  forbid('ends the process', owners.printing, reads(/^process\.(?:exit|abort|exitCode)$/));
  forbid('sends signals', owners.signals, reads(/^process\.kill$/));
  forbid('reads the environment', owners.environment, reads(/^process\.env$/));
  forbid('loads an addon', owners.addon, reads(/^process\.dlopen$/) || file.strings.some((s) => s.endsWith('.node')));
  const fileSystem = file.imports.filter(
    ({ target, typeOnly }) => /^node:fs(?:\/promises)?$/.test(target) && !typeOnly,
  );
  const names = fileSystem.flatMap((entry) => entry.names);
  forbid(
    'can write files',
    owners.writing,
    names.some((name) => writingFunctions.test(name)),
  );
  return found;
}

/** The first circle of imports that is met, as a path of files; type-only imports leave nothing to circle at run time. */
function circleIn(files: ReadonlyMap<string, SourceFile>): string[] {
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): string[] => {
    const start = trail.indexOf(path);
    if (start >= 0) return [...trail.slice(start), path];
    if (done.has(path)) return [];
    done.add(path);
    for (const { target, typeOnly, lazy } of files.get(path)?.imports ?? []) {
      if (typeOnly || lazy || !target.startsWith('.')) continue;
      const circle = walk(resolve(path, target), [...trail, path]);
      if (circle.length > 0) return circle;
    }
    return [];
  };
  for (const path of files.keys()) {
    const circle = walk(path, []);
    if (circle.length > 0) return [`circle of imports: ${circle.join(' -> ')}`];
  }
  return [];
}

/** Every way in which the TypeScript of src/ breaks the house rules, in words. */
export function sourceViolations(files: readonly SourceFile[], dependencies: Dependencies): string[] {
  return [
    ...files.flatMap((file) => [
      ...layerViolations(file),
      ...libraryViolations(file, dependencies),
      ...privilegeViolations(file),
      ...(file.lines > longestFile
        ? [`${file.path} has ${file.lines} lines: over ${longestFile} is two concepts`]
        : []),
    ]),
    ...crowdedFolders(files.map(({ path }) => path)),
    ...circleIn(new Map(files.map((file) => [file.path, file]))),
  ];
}

/** The folders of the kernel from the ground up: a file includes headers of its own folder and of earlier ones. */
const kernelFolders: readonly (readonly string[])[] = [
  ['base'],
  ['io', 'distance'],
  ['factors'],
  ['annoy', 'terms/postings', 'columns', 'text'],
  ['exact', 'terms', 'columns/build'],
  ['graph', 'terms/query', 'terms/build', 'columns/layers'],
  ['graph/search'],
  ['graph/build'],
  ['segment'],
  ['search'],
];

/** The same for the binding; `.` is its own folder, whose files register what the others export. */
const bindingFolders: readonly (readonly string[])[] = [
  ['base'],
  ['columns', 'terms', 'text', 'vectors'],
  ['search'],
  ['.'],
];

function quotedIncludes(text: string): string[] {
  return [...text.matchAll(/^\s*#\s*include\s*"([^"]+)"/gm)].map(([, header = '']) => header);
}

/** How the quoted includes of one file of the kernel break the order of its folders. */
function kernelOrderViolations(path: string, text: string): string[] {
  const levelOf = (folder: string) => kernelFolders.findIndex((folders) => folders.includes(folder));
  if (!path.startsWith('native/kernel/')) return [];
  const folder = posix.dirname(path.slice('native/kernel/'.length));
  if (levelOf(folder) < 0) {
    return [`${path}: the kernel folder "${folder}" has no level; add it to kernelFolders in ${import.meta.filename}`];
  }
  return quotedIncludes(text).flatMap((header) => {
    const other = posix.dirname(header);
    if (levelOf(other) < 0) return [`${path} includes ${header}: expected a path from native/kernel, as base/status.h`];
    if (other === folder || levelOf(other) < levelOf(folder)) return [];
    return [`${path} includes ${header}: native/kernel/${folder} may not depend on native/kernel/${other}`];
  });
}

/** The same for the binding. Its folders are called as folders of the kernel are, so its own headers start with binding/. */
function bindingOrderViolations(path: string, text: string): string[] {
  const levelOf = (folder: string) => bindingFolders.findIndex((folders) => folders.includes(folder));
  if (!path.startsWith('native/binding/')) return [];
  const folder = posix.dirname(path.slice('native/binding/'.length));
  if (levelOf(folder) < 0) return [`${path}: the folder "${folder}" has no level; add it to bindingFolders`];
  return quotedIncludes(text).flatMap((header) => {
    if (kernelFolders.flat().includes(posix.dirname(header))) return [];
    const other = posix.dirname(header.replace(/^binding\//, ''));
    if (!header.startsWith('binding/') || levelOf(other) < 0) {
      return [`${path} includes ${header}: expected binding/FOLDER/x.h or a path from native/kernel`];
    }
    if (other === folder || levelOf(other) < levelOf(folder)) return [];
    return [`${path} includes ${header}: native/binding/${folder} may not depend on native/binding/${other}`];
  });
}

/**
 * Types that several headers define. All are in one namespace, so the linker takes the functions of either for both, also
 * where no file includes both headers.
 */
export function repeatedTypes(headers: readonly (readonly [path: string, text: string])[]): string[] {
  const owners = new Map<string, string>();
  const found: string[] = [];
  for (const [path, text] of headers) {
    for (const [, name = ''] of text.matchAll(/^(?:struct|class|enum class|union) (\w+)[^;{]*\{/gm)) {
      const owner = owners.get(name);
      if (owner === undefined) owners.set(name, path);
      else found.push(`${path} defines ${name}, as ${owner} does: give one of them another name`);
    }
  }
  return found;
}

/** Every way in which one C++ file breaks the house rules. */
export function nativeViolations(path: string, text: string): string[] {
  const found: string[] = [];
  const lines = text.split('\n').length - 1;
  if (lines > longestFile) found.push(`${path} has ${lines} lines: over ${longestFile} is two concepts`);
  found.push(...kernelOrderViolations(path, text), ...bindingOrderViolations(path, text));
  const inBinding = path.startsWith('native/binding/');
  for (const [, header = ''] of text.matchAll(/^\s*#\s*include\s*[<"]([^>"]+)[>"]/gm)) {
    if (/(?:^|\/)(?:napi|node_api|js_native_api|node|v8|uv)\.h$/.test(header) && !inBinding) {
      found.push(`${path} includes ${header}: only native/binding knows Node`);
    }
    if (header.includes('binding/') && !inBinding)
      found.push(`${path} includes ${header}: the kernel does not know the binding`);
    const isIntrinsics = /^(?:\w*mmintrin|\w*intrin|arm_neon|arm_sve)\.h$/.test(header);
    if (
      isIntrinsics &&
      !/^native\/kernel\/(?:distance\/distance(?:_\w+)?\.cpp|distance\/distance_avx512\.h|base\/prefetch\.h)$/.test(
        path,
      )
    ) {
      found.push(
        `${path} includes ${header}: intrinsics belong into native/kernel/distance/distance_<isa>.cpp, the probe into distance.cpp`,
      );
    }
  }
  if (
    /\bgetenv\s*\(/.test(text) &&
    path.startsWith('native/kernel/') &&
    path !== 'native/kernel/distance/distance.cpp'
  ) {
    found.push(`${path} reads the environment: only native/kernel/distance/distance.cpp does`);
  }
  return found;
}
