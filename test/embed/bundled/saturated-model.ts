import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchDirectory } from '../../scratch-directory.js';

/** `saturation` of a config.json. */
export interface SaturationConfig {
  k1: number;
  b: number;
  average_tokens: number;
}

/** The revision of a model folder: it changes with the weights and with the saturation. */
export function revisionOf(weights: Buffer, saturation: SaturationConfig | undefined): string {
  const digest = createHash('sha256').update(weights).digest();
  if (saturation === undefined) return digest.toString('hex').slice(0, 12);
  const numbers = Buffer.alloc(24);
  [saturation.k1, saturation.b, saturation.average_tokens].forEach((value, place) => {
    numbers.writeDoubleLE(value, 8 * place);
  });
  return createHash('sha256').update(digest).update(numbers).digest('hex').slice(0, 12);
}

/** A copy of a model folder with this saturation; undefined: with none. */
export function withSaturation(folder: string, saturation: SaturationConfig | undefined): string {
  const copy = scratchDirectory('saturated-model-');
  cpSync(folder, copy, { recursive: true });
  const path = join(copy, 'config.json');
  const { saturation: _, ...config } = JSON.parse(readFileSync(path, 'utf8'));
  const revision = revisionOf(readFileSync(join(copy, 'model.safetensors')), saturation);
  writeFileSync(path, JSON.stringify({ ...config, ...(saturation !== undefined && { saturation }), revision }));
  return copy;
}
