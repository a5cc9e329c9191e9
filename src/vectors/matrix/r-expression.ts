import { invalidFile } from './matrix-layout.js';

/** A value of R's `dput`: vectors become arrays, lists become maps from name to value. */
export type RValue = null | string | number | boolean | RValue[] | Map<string, RValue>;

const maxDepth = 32;

/** White space, then a string, a number, a name, or a punctuation character. */
const tokenPattern =
  /\s*(?:"([^"\\]*(?:\\[\s\S][^"\\]*)*)"|'([^'\\]*(?:\\[\s\S][^'\\]*)*)'|(-?(?:0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)L?)|`([^`]*)`|([A-Za-z.][A-Za-z0-9._]*)|([(),=:]))/y;

const simpleEscapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '0': '\0',
};

function withoutEscapes(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{1,2})|[uU]\{?([0-9a-fA-F]{1,8})\}?|([0-7]{1,3})|([\s\S]))/g,
    (whole, hexadecimal: string, unicode: string, octal: string, character: string) => {
      if (character !== undefined) return simpleEscapes[character] ?? character;
      const code = Number.parseInt(hexadecimal ?? unicode ?? octal, octal === undefined ? 16 : 8);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/**
 * Parses the R expression that `dput` writes for vectors and lists: literals, `c(...)`, `list(...)`,
 * `structure(value, ...)` (attributes are dropped, except that `.Names` names a list, as R before 3.5 wrote it) and
 * `new("class", slot = value, ...)`, which becomes a map of the slots. Nothing is evaluated; other function calls are refused.
 *
 * @throws INVALID_FILE when the text is anything else.
 */
export function parseRExpression(path: string, text: string): RValue {
  let position = 0;
  const damaged = (what: string) => invalidFile(path, `is not a descriptor that R wrote: ${what}`);

  interface Token {
    string?: string;
    number?: number;
    name?: string;
    sign?: string;
  }
  const next = (): Token => {
    tokenPattern.lastIndex = position;
    const match = tokenPattern.exec(text);
    if (match === null) throw damaged(`unexpected text at character ${position}`);
    position = tokenPattern.lastIndex;
    const [, double, single, number, quoted, name, sign] = match;
    if (number !== undefined) return { number: Number(number.replace('L', '')) };
    if (sign !== undefined) return { sign };
    if ((name ?? quoted) !== undefined) return { name: name ?? quoted ?? '' };
    return { string: withoutEscapes(double ?? single ?? '') };
  };
  const peek = (): Token => {
    const before = position;
    const token = next();
    position = before;
    return token;
  };

  const callArguments = (depth: number): { name: string | undefined; value: RValue }[] => {
    const given: { name: string | undefined; value: RValue }[] = [];
    if (next().sign !== '(') throw damaged('a call without parenthesis');
    if (peek().sign === ')') {
      next();
      return given;
    }
    for (;;) {
      const before = position;
      const first = next();
      const name = first.name ?? first.string;
      let value: RValue;
      if (name !== undefined && peek().sign === '=') {
        next();
        value = expression(depth);
        given.push({ name, value });
      } else {
        position = before;
        value = expression(depth);
        given.push({ name: undefined, value });
      }
      const separator = next().sign;
      if (separator === ')') return given;
      if (separator !== ',') throw damaged('arguments without comma');
    }
  };

  const call = (name: string, depth: number): RValue => {
    const given = callArguments(depth + 1);
    const named = () => new Map(given.map((one, index) => [one.name ?? String(index + 1), one.value]));
    if (name === 'c') return given.flatMap((one) => one.value);
    if (name === 'list') return named();
    if (name === 'new')
      return new Map(given.filter((one) => one.name !== undefined).map((one) => [one.name ?? '', one.value]));
    if (name === 'character' || name === 'numeric' || name === 'integer' || name === 'logical') return [];
    if (name !== 'structure') throw damaged(`it calls ${name.slice(0, 40)}`);
    const value = given.find((one) => one.name === undefined || one.name === '.Data')?.value ?? null;
    const names = given.find((one) => one.name === '.Names' || one.name === 'names')?.value;
    if (!(value instanceof Map) || !Array.isArray(names)) return value;
    return new Map([...value.values()].map((member, index) => [String(names[index] ?? index + 1), member]));
  };

  const expression = (depth: number): RValue => {
    if (depth > maxDepth) throw damaged('it is nested too deeply');
    const token = next();
    if (token.string !== undefined) return token.string;
    if (token.number !== undefined) return token.number;
    switch (token.name) {
      case undefined:
        throw damaged(`unexpected ${token.sign}`);
      case 'NULL':
        return null;
      case 'TRUE':
      case 'FALSE':
        return token.name === 'TRUE';
      case 'NA':
      case 'NA_character_':
      case 'NA_integer_':
      case 'NA_real_':
      case 'NaN':
      case 'Inf':
        return Number.NaN;
      default:
        return call(token.name, depth);
    }
  };
  const value = expression(0);
  if (text.slice(position).trim() !== '') throw damaged('text follows after its end');
  return value;
}
