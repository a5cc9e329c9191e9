import type { NativeTermList } from '../../addon/native-search.js';
import { SemanticIndexError } from '../../errors.js';
import type {
  SnapshotHits,
  SnapshotQuery,
  SnapshotSearchOptions,
  TermLookUp,
  TermsFilter,
} from '../../search/search-snapshot.js';
import type { Metric, SearchedSegment } from '../../types.js';
import type { Bitset } from '../../vectors/bitset.js';
import type { CatalogPosition } from '../catalog/catalog.js';
import { NativeSnapshot, type SegmentSources, type TermsAnswer } from './native-snapshot.js';
import { RefCounted, type SearchableSegment } from './searchable-segment.js';
import type { TailSegment } from './tail/tail-rows.js';

/** How the texts of a snapshot were analyzed. */
export interface WordAnalysis {
  /** See `analysisFromSetting`; undefined before the first read. */
  readonly setting: string | undefined;
  /** Languages that queries are analyzed in. */
  readonly languages: readonly string[];
}

const noWords: WordAnalysis = { setting: undefined, languages: ['en'] };

/** How a snapshot is searched. Sets and factors are those of the items of each segment, and of the tail. */
export interface SnapshotSearch extends SnapshotSearchOptions {
  readonly allowed?: readonly Bitset[] | undefined;
  /** Called for each segment whose vectors were searched. */
  readonly onSegment?: ((segment: SearchedSegment) => void) | undefined;
}

/** Attempts of a search while files change. */
const maxAttempts = 16;

/**
 * The vectors and terms of all documents at one position of the catalog. Immutable; code that uses it across an `await` keeps it
 * open with `shared.retain()` and `shared.release()`.
 */
export class Snapshot {
  readonly shared: RefCounted;
  /** The segments, then the tail. */
  readonly all: readonly SearchableSegment[];
  readonly #dimensions: number;
  #native: NativeSnapshot | undefined;

  constructor(
    readonly position: CatalogPosition,
    readonly metric: Metric,
    dimensions: number,
    /** In the order of their keys. */
    readonly segments: readonly SearchableSegment[],
    /** The documents that no segment has yet. */
    readonly tail: TailSegment | undefined,
    readonly sealedThrough: number,
    /** How its terms were derived, and the languages of its documents. */
    readonly words: WordAnalysis = noWords,
  ) {
    this.#dimensions = dimensions;
    this.all = tail === undefined ? segments : [...segments, tail];
    this.shared = new RefCounted(() => {
      this.#native?.close();
      for (const segment of this.all) segment.shared.release();
      // Those of segments are used by the next snapshot.
      tail?.parts.close();
    });
    for (const segment of this.all) segment.shared.retain();
  }

  /**
   * The best documents of each query, ties by key. By vector: always min(k, allowed documents) of them, nearest first. By terms:
   * the documents with the highest BM25. By both: fused scores, which do not depend on which side found a document.
   */
  async search(queries: readonly SnapshotQuery[], search: SnapshotSearch): Promise<readonly SnapshotHits[]> {
    const { signal, onSegment } = search;
    const hasTerms = queries.some(({ terms }) => terms !== undefined);
    const { native, answer } = await this.#soundly(hasTerms, signal, (native) => native.search(queries, search));
    if (onSegment === undefined) return answer.queries;
    for (const { segment, report } of native.reports(answer)) {
      const { allowed, exact, milliseconds } = report;
      onSegment({ segment: segment.segment, items: segment.keys.offsets.length, allowed, exact, milliseconds });
    }
    return answer.queries;
  }

  /** Looks terms up in the dictionaries of all segments. @param allowed items of each segment that count. */
  async lookUpTerms(
    lookUp: Omit<TermLookUp, 'allowed'>,
    allowed: readonly Bitset[] | undefined,
  ): Promise<readonly NativeTermList[]> {
    const { answer } = await this.#soundly(true, lookUp.signal, (native) => native.lookUpTerms(lookUp, allowed));
    return answer.found;
  }

  /** See `SearchSnapshot.countTerms`. */
  async countTerms(terms: Uint8Array): Promise<Float64Array> {
    const { answer } = await this.#soundly(true, undefined, (native) => native.countTerms(terms));
    return answer.found;
  }

  /** The items of each segment that have all required terms, and none of the excluded ones. */
  async filterByTerms(
    filter: TermsFilter,
    allowed: readonly Bitset[] | undefined,
    signal: AbortSignal | undefined,
  ): Promise<readonly Bitset[]> {
    const { answer } = await this.#soundly(true, signal, (native) => native.filterByTerms(filter, allowed, signal));
    return answer.found;
  }

  /** Reads vectors and terms; where files turn out to be damaged, again without them. */
  async #soundly<A extends Pick<TermsAnswer<unknown>, 'parts' | 'fault'>>(
    hasTerms: boolean,
    signal: AbortSignal | undefined,
    read: (native: NativeSnapshot) => Promise<A>,
  ): Promise<{ readonly native: NativeSnapshot; readonly answer: A }> {
    this.shared.retain();
    try {
      for (let attempt = 1; attempt <= maxAttempts; attempt++) {
        const sources = this.#knownSources(hasTerms) ?? (await this.#sources(hasTerms, signal));
        // Nothing is awaited between the choice and the call: another search may replace the native snapshot.
        const native = this.#nativeOf(sources);
        const answer = await read(native);
        const suspects = native.suspects(answer);
        if (suspects.length === 0) return { native, answer };
        // What is damaged is replaced, and the search is repeated there.
        const isKnown = await Promise.all(suspects.map((sources) => isUnsound(sources)));
        if (!isKnown.includes(true)) await Promise.all(suspects.map(({ segment }) => verifySegment(segment, signal)));
        // It may hold terms that this search does not need, and would be chosen again.
        this.#forget(native);
      }
      throw new SemanticIndexError('IO', 'The files of the index keep changing', {
        hint: 'Another program writes to segments/. Stop it, and run `rebuild()`.',
      });
    } finally {
      this.shared.release();
    }
  }

  /** What segments are searched in; undefined where that is not known yet. */
  #knownSources(hasTerms: boolean): SegmentSources[] | undefined {
    const sources: SegmentSources[] = [];
    for (const segment of this.all) {
      const vectors = segment.vectors.known;
      const terms = hasTerms ? segment.terms.known : undefined;
      if (vectors === undefined || (hasTerms && terms === undefined)) return undefined;
      sources.push({ segment, vectors, terms });
    }
    return sources;
  }

  #sources(hasTerms: boolean, signal: AbortSignal | undefined): Promise<SegmentSources[]> {
    return Promise.all(
      this.all.map(async (segment): Promise<SegmentSources> => {
        const vectors = await segment.vectors.source(signal);
        return { segment, vectors, terms: hasTerms ? await segment.terms.source(signal) : undefined };
      }),
    );
  }

  #forget(native: NativeSnapshot): void {
    if (this.#native !== native) return;
    native.close();
    this.#native = undefined;
  }

  #nativeOf(sources: readonly SegmentSources[]): NativeSnapshot {
    if (this.#native?.isOf(sources) !== true) {
      this.#native?.close();
      this.#native = new NativeSnapshot(this.metric, this.#dimensions, sources);
    }
    return this.#native;
  }
}

async function isUnsound({ segment, vectors, terms }: SegmentSources): Promise<boolean> {
  const sound = await Promise.all([
    segment.vectors.isSound(vectors),
    terms === undefined ? true : segment.terms.isSound(terms),
  ]);
  return sound.includes(false);
}

/** Compares the files of a segment with what was published, and leaves out what is damaged. */
export async function verifySegment(
  { vectors, terms, columns }: SearchableSegment,
  signal?: AbortSignal,
): Promise<void> {
  await vectors.verify(signal);
  await terms.verify(signal);
  await columns?.verify(signal);
}
