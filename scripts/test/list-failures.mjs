import { stripVTControlCharacters } from 'node:util';

/** Short enough for the end of a log, together with the output of npm and .ci/run after it. */
const budgetLines = 14;
const linesOfOne = 6;
const shown = 5;
const width = 200;

const cut = (line) => (line.length > width ? `${line.slice(0, width - 3)}...` : line);

/** What failed and how it began to, in at most 14 lines: five by name, then a count. The more failed, the less of each. */
export function listFailures(failures) {
  const listed = failures.slice(0, shown);
  const linesOfEach = Math.min(linesOfOne, Math.floor(budgetLines / Math.max(1, listed.length)) - 1);
  const lines = listed.flatMap(({ name, message }) => [
    `FAILED ${name}`,
    ...stripVTControlCharacters(message)
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(0, linesOfEach)
      .map((line) => `    ${line}`),
  ]);
  if (failures.length > shown) lines.push(`... and ${failures.length - shown} more`);
  return lines.map((line) => cut(stripVTControlCharacters(line)));
}
