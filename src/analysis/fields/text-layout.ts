import { SemanticIndexError } from '../../errors.js';
import { describe, suggestName } from '../../options.js';
import { type FieldSpan, storedFields } from './stored-text.js';

/** The fields of the texts of an index: how much their words count, and what of them is embedded. */
export interface TextLayout {
  /** Weights by field, in the order of the fields. */
  readonly weights: Readonly<Record<string, number>>;
  /** What is embedded: the fields as `{name}`, and text between them. */
  readonly template: string;
}

/** Most fields of a text, and the highest weight of one. */
const [maxFields, maxWeight] = [32, 100];
const fieldName = /^[\p{L}_][\p{L}\p{N}_-]{0,63}$/u;
const maxTemplate = 4096;
const placeholder = /\{([^{}\n]*)\}/gu;

/**
 * Checks the weights of fields.
 *
 * @throws INVALID_ARGUMENT unless they are integers from 0 to 100, at least one of them above 0, by the names of 1 to 32 fields.
 */
export function checkTextFields(method: string, weights: unknown): Readonly<Record<string, number>> {
  const refused = (expected: string, got: string, hint: string): SemanticIndexError =>
    new SemanticIndexError('INVALID_ARGUMENT', `${method}: expected ${expected}, got ${got}`, { hint });
  const example = 'For example { title: 3, body: 1 }.';
  if (typeof weights !== 'object' || weights === null || Array.isArray(weights)) {
    throw refused('an object of weights by field as textFields', describe(weights), example);
  }
  const entries = Object.entries(weights);
  if (entries.length === 0 || entries.length > maxFields) {
    throw refused(`1 to ${maxFields} fields in textFields`, String(entries.length), example);
  }
  for (const [field, weight] of entries) {
    if (!fieldName.test(field)) {
      const hint = 'A name begins with a letter and has letters, digits, _ and -, at most 64.';
      throw refused('the name of a field in textFields', describe(field), hint);
    }
    if (!Number.isInteger(weight) || (weight as number) < 0 || (weight as number) > maxWeight) {
      const hint =
        'Only the ratios count much: { title: 5, body: 2 } for 2.5 to 1. 0 embeds a field without searching its words.';
      throw refused(`an integer from 0 to ${maxWeight} as weight of the field ${field}`, describe(weight), hint);
    }
  }
  if (entries.every(([, weight]) => weight === 0)) {
    throw refused('a weight above 0 in textFields', 'only zeros', example);
  }
  return Object.fromEntries(entries) as Record<string, number>;
}

/** A stored layout. @throws INVALID_ARGUMENT when it is damaged. */
export function checkLayout({ weights, template }: TextLayout): TextLayout {
  const checked = checkTextFields('layout', weights);
  return { weights: checked, template: checkTextTemplate('layout', template, Object.keys(checked)) };
}

/** The template of an index that has none of its own: all fields, a blank line between two. */
export function defaultTemplate(weights: Readonly<Record<string, number>>): string {
  return Object.keys(weights)
    .map((field) => `{${field}}`)
    .join('\n\n');
}

/** @throws INVALID_ARGUMENT unless it is a string that names some of the fields, each at most once. */
export function checkTextTemplate(method: string, template: unknown, fields: readonly string[]): string {
  const refused = (message: string, hint: string): SemanticIndexError =>
    new SemanticIndexError('INVALID_ARGUMENT', `${method}: ${message}`, { hint });
  const example = `For example ${JSON.stringify(fields.map((field) => `{${field}}`).join('\n\n'))}.`;
  if (typeof template !== 'string' || template.length > maxTemplate) {
    const expected = `a string of at most ${maxTemplate} characters`;
    throw refused(`expected ${expected} as textTemplate, got ${describe(template)}`, example);
  }
  const named = [...template.matchAll(placeholder)].map(([, field]) => field as string);
  if (named.length === 0) throw refused('expected a field such as {body} in textTemplate, got none', example);
  for (const [place, field] of named.entries()) {
    if (!fields.includes(field)) {
      const meant = suggestName(field, fields);
      const hint = meant === undefined ? `The fields are ${fields.join(', ')}.` : `Did you mean {${meant}}?`;
      throw refused(`textTemplate has an unknown field {${field}}`, hint);
    }
    if (named.indexOf(field) < place) {
      throw refused(`textTemplate has the field {${field}} twice`, 'To weight its words, use textFields.');
    }
  }
  return template;
}

/**
 * Checks the fields of a document and lays them out as one text, in the form in which it is stored. A line of the template whose fields
 * are all missing is left out; fields that the template does not name follow, without being embedded.
 *
 * @param hasVector the text need not be embedded.
 * @throws INVALID_TEXT for unknown fields, values that are not strings, and a text with nothing to embed.
 */
export function layOut(values: unknown, layout: TextLayout | undefined, where: string, hasVector: boolean): string {
  const refused = (message: string, hint?: string): SemanticIndexError =>
    new SemanticIndexError('INVALID_TEXT', message, hint === undefined ? {} : { hint });
  if (layout === undefined) {
    throw refused(
      `The text of ${where} has fields, and the index has none`,
      'Create the index with `textFields`, for example { title: 3, body: 1 }; or pass one string.',
    );
  }
  const known = Object.keys(layout.weights);
  const given = new Map<string, string>();
  for (const [field, value] of Object.entries(values as object)) {
    if (!known.includes(field)) {
      const meant = suggestName(field, known);
      const hint =
        meant === undefined ? `The fields of the index are ${known.join(', ')}.` : `Did you mean "${meant}"?`;
      throw refused(`The text of ${where} has an unknown field "${field}"`, hint);
    }
    if (value === undefined) continue;
    if (typeof value !== 'string') {
      throw refused(`The field ${field} of the text of ${where} is ${describe(value)}, expected a string`);
    }
    given.set(field, value.isWellFormed() ? value : value.toWellFormed());
  }
  if (![...given.values()].some((value) => value.trim() !== '')) throw refused(`The text of ${where} is empty`);
  const parts = partsOf(layout.template, given);
  const isEmbedded = parts.some(({ field, text }) => field !== undefined && text.trim() !== '');
  if (!isEmbedded && !hasVector) {
    throw refused(
      `The text of ${where} has nothing to embed: it has only ${[...given.keys()].join(', ')}`,
      'Give it a field that the textTemplate of the index names.',
    );
  }
  let text = '';
  const fields: FieldSpan[] = [];
  const add = (part: string, field: string | undefined): void => {
    if (field !== undefined) fields.push({ field, start: text.length, end: text.length + part.length });
    text += part;
  };
  for (const part of parts) add(part.text, part.field);
  const embedded = text.length;
  const named = new Set(fields.map(({ field }) => field));
  for (const field of known) {
    const value = given.get(field);
    if (value === undefined || named.has(field)) continue;
    if (text !== '') add('\n\n', undefined);
    add(value, field);
  }
  return storedFields({ text, embedded, fields });
}

interface Part {
  readonly text: string;
  readonly field: string | undefined;
}

/** The template with the values in it, without white space of its own at either end. */
function partsOf(template: string, given: ReadonlyMap<string, string>): Part[] {
  const parts: Part[] = [];
  for (const line of template.split('\n')) {
    const own = [...line.matchAll(placeholder)];
    if (own.length > 0 && own.every(([, field]) => !given.has(field as string))) continue;
    if (parts.length > 0) parts.push({ text: '\n', field: undefined });
    let last = 0;
    for (const match of own) {
      parts.push({ text: line.slice(last, match.index), field: undefined });
      const field = match[1] as string;
      const value = given.get(field);
      if (value !== undefined) parts.push({ text: value, field });
      last = match.index + match[0].length;
    }
    parts.push({ text: line.slice(last), field: undefined });
  }
  const isBlank = ({ text, field }: Part): boolean => field === undefined && text.trim() === '';
  const first = parts.findIndex((part) => !isBlank(part));
  const end = parts.findLastIndex((part) => !isBlank(part)) + 1;
  return first < 0 ? [] : parts.slice(first, end);
}

/** The options `textFields` and `textTemplate`; undefined where the index is to keep its own. */
export interface TextOptions {
  readonly textFields: Readonly<Record<string, number>> | undefined;
  readonly textTemplate: string | undefined;
}

/**
 * The fields of texts as the options have them. Weights may change, because words are indexed again; names and template are part of what
 * is stored and embedded.
 *
 * @throws INVALID_ARGUMENT where they would have to change in an index with documents.
 */
export function layoutAfter(
  before: TextLayout | undefined,
  { textFields, textTemplate }: TextOptions,
  hasDocuments: boolean,
): TextLayout | undefined {
  if (textFields === undefined && textTemplate === undefined) return before;
  const asked = textFields ?? before?.weights;
  if (asked === undefined) {
    throw new SemanticIndexError('INVALID_ARGUMENT', 'Expected textFields with textTemplate, got none', {
      hint: 'For example textFields: { title: 3, body: 1 }.',
    });
  }
  const names = Object.keys(before?.weights ?? asked);
  const hasSameNames = Object.keys(asked).length === names.length && names.every((name) => Object.hasOwn(asked, name));
  if (before !== undefined && hasSameNames && (textTemplate ?? before.template) === before.template) {
    // In the order of the index, so that equal weights are equal settings.
    return { ...before, weights: Object.fromEntries(names.map((name) => [name, asked[name] as number])) };
  }
  if (hasDocuments) {
    const had =
      before === undefined ? 'none' : `${names.join(', ')} with the template ${JSON.stringify(before.template)}`;
    throw new SemanticIndexError('INVALID_ARGUMENT', `The fields of texts cannot change: the index has ${had}`, {
      hint: 'Weights may change. For other fields or another template, add the documents to a new index.',
    });
  }
  if (textTemplate !== undefined) checkTextTemplate('SemanticIndex.open', textTemplate, Object.keys(asked));
  return { weights: asked, template: textTemplate ?? defaultTemplate(asked) };
}
