import { statSync } from 'node:fs';
import { join } from 'node:path';
import { AnnoyIndex } from 'semantic-index';
import type { BuildInput, Built, Engine } from '../engine.js';

async function build({ vectors, dimensions, threads, folder, settings }: BuildInput): Promise<Built<Float32Array>> {
  const made = new AnnoyIndex(dimensions, 'angular', { seed: 1 });
  made.addItems(vectors);
  await made.build(Number(settings.trees), { threads });
  const path = join(folder, 'index.ann');
  const isExact = settings.exact === 'yes';
  const engine = settings.engine as 'annoy' | 'graph';
  await made.save(path);
  if (engine === 'graph') await made.buildGraph({ threads });
  await made.close();
  const index = await AnnoyIndex.open(path, { engine });
  const parts = [['forest', path], ...(engine === 'graph' ? [['graph', `${path}.accel`]] : [])] as const;
  return {
    prepare: (query) => query,
    search: isExact
      ? async (query, k) => (await index.getNnsByVectors(query, k, { exact: true, threads: 1 })).items
      : (query, k, searchK) => index.getNnsByVector(query, k, { searchK }) as Int32Array,
    bytes: Object.fromEntries(parts.map(([part, file]) => [part, statSync(file).size])),
    close: () => index.close(),
  };
}

export const engine: Engine = { build: build as Engine['build'], library: 'semantic-index' };
