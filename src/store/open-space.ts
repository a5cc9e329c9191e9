import type { Metric } from '../types.js';
import type { Catalog } from './catalog/catalog.js';
import type { Space } from './catalog/vector-table.js';
import { Maintenance } from './maintenance.js';
import { Scrubber } from './snapshot/scrubber.js';
import type { Damage } from './snapshot/segment.js';
import { SnapshotManager } from './snapshot/snapshot-manager.js';
import type { StoreOptions } from './store-options.js';
import type { CatalogClient } from './writer/catalog-client.js';

const mergeFactor = 4;
const deadShare = 0.3;

/** An open space: the snapshots of its vectors, and the work that keeps them fast and sound. */
export interface OpenSpace {
  readonly space: Space;
  readonly keeper: SnapshotManager;
  /** Absent where nothing may be built. */
  readonly maintenance: Maintenance | undefined;
  /** Absent where nothing is done in the background. */
  readonly scrubber: Scrubber | undefined;
}

/** What a space is opened with. */
export interface OpenSpaceRequest {
  readonly catalog: Catalog;
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
  const { catalog, options, directory = '', metric, writer, reader, isCurrent, onDamage } = request;
  const { loadMode, sealAt, trees, seed, threads, onEvent } = options;
  const files = { directory, metric, space: space.space, dimensions: space.dimensions };
  const keeper = new SnapshotManager(catalog, { ...files, loadMode, reader, isCurrent }, onDamage);
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
        refresh: () => keeper.refresh(),
        onEvent,
      })
    : undefined;
  const scrubs = request.directory !== undefined && options.background;
  return { space, keeper, maintenance, scrubber: scrubs ? new Scrubber(() => keeper.current.parts) : undefined };
}
