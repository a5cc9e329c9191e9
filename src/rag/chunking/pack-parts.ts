import type { CountTokens } from '../../options.js';
import type { TextRange } from './chunk.js';
import type { Part } from './split-parts.js';

/** Size limits of chunks. */
export interface PackLimits {
  readonly maxTokens: number;
  /** Max. parts of a chunk. */
  readonly maxParts: number;
  readonly countTokens: CountTokens;
}

/**
 * Min. fill of a chunk before it may end. Lower values realign the splits sooner after a change, but make chunks
 * smaller. On random paragraphs, 0.5 changes 2.0 chunks with an average fill of 0.75; 0.4 changes 1.6 (0.71); 0.25
 * changes 1.5 (0.65). Filling chunks completely changes 6 to 12.
 */
const minShare = 0.4;

/**
 * Joins adjacent parts into ranges of at most `maxTokens` tokens. A range ends at the best place to split; among equal
 * places, a hash of the following text decides (content-defined chunking; Muthitacharoen, Chen, Mazières 2001). So a
 * change moves only the splits near it, and later chunks are unchanged.
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

/** The end (exclusive) of the longest range that starts with `first`. */
function furthestPart(text: string, parts: readonly Part[], first: number, limits: PackLimits): number {
  const { maxTokens, maxParts, countTokens } = limits;
  const { start, tokens } = parts[first] as Part;
  let sum = tokens;
  let end = first + 1;
  for (; end < parts.length && end - first < maxParts; end++) {
    sum += (parts[end] as Part).tokens;
    if (sum > maxTokens) break;
  }
  // The separator between parts may be a token as well.
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

/** FNV-1a (Fowler, Noll, Vo 1991) of the start of a part. */
function contentHash(text: string, { start, end }: Part): number {
  let hash = 0x811c9dc5;
  for (let place = start; place < Math.min(end, start + 64); place++) {
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193);
  }
  // The last rounds of FNV barely affect the high bits: mix again, so that similar texts get distant hashes.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
