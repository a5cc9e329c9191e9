import { quoteText, textArray } from './names.js';

/** Quoted parts of a statement, which a parameter cannot be in, and parameters. */
const quotedOrParameter = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\d+)/g;

/** A value as a literal, of the type that its place in a statement has. */
export function literalOf(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (value instanceof Uint8Array) return `'\\x${Buffer.from(value).toString('hex')}'`;
  if (Array.isArray(value) && value.every((element) => typeof element === 'number')) return `'{${value.join(',')}}'`;
  return quoteText(Array.isArray(value) ? textArray(value.map(String)) : String(value));
}

/** A statement with its parameters as literals: several such statements can be one message. */
export function inlined(text: string, values: readonly unknown[]): string {
  if (values.length === 0) return text;
  return text.replace(quotedOrParameter, (part, number?: string) =>
    number === undefined ? part : literalOf(values[Number(number) - 1]),
  );
}
