import { join } from 'node:path';
import { vectorsPerRead } from '../../backend/batch-sizes.js';
import type { Check, DocumentId, Metric, ValidationReport } from '../../types.js';
import type { AnnoyIndex } from '../../vectors/annoy/annoy-index.js';
import { checksumFile } from '../../vectors/checksum.js';
import type { Catalog } from '../catalog/catalog.js';
import type { SegmentRow } from '../catalog/segment-table.js';
import { segmentFacts, strayFiles } from '../directory/segment-directory.js';
import { columnsFile, termsFile } from '../directory/segment-names.js';
import { wantedCheck } from '../sqlite/cancelling.js';
import { columnsFileFault } from './columns-check.js';
import { checkContents } from './content-check.js';
import { tailImageFault } from './tail-image-check.js';
import { tailTermsFault, termsFileFault } from './terms-check.js';

/** Scope and depth of a validation. */
export interface ValidationRequest {
  /** Folder of the segment files; undefined for an index in memory. */
  readonly directory: string | undefined;
  /** `quick` compares counts and file sizes, `full` every page, byte and vector. */
  readonly level: 'quick' | 'full';
  readonly metric: Metric;
}

/** The finding of a check, or undefined. */
type Finding = string | undefined;

const namedIds = 10;
const rebuild = 'Run `rebuild()`; until then the documents of the segment are scanned, or searched more slowly.';
const analyze = 'Run `optimize()`; until then texts are analyzed before the first search for words.';
const derive = 'Run `optimize()`; until then filters read metadata from the catalog.';
const rewrite =
  'None needed: until the image is written again, the newest documents are read from the catalog at open.';
const fromTexts = "Run `rebuild({ from: 'texts' })`, or replace these documents.";
const replace = 'Replace these documents, or restore a backup.';

/** Checks of the derived files of a segment: name of the check, name of the file, hint, and the check itself. */
const derivedChecks = [
  ['terms', termsFile, analyze, termsFileFault],
  ['columns', columnsFile, derive, columnsFileFault],
] as const;

/** Hint for a damaged catalog, from which everything else is derived. */
export const restoreHint =
  'Restore a backup, or save what can be read into a new index with `salvage(from, to)`; `rebuild()` cannot derive what the catalog lost.';

/**
 * Looks for damage in an index. Reads only. Unreadable data is a finding, not an exception.
 * Lives in a catalog thread.
 */
export class Validator {
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  async validate(request: ValidationRequest): Promise<ValidationReport> {
    const { directory, level } = request;
    const findings = new Findings(wantedCheck());
    const error = { hint: restoreHint, severity: 'error' } as const;
    await findings.add('database', error, 'the database is intact', () => this.#catalog.integrity(level)[0]);
    for (const { check, what, count } of this.#catalog.inconsistencies()) {
      await findings.add(check, error, `no ${what}`, () => {
        const found = count();
        return found === 0 ? undefined : `${found} ${what}`;
      });
    }
    if (level === 'full') await this.#checkContents(findings);
    let rows: SegmentRow[] = [];
    await findings.add('segment_order', { ...error, hint: rebuild }, 'segments are apart from each other', () => {
      rows = this.#catalog.segments.all();
      return unordered(rows);
    });
    await findings.add('tail_terms', { hint: analyze, severity: 'warning' }, 'terms of the tail are stored', () =>
      tailTermsFault(this.#catalog, level),
    );
    if (directory !== undefined) await this.#checkFiles(findings, rows, request, directory);
    return findings.report();
  }

  async #checkContents(findings: Findings): Promise<void> {
    let contents: Awaited<ReturnType<typeof checkContents>> | undefined;
    const error = { hint: restoreHint, severity: 'error' } as const;
    await findings.add('contents', error, 'every document can be read', async () => {
      contents = await checkContents(this.#catalog);
      return undefined;
    });
    if (contents === undefined) return;
    const { texts, metadata, vectors } = contents;
    const add = (check: string, hint: string, well: string, what: string, ids: readonly DocumentId[]) =>
      findings.add(check, { hint, severity: 'error' }, well, () =>
        ids.length === 0 ? undefined : `${what}: ${list(ids)}`,
      );
    await add(
      'text_hashes',
      replace,
      'every text is the one that was stored',
      'texts that are not what was stored',
      texts,
    );
    await add('metadata', replace, 'all metadata can be read', 'metadata that cannot be read', metadata);
    await add('vectors', fromTexts, 'every vector is finite', 'vectors that cannot be what was stored', vectors);
  }

  async #checkFiles(
    findings: Findings,
    rows: readonly SegmentRow[],
    request: ValidationRequest,
    directory: string,
  ): Promise<void> {
    for (const row of rows) {
      const well = `${row.file}: ${row.items} items in ${row.trees} trees`;
      const severity = 'warning';
      await findings.add('segment', { hint: rebuild, severity }, well, async () => {
        const failed = await this.#segmentFault(row, directory, request).catch((cause: unknown) => messageOf(cause));
        // Replaced during the check, and its file removed: not a finding.
        return this.#isCurrent(row) ? failed : undefined;
      });
      for (const [check, name, hint, look] of derivedChecks) {
        await findings.add(check, { hint, severity }, `${name(row.file)}: ${row.items} items`, async () => {
          const failed = await look(row, directory, request.level).catch((cause: unknown) => messageOf(cause));
          return this.#isCurrent(row) ? failed : undefined;
        });
      }
    }
    const image = this.#catalog.tailImages.get();
    if (image !== undefined) {
      const { hint, severity } = { hint: rewrite, severity: 'warning' } as const;
      await findings.add('tail_image', { hint, severity }, `${image.file}: ${image.documents} documents`, async () => {
        const space = this.#catalog.space();
        const failed = await tailImageFault(image, directory, { ...request, dimensions: space?.dimensions ?? 0 });
        // Replaced during the check, and its file removed: not a finding.
        return this.#catalog.tailImages.get()?.file === image.file ? failed : undefined;
      });
    }
    const sweep = 'This index did not write them, so it leaves them alone. Move them away if nothing else needs them.';
    await findings.add('strays', { hint: sweep, severity: 'info' }, 'no strays', async () => {
      const image = this.#catalog.tailImages.get();
      const others = [...this.#catalog.segments.retired(), ...(image === undefined ? [] : [image])];
      const named = [...rows, ...others].map(({ file }) => file);
      const strays = await strayFiles(directory, named);
      return strays.length > 0 ? `${strays.length} files in segments/ that the catalog does not name` : undefined;
    });
  }

  #isCurrent({ segment }: SegmentRow): boolean {
    return this.#catalog.segments.all().some((row) => row.segment === segment);
  }

  async #segmentFault(row: SegmentRow, directory: string, { level, metric }: ValidationRequest): Promise<Finding> {
    const path = join(directory, row.file);
    const offsets = this.#isCurrent(row) ? this.#catalog.segments.offsets(row.segment) : new Uint32Array();
    const facts = segmentFacts(directory, row.file);
    if (facts === undefined) return `${row.file} is missing`;
    if (facts.size !== row.file_size) return `${row.file} has ${facts.size} bytes instead of ${row.file_size}`;
    if (offsets.length !== row.items) return `${row.file} has ${row.items} items and keys for ${offsets.length}`;
    const disorder = offsets.findIndex((offset, item) => item > 0 && offset <= (offsets[item - 1] as number));
    if (disorder >= 0) return `the keys of ${row.file} are out of order at item ${disorder}`;
    if (level === 'quick') return undefined;
    if ((await checksumFile(path)) !== row.checksum) return `${row.file} does not have the bytes that were written`;
    const f = this.#catalog.space()?.dimensions ?? 0;
    // Loaded on demand: threads that do not validate start sooner without it.
    const { AnnoyIndex } = await import('../../vectors/annoy/annoy-index.js');
    const index = await AnnoyIndex.open(path, { f, metric, loadMode: 'lazy' });
    try {
      return (await forestFault(index)) ?? (await this.#differentVectors(row, offsets, index));
    } finally {
      index.close();
    }
  }

  /** Compares the vectors of an intact segment with those of the catalog. */
  async #differentVectors(row: SegmentRow, offsets: Uint32Array, index: AnnoyIndex): Promise<Finding> {
    if (index.metric === 'hamming') return undefined;
    const { f } = index;
    for (let first = 0; first < offsets.length; first += vectorsPerRead) {
      const items = index.getItemVectors(first, Math.min(vectorsPerRead, offsets.length - first));
      const keys = offsets.subarray(first, first + vectorsPerRead);
      const stored = this.#catalog.documents.vectorsByKeys(
        Array.from(keys, (offset) => row.first_key + offset),
        f,
      );
      for (let item = 0; item < keys.length; item++) {
        const [mine, theirs] = [stored, items].map((all) => all.subarray(item * f, (item + 1) * f)) as [
          Float32Array,
          Float32Array,
        ];
        // All zero: the document is gone, or its vector has a finding of its own.
        if (mine.every((value, column) => value === theirs[column]) || mine.every((value) => value === 0)) continue;
        const ids = this.#catalog.documents.idsOf([row.first_key + (keys[item] as number)]);
        if (ids.length > 0) return `${row.file} and the catalog have different vectors of ${list(ids)}`;
      }
      await new Promise(setImmediate);
    }
    return undefined;
  }
}

/** Collects the findings of checks. An error that a check throws is a finding. */
class Findings {
  readonly #checks: Check[] = [];
  readonly #checkWanted: () => void;

  /** @param checkWanted throws after the validation was cancelled; no further check is started. */
  constructor(checkWanted: () => void) {
    this.#checkWanted = checkWanted;
  }

  async add(
    check: string,
    { hint, severity }: Required<Pick<Check, 'hint' | 'severity'>>,
    well: string,
    look: () => Finding | Promise<Finding>,
  ): Promise<void> {
    this.#checkWanted();
    let failed: Finding;
    try {
      failed = await look();
    } catch (error) {
      failed = messageOf(error);
    }
    const passed = failed === undefined;
    this.#checks.push({ check, passed, severity, message: failed ?? well, ...(passed ? {} : { hint }) });
  }

  report(): ValidationReport {
    const checks = this.#checks;
    return { valid: checks.every(({ passed, severity }) => passed || severity !== 'error'), checks };
  }
}

async function forestFault(index: AnnoyIndex): Promise<Finding> {
  const { checks } = await index.validate();
  const isFault = ({ check, passed, severity }: Check): boolean =>
    !passed && (severity === 'error' || check === 'graph');
  return checks.find(isFault)?.message;
}

function messageOf(error: unknown): string {
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}

function list(ids: readonly DocumentId[]): string {
  const named = ids.slice(0, namedIds).map((id) => JSON.stringify(id));
  return `${named.join(', ')}${ids.length > namedIds ? ` and ${ids.length - namedIds} more` : ''}`;
}

function unordered(rows: readonly SegmentRow[]): Finding {
  const wrong = rows.find(
    (row, position) => position > 0 && row.first_key <= (rows[position - 1] as SegmentRow).last_key,
  );
  return wrong === undefined ? undefined : `${wrong.file} overlaps the segment before it`;
}
