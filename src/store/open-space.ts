import type { Space } from '../backend/space.js';
import type { Metric } from '../types.js';
import type { TailImageRow } from './catalog/tail/tail-images-table.js';
import { Maintenance } from './maintenance.js';
import type { LocalReads } from './snapshot/reads.js';
import { Scrubber } from './snapshot/scrubber.js';
import type { Damage, OpenedTail } from './snapshot/segment-context.js';
import { SnapshotManager } from './snapshot/snapshot-manager.js';
import type { StoreOptions } from './store-options.js';
import { TailImages } from './tail-images.js';
import type { CatalogClient } from './writer/catalog-client.js';

/** Each document is rewritten log4(n) times, and a search visits at most 3 segments per tier. */
const mergeFactor = 4;
/** Rewriting a segment costs as much as building it; below this share, deleted items cost less than that. */
const deadShare = 0.3;

/** An open space: the snapshots of its vectors, and the background work on its segments. */
export interface OpenSpace {
  readonly space: Space;
  readonly snapshots: SnapshotManager;
  /** Absent in a read-only index and in memory. */
  readonly maintenance: Maintenance | undefined;
  /** Absent in memory, and without background work. */
  readonly scrubber: Scrubber | undefined;
}

/** Options for `openSpace`. */
export interface OpenSpaceRequest {
  readonly reads: LocalReads;
  readonly options: StoreOptions;
  /** segments/; absent for an index in memory. */
  readonly directory: string | undefined;
  readonly metric: Metric;
  readonly writer: CatalogClient;
  readonly reader: CatalogClient;
  readonly isCurrent: (segment: number) => boolean;
  readonly onDamage: (damage: Damage) => void;
}

/** Opens a space; nothing is read yet. */
export function openSpace(space: Space, request: OpenSpaceRequest): OpenSpace {
  const { reads, options, directory = '', metric, writer, reader, isCurrent, onDamage } = request;
  const { loadMode, sealAt, trees, seed, threads, onEvent } = options;
  const files = { directory, metric, space: space.space, dimensions: space.dimensions };
  const local = request.directory === undefined;
  const tailImages = new TailImages({ ...files, sealAt, writer, onDamage });
  const readTailImage = (row: TailImageRow): Promise<OpenedTail | undefined> => tailImages.read(row);
  const context = { ...files, loadMode, reader, local, isCurrent, readTailImage };
  const snapshots = new SnapshotManager(space, reads, context, onDamage);
  const canBuild = request.directory !== undefined && !options.readonly;
  const maintenance = canBuild
    ? new Maintenance({
        ...files,
        planner: { sealAt, mergeFactor, deadShare },
        trees,
        seed,
        threads,
        writer,
        builder: reader,
        refresh: () => snapshots.refresh(),
        tailImages,
        onEvent,
      })
    : undefined;
  const scrubs = request.directory !== undefined && options.background;
  const scrubber = scrubs ? new Scrubber(() => snapshots.current.all) : undefined;
  return { space, snapshots, maintenance, scrubber };
}
