import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Language, Node, Parser } from '@vscode/tree-sitter-wasm';
import type { FileContent, ReadLimits } from '../content/file-content.js';
import { endingOf } from '../content/file-formats.js';
import { loadPackage } from '../content/invalid-file.js';
import type { TextBlock } from '../content/text-block.js';
import { assignments, definitions, functionValues, grammarOf, leading, wrappers } from './code-languages.js';
import { textOf } from './text.js';

/** Nesting of definitions that is followed. */
const maxDepth = 32;
/** Nesting of nodes that is followed; generated code may be nested without end. */
const maxNodeDepth = 500;
const maxNameLength = 120;

/**
 * Source code as it is written, with its functions, classes and modules as blocks, by tree-sitter. A comment directly
 * above a definition belongs to it. Code with syntax errors is read as far as it can be understood.
 */
export async function readCode(bytes: Uint8Array, limits: ReadLimits, name: string): Promise<FileContent> {
  const text = textOf(bytes, limits);
  const grammar = grammarOf(endingOf(name));
  if (grammar === undefined) return { text, blocks: [], properties: {} };
  const parser = await parserOf(grammar);
  const tree = parser.parse(text);
  try {
    const blocks: TextBlock[] = [];
    if (tree !== null) addDefinitions(tree.rootNode, text, blocks, 0, 0);
    return { text, blocks, properties: { language: grammar } };
  } finally {
    tree?.delete();
  }
}

const parsers = new Map<string, Promise<Parser>>();

function parserOf(grammar: string): Promise<Parser> {
  const known = parsers.get(grammar) ?? loadParser(grammar);
  parsers.set(grammar, known);
  return known;
}

async function loadParser(grammar: string): Promise<Parser> {
  const { default: library } = await loadPackage(
    () => import('@vscode/tree-sitter-wasm'),
    'source code',
    '@vscode/tree-sitter-wasm',
  );
  const folder = dirname(createRequire(import.meta.url).resolve('@vscode/tree-sitter-wasm'));
  await library.Parser.init({ locateFile: (file: string) => join(folder, file) });
  const language: Language = await library.Language.load(readFileSync(join(folder, `tree-sitter-${grammar}.wasm`)));
  const parser = new library.Parser();
  parser.setLanguage(language);
  return parser;
}

function addDefinitions(node: Node, text: string, blocks: TextBlock[], depth: number, level: number): void {
  if (depth > maxDepth || level > maxNodeDepth) return;
  const children = node.namedChildren;
  children.forEach((child, position) => {
    if (child === null) return;
    const name = nameOf(child);
    if (name === undefined) {
      addDefinitions(child, text, blocks, depth, level + 1);
      return;
    }
    const start = lineStart(text, startWithComments(children, position, text));
    blocks.push({ kind: 'definition', start, end: child.endIndex, depth, heading: name });
    addDefinitions(definedIn(child), text, blocks, depth + 1, level + 1);
  });
}

/** The start of a definition with its indentation, if nothing else is before it in its line. */
function lineStart(text: string, start: number): number {
  const line = text.lastIndexOf('\n', start - 1) + 1;
  return text.slice(line, start).trim() === '' ? line : start;
}

/** The start of the comments and attributes directly above a node. */
function startWithComments(siblings: readonly (Node | null)[], position: number, text: string): number {
  let start = (siblings[position] as Node).startIndex;
  for (let at = position - 1; at >= 0; at--) {
    const before = siblings[at] as Node;
    const gap = text.slice(before.endIndex, start);
    if (!leading.has(before.type) || !/^\s*$/.test(gap) || (gap.match(/\n/g)?.length ?? 0) > 1) break;
    // A comment behind code of the same line belongs to that code.
    if (text.slice(text.lastIndexOf('\n', before.startIndex - 1) + 1, before.startIndex).trim() !== '') break;
    start = before.startIndex;
  }
  return start;
}

/** The definition in a wrapper; otherwise the node itself. */
function definedIn(node: Node): Node {
  if (!wrappers.has(node.type)) return node;
  return node.namedChildren.find((child) => child !== null && nameOf(child) !== undefined) ?? node;
}

/** The name of what a node defines; undefined if it does not define anything. */
function nameOf(node: Node): string | undefined {
  if (wrappers.has(node.type)) {
    const inner = definedIn(node);
    return inner.id === node.id ? undefined : nameOf(inner);
  }
  if (assignments.has(node.type)) return assignedName(node);
  if (!definitions.has(node.type)) return undefined;
  // A reference to a type, such as `struct point p`, or a declaration without a body.
  if (/_specifier$/.test(node.type) && node.childForFieldName('body') === null) return undefined;
  const named = node.childForFieldName('name') ?? declaredName(node) ?? node.childForFieldName('type');
  if (node.type === 'impl_item') {
    const [trait, type] = [node.childForFieldName('trait'), node.childForFieldName('type')];
    return short([trait?.text, type?.text].filter((part) => part !== undefined).join(' for '));
  }
  const fallback = node.namedChildren.find((child) => child !== null && /name|identifier|spec/.test(child.type));
  const found = named ?? fallback?.childForFieldName('name') ?? fallback;
  return short(found?.text ?? node.type.replaceAll('_', ' '));
}

/** The name in the declarator of a C or C++ function: `int *Foo::bar(int x)` -> `Foo::bar`. */
function declaredName(node: Node): Node | null {
  let declarator = node.childForFieldName('declarator');
  for (let level = 0; declarator !== null && level < 16; level++) {
    const inner: Node | null = declarator.childForFieldName('declarator');
    if (inner === null) break;
    declarator = inner;
  }
  return declarator;
}

/** `const f = () => …`, `exports.f = function …`, a field whose value is a function. */
function assignedName(node: Node): string | undefined {
  const inner =
    node.type === 'pair' || /field_definition$/.test(node.type) ? node : (node.namedChildren[0] as Node | undefined);
  const value = inner?.childForFieldName('value') ?? inner?.childForFieldName('right');
  if (inner === undefined || value == null || !functionValues.has(value.type)) return undefined;
  const name = ['name', 'property', 'key', 'left'].map((field) => inner.childForFieldName(field)).find(Boolean);
  return name === undefined || name === null ? undefined : short(name.text);
}

function short(name: string): string {
  const line = name.replace(/\s+/g, ' ').trim();
  return line.length > maxNameLength ? `${line.slice(0, maxNameLength - 1)}…` : line;
}
