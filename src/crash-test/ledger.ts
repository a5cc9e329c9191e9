import type { Document, DocumentId } from '../types.js';
import type { Operation, WrittenDocument } from './messages.js';

/** The document that the index must hold for an id; undefined if it must not exist. */
type Entry = WrittenDocument | undefined;

interface PendingOperation {
  readonly operation: Operation;
  /** The new entry of each id that it changes. */
  readonly changes: ReadonlyMap<DocumentId, Entry>;
}

/**
 * A violated guarantee. `lost`: an acknowledged document is missing. `resurrected`: a deleted or replaced one is back. `torn`: a
 * document or an operation is there in part.
 */
export interface Breach {
  readonly kind: 'lost' | 'resurrected' | 'torn';
  readonly message: string;
}

/** Records what a writer was promised: acknowledged changes, and those that were pending when it was killed. */
export class Ledger {
  readonly #acknowledged = new Map<DocumentId, WrittenDocument>();
  /** Versions of documents that were deleted or replaced, and must not come back. */
  readonly #gone = new Set<string>();
  readonly #pending = new Map<number, PendingOperation>();
  readonly #touched = new Map<DocumentId, number>();
  #clock = 0;
  #changes = 0;

  /** Documents that the index must hold. */
  get documents(): WrittenDocument[] {
    return [...this.#acknowledged.values()];
  }

  /** Number of acknowledged additions, replacements and deletions of documents. */
  get changes(): number {
    return this.#changes;
  }

  announce(lane: number, operation: Operation): void {
    const changes = this.#changesOf(operation);
    this.#clock++;
    for (const id of changes.keys()) this.#touched.set(id, this.#clock);
    this.#pending.set(lane, { operation, changes });
  }

  /** Returns the operation that was acknowledged. */
  acknowledge(lane: number): Operation | undefined {
    const pending = this.#pending.get(lane);
    if (pending === undefined) return undefined;
    this.#pending.delete(lane);
    this.#clock++;
    for (const [id, entry] of pending.changes) {
      this.#touched.set(id, this.#clock);
      this.#become(id, entry);
    }
    this.#changes += pending.changes.size;
    return pending.operation;
  }

  /** The current logical time. */
  get moment(): number {
    return this.#clock;
  }

  /** Documents unchanged since a moment: a backup that started then must hold them. */
  untouchedSince(moment: number): WrittenDocument[] {
    const pending = new Set([...this.#pending.values()].flatMap(({ changes }) => [...changes.keys()]));
    return this.documents.filter(({ id }) => (this.#touched.get(id) ?? 0) <= moment && !pending.has(id));
  }

  #become(id: DocumentId, entry: Entry): void {
    const before = this.#acknowledged.get(id);
    if (before !== undefined) this.#gone.add(before.metadata.version);
    if (entry === undefined) this.#acknowledged.delete(id);
    else this.#acknowledged.set(id, entry);
  }

  #changesOf(operation: Operation): Map<DocumentId, Entry> {
    switch (operation.kind) {
      case 'add':
        return new Map(operation.documents.map((document) => [document.id, document]));
      case 'delete':
        return new Map(operation.ids.map((id) => [id, undefined]));
      case 'deleteGroup': {
        const { lane, group } = operation;
        const matching = this.documents.filter(({ metadata }) => metadata.lane === lane && metadata.group === group);
        return new Map(matching.map(({ id }) => [id, undefined]));
      }
      default:
        return new Map();
    }
  }

  /**
   * Compares the index with the ledger after a kill, returns the breaches, and continues from what the index holds. A pending
   * operation may have happened or not, but only as a whole.
   */
  settle(found: ReadonlyMap<DocumentId, Document>): Breach[] {
    const breaches: Breach[] = [];
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    const happened = new Map<PendingOperation, Set<boolean>>(pending.map((operation) => [operation, new Set()]));
    const ids = new Set([...this.#acknowledged.keys(), ...found.keys()]);
    for (const operation of pending) for (const id of operation.changes.keys()) ids.add(id);
    for (const id of ids) {
      const actual = found.get(id);
      const before = this.#acknowledged.get(id);
      const operation = pending.find(({ changes }) => changes.has(id));
      const after = operation?.changes.get(id);
      if (operation !== undefined && same(actual, after)) {
        if (!same(actual, before)) happened.get(operation)?.add(true);
        this.#become(id, after);
      } else if (same(actual, before)) {
        if (operation !== undefined) happened.get(operation)?.add(false);
      } else {
        breaches.push(this.#breach(id, actual, before));
        if (actual === undefined) this.#acknowledged.delete(id);
        else this.#acknowledged.set(id, actual as Document & WrittenDocument);
      }
    }
    for (const [{ operation }, sides] of happened) {
      if (sides.size === 2) breaches.push({ kind: 'torn', message: `${operation.kind} was applied in part` });
    }
    return breaches;
  }

  #breach(id: DocumentId, actual: Document | undefined, before: Entry): Breach {
    const name = JSON.stringify(id);
    if (actual === undefined)
      return { kind: 'lost', message: `${name} is missing, expected ${JSON.stringify(before)}` };
    const { version } = actual.metadata as WrittenDocument['metadata'];
    if (this.#gone.has(version)) return { kind: 'resurrected', message: `${name} is back: ${JSON.stringify(actual)}` };
    return { kind: 'torn', message: `expected ${name} to be ${JSON.stringify(before)}, got ${JSON.stringify(actual)}` };
  }
}

function same(actual: Document | undefined, entry: Entry): boolean {
  if (actual === undefined || entry === undefined) return actual === entry;
  return actual.text === entry.text && JSON.stringify(actual.metadata) === JSON.stringify(entry.metadata);
}
