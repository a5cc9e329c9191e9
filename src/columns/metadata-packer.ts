import { ColumnWriter } from './column-writer.js';
import { maxListElements, maxPathBytes, maxPathSteps, maxStringBytes, valueKinds } from './value-kind.js';

/**
 * The metadata of a batch of documents by path, in one piece of memory, which the kernel reads
 * (native/kernel/columns/FORMAT.md, "Packed metadata").
 */
export type PackedMetadata = Uint8Array<ArrayBuffer>;

const version = 1;
/** Bytes of all paths of a batch. Documents with further paths are incomplete. */
const maxBatchPathBytes = 1 << 20;
const noPath = new Uint8Array();

/**
 * Packs the metadata of documents, batch by batch: every path, with the values that documents have there. What a column does not
 * represent is marked, so that conditions on it are checked by other means.
 */
export class MetadataPacker {
  #root = new PathNode(noPath, 0);
  #columns: ColumnRows[] = [];
  #keys: number[] = [];
  #opaque: number[] = [];
  #incomplete: number[] = [];
  #pathBytes = 0;

  /** Documents since the last `take`. */
  get documents(): number {
    return this.#keys.length;
  }

  /** Adds a document with its metadata as JSON, null for none. Keys must ascend. */
  add(key: number, metadata: string | null): void {
    const document = this.#keys.length;
    this.#keys.push(key);
    if (metadata === null) return;
    const value = parsed(metadata);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.#opaque.push(document);
    else if (!this.#addMembers(document, value as Record<string, unknown>, this.#root)) this.#incomplete.push(document);
  }

  /** The metadata of the documents since the last `take`. */
  take(): PackedMetadata {
    const writer = new ColumnWriter(256 + 32 * this.#keys.length);
    writer.byte(version);
    writer.varint(this.#keys.length);
    let previous = this.#keys[0] ?? 0;
    for (const key of this.#keys) {
      writer.varint(key - previous);
      previous = key;
    }
    writeAscending(writer, this.#opaque);
    writeAscending(writer, this.#incomplete);
    writer.varint(this.#columns.length);
    for (const column of this.#columns) column.write(writer);
    this.#root = new PathNode(noPath, 0);
    [this.#columns, this.#keys, this.#opaque, this.#incomplete] = [[], [], [], []];
    this.#pathBytes = 0;
    return writer.take();
  }

  /** False when the document has a path that cannot have a column. */
  #addMembers(document: number, object: Record<string, unknown>, node: PathNode): boolean {
    // No name of a filter reaches a deeper member.
    if (node.steps === maxPathSteps) return true;
    let isComplete = true;
    for (const key of Object.keys(object)) {
      const column = this.#columnAt(node, key);
      if (column === undefined) {
        isComplete = false;
        continue;
      }
      const value = object[key];
      column.rows.add(document, value);
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        isComplete = this.#addMembers(document, value as Record<string, unknown>, column.node) && isComplete;
      }
    }
    return isComplete;
  }

  #columnAt(node: PathNode, key: string): PathColumn | undefined {
    const known = node.members.get(key);
    if (known !== undefined || node.members.has(key)) return known;
    const path = pathBehind(node.path, key);
    let column: PathColumn | undefined;
    if (path.length <= maxPathBytes && this.#pathBytes + path.length <= maxBatchPathBytes) {
      const rows = new ColumnRows(path);
      this.#columns.push(rows);
      this.#pathBytes += path.length;
      column = { rows, node: new PathNode(path, node.steps + 1) };
    }
    node.members.set(key, column);
    return column;
  }
}

/** The path of a member of the object at a path; also the path of a name's first step behind none. */
export function pathBehind(path: Uint8Array, key: string): Uint8Array {
  const writer = new ColumnWriter(path.length + key.length + 8);
  writer.bytes(path);
  writer.string(key);
  return writer.take();
}

/** A path, and what its members have; undefined for a member that cannot have a column. */
class PathNode {
  readonly members = new Map<string, PathColumn | undefined>();

  constructor(
    readonly path: Uint8Array,
    readonly steps: number,
  ) {}
}

interface PathColumn {
  readonly rows: ColumnRows;
  readonly node: PathNode;
}

/** The values of one path: a dictionary in order of appearance, and rows of documents with places in it. */
class ColumnRows {
  readonly #path: Uint8Array;
  readonly #strings = new Map<string, number>();
  readonly #numbers = new Map<number, number>();
  readonly #lists = new Map<number, number>();
  readonly #singles = new Map<number, number>();
  readonly #dictionary = new ColumnWriter();
  #values = 0;
  readonly #rows = new ColumnWriter();
  #rowCount = 0;
  #previous = 0;

  constructor(path: Uint8Array) {
    this.#path = path;
  }

  add(document: number, value: unknown): void {
    if (!Array.isArray(value)) {
      this.#addRow(document, this.#scalar(value) ?? this.#single(kindOf(value)));
      return;
    }
    const ids = this.#elements(value);
    if (ids === undefined) this.#addRow(document, this.#single(valueKinds.opaque));
    else this.#addList(document, value.length, ids);
  }

  write(writer: ColumnWriter): void {
    writer.varint(this.#path.length);
    writer.bytes(this.#path);
    writer.varint(this.#values);
    writer.bytes(this.#dictionary.take());
    writer.varint(this.#rowCount);
    writer.bytes(this.#rows.take());
  }

  #addRow(document: number, id: number): void {
    this.#rows.varint(2 * this.#gap(document));
    this.#rows.varint(id);
  }

  #addList(document: number, length: number, elements: ReadonlySet<number>): void {
    const size = this.#known(this.#lists, length, (writer) => {
      writer.byte(valueKinds.list);
      writer.varint(length);
    });
    this.#rows.varint(2 * this.#gap(document) + 1);
    this.#rows.varint(elements.size + 1);
    this.#rows.varint(size);
    for (const id of elements) this.#rows.varint(id);
  }

  #gap(document: number): number {
    const gap = document - this.#previous;
    this.#previous = document;
    this.#rowCount += 1;
    return gap;
  }

  /** The ids of the elements of a list; undefined when the column cannot represent the list. */
  #elements(list: readonly unknown[]): Set<number> | undefined {
    if (list.length > maxListElements) return undefined;
    const ids = new Set<number>();
    for (const element of list) {
      const id = this.#scalar(element);
      if (id === undefined) return undefined;
      ids.add(id);
    }
    return ids;
  }

  /** The id of a scalar that is stored. */
  #scalar(value: unknown): number | undefined {
    if (typeof value === 'string') {
      if (isLong(value)) return undefined;
      return this.#known(this.#strings, value, (writer) => {
        writer.byte(valueKinds.string);
        writer.string(value);
      });
    }
    if (typeof value === 'number') {
      // JSON has numbers beyond the largest double, which are read as infinity.
      if (!Number.isFinite(value)) return undefined;
      return this.#known(this.#numbers, value, (writer) => {
        writer.byte(valueKinds.number);
        writer.number(value);
      });
    }
    if (value === null) return this.#single(valueKinds.null);
    return typeof value === 'boolean' ? this.#single(value ? valueKinds.true : valueKinds.false) : undefined;
  }

  #single(kind: number): number {
    return this.#known(this.#singles, kind, (writer) => writer.byte(kind));
  }

  #known<Value>(ids: Map<Value, number>, value: Value, write: (writer: ColumnWriter) => void): number {
    const known = ids.get(value);
    if (known !== undefined) return known;
    write(this.#dictionary);
    ids.set(value, this.#values);
    this.#values += 1;
    return this.#values - 1;
  }
}

function kindOf(value: unknown): number {
  if (typeof value === 'string') return valueKinds.longString;
  return typeof value === 'object' ? valueKinds.object : valueKinds.opaque;
}

function isLong(text: string): boolean {
  if (text.length > maxStringBytes) return true;
  return 3 * text.length > maxStringBytes && Buffer.byteLength(text) > maxStringBytes;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function writeAscending(writer: ColumnWriter, numbers: readonly number[]): void {
  writer.varint(numbers.length);
  let previous = 0;
  for (const number of numbers) {
    writer.varint(number - previous);
    previous = number;
  }
}
