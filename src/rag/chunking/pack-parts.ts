import type { CountTokens } from '../../options.js';
import type { TextRange } from './chunk.js';
import type { Part } from './split-parts.js';

/** How large chunks may be. */
export interface PackLimits {
  readonly maxTokens: number;
  /** Most parts of a chunk. */
  readonly maxParts: number;
  readonly countTokens: CountTokens;
}

/**
 * A chunk is cut only where it is this full. The less, the sooner cuts are what they were behind a change, and the smaller
 * the chunks: on random paragraphs 0.5 changes 2.0 chunks and fills them to 0.75, 0.4 changes 1.6 and fills 0.71, 0.25
 * changes 1.5 and fills 0.65; always filling as much as fits changes 6 to 12.
 */
const minShare = 0.4;

/**
 * Joins neighbouring parts to ranges of at most `maxTokens` tokens. A range ends where the best place for a cut is, and among equal places at the one that the text behind it decides (as in
 * content-defined chunking; Muthitacharoen, Chen, Mazières 2001). So a change in one place moves the cuts near it only, and
 * chunks further on stay what they were.
 */
export function packParts(text: string, parts: readonly Part[], limits: PackLimits): TextRange[] {
  const ranges: TextRange[] = [];
  for (let first = 0; first < parts.length; ) {
    const end = furthestPart(text, parts, first, limits);
    const next = end === parts.length ? end : bestCut(text, parts, first, end, limits.maxTokens);
    ranges.push({ start: (parts[first] as Part).start, end: (parts[next - 1] as Part).end });
    first = next;
  }
  return ranges;
}

/** The part behind the last one that fits into a range beginning with `first`. */
function furthestPart(text: string, parts: readonly Part[], first: number, limits: PackLimits): number {
  const { maxTokens, maxParts, countTokens } = limits;
  const { start, tokens } = parts[first] as Part;
  let sum = tokens;
  let end = first + 1;
  for (; end < parts.length && end - first < maxParts; end++) {
    sum += (parts[end] as Part).tokens;
    if (sum > maxTokens) break;
  }
  // What stands between parts may be a token too.
  while (end > first + 1 && countTokens(text.slice(start, (parts[end - 1] as Part).end)) > maxTokens) end--;
  return end;
}

function bestCut(text: string, parts: readonly Part[], first: number, end: number, maxTokens: number): number {
  let best = end;
  let bestHash = contentHash(text, parts[end] as Part);
  let tokens = (parts[first] as Part).tokens;
  for (let cut = first + 1; cut < end; cut++) {
    const part = parts[cut] as Part;
    if (tokens >= maxTokens * minShare && part.level <= (parts[best] as Part).level) {
      const hash = contentHash(text, part);
      if (part.level < (parts[best] as Part).level || hash < bestHash) {
        best = cut;
        bestHash = hash;
      }
    }
    tokens += part.tokens;
  }
  return best;
}

/** FNV-1a (Fowler, Noll, Vo 1991) of the beginning of a part. */
function contentHash(text: string, { start, end }: Part): number {
  let hash = 0x811c9dc5;
  for (let place = start; place < Math.min(end, start + 64); place++) {
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193);
  }
  // The last rounds of FNV move little upwards: mix once more, so that similar beginnings are far apart.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
