import type { Statement as CompiledStatement, Database, RunResult } from 'better-sqlite3';

/**
 * A statement that SQLite compiles when it is first used. A catalog has a hundred of them, and most connections use few: compiling
 * all would take a tenth of the time that an index is opened in.
 */
export class Statement<Parameters extends unknown[] = unknown[]> {
  readonly #compile: () => CompiledStatement<Parameters>;
  #compiled: CompiledStatement<Parameters> | undefined;

  constructor(compile: () => CompiledStatement<Parameters>) {
    this.#compile = compile;
  }

  get #statement(): CompiledStatement<Parameters> {
    this.#compiled ??= this.#compile();
    return this.#compiled;
  }

  /** The same with the first column of each row alone. */
  pluck(): Statement<Parameters> {
    return new Statement(() => this.#compile().pluck());
  }

  /** The same with rows as arrays. */
  raw(): Statement<Parameters> {
    return new Statement(() => this.#compile().raw());
  }

  get(...parameters: Parameters): unknown {
    return this.#statement.get(...parameters);
  }

  all(...parameters: Parameters): unknown[] {
    return this.#statement.all(...parameters);
  }

  iterate(...parameters: Parameters): IterableIterator<unknown> {
    return this.#statement.iterate(...parameters);
  }

  run(...parameters: Parameters): RunResult {
    return this.#statement.run(...parameters);
  }
}

/** A statement of a connection. What is wrong with it is thrown where it is first used. */
export function prepared<Parameters extends unknown[] = unknown[]>(db: Database, sql: string): Statement<Parameters> {
  return new Statement(() => db.prepare<Parameters>(sql) as CompiledStatement<Parameters>);
}
