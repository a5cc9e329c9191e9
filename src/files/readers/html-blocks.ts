import { Parser } from 'htmlparser2';
import type { ContentBuilder } from '../content/content-builder.js';
import type { BlockKind } from '../content/text-block.js';

/** Which part of a page becomes text, and where its lines are. */
export interface HtmlScope {
  /** Only what is inside the first element of this name. */
  readonly within?: 'main' | 'article' | undefined;
  /** Leave out navigation, sidebars and footers. */
  readonly mainContent: boolean;
  /** Line in the file of a character of the HTML. */
  readonly lineAt?: ((position: number) => number) | undefined;
  readonly page?: number | undefined;
  /** Added to the level of headings. */
  readonly depth?: number;
}

const blockElements = new Set(
  (
    'address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption figure footer form ' +
    'header hgroup hr html legend main menu nav optgroup option p search section summary tbody td tfoot th thead'
  ).split(' '),
);
const headingElements = /^h[1-6]$/;
const hidden = new Set(
  'script style noscript template svg math head object iframe select button canvas audio video'.split(' '),
);
const outside = new Set(['nav', 'footer', 'aside']);
const outsideRoles = new Set(['navigation', 'banner', 'contentinfo', 'search', 'complementary', 'dialog']);
const voidElements = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '));

/**
 * Appends the text of HTML to a builder, block by block: headings, paragraphs, lists, tables with a line a row, and
 * preformatted text as it is. Elements may be nested to any depth.
 */
export function addHtmlBlocks(html: string, builder: ContentBuilder, scope: HtmlScope): void {
  const writer = new HtmlWriter(builder, scope, layoutTables(html));
  const parser: Parser = new Parser(
    {
      onopentag: (name, attributes) => writer.open(name, attributes, parser.startIndex),
      ontext: (text) => writer.text(text, parser.startIndex, parser.endIndex),
      onclosetag: (name) => writer.close(name),
    },
    { decodeEntities: true, lowerCaseTags: true },
  );
  parser.end(html);
  writer.flush();
}

/** Elements that a table of data does not contain. */
const layoutElements = /^(?:table|h[1-6]|pre|ul|ol|article|main)$/;

/** The tables, in order, that arrange parts of a page instead of data. */
function layoutTables(html: string): ReadonlySet<number> {
  const found = new Set<number>();
  if (!/<table/i.test(html)) return found;
  const open: number[] = [];
  let count = 0;
  const parser = new Parser({
    onopentag: (name, { role }) => {
      const inner = open.at(-1);
      if (inner !== undefined && layoutElements.test(name)) for (const table of open) found.add(table);
      if (name !== 'table') return;
      if (role === 'presentation') found.add(count);
      open.push(count++);
    },
    onclosetag: (name) => {
      if (name === 'table') open.pop();
    },
  });
  parser.end(html);
  return found;
}

class HtmlWriter {
  readonly #builder: ContentBuilder;
  readonly #scope: HtmlScope;
  readonly #layout: ReadonlySet<number>;
  /** Tables so far, and for those that are open whether they are data. */
  #tableCount = 0;
  #openTables: boolean[] = [];
  /** Depths of elements that are open: hidden ones, the one that is wanted, preformatted ones, lists, tables. */
  #skipped = 0;
  #inside = 0;
  #insideName = '';
  #insideDone = false;
  #pre = 0;
  #lists: ('ul' | number)[] = [];
  #tables = 0;
  #cells = 0;
  #kind: BlockKind = 'text';
  #depth = 0;
  #pieces: string[] = [];
  #firstLine: number | undefined;
  #lastLine: number | undefined;

  constructor(builder: ContentBuilder, scope: HtmlScope, layout: ReadonlySet<number>) {
    this.#builder = builder;
    this.#scope = scope;
    this.#layout = layout;
  }

  open(element: string, attributes: Readonly<Record<string, string>>, position: number): void {
    if (element === 'table') this.#openTables.push(!this.#layout.has(this.#tableCount++));
    const name = this.#partOf(element);
    if (this.#skipped > 0 || this.#isSkipped(name, attributes)) {
      if (!voidElements.has(name)) this.#skipped++;
      return;
    }
    if (this.#inside > 0 && name === this.#insideName) this.#inside++;
    else if (this.#inside === 0 && !this.#insideDone && isWanted(name, attributes, this.#scope.within)) {
      [this.#inside, this.#insideName] = [1, name];
    }
    if (!this.#isWithin()) return;
    if (blockElements.has(name) || headingElements.test(name)) this.#seeAt(position);
    if (headingElements.test(name)) {
      this.#flushUnlessTable();
      this.#kind = this.#tables > 0 ? 'table' : 'heading';
      this.#depth = Number(name[1]) + (this.#scope.depth ?? 0);
    } else if (name === 'pre') {
      this.#flushUnlessTable();
      this.#pre++;
      if (this.#tables === 0) this.#kind = 'code';
    } else if (name === 'ul' || name === 'ol') {
      if (this.#lists.length === 0) this.#flushUnlessTable();
      this.#lists.push(name === 'ul' ? 'ul' : Number.parseInt(attributes.start ?? '1', 10) || 1);
      if (this.#tables === 0) this.#kind = 'list';
    } else if (name === 'li') this.#item();
    else if (name === 'table') {
      if (this.#tables++ === 0) this.flush();
      this.#kind = 'table';
    } else if (name === 'tr') {
      this.#endRow();
    } else if (name === 'td' || name === 'th') {
      if (this.#cells++ > 0) this.#pieces.push(' | ');
    } else if (name === 'br') this.#pieces.push('\n');
    else if (name === 'img') this.#pieces.push(attributes.alt === undefined ? '' : ` ${attributes.alt} `);
    else if (blockElements.has(name)) this.#breakBlock();
  }

  text(text: string, start: number, end: number): void {
    if (this.#skipped > 0 || !this.#isWithin()) return;
    if (text.trim() !== '') {
      this.#seeAt(start + (text.length - text.trimStart().length));
      this.#seeAt(Math.max(start, end - (text.length - text.trimEnd().length)));
    }
    // Line ends of the source are spaces, except in preformatted text.
    this.#pieces.push(this.#pre > 0 ? text : text.replace(/\s+/g, ' '));
  }

  close(element: string): void {
    const name = this.#partOf(element);
    if (element === 'table') this.#openTables.pop();
    if (this.#skipped > 0) {
      if (!voidElements.has(name)) this.#skipped--;
      return;
    }
    if (!this.#isWithin()) return;
    if (headingElements.test(name)) this.#flushUnlessTable();
    else if (name === 'pre') {
      this.#pre = Math.max(0, this.#pre - 1);
      this.#flushUnlessTable();
    } else if (name === 'ul' || name === 'ol') {
      this.#lists.pop();
      if (this.#lists.length === 0) this.#flushUnlessTable();
    } else if (name === 'table') {
      this.#tables = Math.max(0, this.#tables - 1);
      if (this.#tables === 0) {
        this.#endRow();
        this.#kind = 'text';
      }
    } else if (name === 'tr') this.#endRow();
    else if (blockElements.has(name)) this.#breakBlock();
    if (this.#inside > 0 && name === this.#insideName) {
      this.#inside--;
      if (this.#inside === 0) {
        this.flush();
        this.#insideDone = true;
      }
    }
  }

  /** Ends the open block. */
  flush(): void {
    const raw = this.#pieces.join('');
    this.#pieces = [];
    let text = this.#kind === 'code' ? raw.replace(/^\n+|\s+$/g, '') : tidy(raw);
    // The sign of a link to the heading itself.
    if (this.#kind === 'heading') text = text.replace(/\s*[#¶§🔗]\s*$/u, '');
    if (text.trim() !== '') {
      const { page } = this.#scope;
      this.#builder.add(this.#kind, text, {
        depth: this.#depth,
        page,
        startLine: this.#firstLine,
        endLine: this.#lastLine,
      });
    }
    this.#kind = this.#lists.length > 0 ? 'list' : 'text';
    this.#depth = 0;
    this.#firstLine = undefined;
    this.#lastLine = undefined;
  }

  /** Parts of a table that arranges the page are like any other block. */
  #partOf(element: string): string {
    return /^(?:table|tr|td|th)$/.test(element) && this.#openTables.at(-1) === false ? 'div' : element;
  }

  #isWithin(): boolean {
    return this.#scope.within === undefined || this.#inside > 0;
  }

  #isSkipped(name: string, attributes: Readonly<Record<string, string>>): boolean {
    if (hidden.has(name) || 'hidden' in attributes || attributes['aria-hidden'] === 'true') return true;
    if (!this.#scope.mainContent) return false;
    if (outside.has(name) || outsideRoles.has(attributes.role ?? '')) return true;
    // A header inside the content has its title.
    return name === 'header' && this.#scope.within === undefined;
  }

  #item(): void {
    const level = this.#lists.length;
    const list = this.#lists.at(-1);
    if (this.#tables > 0) return;
    const mark = typeof list === 'number' ? `${list}.` : '-';
    if (typeof list === 'number') this.#lists[level - 1] = list + 1;
    this.#pieces.push(`\n${'  '.repeat(Math.max(0, Math.min(level, 20) - 1))}${mark} `);
  }

  #breakBlock(): void {
    if (this.#tables > 0 || this.#pre > 0) this.#pieces.push(this.#pre > 0 ? '' : ' ');
    else if (this.#lists.length > 0) {
      // A paragraph in an item continues it.
      if (!/(?:^|\n)\s*(?:-|\d+\.) $/.test(this.#pieces.at(-1) ?? '')) this.#pieces.push(' ');
    } else this.flush();
  }

  #flushUnlessTable(): void {
    if (this.#tables === 0) this.flush();
  }

  /** Ends a row: rows are blocks of their own, so that a long table is split between them. */
  #endRow(): void {
    this.#cells = 0;
    if (this.#tables > 1) return;
    this.#pieces = [
      this.#pieces
        .join('')
        .replace(/\s+/g, ' ')
        .replace(/^[\s|]+$/, ''),
    ];
    this.flush();
    if (this.#tables > 0) this.#kind = 'table';
  }

  #seeAt(position: number): void {
    const { lineAt } = this.#scope;
    if (lineAt !== undefined) this.#see(lineAt(position));
  }

  #see(line: number): void {
    if (!Number.isSafeInteger(line)) return;
    if (this.#firstLine === undefined) this.#firstLine = line;
    this.#lastLine = Math.max(this.#lastLine ?? line, line);
  }
}

function isWanted(name: string, { role }: Readonly<Record<string, string>>, within: HtmlScope['within']): boolean {
  return within !== undefined && (name === within || (within === 'main' && role === 'main'));
}

function tidy(raw: string): string {
  return raw
    .split('\n')
    .map((line) => line.replace(/(\S)[^\S\n]+/g, '$1 ').trimEnd())
    .filter((line, at, lines) => line.trim() !== '' || (at > 0 && lines[at - 1]?.trim() !== ''))
    .map((line) => (/^\s+(?:-|\d+\.)\s/.test(line) ? line : line.trimStart()))
    .join('\n')
    .trim();
}
