import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackendLocation } from '../../src/open-index.js';
import type { OpenOptions } from '../../src/options.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { openShards } from '../../src/shards/open-shards.js';
import { Store } from '../../src/store/store.js';
import type { IndexUnderTest } from './backend.js';
import { type OpenedIndex, searchProvider } from './searches.js';

const options = {
  metric: undefined,
  language: undefined,
  languageField: undefined,
  textFields: undefined,
  textTemplate: undefined,
  create: true,
  readonly: false,
  durability: 'process',
  busyTimeout: 5_000,
  loadMode: 'lazy',
  background: false,
  sealAt: 1_000,
  trees: 5,
  seed: 1,
  queryCache: 10,
  threads: 1,
  onEvent: () => {},
} as const;

export async function openFolder(): Promise<IndexUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'semantic-index-contract-'));
  const open = () => Store.open(join(folder, 'index'), options);
  return { backend: await open(), another: open, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A new index in a directory, for searches. */
export async function openIndexInFolder(options: OpenOptions = {}): Promise<OpenedIndex> {
  const folder = mkdtempSync(join(tmpdir(), 'semantic-index-searches-'));
  const index = await SemanticIndex.open(join(folder, 'index'), {
    provider: searchProvider,
    ann: { background: false },
    ...options,
  });
  return { index, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export async function openIndexInMemory(options: OpenOptions = {}): Promise<OpenedIndex> {
  return { index: await SemanticIndex.open(':memory:', { provider: searchProvider, ...options }), remove: () => {} };
}

/** Shards in directories, which several backends can open. */
export async function openShardsInFolders(count: number): Promise<IndexUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'semantic-index-shards-'));
  const shards = Array.from({ length: count }, (_, place) => () => Store.open(join(folder, `${place}`), options));
  const open = () => openShards(shards, false);
  return { backend: await open(), another: open, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A new index of shards in memory, for searches. */
export async function openIndexOfShards(count: number, given: OpenOptions = {}): Promise<OpenedIndex> {
  const { language, languageField, textFields, textTemplate } = given;
  const own = { ...options, language, languageField, textFields, textTemplate };
  const shards = Array.from({ length: count }, () => () => Store.open(':memory:', own));
  const location = new BackendLocation(() => openShards(shards, false)) as unknown as string;
  return { index: await SemanticIndex.open(location, { provider: searchProvider, ...given }), remove: () => {} };
}

export async function openMemory(): Promise<IndexUnderTest> {
  return { backend: await Store.open(':memory:', options), remove: () => {} };
}
