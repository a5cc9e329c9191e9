import type { TailContents } from '../../search/tail-image.js';
import type { ColumnsMissingEvent, DamageEvent, GraphMissingEvent, Metric, TermsMissingEvent } from '../../types.js';
import type { TailImageRow } from '../catalog/tail/tail-images-table.js';
import type { CatalogClient } from '../writer/catalog-client.js';

/** A fault of a segment or of the tail. */
export type Damage = DamageEvent | GraphMissingEvent | TermsMissingEvent | ColumnsMissingEvent;

/** The file of an image of the tail that is open. */
export interface ImageFile {
  /** Whether it has the bytes that were written. Reads all of them. A file that was removed counts as intact: its mapping is. */
  isIntact(): Promise<boolean>;
  /** To be called when it has not. */
  onLost(): void;
}

/** What was read of an image of the tail, whose vectors are still in its file. */
export interface OpenedTail extends TailContents, ImageFile {}

/** The index that a segment belongs to. */
export interface SegmentContext {
  readonly directory: string;
  readonly metric: Metric;
  readonly space: number;
  readonly dimensions: number;
  readonly loadMode: 'lazy' | 'eager';
  readonly reader: CatalogClient;
  /** Whether the catalog is in this thread, as that of an index in memory: it is read here, however long that takes. */
  readonly local: boolean;
  /** Whether the catalog still names this segment. */
  readonly isCurrent: (segment: number) => boolean;
  /** Reads an image of the tail; undefined when it is missing, or is not what was written. */
  readonly readTailImage: (row: TailImageRow) => Promise<OpenedTail | undefined>;
  /** Called with what is found after files were opened. */
  readonly onDamage: (damage: Damage) => void;
}
