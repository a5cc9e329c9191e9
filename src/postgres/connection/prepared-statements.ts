import { createHash } from 'node:crypto';
import type { PostgresClient } from '../../options.js';
import { inlined, literalOf } from './literals.js';

/** Statements that a connection keeps: those prepared longest ago are dropped first. */
const maxPrepared = 32;

/** What connections have prepared, by text, with its name; indexes may share a pool. */
const prepared = new WeakMap<PostgresClient, Map<string, string>>();

/** A statement as it is sent on one connection. */
export interface SentStatement {
  readonly text: string;
  /** Whether it prepares one, which it has done also if it fails later. */
  readonly prepares: boolean;
}

/**
 * Statements that connections plan once, whatever their values are. They are prepared by statements of SQL and named by their text. A
 * pooler that lends each transaction another connection to the server answers that one is missing, or is there already: from then on,
 * nothing is prepared.
 */
export class PreparedStatements {
  #isOff = false;

  /** The statement for a connection: prepared first where it was not. */
  on(client: PostgresClient, text: string, values: readonly unknown[]): SentStatement {
    if (this.#isOff) return { text: inlined(text, values), prepares: false };
    const known = prepared.get(client) ?? new Map<string, string>();
    const args = values.length === 0 ? '' : `(${values.map(literalOf).join(', ')})`;
    const ready = known.get(text);
    if (ready !== undefined) return { text: `EXECUTE ${ready}${args}`, prepares: false };
    const name = `semantic_index_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
    prepared.set(client, known.set(text, name));
    const statement = `PREPARE ${name} AS ${text}; EXECUTE ${name}${args}`;
    const [oldest] = known;
    if (known.size <= maxPrepared || oldest === undefined) return { text: statement, prepares: true };
    const [oldText, oldName] = oldest;
    known.delete(oldText);
    return { text: `DEALLOCATE ${oldName}; ${statement}`, prepares: true };
  }

  /** Whether a statement failed as the connection to the server is another one than before: nothing is prepared from then on. */
  failsBy(error: unknown): boolean {
    const { code } = (error ?? {}) as { code?: unknown };
    if (code !== '26000' && code !== '42P05') return false;
    this.#isOff = true;
    return true;
  }
}
