import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { bundledProvider, SemanticIndex } from '../../src/index.js';
import { Random } from '../../src/random.js';
import { batchOf, textOf } from './large-batches/batches.mjs';

const writer = fileURLToPath(new URL('./large-batches/batch-writer.mjs', import.meta.url));
// More lives: SEMANTIC_INDEX_BATCH_KILLS=100 npm test -- test/crash/large-batches.test.ts
const lives = Number(process.env.SEMANTIC_INDEX_BATCH_KILLS ?? 2);
const seed = process.env.SEMANTIC_INDEX_PROPERTY_SEED === 'random' ? Date.now() % 1_000_000 : 5;
const folder = mkdtempSync(join(tmpdir(), 'semantic-index-batches-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a writer from a batch on until it has acknowledged one and some time has passed; returns the last batch acknowledged. */
function writeUntilKilled(directory: string, first: number, milliseconds: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [writer, directory, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    let timer: NodeJS.Timeout | undefined;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      timer ??= setTimeout(() => child.kill('SIGKILL'), milliseconds);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal !== 'SIGKILL') reject(new Error(`The writer ended with ${code ?? signal}`));
      else resolve(Math.max(...printed.trim().split('\n').map(Number)));
    });
  });
}

test('large batches that were acknowledged survive a kill as a whole, with their vectors and terms', async () => {
  const random = new Random(seed);
  const directory = join(folder, 'idx');
  const provider = bundledProvider();
  let next = 0;
  for (let life = 0; life < lives; life++) {
    const acknowledged = await writeUntilKilled(directory, next, random.integer(700));
    await using index = await SemanticIndex.open(directory, { ann: { background: false } });
    // The pending batch may be there in part: then its documents, too, are whole.
    for (const batch of new Set([next, Math.max(next, acknowledged - 1), acknowledged, acknowledged + 1])) {
      const documents = batchOf(batch);
      const found = await index.getDocuments(documents.map(({ id }) => id));
      const vectors = await index.getVectors(documents.map(({ id }) => id));
      for (const [place, document] of found.entries()) {
        const { id } = documents[place] as { id: string };
        if (document === undefined) {
          expect(batch, id).toBeGreaterThan(acknowledged);
          continue;
        }
        const by = document.metadata.batch as number;
        if (batch <= acknowledged) expect(by, id).toBeGreaterThanOrEqual(batch);
        expect(document.text, id).toBe(textOf(Number(id.slice('document '.length)), by));
        expect(vectors[place], id).toHaveLength(384);
      }
      const sample = [0, 200, 401].flatMap((place) => (found[place] === undefined ? [] : [place]));
      if (sample.length === 0) continue;
      const texts = sample.map((place) => found[place]?.text as string);
      const embedded = await provider.embed(texts, { role: 'document' });
      for (const [position, place] of sample.entries()) {
        const similarity = embedded.vectors[position]?.reduce((sum, x, n) => sum + x * (vectors[place]?.[n] ?? 0), 0);
        expect(similarity).toBeCloseTo(1, 4);
        const { hits } = await index.search(texts[position] as string, { k: 1, mode: 'text' });
        expect(hits[0]?.id).toBe(found[place]?.id);
      }
    }
    const { valid, checks } = await index.validate({ level: 'full' });
    expect(checks.filter(({ passed, severity }) => !passed && severity === 'error')).toEqual([]);
    expect(valid).toBe(true);
    next = acknowledged + 2;
  }
  await provider.close?.();
}, 240_000);
