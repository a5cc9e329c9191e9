import { isMarked, weightedPartsOf } from './fields/stored-text.js';
import type { PackedTerms } from './packed-terms.js';
import { encodeTexts, TextPreparer } from './text-preparer.js';
import { joinWeighted, type WeightedPart } from './weighted-terms.js';

/** Characters that are collected for one call of the addon. */
const charactersPerCall = 65_536;

/**
 * Analyzes documents as `analyzeDocument` does and packs their terms, batch by batch. The terms of pieces of text are remembered
 * across batches. For one thread, for its lifetime.
 */
export class TermPacker {
  readonly #preparer = new TextPreparer();
  #keys: number[] = [];
  #texts: string[] = [];
  #languages: string[] = [];
  #characters = 0;
  #documents = 0;
  /** Keys of the documents since the last `take`. */
  #allKeys: number[] = [];
  /** The parts of these documents and the key of the last part, once one of them has fields. */
  #parts: { readonly all: WeightedPart[]; lastKey: number } | undefined;

  /** Documents since the last `take`. */
  get documents(): number {
    return this.#documents;
  }

  /** Adds a document as it is stored, in a language, to the batch. Keys must ascend. `weights` are those of its fields. */
  add(key: number, stored: string, language = 'en', weights?: Readonly<Record<string, number>>): void {
    if (isMarked(stored) && this.#parts === undefined) {
      // The documents so far are one part each.
      const all = this.#allKeys.map((_, document) => ({ document, weight: 1 }));
      this.#parts = { all, lastKey: this.#allKeys.at(-1) ?? -1 };
    }
    this.#allKeys.push(key);
    this.#documents++;
    const parts = this.#parts;
    if (parts === undefined) {
      this.#addText(key, stored, language);
      return;
    }
    const document = this.#allKeys.length - 1;
    for (const { text, weight } of weightedPartsOf(stored, weights)) {
      parts.all.push({ document, weight });
      this.#addText(++parts.lastKey, text, language);
    }
  }

  #addText(key: number, text: string, language: string): void {
    this.#keys.push(key);
    this.#texts.push(text);
    this.#languages.push(language);
    this.#characters += text.length;
    if (this.#characters >= charactersPerCall) this.#analyze();
  }

  /** The terms of the documents since the last `take`. */
  take(): PackedTerms {
    this.#analyze();
    const [keys, parts] = [this.#allKeys, this.#parts];
    this.#documents = 0;
    this.#allKeys = [];
    this.#parts = undefined;
    const packed = this.#preparer.take();
    return parts === undefined ? packed : joinWeighted(packed, parts.all, keys);
  }

  #analyze(): void {
    const [keys, texts, own] = [this.#keys, this.#texts, this.#languages];
    this.#languages = [];
    this.#keys = [];
    this.#texts = [];
    this.#characters = 0;
    this.#preparer.add(Float64Array.from(keys), encodeTexts(texts), { language: 'en', own });
  }
}
