/** A piece of text on a page, as PDF.js returns it. */
export interface PdfItem {
  readonly str: string;
  readonly hasEOL: boolean;
  readonly height: number;
  readonly width: number;
  /** The last two are the place of its lower left corner. */
  readonly transform: readonly number[];
}

/** A line of a page. */
export interface PdfLine {
  readonly text: string;
  /** Height of its type. */
  readonly size: number;
  /** Distance of its base from the bottom of the page. */
  readonly y: number;
}

/** A paragraph or heading, and the page where it begins. */
export interface PdfParagraph {
  readonly page: number;
  readonly text: string;
  /** Level of a heading; 0 for a paragraph. */
  readonly depth: number;
}

/** Joins the pieces of a page to lines, in the order of the file, which is the reading order of most programs. */
export function linesOfPage(items: readonly PdfItem[]): PdfLine[] {
  const lines: PdfLine[] = [];
  let text = '';
  let [size, y, right] = [0, 0, 0];
  const end = (): void => {
    const line = text.replace(/\s+/g, ' ').trim();
    if (line !== '') lines.push({ text: line, size, y });
    text = '';
    size = 0;
  };
  for (const { str, hasEOL, height, width, transform } of items) {
    const [left = 0, base = 0] = transform.slice(4);
    if (text !== '' && str.trim() !== '') {
      const moved = Math.abs(base - y) > Math.max(size, height) * 0.6;
      if (moved) end();
      // Pieces of one line with a gap between them are words.
      else if (left - right > height * 0.2 && !/\s$/.test(text) && !/^\s/.test(str)) text += ' ';
    }
    if (str.trim() !== '') {
      if (text === '') y = base;
      size = Math.max(size, height);
      right = left + width;
    }
    text += str;
    if (hasEOL) end();
  }
  end();
  return lines;
}

const headingScale = 1.15;
const maxHeadingLength = 150;
const maxHeadingLevels = 4;
/** Dots that lead to the number of a page. */
const tableOfContents = /(?:\.\s?){5}/;

/**
 * Joins lines to paragraphs: a paragraph ends at a larger distance, at another size of type, and at the end of a page
 * unless a sentence goes on. Short lines in larger type than most of the text are headings, the largest of level 1.
 */
export function paragraphsOf(pages: readonly (readonly PdfLine[])[]): PdfParagraph[] {
  const body = bodySize(pages.flat());
  const isHeading = ({ size, text }: PdfLine): boolean =>
    size > body * headingScale && text.length <= maxHeadingLength && /\p{L}/u.test(text) && !tableOfContents.test(text);
  const sizes = [
    ...new Set(
      pages
        .flat()
        .filter(isHeading)
        .map(({ size }) => Math.round(size)),
    ),
  ].sort((a, b) => b - a);
  const depthOf = ({ size }: PdfLine): number => Math.min(maxHeadingLevels, sizes.indexOf(Math.round(size)) + 1);
  const paragraphs: PdfParagraph[] = [];
  let open: { page: number; text: string; depth: number } | undefined;
  const end = (): void => {
    if (open !== undefined) paragraphs.push(open);
    open = undefined;
  };
  pages.forEach((lines, position) => {
    const page = position + 1;
    // A chunk is cited by page: paragraphs end with their page.
    end();
    const gap = usualGap(lines);
    lines.forEach((line, at) => {
      const before = lines[at - 1];
      const depth = isHeading(line) ? depthOf(line) : 0;
      const distance = before === undefined ? 0 : before.y - line.y;
      const isFar = distance > gap * 1.4 || distance < -gap;
      if (open !== undefined && (isFar || open.depth !== depth)) end();
      open = open === undefined ? { page, text: line.text, depth } : { ...open, text: joined(open.text, line.text) };
    });
  });
  end();
  return paragraphs;
}

/** The size of type of most characters. */
function bodySize(lines: readonly PdfLine[]): number {
  const characters = new Map<number, number>();
  for (const { size, text } of lines) {
    const rounded = Math.round(size * 2) / 2;
    characters.set(rounded, (characters.get(rounded) ?? 0) + text.length);
  }
  return [...characters].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 0;
}

/** The median distance of adjacent lines. */
function usualGap(lines: readonly PdfLine[]): number {
  const gaps = lines.slice(1).flatMap(({ y }, at) => {
    const gap = (lines[at] as PdfLine).y - y;
    return gap > 0 ? [gap] : [];
  });
  gaps.sort((a, b) => a - b);
  return gaps[gaps.length >> 1] ?? Number.POSITIVE_INFINITY;
}

/** Joins lines; a word that is divided at the end of a line becomes one again. */
function joined(text: string, line: string): string {
  return /\p{Ll}-$/u.test(text) && /^\p{Ll}/u.test(line) ? text.slice(0, -1) + line : `${text} ${line}`;
}
