import type { PostgresClient } from '../../options.js';
import { MessageWriter } from './message-writer.js';

/** Numbers of the types of the elements of arrays (pg_type.dat in the sources of PostgreSQL). */
const [int4Type, textType] = [23, 25];

/** Rows in the binary format of COPY (manual of PostgreSQL, "COPY", "Binary Format"), written column by column. */
export class CopyRows {
  readonly #bytes: MessageWriter;

  /** @param size bytes to begin with. */
  constructor(size: number) {
    this.#bytes = new MessageWriter(size);
    this.#bytes.bytes(Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'));
    this.#bytes.int32(0);
    this.#bytes.int32(0);
  }

  /** Begins a row of so many columns. */
  row(columns: number): void {
    this.#bytes.int16(columns);
  }

  int4(value: number): void {
    this.#bytes.int32(4);
    this.#bytes.int32(value);
  }

  int8(value: number): void {
    this.#bytes.int32(8);
    this.#bytes.int64(value);
  }

  text(value: string): void {
    this.#bytes.text(value);
  }

  bytea(write: (bytes: MessageWriter) => void): void {
    this.#bytes.sized(() => write(this.#bytes));
  }

  texts(values: readonly string[]): void {
    this.#array(textType, values.length, () => {
      for (const value of values) this.#bytes.text(value);
    });
  }

  int4s(values: readonly number[]): void {
    this.#array(int4Type, values.length, () => {
      for (const value of values) this.int4(value);
    });
  }

  /** Dimensions, no nulls, the type; then, for the dimension, its size and its lower bound; then the elements (array_recv). */
  #array(type: number, size: number, write: () => void): void {
    this.#bytes.sized(() => {
      this.#bytes.int32(size === 0 ? 0 : 1);
      this.#bytes.int32(0);
      this.#bytes.int32(type);
      if (size === 0) return;
      this.#bytes.int32(size);
      this.#bytes.int32(1);
      write();
    });
  }

  /** The rows and their end; none may be written afterwards. */
  take(): Buffer {
    this.#bytes.int16(-1);
    return this.#bytes.view();
  }
}

/** What a client of `pg` gives a query of the caller. */
interface Connection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** Whether a client runs queries of the caller's own kind, as those of `pg` do. */
export function canCopy(client: PostgresClient): boolean {
  const { connection } = client as { connection?: Partial<Connection> };
  return typeof connection?.sendCopyFromChunk === 'function' && typeof connection.endCopyFrom === 'function';
}

/** Copies rows into a table. @param target the table and its columns, as they stand in COPY. */
export async function copyRows(client: PostgresClient, target: string, rows: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const copy = new CopyQuery(`COPY ${target} FROM STDIN (FORMAT binary)`, rows, (error) =>
      error === undefined ? resolve() : reject(error),
    );
    (client as unknown as { query(query: CopyQuery): unknown }).query(copy);
  });
}

/** A query of a client of `pg`, which calls these methods. */
class CopyQuery {
  readonly #text: string;
  readonly #rows: Buffer;
  readonly #done: (error?: Error) => void;

  constructor(text: string, rows: Buffer, done: (error?: Error) => void) {
    this.#text = text;
    this.#rows = rows;
    this.#done = done;
  }

  submit(connection: Connection): void {
    connection.query(this.#text);
  }

  handleCopyInResponse(connection: Connection): void {
    connection.sendCopyFromChunk(this.#rows);
    connection.endCopyFrom();
  }

  handleError(error: Error): void {
    this.#done(error);
  }

  handleReadyForQuery(): void {
    this.#done();
  }

  handleCommandComplete(): void {}
}
