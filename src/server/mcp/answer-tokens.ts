import { estimateTokens } from '../../index.js';

const longRun = /[\w+/=-]{32,}/g;
/** A hash, base64 or a key has one of each, and is split into short pieces by tokenizers; a long word is not. */
const opaque = [/\d/, /[A-Z]/, /[a-z]/];
/** Tokens per character of such a run. */
const opaqueRate = 0.75;
const bytesPerToken = 3;

/**
 * Tokens of an answer as JSON, for budgets: more than the tokenizers of current models count for prose, source code and ids in all
 * scripts.
 */
export function answerTokens(json: string): number {
  let characters = 0;
  for (const { 0: run } of json.matchAll(longRun)) {
    if (opaque.every((kind) => kind.test(run))) characters += run.length;
  }
  const estimate = estimateTokens(json) + Math.ceil(characters * opaqueRate);
  return Math.max(estimate, Math.ceil(Buffer.byteLength(json) / bytesPerToken));
}
