import type { PlanOptions } from '../../options.js';
import type { Store } from '../../store/store.js';
import { TimeSlice } from '../../time-slice.js';
import type { AddPlan, Metadata } from '../../types.js';
import { type CheckedDocument, checkDocument } from '../checked-document.js';
import type { EmbeddingSpace } from '../embedding-space.js';
import type { Documents } from './add-documents.js';

const documentsPerReading = 512;

type Sums = { -readonly [K in 'documents' | 'new' | 'changed' | 'unchanged' | 'cached' | 'embed' | 'tokens']: number };

/** Goes the way of an add as far as it costs nothing: says what would be embedded, and what that takes. */
export class PlanJourney {
  readonly #store: Store;
  readonly #space: EmbeddingSpace;

  constructor(store: Store, space: EmbeddingSpace) {
    this.#store = store;
    this.#space = space;
  }

  async run<M extends Metadata>(documents: Documents<M>, options: PlanOptions): Promise<AddPlan> {
    const { pricePerMillionTokens, signal } = options;
    const count = await this.#space.tokenCounter();
    const sums: Sums = { documents: 0, new: 0, changed: 0, unchanged: 0, cached: 0, embed: 0, tokens: 0 };
    const planned = new Set<string>();
    const slice = new TimeSlice();
    let characters = 0;
    let batch: CheckedDocument[] = [];
    const take = async (): Promise<void> => {
      for (const text of await this.#unknownTexts(batch, planned, sums)) {
        sums.embed++;
        sums.tokens += count.tokens(text);
        characters += text.length;
        if (slice.due()) await slice.yieldIfDue(signal);
      }
      batch = [];
    };
    for await (const input of documents) {
      batch.push(checkDocument(input, sums.documents++));
      if (slice.due()) await slice.yieldIfDue(signal);
      if (batch.length === documentsPerReading) await take();
    }
    if (batch.length > 0) await take();
    const pace = this.#space.charactersPerSecond;
    return {
      ...sums,
      counted: count.exact,
      ...(pricePerMillionTokens === undefined ? {} : { cost: (sums.tokens / 1e6) * pricePerMillionTokens }),
      ...(pace === undefined && characters > 0 ? {} : { seconds: characters / (pace ?? 1) }),
    };
  }

  /** Texts of a batch that no one has embedded yet, each once; the rest is counted. */
  async #unknownTexts(batch: readonly CheckedDocument[], planned: Set<string>, sums: Sums): Promise<string[]> {
    const standings = await this.#store.standings(batch);
    const wanted = new Map<string, string>();
    batch.forEach(({ hash, text, vector }, position) => {
      const standing = standings[position] as (typeof standings)[number];
      sums[standing]++;
      if (standing !== 'unchanged' && vector === undefined && !planned.has(hash)) wanted.set(hash, text);
    });
    const hashes = [...wanted.keys()];
    const { space } = this.#store;
    const found = space === undefined ? [] : await this.#store.findVectors(space.space, 'document', hashes);
    for (const hash of hashes) planned.add(hash);
    const own = hashes.filter((_, position) => (found[position] ?? 0) === 0);
    const elsewhere = await this.#space.knownElsewhere(own);
    const unknown = own.filter((_, position) => elsewhere[position] === false);
    sums.cached += hashes.length - unknown.length;
    return unknown.map((hash) => wanted.get(hash) as string);
  }
}
