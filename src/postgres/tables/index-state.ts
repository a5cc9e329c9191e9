import {
  analysisFromSetting,
  analysisSettingName,
  englishSetting,
  queryLanguages,
  type TextAnalysis,
} from '../../analysis/text-analysis.js';
import type { Space } from '../../backend/space.js';
import { type Row, runningColumns, type Statements } from '../connection/database.js';
import { quoteText } from '../connection/names.js';
import type { SchemaNames } from '../connection/schema.js';
import { coverOf, type HnswIndex, type HnswPrecision, hnswIndexOfName, hnswPrefix } from './hnsw-index.js';
import type { PostingsPosition } from './postings-cache.js';
import { settingNames } from './settings-table.js';

/** What each transaction reads first: the state of the index at its point in time. */
export interface IndexState {
  readonly space: Space | undefined;
  /** How texts are analyzed, as a setting. */
  readonly analysisSetting: string;
  readonly analysis: TextAnalysis;
  /** Languages that documents were found in. */
  readonly foundLanguages: readonly string[];
  /** Languages that queries are analyzed in. */
  readonly languages: readonly string[];
  /** Declared fields as stored: name and type. */
  readonly fields: Readonly<Record<string, string>>;
  readonly documents: number;
  /** Settings that were read of this state. */
  readonly settings: Map<string, unknown>;
  /** The point in time of the postings. */
  readonly position: PostingsPosition;
  /** Sum of the lengths of all documents, in terms. */
  readonly length: number;
  /** The HNSW indexes of the space: their ranges follow each other. Later vectors are in none. */
  readonly hnsw: readonly HnswIndex[];
}

/** A statement without parameters that reads the version of the state, which grows with each change of it: one row. */
export function versionSql(names: SchemaNames): string {
  return `SELECT version::float8 AS version, ${runningColumns} FROM ${names.table('position')}`;
}

/** The same without what a transaction is cancelled by. */
export function bareVersionSql(names: SchemaNames): string {
  return `SELECT version::float8 AS version FROM ${names.table('position')}`;
}

/** A statement without parameters that reads the state: one row. */
export function stateSql(names: SchemaNames): string {
  const setting = (name: string): string =>
    `(SELECT value FROM ${names.table('settings')} WHERE name = ${quoteText(name)})`;
  return `SELECT ${setting(analysisSettingName)} AS analysis, ${setting(settingNames.languages)} AS languages,
    ${setting(settingNames.fields)} AS fields, ${setting(settingNames.hnsw)} AS hnsw,
    sp.space, sp.fingerprint, sp.dimensions, sp.canaries,
    (SELECT coalesce(sum(documents), 0)::float8 FROM ${names.table('sizes')}) AS documents,
    (SELECT coalesce(sum(length), 0)::float8 FROM ${names.table('sizes')}) AS length,
    p.version::float8 AS version, p.epoch::float8 AS epoch,
    (SELECT coalesce(max(deletion), 0)::float8 FROM ${names.table('deleted')}) AS deletions,
    (SELECT string_agg(c.relname::text, ' ') FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
     WHERE i.indrelid = to_regclass(${quoteText(names.table('vectors'))}) AND i.indisvalid
       AND starts_with(c.relname::text, '${hnswPrefix}')) AS hnsw_names
    FROM ${names.table('position')} p LEFT JOIN ${names.table('spaces')} sp ON sp.space = ${setting(settingNames.space)}::int`;
}

/** Reads the state where it is another one than was read last. */
export class IndexStates {
  readonly #sql: string;
  #known: IndexState | undefined;

  constructor(names: SchemaNames) {
    this.#sql = stateSql(names);
  }

  /** The state that was read last. */
  get last(): IndexState | undefined {
    return this.#known;
  }

  /** @param version the one that the transaction sees. */
  async in(statements: Statements, version: number): Promise<IndexState> {
    if (this.#known?.position.version === version) return this.#known;
    const [row] = await statements.query(this.#sql);
    const state = stateOf(row as Row);
    this.#known = state;
    return state;
  }
}

export function stateOf(row: Row): IndexState {
  const analysisSetting = row.analysis === null ? englishSetting : (JSON.parse(row.analysis) as string);
  const analysis = analysisFromSetting(analysisSetting);
  const foundLanguages = row.languages === null ? [] : (JSON.parse(row.languages) as string[]);
  return {
    space: row.space === null ? undefined : spaceOf(row),
    analysisSetting,
    analysis,
    foundLanguages,
    languages: queryLanguages(analysis, foundLanguages),
    fields: row.fields === null ? {} : (JSON.parse(row.fields) as Record<string, string>),
    documents: row.documents,
    settings: new Map(),
    position: { version: row.version, epoch: row.epoch, deletions: row.deletions },
    length: row.length,
    hnsw: row.space === null ? [] : coverOf(hnswIndexesOf(row), row.space),
  };
}

function hnswIndexesOf({ hnsw_names: names, hnsw }: Row): HnswIndex[] {
  const setting = hnsw === null ? 'vector' : (JSON.parse(hnsw) as HnswPrecision);
  return ((names ?? '') as string).split(' ').flatMap((name) => hnswIndexOfName(name, setting) ?? []);
}

export function spaceOf({ space, fingerprint, dimensions, canaries }: Row): Space {
  return { space, fingerprint, dimensions, canaries };
}
