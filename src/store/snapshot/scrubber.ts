import type { SearchableSegment } from './searchable-segment.js';
import { verifySegment } from './snapshot.js';

/** When segments are verified. */
export interface ScrubOptions {
  /** Milliseconds until the first round: short-lived processes do not read everything. */
  readonly firstAfter: number;
  /** Milliseconds from one round to the next. */
  readonly every: number;
}

/** Once a minute after opening, then once a day. */
export const scrubSchedule: ScrubOptions = { firstAfter: 60_000, every: 24 * 60 * 60_000 };

/**
 * Reads the files of all segments periodically and compares checksums: media may corrupt bytes without changing size or
 * modification time. Damaged segments are reported and rebuilt.
 */
export class Scrubber {
  readonly #parts: () => readonly SearchableSegment[];
  readonly #options: ScrubOptions;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: () => readonly SearchableSegment[], options: ScrubOptions = scrubSchedule) {
    this.#parts = parts;
    this.#options = options;
    this.#schedule(options.firstAfter);
  }

  #schedule(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#round().finally(() => {
        if (!this.#stop.signal.aborted) this.#schedule(this.#options.every);
      });
    }, milliseconds);
    this.#timer.unref();
  }

  async #round(): Promise<void> {
    const { signal } = this.#stop;
    for (const part of this.#parts()) {
      if (signal.aborted) return;
      part.shared.retain();
      try {
        await verifySegment(part, signal);
      } catch {
        // A file that cannot be read now is checked again in the next round, and by searches before that.
      } finally {
        part.shared.release();
      }
    }
  }

  /** Ends the round that is running. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }
}
