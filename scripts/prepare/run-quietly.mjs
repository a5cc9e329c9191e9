import { spawn } from 'node:child_process';

/** How long an interrupted command may tidy up before it is killed: npm finishes its downloads first. */
const graceMilliseconds = 1500;
const isPosix = process.platform !== 'win32';
const signals = ['SIGINT', 'SIGTERM'];
const running = new Set();
let interruption;

/** Ends the commands that are running, and all that they have started. */
export function endCommands(signal) {
  for (const end of running) end(signal);
}

function interrupt(signal) {
  if (interruption !== undefined) return endCommands('SIGKILL');
  interruption = signal;
  process.stdout.write('interrupted\n');
  endCommands(signal);
  setTimeout(endCommands, graceMilliseconds, 'SIGKILL').unref();
}

/**
 * Runs a command in `cwd`, with more in its environment, and keeps what it prints to itself: the output is in the result, for callers that have to explain
 * a failure. An interrupt ends all commands and all that they have started, then this process; what was half made has no
 * stamp and is made again the next time.
 */
export function runQuietly(command, args, cwd, environment = {}) {
  return new Promise((resolve) => {
    let output = '';
    // A process group of its own can be ended as a whole: npm, node-gyp, make and the compiler.
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      detached: isPosix,
    });
    const keep = (chunk) => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    const end = (signal) => {
      try {
        process.kill(isPosix ? -child.pid : child.pid, signal);
      } catch {
        // It has ended already.
      }
    };
    if (running.size === 0) for (const signal of signals) process.on(signal, interrupt);
    running.add(end);
    const finish = (code, reason) => {
      running.delete(end);
      if (running.size === 0) for (const signal of signals) process.removeListener(signal, interrupt);
      if (interruption === undefined) resolve({ succeeded: code === 0, reason, output });
      else if (running.size === 0) process.kill(process.pid, interruption);
    };
    child.on('error', (error) => finish(undefined, error.message));
    child.on('close', (code, signal) => finish(code, signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
}
