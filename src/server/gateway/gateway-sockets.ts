import { randomUUID } from 'node:crypto';
import { promises as fs, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Addresses between the gateway and its workers that only this user may open. */
export interface GatewaySockets {
  /** An address that was never used before. */
  next(): string;
  /** Removes what a worker that was killed has left of its address. */
  release(address: string): void;
  /** Removes what is left of them. */
  remove(): void;
}

const prefix = 'si-gateway-';
/**
 * A socket at which the owner of the folder listens as long as it lives: no other sign of life can be trusted
 * everywhere.
 */
const signOfLife = 'alive';
/** Max. milliseconds from creating a directory to listening in it, with a margin. */
const slowestStart = 60_000;

/**
 * Unix sockets in a folder of this user alone; on Windows, named pipes with a name that cannot be guessed. Folders that
 * killed processes have left are removed first.
 */
export async function gatewaySockets(): Promise<GatewaySockets> {
  let made = 0;
  if (process.platform === 'win32') {
    const name = `\\\\.\\pipe\\semantic-index-${randomUUID()}`;
    return { next: () => `${name}-${made++}`, release: () => {}, remove: () => {} };
  }
  await sweep();
  // The name is short: a socket's may have about a hundred bytes. mkdtemp gives access to this user only.
  const folder = await fs.mkdtemp(join(tmpdir(), prefix));
  const living = createServer((socket) => socket.destroy()).unref();
  await new Promise<void>((resolve, reject) => {
    living.once('error', reject);
    living.listen(join(folder, signOfLife), resolve);
  });
  return {
    next: () => join(folder, String(made++)),
    release: (address) => rmSync(address, { force: true }),
    remove() {
      living.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Removes the directories of processes that have certainly ended; others are left. */
async function sweep(): Promise<void> {
  const names = await fs.readdir(tmpdir()).catch(() => []);
  for (const name of names) {
    if (name.startsWith(prefix)) await sweepFolder(join(tmpdir(), name)).catch(() => {});
  }
}

async function sweepFolder(folder: string): Promise<void> {
  // Neither through a link nor what is another user's.
  const about = await fs.lstat(folder);
  if (!about.isDirectory() || about.uid !== process.getuid?.()) return;
  const dead = await whyUnreachable(join(folder, signOfLife));
  // A missing socket: no process listens yet, or the directory was being removed.
  if (dead !== 'ECONNREFUSED' && !(dead === 'ENOENT' && Date.now() - about.mtimeMs > slowestStart)) return;
  for (const entry of await fs.readdir(folder, { withFileTypes: true })) {
    if (entry.isSocket()) await fs.unlink(join(folder, entry.name));
  }
  await fs.rmdir(folder);
}

/** The code of the error of connecting to a socket; undefined when somebody listens. */
function whyUnreachable(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? ''));
  });
}
