import type { NativeBoost, NativeBoosts, NativeItemNumbers, NativeTermList } from '../../addon/native-search.js';
import type { SearchPart } from '../../search/search-part.js';
import {
  type PartReport,
  SearchSnapshot,
  type SnapshotAnswer,
  type SnapshotQuery,
  type SnapshotSearchOptions,
  type TermLookUp,
  type TermsFilter,
} from '../../search/search-snapshot.js';
import type { Metric } from '../../types.js';
import { addItem, type Bitset, createBitset, hasItem } from '../../vectors/bitset.js';
import { itemOf, keyAt, type SortedKeys } from '../catalog/sorted-keys.js';
import type { SearchableSegment } from './searchable-segment.js';
import type { VectorSource } from './segment-vectors.js';
import type { TermsSource } from './stored-file.js';

/** What a segment is searched in. */
export interface SegmentSources {
  readonly segment: SearchableSegment;
  readonly vectors: VectorSource;
  /** Undefined for searches by vector. */
  readonly terms: TermsSource | undefined;
}

/** What was read of terms, and of each part whether its files have changed. */
export interface TermsAnswer<T> extends Pick<SnapshotAnswer, 'fault'> {
  readonly found: T;
  readonly parts: readonly { readonly changed: boolean }[];
}

const none: readonly SegmentSources[] = [];

/** A part of the native snapshot, and the segment that it belongs to. */
interface Part {
  readonly part: SearchPart;
  /** Place of its segment in the snapshot. */
  readonly place: number;
  /** Its keys, where its items are not those of its segment. */
  readonly otherKeys: SortedKeys | undefined;
  readonly alive: Bitset | undefined;
}

/** The vectors and terms of a snapshot as the native search sees them, as long as the files behind them are sound. */
export class NativeSnapshot {
  readonly sources: readonly SegmentSources[];
  readonly #parts: readonly Part[];
  /** Whether every segment is one part, with the items of the segment. */
  readonly #isOfSegments: boolean;
  readonly #native: SearchSnapshot;

  constructor(metric: Metric, dimensions: number, sources: readonly SegmentSources[]) {
    this.sources = sources;
    this.#parts = sources.flatMap((source, place) => partsOf(source, place));
    this.#isOfSegments =
      this.#parts.length === sources.length &&
      this.#parts.every(({ place, otherKeys }, position) => place === position && otherKeys === undefined);
    this.#native = new SearchSnapshot(metric, dimensions, this.#parts);
  }

  /** Whether it was made of the same. */
  isOf(sources: readonly SegmentSources[]): boolean {
    return this.sources.every((mine, place) => {
      const theirs = sources[place];
      return mine.vectors === theirs?.vectors && (theirs.terms === undefined || mine.terms === theirs.terms);
    });
  }

  /** @param search sets and factors are those of the items of each segment. */
  search(
    queries: readonly SnapshotQuery[],
    search: SnapshotSearchOptions & { readonly allowed?: readonly Bitset[] | undefined },
  ): Promise<SnapshotAnswer> {
    const { allowed, boosts } = search;
    if (allowed === undefined && boosts === undefined) return this.#native.search(queries, search);
    const ofParts = boosts && this.#boostsOfParts(boosts);
    return this.#native.search(queries, { ...search, allowed: this.#itemsOfParts(allowed), boosts: ofParts });
  }

  /** Looks terms up. @param allowed items of each segment */
  async lookUpTerms(
    lookUp: Omit<TermLookUp, 'allowed'>,
    allowed: readonly Bitset[] | undefined,
  ): Promise<TermsAnswer<readonly NativeTermList[]>> {
    const { found, changed, fault } = await this.#native.lookUpTerms({
      ...lookUp,
      allowed: this.#itemsOfParts(allowed),
    });
    return { found, fault, parts: this.#reportsOf(changed) };
  }

  /** See `SearchSnapshot.countTerms`. */
  async countTerms(terms: Uint8Array): Promise<TermsAnswer<Float64Array>> {
    const { found, changed, fault } = await this.#native.countTerms(terms);
    return { found, fault, parts: this.#reportsOf(changed) };
  }

  /** The items of each segment that match. @param allowed items of each segment */
  async filterByTerms(
    filter: TermsFilter,
    allowed: readonly Bitset[] | undefined,
    signal: AbortSignal | undefined,
  ): Promise<TermsAnswer<readonly Bitset[]>> {
    const ofParts = this.#itemsOfParts(allowed);
    const { found, changed, fault } = await this.#native.filterByTerms({ ...filter, allowed: ofParts, signal });
    const sets: Bitset[] = this.sources.map(({ segment }) => createBitset(segment.keys.offsets.length, false));
    // A part with terms has the items of its segment.
    for (const [position, set] of found.entries()) if (set !== undefined) sets[this.#placeOf(position)] = set;
    return { found: sets, fault, parts: this.#reportsOf(changed) };
  }

  #itemsOfParts(allowed: readonly Bitset[] | undefined): readonly Bitset[] | undefined {
    return allowed === undefined || this.#isOfSegments
      ? allowed
      : this.#parts.map(({ place, otherKeys }) => {
          const { keys } = (this.sources[place] as SegmentSources).segment;
          const bits = allowed[place] as Bitset;
          return otherKeys === undefined ? bits : translated(bits, keys, otherKeys);
        });
  }

  #reportsOf(changed: readonly number[]): { readonly changed: boolean }[] {
    return this.#parts.map((_, position) => ({ changed: changed.includes(position) }));
  }

  #boostsOfParts(ofSegments: NativeBoosts): NativeBoosts {
    if (this.#isOfSegments) return ofSegments;
    const [boosts, greatest] = ofSegments;
    return [
      boosts.map((boost): NativeBoost => {
        const [kind, scale, operand, segments] = boost;
        if (kind === 2) return [kind, scale, operand, this.#parts.map((part) => this.#setOf(part, segments))];
        return [kind, scale, operand, this.#parts.map((part) => this.#numbersOf(part, segments))];
      }),
      Float64Array.from(this.#parts, ({ place }) => greatest[place] as number),
    ];
  }

  #setOf({ place, otherKeys }: Part, sets: readonly (Bitset | undefined)[]): Bitset | undefined {
    const set = sets[place];
    if (set === undefined || otherKeys === undefined) return set;
    return translated(set, (this.sources[place] as SegmentSources).segment.keys, otherKeys);
  }

  #numbersOf(
    { place, otherKeys }: Part,
    numbers: readonly (NativeItemNumbers | undefined)[],
  ): NativeItemNumbers | undefined {
    const own = numbers[place];
    if (own === undefined || otherKeys === undefined) return own;
    const [values] = own;
    const { keys } = (this.sources[place] as SegmentSources).segment;
    const others = Float64Array.from(
      otherKeys.offsets,
      (_, item) => values[itemOf(keys, keyAt(otherKeys, item))] ?? Number.NaN,
    );
    return [others, undefined, undefined];
  }

  /** The segments whose files have changed according to an answer, or are damaged. */
  suspects({ parts, fault }: Pick<TermsAnswer<unknown>, 'parts' | 'fault'>): readonly SegmentSources[] {
    if (fault === undefined && !parts.some(({ changed }) => changed)) return none;
    const places = new Set<number>();
    for (const [position, { changed }] of parts.entries()) if (changed) places.add(this.#placeOf(position));
    if (fault !== undefined) places.add(this.#placeOf(fault.part));
    return [...places].map((place) => this.sources[place] as SegmentSources);
  }

  /** How the vectors of each segment were searched. */
  reports({ parts }: SnapshotAnswer): { segment: SearchableSegment; report: PartReport }[] {
    return parts.flatMap((report, position) => {
      const { segment } = this.sources[this.#placeOf(position)] as SegmentSources;
      return report.searched ? [{ segment, report }] : [];
    });
  }

  #placeOf(part: number): number {
    return (this.#parts[part] as Part).place;
  }

  close(): void {
    this.#native.close();
  }
}

function partsOf({ segment, vectors, terms }: SegmentSources, place: number): Part[] {
  const { alive, keys } = segment;
  const [first, second] = segment.parts.of(vectors, terms) as [SearchPart, SearchPart | undefined];
  const isOther = vectors.keys !== keys;
  const found: Part = {
    part: first,
    place,
    otherKeys: isOther ? vectors.keys : undefined,
    alive: isOther ? translated(alive ?? createBitset(keys.offsets.length, true), keys, vectors.keys) : alive,
  };
  return second === undefined ? [found] : [found, { part: second, place, otherKeys: undefined, alive }];
}

/** The items of `keys` as those that have the same key among `others`. */
function translated(items: Bitset, keys: SortedKeys, others: SortedKeys): Bitset {
  const bits = createBitset(others.offsets.length, false);
  for (let item = 0; item < others.offsets.length; item++) {
    const original = itemOf(keys, keyAt(others, item));
    if (original >= 0 && hasItem(items, original)) addItem(bits, item);
  }
  return bits;
}
