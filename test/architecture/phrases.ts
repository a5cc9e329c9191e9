/** A turn of phrase that the project does not use, and the plain words for it. */
interface Phrase {
  readonly name: string;
  readonly pattern: RegExp;
  readonly instead: string;
}

/** Words for people, those of our examples included: after them "who" is right. */
const people =
  'people|persons?|users?|someone|somebody|anyone|anybody|everyone|everybody|those|authors?|developers?|operators?|maintainers?|attackers?|customers?|contributors?|captain';

const phrases: readonly Phrase[] = [
  {
    name: 'who for things',
    // At the start of a string it is a question of an example.
    pattern: new RegExp(`(?<!\\b(?:${people}),? |["'\`])\\b(?:who|whom|whoever)\\b(?![?'’])`, 'gi'),
    instead: 'that, which, any, none; "who" only directly after a word for people',
  },
  {
    name: 'is no X',
    pattern:
      /(?<!\b(?:there|here|what|where) )\b(?:is|are|was|were) no (?!longer\b|more than\b|less than\b|worse\b|better\b)/gi,
    instead: 'is not an X',
  },
  {
    name: 'is told',
    pattern: /\b(?:is|are|was|were|be|being|been|gets?) told\b/gi,
    instead: 'gets, receives, fails with',
  },
  { name: 'tells', pattern: /\btells\b|\btell of\b/gi, instead: 'reports, returns, describes, shows' },
  { name: 'nobody', pattern: /\bnobody\b/gi, instead: 'no process, no caller, none' },
  { name: 'under way', pattern: /\bunder way\b/gi, instead: 'running, pending, in progress' },
  { name: 'anew', pattern: /\banew\b/gi, instead: 'again; made anew: rebuilt' },
  { name: 'but for', pattern: /\bbut for\b/gi, instead: 'except' },
  {
    name: 'What … takes',
    pattern: /(?<=(?:\*|\/\/|^|["'`.]) ?)\bWhat [^.;?!\n]{1,40}\b(?:takes|answers)\b/g,
    instead: 'Options for …, Reply of …',
  },
  { name: 'the bench of', pattern: /\bthe bench of\b/gi, instead: 'the benchmark of' },
  { name: 'in the place of', pattern: /\bin the place of\b/gi, instead: 'replaces, instead of' },
  { name: 'have a say', pattern: /\b(?:has|have|had) (?:no|a|its|their) say\b/gi, instead: 'counts, is ignored' },
  { name: 'for ever', pattern: /\bfor ever\b/gi, instead: 'forever, always, indefinitely' },
  { name: 'mended', pattern: /\bmend(?:s|ed|ing)?\b/gi, instead: 'repaired, fixed' },
  { name: 'says so', pattern: /\b(?:says?|said) so\b/gi, instead: 'reports it, names it' },
  { name: 'is to be had', pattern: /\b(?:can|could|to) be had\b/gi, instead: 'is available' },
  { name: 'speaks of', pattern: /\b(?:speaks?|hears?|heard|knows?) of\b/gi, instead: 'mentions, describes, has' },
  { name: 'growing waits', pattern: /\bgrowing waits\b/gi, instead: 'exponential backoff with jitter' },
];

/** The text with the lines of a paragraph or a comment joined, so that a phrase may cross the end of a line. */
function joinLines(text: string): { joined: string; lineAt: (offset: number) => number } {
  const parts = text.split(/\n[ \t]*(?:\/\/|\*(?!\/)|#|>)?[ \t]*(?=\S)/);
  const starts: { offset: number; line: number }[] = [];
  let [offset, line] = [0, 1];
  for (const part of parts) {
    starts.push({ offset, line });
    offset += part.length + 1;
    line += part.split('\n').length;
  }
  const lineAt = (at: number): number => {
    const { offset: start, line: first } = starts.findLast((entry) => entry.offset <= at) ?? { offset: 0, line: 1 };
    return first + (parts.join(' ').slice(start, at).split('\n').length - 1);
  };
  return { joined: parts.join(' '), lineAt };
}

/** Every phrase of the list in a file, as `path:line: "words" (name); write: ...`. */
export function phraseViolations(path: string, text: string): string[] {
  const { joined, lineAt } = joinLines(text);
  const found = phrases.flatMap(({ name, pattern, instead }) =>
    [...joined.matchAll(pattern)].map(({ index, 0: words }) => ({
      line: lineAt(index),
      message: `"${words.trim()}" (${name}); write: ${instead}`,
    })),
  );
  return found.sort((a, b) => a.line - b.line).map(({ line, message }) => `${path}:${line}: ${message}`);
}
