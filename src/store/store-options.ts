import { SemanticIndexError } from '../errors.js';
import type { IndexEvent, Metric } from '../types.js';
import type { Catalog } from './catalog/catalog.js';

/** How a store is opened; see OpenOptions for what each member means. */
export interface StoreOptions {
  readonly metric: Metric | undefined;
  /** How texts are analyzed, as far as it is not to stay as it is. */
  readonly language: string | undefined;
  readonly languageField: string | null | undefined;
  readonly textFields: Readonly<Record<string, number>> | undefined;
  readonly textTemplate: string | undefined;
  readonly create: boolean;
  readonly readonly: boolean;
  readonly durability: 'process' | 'full';
  readonly busyTimeout: number;
  readonly loadMode: 'lazy' | 'eager';
  readonly background: boolean;
  readonly sealAt: number;
  readonly trees: number;
  readonly seed: number;
  readonly queryCache: number;
  readonly threads: number;
  readonly onEvent: (event: IndexEvent) => void;
}

/** The metric is part of the index: another one is refused. */
export function checkMetricOf(catalog: Catalog, asked: Metric | undefined): void {
  const metric = catalog.settings.all()?.metric;
  if (asked === undefined || asked === metric) return;
  throw new SemanticIndexError('INVALID_ARGUMENT', `The index has the metric ${metric}, not ${asked}`, {
    hint: 'Leave out `metric`: an index keeps the one it was made with.',
  });
}
