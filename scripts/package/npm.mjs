import { execFileSync } from 'node:child_process';
import { npmCommand } from '../npm-command.mjs';

/** What npm prints. */
export function npm(args, cwd) {
  const [command, all] = npmCommand(...args);
  return execFileSync(command, all, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
}
