import type { TextBlock, TextRange } from '../../files/content/text-block.js';
import { type ChunkOptions, codeDefaults } from '../../options.js';
import type { Chunk } from './chunk.js';
import { type ChunkSettings, chunkSettings, makeChunks, type Section } from './make-chunks.js';
import { atLines, atParagraphs, atWords, splitParts, trimmed } from './split-parts.js';

/** A definition and those directly in it. */
interface Node extends TextRange {
  readonly name: string;
  readonly children: Node[];
}

/** A part of the code, and the definitions that it is in or is. */
interface Piece extends TextRange {
  readonly path: readonly Node[];
  /** Whether it is the whole of the last definition of its path. */
  readonly isWhole: boolean;
  readonly tokens: number;
}

/** Pieces below this share of a chunk are joined with their neighbors. */
const smallShare = 0.1;
/** Joined pieces fill at most this share of a chunk, so that a hit points to few lines. */
const joinedShare = 0.4;

/**
 * Splits source code along its definitions. A function or class with at most `maxTokens` tokens is one chunk, with the
 * comment above it; a longer one is split between the definitions inside it, then between blank lines and lines. Short
 * neighbors, such as imports and constants, are joined. The names of the enclosing definitions are the headings.
 *
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION.
 */
export function chunkCode(text: string, blocks: readonly TextBlock[], options?: ChunkOptions): Chunk[] {
  const settings = chunkSettings('chunkCode', text, options, codeDefaults);
  const root: Node = { start: 0, end: text.length, name: '', children: treeOf(blocks) };
  const sections = joined(text, piecesOf(text, root, [], settings), settings).map(
    ({ start, end, path }): Section => ({
      headings: path.map(({ name }) => name),
      headingStarts: path.map(({ start }) => start),
      ranges: [{ start, end }],
    }),
  );
  return makeChunks(text, sections, settings);
}

function treeOf(blocks: readonly TextBlock[]): Node[] {
  const roots: Node[] = [];
  const open: Node[] = [];
  for (const { kind, start, end, heading } of blocks) {
    if (kind !== 'definition') continue;
    while (open.length > 0 && (open.at(-1) as Node).end <= start) open.pop();
    const node: Node = { start, end, name: heading, children: [] };
    (open.at(-1)?.children ?? roots).push(node);
    open.push(node);
  }
  return roots;
}

function piecesOf(text: string, node: Node, path: readonly Node[], settings: ChunkSettings): Piece[] {
  const { countTokens, maxTokens } = settings;
  const range = trimmed(text, node);
  if (range.start === range.end) return [];
  if (path.length > 0) {
    const tokens = countTokens(text.slice(range.start, range.end));
    if (tokens <= maxTokens) return [{ ...range, path, isWhole: true, tokens }];
  }
  const pieces: Piece[] = [];
  const between = (start: number, end: number): void => {
    for (const part of splitParts(text, { start, end }, [atParagraphs, atLines, atWords], maxTokens, countTokens)) {
      pieces.push({ start: part.start, end: part.end, path, isWhole: false, tokens: part.tokens });
    }
  };
  let at = node.start;
  for (const child of node.children) {
    between(at, child.start);
    pieces.push(...piecesOf(text, child, [...path, child], settings));
    at = child.end;
  }
  between(at, node.end);
  return pieces;
}

/** Joins small neighbors that are in the same definition, and the fragments of one that is too long. */
function joined(text: string, pieces: readonly Piece[], { maxTokens, countTokens }: ChunkSettings): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const before = result.at(-1);
    const parent = parentOf(piece);
    if (before !== undefined && isSamePath(parentOf(before), parent)) {
      const areFragments = !before.isWhole && !piece.isWhole && parent.length > 0;
      const limit = maxTokens * (areFragments ? 1 : joinedShare);
      const small = maxTokens * smallShare;
      const isSmall = areFragments || before.tokens < small || piece.tokens < small;
      const tokens =
        isSmall && before.tokens + piece.tokens <= limit * 1.1
          ? countTokens(text.slice(before.start, piece.end))
          : limit + 1;
      if (tokens <= limit) {
        result[result.length - 1] = { start: before.start, end: piece.end, path: parent, isWhole: false, tokens };
        continue;
      }
    }
    result.push(piece);
  }
  return result;
}

/** The definitions around a piece. */
function parentOf({ path, isWhole }: Piece): readonly Node[] {
  return isWhole ? path.slice(0, -1) : path;
}

function isSamePath(left: readonly Node[], right: readonly Node[]): boolean {
  return left.length === right.length && left.every((node, level) => node === right[level]);
}
