import { basename } from 'node:path';
import { parseArgs } from 'node:util';

/** What stands for a flag that is not given, and what it is about; one without words is not shown. */
type Flag = readonly [fallback: number | string | boolean | undefined, about?: string];

type Value<F> = F extends number
  ? number
  : F extends boolean
    ? boolean
    : F extends string
      ? string
      : string | undefined;

/** The values of flags by name, and what was given besides. */
export type Flags<T extends Record<string, Flag>> = { -readonly [K in keyof T]: Value<T[K][0]> } & {
  operands: string[];
};

function end(line: string): never {
  console.error(line);
  process.exit(2);
}

/**
 * The flags of the bench that runs. `--help` prints `about`, the flags with their defaults and `notes`, and ends the process; so
 * does what is wrong. `operands` are shown in the line of usage, needed unless in brackets, and refused where there are none.
 */
export function benchFlags<const T extends Record<string, Flag>>(
  about: string,
  flags: T,
  { operands = '', notes = '' } = {},
): Flags<T> {
  const entries = Object.entries<Flag>(flags);
  const isSwitch = ([fallback]: Flag): boolean => typeof fallback === 'boolean';
  const parse = () =>
    parseArgs({
      options: {
        ...Object.fromEntries(
          entries.map(([name, flag]) => [name, { type: isSwitch(flag) ? ('boolean' as const) : ('string' as const) }]),
        ),
        help: { type: 'boolean' as const },
      },
      allowPositionals: operands !== '',
    });
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse();
  } catch (error) {
    end((error as Error).message);
  }
  const given = parsed.values as Record<string, string | boolean | undefined>;
  if (given.help === true) {
    const shown = entries.filter(([, [, words]]) => words !== undefined);
    const lines = shown.map(([name, flag]): [string, string] => {
      const [fallback, words] = flag;
      const kind = isSwitch(flag) ? '' : typeof fallback === 'number' ? ' NUMBER' : ' TEXT';
      const known = isSwitch(flag) || fallback === undefined || fallback === '';
      return [`--${name}${kind}`, `${words}${known ? '' : ` (default ${fallback})`}`];
    });
    lines.push(['--help', 'show this']);
    const width = Math.max(...lines.map(([flag]) => flag.length));
    const usage = `Usage: npx tsx bench/${basename(process.argv[1] ?? '')} ${operands === '' ? '' : `${operands} `}[options]`;
    const table = lines.map(([flag, words]) => `  ${flag.padEnd(width)}  ${words}`);
    console.log([about, '', usage, ...table, ...(notes === '' ? [] : ['', notes])].join('\n'));
    process.exit(0);
  }
  const needed = operands !== '' && !operands.startsWith('[');
  if (needed && parsed.positionals.length === 0) end(`${operands} is missing; --help says more.`);
  const values = entries.map(([name, [fallback]]) => {
    const value = given[name];
    if (value === undefined) return [name, fallback];
    if (typeof fallback !== 'number') return [name, value];
    return [name, Number.isNaN(Number(value)) ? end(`--${name}: ${value} is not a number`) : Number(value)];
  });
  return { ...Object.fromEntries(values), operands: parsed.positionals } as Flags<T>;
}
