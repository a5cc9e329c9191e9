import { join } from 'node:path';
import { SemanticIndexError } from '../errors.js';
import type { Check, Metric, ValidationReport } from '../types.js';
import { AnnoyIndex } from '../vectors/annoy-index.js';
import { checksumFile } from '../vectors/checksum.js';
import type { Catalog } from './catalog.js';
import { segmentFacts, strayFiles } from './segment-folder.js';
import type { SegmentRow } from './segment-table.js';

/** What is to be looked at, and how closely. */
export interface ValidationRequest {
  /** Folder of the segment files; undefined for an index in memory. */
  readonly directory: string | undefined;
  /** `quick` looks at figures and file sizes, `full` at every page, byte and vector. */
  readonly level: 'quick' | 'full';
  readonly metric: Metric;
}

const rowsPerReading = 2_048;
const restart = 'Restore a backup; `rebuild()` cannot derive what the catalog lost.';
const rebuild = 'Run `rebuild()`; until then the documents of the segment are scanned, or searched more slowly.';

/** Looks for damage in an index. Only reads. Lives in a catalog thread. */
export class Validator {
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  async validate({ directory, level, metric }: ValidationRequest): Promise<ValidationReport> {
    const checks: Check[] = [];
    const add = (
      check: string,
      failed: string | undefined,
      well: string,
      hint: string,
      severity: Check['severity'],
    ): void => {
      const passed = failed === undefined;
      checks.push({ check, passed, severity, message: failed ?? well, ...(passed ? {} : { hint }) });
    };
    const findings = this.#catalog.integrity(level);
    add('database', findings[0], 'the database is intact', restart, 'error');
    for (const { check, count, what } of this.#catalog.inconsistencies()) {
      add(check, count === 0 ? undefined : `${count} ${what}`, `no ${what}`, restart, 'error');
    }
    const rows = this.#catalog.segments.all();
    add('segment_order', unordered(rows), `${rows.length} segments, apart from each other`, rebuild, 'error');
    if (level === 'full') add('vectors', await this.#badVector(), 'every vector is finite', restart, 'error');
    if (directory !== undefined) {
      for (const row of rows) {
        const failed = await this.#segmentFault(row, directory, level, metric);
        // Replaced while it was looked at, and its file removed: nothing to complain about.
        if (!this.#isCurrent(row)) continue;
        add('segment', failed, `${row.file}: ${row.items} items in ${row.trees} trees`, rebuild, 'warning');
      }
      const named = [...rows, ...this.#catalog.segments.retired()].map(({ file }) => file);
      const strays = await strayFiles(directory, named);
      const sweep =
        'This index did not write them, so it leaves them alone. Move them away if nothing else needs them.';
      add(
        'strays',
        strays.length > 0 ? `${strays.length} files in segments/ that the catalog does not name` : undefined,
        'no strays',
        sweep,
        'info',
      );
    }
    return { valid: checks.every(({ passed, severity }) => passed || severity !== 'error'), checks };
  }

  #isCurrent({ segment }: SegmentRow): boolean {
    return this.#catalog.segments.all().some((row) => row.segment === segment);
  }

  async #badVector(): Promise<string | undefined> {
    const dimensions = this.#catalog.space()?.dimensions ?? 0;
    for (let after = 0; ; ) {
      const { keys, vectors } = this.#catalog.documents.vectorsAfter(after, Number.MAX_SAFE_INTEGER, rowsPerReading);
      if (keys.length === 0) return undefined;
      if (vectors.length !== keys.length * dimensions) return `a vector after key ${after} has a wrong length`;
      const bad = vectors.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) return `the vector of key ${keys[Math.floor(bad / dimensions)]} is not finite`;
      after = keys[keys.length - 1] as number;
      await new Promise(setImmediate);
    }
  }

  async #segmentFault(
    row: SegmentRow,
    directory: string,
    level: 'quick' | 'full',
    metric: Metric,
  ): Promise<string | undefined> {
    const path = join(directory, row.file);
    const offsets = this.#isCurrent(row) ? this.#catalog.segments.offsets(row.segment) : new Uint32Array();
    const facts = await segmentFacts(directory, row.file).catch((error: unknown) => {
      if (SemanticIndexError.is(error)) return error.message;
      throw error;
    });
    if (typeof facts === 'string') return facts;
    if (facts === undefined) return `${row.file} is missing`;
    if (facts.size !== row.file_size) return `${row.file} has ${facts.size} bytes instead of ${row.file_size}`;
    if (offsets.length !== row.items) return `${row.file} has ${row.items} items and keys for ${offsets.length}`;
    const disorder = offsets.findIndex((offset, item) => item > 0 && offset <= (offsets[item - 1] as number));
    if (disorder >= 0) return `the keys of ${row.file} are out of order at item ${disorder}`;
    if (level === 'quick') return undefined;
    if ((await checksumFile(path)) !== row.checksum) return `${row.file} does not have the bytes that were written`;
    return this.#forestFault(row, path, metric);
  }

  async #forestFault(row: SegmentRow, path: string, metric: Metric): Promise<string | undefined> {
    const f = this.#catalog.space()?.dimensions ?? 0;
    try {
      const index = await AnnoyIndex.open(path, { f, metric, loadMode: 'lazy' });
      try {
        const { checks } = await index.validate();
        const isFault = ({ check, passed, severity }: Check): boolean =>
          !passed && (severity === 'error' || check === 'accelerator');
        return checks.find(isFault)?.message;
      } finally {
        index.close();
      }
    } catch (error) {
      if (!SemanticIndexError.is(error)) throw error;
      return `${row.file}: ${error.message}`;
    }
  }
}

function unordered(rows: readonly SegmentRow[]): string | undefined {
  const wrong = rows.find(
    (row, position) => position > 0 && row.first_key <= (rows[position - 1] as SegmentRow).last_key,
  );
  return wrong === undefined ? undefined : `${wrong.file} overlaps the segment before it`;
}
