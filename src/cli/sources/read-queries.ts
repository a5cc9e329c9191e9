import { createInterface } from 'node:readline';
import { SemanticIndexError } from '../../index.js';

/**
 * The queries that the words of a command line stand for: one text, or with `-` one from each line of stdin. With
 * `asVector` each is a JSON array of numbers.
 *
 * @throws INVALID_ARGUMENT when a line of stdin is missing, INVALID_VECTOR when it is not an array.
 */
export async function readQueries(words: readonly string[], asVector: boolean): Promise<(string | number[])[]> {
  const texts: string[] = [];
  if (words.length === 1 && words[0] === '-') {
    for await (const line of createInterface({ input: process.stdin })) if (line.trim() !== '') texts.push(line);
    if (texts.length === 0) {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'There is no query in stdin', {
        hint: 'Give one on each line.',
      });
    }
  } else texts.push(words.join(' '));
  return asVector ? texts.map(vectorOf) : texts;
}

function vectorOf(text: string): number[] {
  try {
    const vector: unknown = JSON.parse(text);
    if (Array.isArray(vector)) return vector as number[];
  } catch {
    // Said below.
  }
  throw new SemanticIndexError('INVALID_VECTOR', 'The query is not a vector', {
    hint: 'Pass a JSON array of numbers.',
  });
}
