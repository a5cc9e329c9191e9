import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Section } from './split-text.js';

interface Stored {
  readonly splitter: string;
  readonly files: Record<string, readonly Section[]>;
}

const splitterSource = new URL('./split-text.ts', import.meta.url);

/**
 * The sections of texts that were split before, by the hash of the text: to parse Markdown takes longer than everything
 * else when nothing has changed. The file is derived data: if it is missing, damaged or of another splitter, it is rebuilt.
 */
export class SectionCache {
  readonly #path: string;
  readonly #splitter: string;
  readonly #before: ReadonlyMap<string, readonly Section[]>;
  readonly #now = new Map<string, readonly Section[]>();
  #changed = false;

  private constructor(path: string, splitter: string, before: ReadonlyMap<string, readonly Section[]>) {
    this.#path = path;
    this.#splitter = splitter;
    this.#before = before;
  }

  static async open(path: string): Promise<SectionCache> {
    const splitter = hashOf(await readFile(splitterSource, 'utf8'));
    try {
      const stored = JSON.parse(await readFile(path, 'utf8')) as Stored;
      const files = stored.splitter === splitter ? Object.entries(stored.files) : [];
      return new SectionCache(path, splitter, new Map(files));
    } catch {
      return new SectionCache(path, splitter, new Map());
    }
  }

  /** The sections of the text; calls `split` only if they are not cached. */
  sections(text: string, split: (text: string) => readonly Section[]): readonly Section[] {
    const hash = hashOf(`${split.name}\n${text}`);
    let sections = this.#now.get(hash) ?? this.#before.get(hash);
    if (sections === undefined) {
      sections = split(text);
      this.#changed = true;
    }
    this.#now.set(hash, sections);
    return sections;
  }

  /** Keeps what was asked for since it was opened, and forgets the rest. */
  async save(): Promise<void> {
    if (!this.#changed && this.#now.size === this.#before.size) return;
    const stored: Stored = { splitter: this.#splitter, files: Object.fromEntries(this.#now) };
    await mkdir(dirname(this.#path), { recursive: true });
    // Written to a temporary file and renamed, so that no process reads half of it.
    await writeFile(`${this.#path}.new`, JSON.stringify(stored));
    await rename(`${this.#path}.new`, this.#path);
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
