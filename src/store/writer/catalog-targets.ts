import { SegmentBuilder } from '../build/segment-builder.js';
import type { Catalog } from '../catalog/catalog.js';
import { HeldReads } from '../catalog/held-reads.js';
import { Validator } from '../validate/validator.js';

/** The objects of a connection whose methods can be called from another thread. */
export interface CatalogTargets {
  readonly catalog: Catalog;
  readonly documents: Catalog['documents'];
  readonly pages: Catalog['pages'];
  readonly terms: Catalog['terms'];
  readonly metadata: Catalog['metadata'];
  readonly vectors: Catalog['vectors'];
  readonly shared: Catalog['shared'];
  readonly segments: Catalog['segments'];
  readonly settings: Catalog['settings'];
  readonly leases: Catalog['leases'];
  readonly migration: Catalog['migration'];
  readonly fields: Catalog['fields'];
  readonly duplicates: Catalog['duplicates'];
  readonly notes: Catalog['notes'];
  readonly reads: HeldReads;
  readonly builder: SegmentBuilder;
  readonly validator: Validator;
}

/** Everything that can be called on a connection; `openReader` opens others for reads that stay open between calls. */
export function targetsOf(catalog: Catalog, openReader: () => Catalog): CatalogTargets {
  const {
    documents,
    pages,
    terms,
    metadata,
    vectors,
    shared,
    segments,
    settings,
    leases,
    migration,
    fields,
    duplicates,
    notes,
  } = catalog;
  return {
    catalog,
    documents,
    pages,
    terms,
    metadata,
    vectors,
    shared,
    segments,
    settings,
    leases,
    migration,
    fields,
    duplicates,
    notes,
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
