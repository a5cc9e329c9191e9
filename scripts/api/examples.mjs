import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The examples of examples/api by the name of what they show. A line `//# Name` begins the example of that function or method;
 * `//#` alone ends it. What stands between examples only prepares them.
 */
export function readExamples(folder) {
  const examples = new Map();
  if (!existsSync(folder)) return examples;
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.ts')) continue;
    let names = [];
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      const mark = /^\s*\/\/#(.*)$/.exec(line);
      if (mark !== null) {
        names = mark[1]
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name !== '');
        continue;
      }
      for (const name of names) examples.set(name, `${examples.get(name) ?? ''}${line}\n`);
    }
  }
  return new Map([...examples].map(([name, code]) => [name, dedent(code)]));
}

function dedent(code) {
  const lines = code.replace(/\s+$/, '').split('\n');
  const indents = lines.filter((line) => line.trim() !== '').map((line) => /^ */.exec(line)[0].length);
  const indent = Math.min(...indents);
  return lines
    .map((line) => line.slice(indent))
    .join('\n')
    .trim();
}

/** The output that an example states: the comments `// => text` of its lines, in order. */
export function statedOutput(code) {
  return [...code.matchAll(/\/\/ =>(?: (.*))?$/gm)].map(([, text = '']) => text);
}
