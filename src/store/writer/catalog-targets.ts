import { SegmentBuilder } from '../build/segment-builder.js';
import type { Catalog } from '../catalog/catalog.js';
import { HeldReads } from '../catalog/held-reads.js';
import { Validator } from '../validate/validator.js';

const tables = [
  'documents',
  'commits',
  'pages',
  'terms',
  'metadata',
  'vectors',
  'shared',
  'segments',
  'settings',
  'leases',
  'tailImages',
  'migration',
  'fields',
  'duplicates',
  'notes',
] as const satisfies readonly (keyof Catalog)[];

/** The objects of a connection whose methods can be called from another thread. */
export interface CatalogTargets extends Readonly<Pick<Catalog, (typeof tables)[number]>> {
  readonly catalog: Catalog;
  readonly reads: HeldReads;
  readonly builder: SegmentBuilder;
  readonly validator: Validator;
}

/** Everything that can be called on a connection; `openReader` opens others for reads that stay open between calls. */
export function targetsOf(catalog: Catalog, openReader: () => Catalog): CatalogTargets {
  const ofCatalog = Object.fromEntries(tables.map((name) => [name, catalog[name]])) as Pick<
    Catalog,
    (typeof tables)[number]
  >;
  return {
    ...ofCatalog,
    catalog,
    reads: new HeldReads(openReader),
    builder: new SegmentBuilder(catalog),
    validator: new Validator(catalog),
  };
}

/** Calls a method of a target by name; the one place where calls are not typed. */
export function callTarget(targets: CatalogTargets, target: string, method: string, args: readonly unknown[]): unknown {
  const callee = targets[target as keyof CatalogTargets] as unknown as Record<
    string,
    (...args: readonly unknown[]) => unknown
  >;
  return callee[method]?.(...args);
}
