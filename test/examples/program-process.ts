import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Finished } from './run-program.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const runner = fileURLToPath(new URL('./program-runner.mjs', import.meta.url));

/**
 * Runs TypeScript programs of this repository one after the other in one process, which loads the package and the compiler once.
 * For programs that end by themselves; `runProgram` gives a program a process of its own.
 */
export class ProgramProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<{ code: number; stderr: string }>;

  constructor() {
    const child = fork(runner, {
      execArgv: ['--import', import.meta.resolve('tsx')],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let stderr = '';
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    this.#ended = new Promise((resolve) => {
      child.on('exit', (code) => resolve({ code: code ?? 1, stderr }));
    });
    this.#child = child;
  }

  /** Runs a program (`path` relative to the repository) as a user would, without a terminal. */
  run(path: string, args: readonly string[] = [], env: Record<string, string> = {}): Promise<Finished> {
    return new Promise((resolve, reject) => {
      this.#child.once('message', (finished) => resolve(finished as Finished));
      this.#ended.then(({ code, stderr }) => reject(new Error(`The process ended with ${code}: ${stderr}`)));
      this.#child.send({ path: `${root}${path}`, args, cwd: root, env });
    });
  }

  /** Waits until the process has ended by itself. */
  end(): Promise<{ code: number; stderr: string }> {
    this.#child.disconnect();
    return this.#ended;
  }
}
