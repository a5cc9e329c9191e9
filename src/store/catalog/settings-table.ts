import type { Database } from 'better-sqlite3';
import { analysisSettingName, englishSetting } from '../../analysis/text-analysis.js';
import { prepared, type Statement } from '../sqlite/statement.js';

/** What an index is, fixed when it is created or when its first vector arrives. */
export interface IndexSettings {
  /** Random name of the index, the same in all its copies. */
  readonly indexId: string;
  readonly metric: string;
  /** The space its vectors live in; absent until the first vector. */
  readonly space?: number;
  /** Counts publications of a new set of segments. */
  readonly generation: number;
}

/** Named values of the index. */
export class SettingsTable {
  readonly #get: Statement<[string]>;
  readonly #set: Statement<[string, string | number]>;
  readonly #increment: Statement<[string]>;

  constructor(db: Database) {
    this.#get = prepared<[string]>(db, 'SELECT value FROM settings WHERE name = ?').pluck();
    this.#set = prepared(
      db,
      'INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    );
    this.#increment = prepared(
      db,
      'INSERT INTO settings VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1',
    );
  }

  get(name: string): string | number | undefined {
    return this.#get.get(name) as string | number | undefined;
  }

  set(name: string, value: string | number): void {
    this.#set.run(name, value);
  }

  /** How texts are analyzed; see `analysisFromSetting`. */
  analysis(): string {
    return String(this.get(analysisSettingName) ?? englishSetting);
  }

  /** Languages that documents were in since the analysis was set. */
  languages(): string[] {
    const stored = this.get('languages');
    return typeof stored === 'string' && stored !== '' ? stored.split(',') : [];
  }

  /** Notes languages of documents. Part of the caller's transaction. */
  addLanguages(codes: readonly string[]): void {
    const known = this.languages();
    const added = codes.filter((code) => !known.includes(code));
    if (added.length > 0) this.set('languages', [...known, ...added].sort().join(','));
  }

  /** Adds one to a counter, which starts at zero. Part of the caller's transaction. */
  increment(name: string): void {
    this.#increment.run(name);
  }

  all(): IndexSettings | undefined {
    const indexId = this.get('index_id');
    if (indexId === undefined) return undefined;
    const space = this.get('space');
    return {
      indexId: String(indexId),
      metric: String(this.get('metric')),
      generation: Number(this.get('generation') ?? 0),
      ...(space === undefined ? {} : { space: Number(space) }),
    };
  }
}
