import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a program printed and how it ended. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a TypeScript program of this repository (`path` relative to it) as a user would, without a terminal. */
export function runProgram(path: string, args: readonly string[], cwd = root): Promise<Finished> {
  const loader = import.meta.resolve('tsx');
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', loader, `${root}${path}`, ...args],
      { cwd, encoding: 'utf8', timeout: 200_000 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}
