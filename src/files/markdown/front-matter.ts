/** Metadata at the start of a Markdown text. */
export interface FrontMatter {
  /** Number of lines, fences included. */
  readonly lines: number;
  /** The value of `title`; empty if it is missing or not a string. */
  readonly title: string;
}

const yamlFence = /^---\s*$/;
const yamlEnd = /^(?:---|\.\.\.)\s*$/;
const tomlFence = /^\+\+\+\s*$/;
/** An unambiguous key: one word, or quoted. */
const plainKey = /^(?:[\p{L}\p{M}\p{N}_.-]+|"[^"]*"|'[^']*')\s*:(?:\s|$)/u;
/** Any key: may have spaces, and any first character without a special meaning in YAML. */
const anyKey = /^(?:[^\s#:,[\]{}&*!|>'"%@`?-][^#:]{0,62}?|"[^"]*"|'[^']*')\s*:(?:\s|$)/;
const tomlKey = /^(?:[\p{L}\p{M}\p{N}_.-]+|"[^"]*"|'[^']*')\s*=|^\[{1,2}[^\]]+\]/u;
/** Lines between keys: empty, comments, list items, indented lines, the end of a list or an object. */
const betweenKeys = /^(?:\s|#|-\s|-$|[\]}]|$)/;

/**
 * Parses the front matter of a text: YAML between lines of three dashes, or TOML between lines of three plus signs, as
 * in Jekyll, Hugo, Docusaurus and Astro. Comments and empty lines may come first; keys may have spaces, dots and
 * letters of any script. Undefined if the first line is a thematic break followed by text.
 */
export function frontMatter(lines: readonly string[]): FrontMatter | undefined {
  const opening = lines[0] ?? '';
  if (tomlFence.test(opening)) return delimited(lines, tomlFence, (within) => isToml(within), tomlTitle);
  if (yamlFence.test(opening)) return delimited(lines, yamlEnd, (within) => isYaml(within), yamlTitle);
  return undefined;
}

function delimited(
  lines: readonly string[],
  closing: RegExp,
  isMetadata: (within: readonly string[]) => boolean,
  titleOf: (within: readonly string[]) => string,
): FrontMatter | undefined {
  const end = lines.findIndex((line, position) => position > 0 && closing.test(line));
  if (end < 0) return undefined;
  const within = lines.slice(1, end);
  return isMetadata(within) ? { lines: end + 1, title: titleOf(within).replace(/\s+/g, ' ').trim() } : undefined;
}

function isYaml(within: readonly string[]): boolean {
  if (plainKey.test(within[0] ?? '')) return true;
  return (
    within.some((line) => anyKey.test(line)) && within.every((line) => anyKey.test(line) || betweenKeys.test(line))
  );
}

function isToml(within: readonly string[]): boolean {
  const first = within.find((line) => line.trim() !== '' && !line.startsWith('#'));
  return first !== undefined && tomlKey.test(first.trimStart());
}

const yamlTitleKey = /^(?:title|"title"|'title')\s*:(?:\s+|$)/i;

function yamlTitle(within: readonly string[]): string {
  const at = within.findIndex((line) => yamlTitleKey.test(line));
  if (at < 0) return '';
  const value = (within[at] as string).replace(yamlTitleKey, '');
  const indented = [];
  for (let line = at + 1; line < within.length && /^(?:\s+\S|\s*$)/.test(within[line] as string); line++) {
    indented.push((within[line] as string).trim());
  }
  // A block scalar with any indicators; otherwise indented lines continue a plain or quoted scalar.
  if (/^[|>][-+0-9]*\s*(?:#.*)?$/.test(value)) return indented.join(' ');
  return yamlScalar([value, ...indented].join(' ').trim());
}

/** The value of a quoted or plain YAML scalar; empty for lists, objects, null, anchors and tags. */
function yamlScalar(value: string): string {
  const double = /^"((?:[^"\\]|\\.)*)"/.exec(value)?.[1];
  if (double !== undefined) return unescaped(double);
  const single = /^'((?:[^']|'')*)'/.exec(value)?.[1];
  if (single !== undefined) return single.replaceAll("''", "'");
  const plain = value.replace(/(?:^|\s)#.*$/, '').trim();
  return /^[[{&*!|>%@`"']/.test(plain) || /^(?:~|null)?$/i.test(plain) ? '' : plain;
}

function tomlTitle(within: readonly string[]): string {
  for (const line of within) {
    // Keys after the first table header belong to the table.
    if (/^\s*\[/.test(line)) return '';
    const value = /^\s*(?:title|"title"|'title')\s*=\s*(.*)$/i.exec(line)?.[1];
    if (value === undefined) continue;
    const basic = /^"((?:[^"\\]|\\.)*)"/.exec(value)?.[1];
    return basic === undefined ? (/^'([^']*)'/.exec(value)?.[1] ?? '') : unescaped(basic);
  }
  return '';
}

function unescaped(quoted: string): string {
  return quoted.replace(/\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/g, (_, long, short, sign) => {
    const code = long ?? short;
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return 'nrt'.includes(sign) ? ' ' : sign;
  });
}
