import { addon } from '../addon/addon.js';
import type { EncodedTexts } from '../addon/native-texts.js';
import { detectLanguage } from './detect-language.js';
import { embeddedTextOf, isMarked, textOf, weightedPartsOf } from './fields/stored-text.js';
import type { PreparedTexts, PrepareOptions, TextPreparer } from './text-preparer.js';
import { joinWeighted, type WeightedPart } from './weighted-terms.js';

const markByte = 0x1e;

/** Whether some of the stored texts have fields. */
export function hasFields({ bytes, ends }: EncodedTexts): boolean {
  let begin = 0;
  for (let place = 0; place < ends.length; place++) {
    const end = ends[place] as number;
    if (begin < end && bytes[begin] === markByte) return true;
    begin = end;
  }
  return false;
}

/**
 * As `TextPreparer.prepare`, for stored texts of which some have fields: embeds what their templates name, and joins the terms of the
 * fields by weight.
 */
export function prepareFields(
  preparer: TextPreparer,
  texts: EncodedTexts,
  { embed, analyze }: PrepareOptions,
  checkWanted: () => void,
): PreparedTexts {
  const stored = stringsOf(texts);
  const embedded = (embed ?? [...stored.keys()]).map((place) => embeddedTextOf(stored[place] as string));
  const vectors = preparer.prepareStrings(addon().encodeTexts(embedded), { analyze: undefined }, checkWanted);
  if (analyze === undefined) return vectors;
  const { language, own, weights } = analyze;
  const parts: WeightedPart[] = [];
  const [strings, languages]: [string[], (string | undefined)[]] = [[], []];
  for (const [document, text] of stored.entries()) {
    const named = own?.[document];
    // All fields of a document are in one language.
    const detected =
      named === undefined && language === 'auto' && isMarked(text) ? detectLanguage(textOf(text)) : named;
    for (const part of weightedPartsOf(text, weights)) {
      parts.push({ document, weight: part.weight });
      strings.push(part.text);
      languages.push(detected);
    }
  }
  const options = { embed: [], analyze: { language, own: languages } };
  const analyzed = preparer.prepareStrings(addon().encodeTexts(strings), options, checkWanted);
  const { terms } = analyzed;
  return {
    ...vectors,
    terms: terms && joinWeighted(terms, parts, [...stored.keys()]),
    languages: analyzed.languages,
  };
}

function stringsOf({ bytes, ends }: EncodedTexts): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from(ends, (end, place) => buffer.toString('utf8', place === 0 ? 0 : (ends[place - 1] as number), end));
}
