import { estimateTokens } from '../../index.js';

/** Long runs that tokenizers split into short pieces: hashes, base64, keys. */
const opaqueRun = /(?=[\w+/=-]*\d)(?=[\w+/=-]*[A-Z])(?=[\w+/=-]*[a-z])[\w+/=-]{32,}/g;
/** Tokens per character of such a run. */
const opaqueRate = 0.75;
const bytesPerToken = 3;

/**
 * Tokens of an answer as JSON, for budgets: more than the tokenizers of current models count for prose, source code and ids in all
 * scripts.
 */
export function answerTokens(json: string): number {
  let opaque = 0;
  for (const { 0: run } of json.matchAll(opaqueRun)) opaque += run.length;
  const estimate = estimateTokens(json) + Math.ceil(opaque * opaqueRate);
  return Math.max(estimate, Math.ceil(Buffer.byteLength(json) / bytesPerToken));
}
