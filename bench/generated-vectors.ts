// Vectors for measurements that need no data: Gaussian clusters of clusters, about as hard to search as those of texts.

import { Random } from '../dist/random.js';

/** Random numbers from 0 to 1, the same on every machine. */
export function randomNumbers(seed: number): () => number {
  const random = new Random(seed);
  return () => random.number();
}

/** `count` vectors: themes, topics within themes, and much that is a document's own. */
export function generatedVectors(count: number, dimensions: number, seed: number): Float32Array[] {
  const random = randomNumbers(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const around = (center: Float32Array | undefined, spread: number): Float32Array =>
    Float32Array.from({ length: dimensions }, (_, column) => (center?.[column] ?? 0) + spread * normal());
  const themes = Array.from({ length: 40 }, () => around(undefined, 1));
  const topics = Array.from({ length: 800 }, (_, topic) => around(themes[topic % themes.length], 0.8));
  return Array.from({ length: count }, () => around(topics[Math.floor(random() * topics.length)], 0.7));
}
