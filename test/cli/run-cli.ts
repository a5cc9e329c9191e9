import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The program that `semantic-index` starts. */
export const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** What a command printed, and what it ended with. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command is run. */
export interface RunOptions {
  readonly cwd: string;
  readonly input?: string;
  readonly env?: Record<string, string>;
}

/** The environment that a command of a test runs in. */
export function commandEnvironment(cwd: string, env: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _, NO_COLOR: __, ...inherited } = process.env;
  return { ...inherited, XDG_CONFIG_HOME: join(cwd, '.config'), ...env };
}

/** Starts a command in a process of its own, which does not outlive the test. */
export function startCli(args: readonly string[], { cwd, env }: RunOptions): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [main, ...args], { cwd, env: commandEnvironment(cwd, env) });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Runs a command to its end. */
export async function runCli(args: readonly string[], options: RunOptions): Promise<Ended> {
  const child = startCli(args, options);
  child.stdin.end(options.input ?? '');
  return ended(child);
}

/** Waits for the end of a command. */
export function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Runs a command with `--json` and returns what it printed. */
export async function runJson(args: readonly string[], options: RunOptions): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runCli([...args, '--json'], options);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

/** An empty folder that is removed after the test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'semantic-index-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
