import type { CatalogPosition } from '../../catalog/catalog.js';
import type { OpenedTail } from '../segment-context.js';
import type { TailRows, TailSegment } from './tail-rows.js';

/** The tail as of a position, which is read from an image while the segments are opened. */
export class PendingTail {
  readonly position: CatalogPosition;
  readonly #contents: Promise<OpenedTail | undefined>;
  #tail: TailSegment | undefined;

  /** @param contents undefined when the image is missing or damaged */
  constructor(position: CatalogPosition, contents: Promise<OpenedTail | undefined>) {
    this.position = position;
    this.#contents = contents;
    // A failure is reported where the documents are restored.
    contents.catch(() => {});
  }

  /** Gives the documents to an empty tail, once. Undefined when there are none. */
  async restore(rows: TailRows): Promise<TailSegment | undefined> {
    if (this.#tail === undefined) {
      const contents = await this.#contents;
      this.#tail = contents && rows.restore(contents);
    }
    return this.#tail;
  }

  /** Frees what was read unless it was restored; not to be called while it is. */
  forget(): void {
    if (this.#tail !== undefined) return;
    this.#contents.then(
      (contents) => {
        contents?.vectors.close();
        contents?.terms.close();
      },
      () => {},
    );
  }
}
