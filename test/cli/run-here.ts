import { Readable } from 'node:stream';
import { makeProgram } from '../../src/cli/program.js';
import { commandEnvironment, type Ended, type RunOptions } from './run-cli.js';

/** Thrown where a command ends its process. */
class Exit extends Error {}

/**
 * Runs a command to its end in the process of the test, which saves starting one. For tests of what a command does; what
 * its process does (signals, pipes, terminals, that it ends) needs `runCli`. One command at a time: the working directory,
 * the environment and the standard streams belong to the whole process.
 */
export async function runHere(args: readonly string[], { cwd, input = '', env }: RunOptions): Promise<Ended> {
  const { stdin, env: environment, exitCode, exit } = process;
  const directory = process.cwd();
  const replaceProperty = (name: 'stdin' | 'env' | 'exit', value: unknown): void => {
    Object.defineProperty(process, name, { value, configurable: true, enumerable: true, writable: true });
  };
  const restore = { stdout: process.stdout.write, stderr: process.stderr.write };
  let exited: number | undefined;
  const output = { stdout: '', stderr: '' };
  try {
    process.chdir(cwd);
    replaceProperty('env', commandEnvironment(cwd, env));
    replaceProperty('stdin', Readable.from(input === '' ? [] : [Buffer.from(input)], { objectMode: false }));
    replaceProperty('exit', (code: number) => {
      exited ??= code;
      throw new Exit();
    });
    for (const stream of ['stdout', 'stderr'] as const) {
      process[stream].write = ((chunk: string | Uint8Array) => {
        // After its exit a command would print nothing more.
        if (exited === undefined) output[stream] += chunk.toString();
        return true;
      }) as typeof process.stdout.write;
    }
    process.exitCode = 0;
    try {
      await (await makeProgram(args)).parseAsync([process.execPath, 'semantic-index', ...args]);
    } catch (error) {
      if (!(error instanceof Exit)) throw error;
    }
    return { code: exited ?? Number(process.exitCode), ...output };
  } finally {
    process.stdout.write = restore.stdout;
    process.stderr.write = restore.stderr;
    replaceProperty('stdin', stdin);
    replaceProperty('env', environment);
    replaceProperty('exit', exit);
    process.exitCode = exitCode;
    process.chdir(directory);
  }
}

/** Runs a command with `--json` in the process of the test and returns what it printed. */
export async function runJsonHere(args: readonly string[], options: RunOptions): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runHere([...args, '--json'], options);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}
