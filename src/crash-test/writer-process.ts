import { type ChildProcess, fork } from 'node:child_process';
import type { CrashPoint } from '../crash-points.js';
import type { WriterMessage, WriterOrders } from './messages.js';

/**
 * When to kill a writer: at a crash point, or some milliseconds after it began to open the index or had opened it. A writer
 * that does not reach its crash point within `patience` milliseconds (default 4,000) is killed anyway.
 */
export type KillPlan =
  | {
      readonly at: 'crash-point';
      readonly crashPoint: CrashPoint;
      readonly occurrence: number;
      readonly patience?: number;
    }
  | { readonly at: 'time'; readonly from: 'opening' | 'opened'; readonly milliseconds: number };

/** How a writer ended. */
export interface WriterEnd {
  /** Where it was killed: a crash point, or its last message; `closed` when it ended by itself. */
  readonly killedAt: string;
  /** Why it ended without being killed. */
  readonly fault?: string;
}

const defaultPatience = 4_000;

/** Starts a writer, forwards its messages, and kills it according to the plan. */
export function runWriter(
  orders: WriterOrders,
  plan: KillPlan,
  onMessage: (message: WriterMessage) => void,
): Promise<WriterEnd> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('./writer.js', import.meta.url), [JSON.stringify(orders)], {
      execArgv: [],
      // NODE_OPTIONS also applies to the threads of the writer, which reach crash points too.
      env: plan.at === 'crash-point' ? environmentWith(preloadOf(plan)) : process.env,
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
      if (plan.at === 'crash-point' && message.about === 'opened') killAfter(plan.patience ?? defaultPatience);
      if (message.about !== 'acknowledged' && message.about !== 'failed') {
        last = message.about === 'intent' ? 'writing' : message.about;
      }
      onMessage(message);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL') {
        resolve({ killedAt: plan.at === 'crash-point' && !killed ? plan.crashPoint : `at random while ${last}` });
      } else if (code === 0 && last === 'closed') {
        resolve({ killedAt: 'closed' });
      } else {
        resolve({ killedAt: last, fault: `the writer ended with ${signal ?? `exit code ${code}`}: ${stderr}` });
      }
    });
    killOnExit(child);
  });
}

function preloadOf({ crashPoint, occurrence }: KillPlan & { at: 'crash-point' }): string {
  const url = new URL('./kill-at-crash-point.js', import.meta.url);
  url.searchParams.set('crash-point', crashPoint);
  url.searchParams.set('occurrence', String(occurrence));
  return url.href;
}

function environmentWith(preload: string): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: others = '' } = process.env;
  return { ...process.env, NODE_OPTIONS: `${others} --import=${JSON.stringify(preload)}` };
}

/** Kills the writer when this process exits. */
function killOnExit(child: ChildProcess): void {
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  child.once('close', () => process.off('exit', end));
}
