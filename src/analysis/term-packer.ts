import type { PackedTerms } from './packed-terms.js';
import { encodeTexts, TextPreparer } from './text-preparer.js';

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

  /** Documents since the last `take`. */
  get documents(): number {
    return this.#documents;
  }

  /** Adds a document in a language to the batch. Keys must ascend. */
  add(key: number, text: string, language = 'en'): void {
    this.#documents++;
    this.#keys.push(key);
    this.#texts.push(text);
    this.#languages.push(language);
    this.#characters += text.length;
    if (this.#characters >= charactersPerCall) this.#analyze();
  }

  /** The terms of the documents since the last `take`. */
  take(): PackedTerms {
    this.#analyze();
    this.#documents = 0;
    return this.#preparer.take();
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
