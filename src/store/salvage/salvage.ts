import { randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { givenTextOf } from '../../analysis/fields/stored-text.js';
import { SemanticIndexError } from '../../errors.js';
import { describe, openDefaults, resolveOptions, type SalvageOptions, salvageDefaults } from '../../options.js';
import type { DocumentId, TextFields } from '../../types.js';
import { fileFacts, ioError, syncDirectory, writeLines } from '../directory/files.js';
import { Store } from '../store.js';
import {
  isWhole,
  type LostPart,
  lostParts,
  type SalvagedDocument,
  SalvagedDocuments,
  type UnreadableRange,
} from './salvaged-documents.js';

/** A document that could not be recovered completely. */
export interface LostDocument {
  /** Undefined if only the key is known. */
  readonly id: DocumentId | undefined;
  /** Its number in the damaged catalog. */
  readonly key: number;
  /**
   * What cannot be read. With the vector alone, the text is in `textsFile`; with the metadata alone, it is in the new
   * index.
   */
  readonly lost: readonly LostPart[];
}

/** Result of `salvage`. */
export interface SalvageReport {
  /** Documents in the new index. */
  readonly documents: number;
  /** Documents whose vector is lost; their text is in `textsFile`. */
  readonly texts: number;
  /** JSON lines of id, text and metadata, to be added with the model of the index. Absent when there are none. */
  readonly textsFile?: string;
  readonly lost: readonly LostDocument[];
  /** Ranges of keys that may have contained further documents. */
  readonly unreadable: readonly UnreadableRange[];
}

interface Tally {
  documents: number;
  readonly texts: { id: DocumentId; text: string | TextFields; metadata?: unknown }[];
  readonly lost: LostDocument[];
}

/**
 * Recovers everything readable of a damaged index into a new one, without calling a model, and lists what is lost.
 * Texts and vectors of the caller are verified with their hashes. The damaged index is only read, and must not be in
 * use. The new directory appears under its name when it is complete. Texts without a vector are written to
 * `TO.texts.jsonl`.
 *
 * @throws INVALID_ARGUMENT when the target exists, NOT_AN_INDEX, CORRUPT when not even the settings can be read, IO.
 * @example
 * const { documents, lost } = await salvage('damaged-index', 'saved-index');
 * console.log(`${documents} saved, ${lost.length} lost in part or as a whole`);
 */
export async function salvage(from: string, to: string, options?: SalvageOptions): Promise<SalvageReport> {
  const { signal, onProgress } = resolveOptions('salvage', options, salvageDefaults);
  for (const path of [from, to]) {
    if (typeof path === 'string' && path !== '') continue;
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `salvage: expected the path of a directory, got ${describe(path)}`,
    );
  }
  if ((await fileFacts(to)) !== undefined) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `${to} exists already`, {
      hint: 'What is saved never overwrites anything; choose a new directory.',
    });
  }
  if ((await fileFacts(from)) === undefined) {
    throw new SemanticIndexError('NOT_AN_INDEX', `There is no index at ${from}`, { hint: 'Check the path.' });
  }
  const damaged = SalvagedDocuments.open(from);
  const partial = `${to}.partial-${randomBytes(4).toString('hex')}`;
  const tally: Tally = { documents: 0, texts: [], lost: [] };
  try {
    const store = await Store.open(partial, {
      ...openDefaults.ann,
      ...openDefaults.storage,
      create: true,
      readonly: false,
      language: damaged.analysis.language,
      languageField: damaged.analysis.field,
      textFields: damaged.analysis.layout?.weights,
      textTemplate: damaged.analysis.layout?.template,
      metric: damaged.metric,
      background: false,
      queryCache: 0,
      onEvent: () => {},
    });
    try {
      const { fingerprint, dimensions, canaries } = damaged.space;
      const { space } = await store.chooseSpace(fingerprint, dimensions, canaries);
      for await (const batch of damaged.documents()) {
        signal?.throwIfAborted();
        await save(store, space, batch, tally);
        onProgress?.({ stage: 'salvage', done: tally.documents });
      }
    } finally {
      await store.close();
    }
    const { texts, documents, lost } = tally;
    const textsFile = `${to}.texts.jsonl`;
    if (texts.length > 0) await writeLines(textsFile, texts);
    await rename(partial, to);
    await syncDirectory(dirname(to));
    const { unreadable } = damaged;
    return { documents, texts: texts.length, ...(texts.length > 0 && { textsFile }), lost, unreadable };
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => {});
    signal?.throwIfAborted();
    throw SemanticIndexError.is(error) ? error : ioError(`Cannot save ${from} into ${to}`, error);
  } finally {
    damaged.close();
  }
}

async function save(store: Store, space: number, batch: readonly SalvagedDocument[], tally: Tally): Promise<void> {
  const whole = batch.filter(isWhole);
  for (const role of ['document', 'given'] as const) {
    const rows = whole.filter(({ given }) => given === (role === 'given'));
    if (rows.length === 0) continue;
    const hashes = rows.map(({ hash }) => hash);
    const vectors = await store.putVectors(
      space,
      role,
      hashes,
      rows.map(({ vector }) => vector),
    );
    await store.commit(
      rows.map(({ id, text, hash, metadata }, row) => {
        return { id, text, hash, metadata: metadata ?? null, vector: vectors[row] as number };
      }),
    );
    tally.documents += rows.length;
  }
  for (const document of batch) {
    const lost = lostParts(document);
    const { key, id, text, metadata, vector } = document;
    if (lost.length === 0) continue;
    tally.lost.push({ id, key, lost });
    if (id === undefined || text === undefined || vector !== undefined) continue;
    tally.texts.push({
      id,
      ...givenTextOf(text),
      ...(metadata != null && { metadata: JSON.parse(metadata) as unknown }),
    });
  }
}
