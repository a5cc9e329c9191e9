import { type ChildProcess, fork } from 'node:child_process';
import type { WriterMessage, WriterOrders } from './messages.js';

/**
 * When a writer dies: at a step of its own, or so many milliseconds after it began to open the index, or had opened it. One
 * that does not come to its step within `patience` milliseconds (default 4,000) is killed like the others.
 */
export type KillPlan =
  | { readonly at: 'step'; readonly step: string; readonly occurrence: number; readonly patience?: number }
  | { readonly at: 'time'; readonly from: 'opening' | 'opened'; readonly milliseconds: number };

/** How a writer ended. */
export interface WriterEnd {
  /** Where it was killed: a step, or what it had said last; `closed` when it came to its end alive. */
  readonly killedAt: string;
  /** Why it ended though nobody killed it. */
  readonly fault?: string;
}

const longestLife = 4_000;

/** Starts a writer, hands on what it says, and sees to its death. */
export function runWriter(
  orders: WriterOrders,
  plan: KillPlan,
  onMessage: (message: WriterMessage) => void,
): Promise<WriterEnd> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('./writer.js', import.meta.url), [JSON.stringify(orders)], {
      execArgv: [],
      // Threads of the writer take steps too: they load what NODE_OPTIONS names, and know nothing of arguments.
      env: plan.at === 'step' ? environmentWith(preloadOf(plan)) : process.env,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let last = 'starting';
    let stderr = '';
    let timer: NodeJS.Timeout | undefined;
    let killed = false;
    const killAfter = (milliseconds: number): void => {
      timer ??= setTimeout(() => {
        killed = true;
        child.kill('SIGKILL');
      }, milliseconds);
    };
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-4_000);
    });
    child.on('message', (message: WriterMessage) => {
      if (plan.at === 'time' && message.about === plan.from) killAfter(plan.milliseconds);
      if (plan.at === 'step' && message.about === 'opened') killAfter(plan.patience ?? longestLife);
      if (message.about !== 'acknowledged' && message.about !== 'failed') {
        last = message.about === 'intent' ? 'writing' : message.about;
      }
      onMessage(message);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL') {
        resolve({ killedAt: plan.at === 'step' && !killed ? plan.step : `at random while ${last}` });
      } else if (code === 0 && last === 'closed') {
        resolve({ killedAt: 'closed' });
      } else {
        resolve({ killedAt: last, fault: `the writer ended with ${signal ?? `exit code ${code}`}: ${stderr}` });
      }
    });
    detachOnExit(child);
  });
}

function preloadOf({ step, occurrence }: KillPlan & { at: 'step' }): string {
  const url = new URL('./kill-at-step.js', import.meta.url);
  url.searchParams.set('step', step);
  url.searchParams.set('occurrence', String(occurrence));
  return url.href;
}

function environmentWith(preload: string): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: others = '' } = process.env;
  return { ...process.env, NODE_OPTIONS: `${others} --import=${JSON.stringify(preload)}` };
}

/** A writer must not outlive its tormentor. */
function detachOnExit(child: ChildProcess): void {
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  child.once('close', () => process.off('exit', end));
}
