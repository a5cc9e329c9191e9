/** A field of a text: where its value is in the text. Offsets count UTF-16 code units. */
export interface FieldSpan {
  readonly field: string;
  readonly start: number;
  readonly end: number;
}

/** A text with fields. */
export interface FieldedText {
  /** The values of all fields, in the order of the template. */
  readonly text: string;
  /** The part of `text` that is embedded: `text.slice(0, embedded)`. */
  readonly embedded: number;
  /** Ascending; empty for a text without fields. */
  readonly fields: readonly FieldSpan[];
}

/**
 * Begins a text that is stored with its fields: the record separator of ASCII, then their places as JSON, a line feed, and the text.
 * So the catalog, its hashes, exports and other backends keep one string for a document, and strings without fields are stored as they
 * are. A string that begins with this sign itself is stored with no field.
 */
const mark = '\u001E';
const markUnit = mark.charCodeAt(0);

/** Whether a stored text begins as one with fields does. */
export function isMarked(stored: string): boolean {
  return stored.charCodeAt(0) === markUnit;
}

/** A string as it is stored. */
export function storedString(text: string): string {
  return isMarked(text) ? storedFields({ text, embedded: text.length, fields: [] }) : text;
}

/** A text with fields as it is stored. */
export function storedFields({ text, embedded, fields }: FieldedText): string {
  const spans = fields.map(({ field, start, end }) => [field, start, end]);
  return `${mark}${JSON.stringify([embedded, ...spans])}\n${text}`;
}

/** The text with fields that a stored text is; undefined for a plain string, and for one that only begins with the same sign. */
export function readStored(stored: string): FieldedText | undefined {
  if (!isMarked(stored)) return undefined;
  const line = stored.indexOf('\n');
  if (line < 0) return undefined;
  let header: unknown;
  try {
    header = JSON.parse(stored.slice(1, line));
  } catch {
    return undefined;
  }
  if (!Array.isArray(header)) return undefined;
  const text = stored.slice(line + 1);
  const [embedded, ...spans] = header as unknown[];
  if (!isPlace(embedded, 0, text.length)) return undefined;
  const fields: FieldSpan[] = [];
  let last = 0;
  for (const span of spans) {
    if (!Array.isArray(span)) return undefined;
    const [field, start, end] = span as unknown[];
    if (typeof field !== 'string' || !isPlace(start, last, text.length) || !isPlace(end, start, text.length)) {
      return undefined;
    }
    fields.push({ field, start, end });
    last = end;
  }
  return { text, embedded, fields };
}

/** The text of a document, as it is returned and searched for phrases. */
export function textOf(stored: string): string {
  return isMarked(stored) ? (readStored(stored)?.text ?? stored) : stored;
}

/** What is embedded of a stored text. */
export function embeddedTextOf(stored: string): string {
  if (!isMarked(stored)) return stored;
  const read = readStored(stored);
  return read === undefined ? stored : read.text.slice(0, read.embedded);
}

/** The values of the fields of a stored text by name; undefined for a text without fields. */
export function fieldValuesOf(stored: string): Record<string, string> | undefined {
  const read = readStored(stored);
  if (read === undefined || read.fields.length === 0) return undefined;
  return Object.fromEntries(read.fields.map(({ field, start, end }) => [field, read.text.slice(start, end)]));
}

/** The text of a document as a caller gives it: a string, or its fields. */
export function givenTextOf(stored: string): { readonly text: string | Record<string, string> } {
  return { text: fieldValuesOf(stored) ?? textOf(stored) };
}

/** The runs of text that words are looked for in, each for itself: the fields, or the whole text where there are none. */
export function searchedPartsOf(
  stored: string,
): readonly { readonly field: string | undefined; readonly text: string }[] {
  const read = readStored(stored);
  if (read === undefined) return [{ field: undefined, text: stored }];
  if (read.fields.length === 0) return [{ field: undefined, text: read.text }];
  return read.fields.map(({ field, start, end }) => ({ field, text: read.text.slice(start, end) }));
}

/** The runs of text whose words a stored text is indexed by, and how much they count. A field without a weight counts once. */
export function weightedPartsOf(
  stored: string,
  weights: Readonly<Record<string, number>> | undefined,
): { readonly text: string; readonly weight: number }[] {
  return searchedPartsOf(stored).flatMap(({ field, text }) => {
    const weight = field === undefined || weights === undefined ? 1 : (weights[field] ?? 1);
    return weight === 0 ? [] : [{ text, weight }];
  });
}

function isPlace(value: unknown, least: number, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}
