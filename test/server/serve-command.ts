import { execFileSync } from 'node:child_process';
import { Agent, request } from 'node:http';
import { expect } from 'vitest';
import { ended, startCli } from '../cli/run-cli.js';

/** Starts `serve` and returns its address once it is printed. */
export async function serve(cwd: string, ...flags: string[]) {
  const child = startCli(['serve', 'idx', '--port', '0', '--json', ...flags], { cwd, env: { MY_TOKEN: 'secret' } });
  const ending = ended(child);
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    // With --log there are other lines, too.
    child.stdout.on('data', (more) => {
      text += more;
      const line = text.split('\n').find((candidate) => /^\{"url".*\}$/.test(candidate));
      if (line !== undefined) resolve(JSON.parse(line).url);
    });
    ending.then(({ stderr }) => reject(new Error(stderr)));
  });
  const ready = async () => (await fetch(`${url}/ready`).catch(() => undefined))?.status;
  await expect.poll(ready, { timeout: 60_000, interval: 20 }).toBe(200);
  return { child, ending, url };
}

/** Clients on connections that stay open, each asking again at once, until told to stop; what was no answer of 200. */
export function keepAsking(url: string, clients: number) {
  const agent = new Agent({ keepAlive: true });
  const failures: string[] = [];
  let [asking, answered] = [true, 0];
  const ask = () =>
    new Promise<string>((resolve) => {
      const headers = { 'content-type': 'application/json' };
      const sent = request(`${url}/search`, { method: 'POST', agent, headers }, (answer) => {
        answer.resume().once('end', () => resolve(String(answer.statusCode)));
        answer.once('error', ({ message }) => resolve(message));
      });
      sent.once('error', ({ message }) => resolve(message));
      sent.end('{"query":"fruit","k":1}');
    });
  const all = Array.from({ length: clients }, async () => {
    while (asking) {
      const outcome = await ask();
      if (outcome === '200') answered++;
      else failures.push(outcome);
    }
  });
  return {
    answered: () => answered,
    async stop() {
      asking = false;
      await Promise.all(all);
      agent.destroy();
      return failures;
    },
  };
}

/** Only Linux has the parent of a process in /proc. */
export const killable = process.platform === 'linux';

/** The workers of a service. */
export const workersOf = (pid: number | undefined) =>
  execFileSync('cat', [`/proc/${pid}/task/${pid}/children`], { encoding: 'utf8' })
    .trim()
    .split(' ');
