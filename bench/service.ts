// The service under load, on this machine: requests per second and p99 for one and two workers, their memory, and whether
// any request fails while documents are added, a new generation of forests is swapped in, and a worker is replaced or killed;
// the same through the gateway, which costs CPU and cuts nothing.
//
//   npx tsx bench/service.ts --help
//
// The load is bounded: each client sends its next request when the answer to the last has come. It shares the machine's
// cores with the service, so the figures are lower than those of a machine that only serves.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SemanticIndex } from 'semantic-index';
import { globSync } from 'tinyglobby';
import { benchFlags } from './flags.js';
import { quantile } from './quantile.js';

const { documents, seconds, clients } = benchFlags(
  'Puts a service under load: requests a second, times and memory, and whether a request fails whatever happens meanwhile.',
  {
    documents: [20_000, 'lines of documentation'],
    seconds: [8, 'length of each measurement'],
    clients: [8, 'clients; each sends a request when the last was answered'],
  },
);
/** Requests of each client before the measurements. */
const warmUp = 400;
const root = fileURLToPath(new URL('..', import.meta.url));
const main = join(root, 'dist/cli/main.js');
const folder = mkdtempSync(join(tmpdir(), 'semantic-index-service-'));
const place = join(folder, 'idx');

/** Lines of prose from the documentation of the installed packages: words as rare and as common as words are. */
const lines = [
  ...new Set(
    globSync('node_modules/**/*.md', { cwd: root, absolute: true })
      .sort()
      .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
      .map((line) => line.trim())
      .filter((line) => /^[^|<>{}]{60,}$/.test(line)),
  ),
];
let state = 1;
const pick = (below: number): number => {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};

/** Some words out of a line, as a question has them. */
function question(): string {
  const words = (lines[pick(lines.length)] as string).split(/\s+/);
  const first = pick(Math.max(1, words.length - 5));
  return words.slice(first, first + 5).join(' ');
}

function* texts(count: number, prefix: string, first: number) {
  for (let n = 0; n < count; n++) yield { id: `${prefix}${n}`, text: lines[(first + n) % lines.length] as string };
}

type Mode = 'vector' | 'hybrid';

interface Load {
  requests: number;
  failed: number;
  /** Connections that were cut before the answer: no status; caused by killing the worker. */
  cut: number;
  latencies: number[];
  failures: Map<string, number>;
}

type Measured = Load & { seconds: number; loaderSeconds: number };

/** How a search that was sent ends. */
interface Pending {
  readonly resolve: (status: number) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Keeps its connection, and opens another one when it was cut. It reads the status and the length of an answer: Node's own client
 * takes three times as long, of the cores that it shares with the service.
 */
class Client {
  readonly #port: number;
  #socket: Socket | undefined;
  #answer = '';
  #pending: Pending | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** One search; resolves to the status. A connection that is cut rejects with its code. */
  search(mode: Mode): Promise<number> {
    const body = JSON.stringify({ query: question(), k: 10, mode });
    const length = Buffer.byteLength(body);
    const headers = `host: 127.0.0.1:${this.#port}\r\ncontent-type: application/json\r\ncontent-length: ${length}`;
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
      this.#socket ??= this.#connect();
      this.#socket.write(`POST /search HTTP/1.1\r\n${headers}\r\n\r\n${body}`);
    });
  }

  #connect(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    let failure = new Error('cut');
    socket.on('data', (bytes) => this.#read(bytes.toString('latin1')));
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      if (this.#socket === socket) this.#end(({ reject }) => reject(failure));
    });
    return socket;
  }

  #read(piece: string): void {
    this.#answer += piece;
    const end = this.#answer.indexOf('\r\n\r\n');
    if (end < 0) return;
    const headers = this.#answer.slice(0, end + 2);
    const [, status, length] = /^HTTP\/1\.1 (\d+)[\s\S]*\r\ncontent-length: (\d+)\r\n/i.exec(headers) ?? [];
    if (this.#answer.length < end + 4 + Number(length)) return;
    const isLast = /\r\nconnection: close\r\n/i.test(headers);
    this.#end(({ resolve }) => resolve(Number(status)), isLast);
  }

  /** Ends a search, and the connection with it if that is `isLast`. */
  #end(settle: (pending: Pending) => void, isLast = true): void {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#answer = '';
    if (isLast) this.close();
    if (pending !== undefined) settle(pending);
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}

/** Clients that ask one after the other until told to stop. Nothing is tried again. */
function startLoad(port: number, mode: Mode): () => Promise<Measured> {
  const load: Load = { requests: 0, failed: 0, cut: 0, latencies: [], failures: new Map() };
  const note = (why: string): void => void load.failures.set(why, (load.failures.get(why) ?? 0) + 1);
  let running = true;
  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  const ask = async (): Promise<void> => {
    const client = new Client(port);
    while (running) {
      const sent = performance.now();
      const status = await client.search(mode).catch((error: NodeJS.ErrnoException) => error.code ?? 'cut');
      if (typeof status === 'string') load.cut++;
      else if (status !== 200) load.failed++;
      if (status !== 200) note(String(status));
      load.requests++;
      load.latencies.push(performance.now() - sent);
    }
    client.close();
  };
  const all = Array.from({ length: clients }, ask);
  return async () => {
    running = false;
    await Promise.all(all);
    const { user, system } = process.cpuUsage(cpuBefore);
    return { ...load, seconds: (performance.now() - began) / 1000, loaderSeconds: (user + system) / 1e6 };
  };
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function report(name: string, load: Measured): void {
  const { requests, failed, cut, latencies, failures, loaderSeconds } = load;
  const reasons = [...failures].map(([why, times]) => ` ${why}: ${times}`).join(',');
  console.log(
    `${name.padEnd(41)} ${(requests / load.seconds).toFixed(0).padStart(6)} requests/s  p50 ${quantile(latencies, 0.5).toFixed(1)} ms  ` +
      `p99 ${quantile(latencies, 0.99).toFixed(1)} ms  ${requests} requests, ${failed} failed, ${cut} cut${reasons}; ` +
      `the loader took ${((100 * loaderSeconds) / load.seconds).toFixed(0)} % of a core`,
  );
}

async function serve(workers: number, gateway: boolean): Promise<{ child: ChildProcess; port: number }> {
  const args = [main, 'serve', place, '--port', '0', '--workers', String(workers), '--json'];
  if (gateway) args.push('--gateway');
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (line) => resolve(JSON.parse(line).url));
    child.once('exit', () => reject(new Error('serve ended')));
  });
  const port = Number(new URL(url).port);
  // Both workers listen and have loaded, and nothing is compiled for the first time any more. Connections are spread over them.
  await sleep(1500);
  await Promise.all(
    Array.from({ length: clients }, async () => {
      const client = new Client(port);
      for (let warm = 0; warm < warmUp; warm++) await client.search(warm % 2 === 0 ? 'vector' : 'hybrid');
      client.close();
    }),
  );
  return { child, port };
}

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

/** Memory of a process: all that is resident, and with shared pages divided among those who share them. */
function memoryOf(pid: number): string {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const read = (name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(rollup)?.[1]) / 1024;
  return `resident ${read('Rss').toFixed(0)} MiB, proportional ${read('Pss').toFixed(0)} MiB`;
}

/** Seconds of CPU that processes have taken so far; a figure that does not depend on what else runs. */
function cpuSecondsOf(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, own) => sum + own, 0) / 100;
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

console.log(
  `${cpus()[0]?.model}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}, Node ${process.version}`,
);
{
  await using index = await SemanticIndex.open(place, { ann: { sealAt: 5000 } });
  await index.addDocuments(texts(documents, 'first-', 0));
  await index.optimize({ full: true });
  const { bytes, dimensions } = await index.stats();
  console.log(
    `${documents} documents, ${dimensions} dimensions, segments ${(bytes.segments / 1e6).toFixed(0)} MB, ${clients} clients`,
  );
}

for (const [workers, gateway] of [
  [1, false],
  [2, false],
  [2, true],
] as const) {
  const { child, port } = await serve(workers, gateway);
  const through = gateway ? 'gateway: ' : '';
  const onLinux = existsSync('/proc/self/smaps_rollup');
  const pid = child.pid as number;
  const answering = !onLinux ? [] : workers === 1 ? [pid] : childrenOf(pid);
  const processes = gateway ? [pid, ...answering] : answering;
  for (const mode of ['vector', 'hybrid'] as const) {
    const [before, gatewayBefore] = [cpuSecondsOf(processes), cpuSecondsOf(onLinux ? [pid] : [])];
    const end = startLoad(port, mode);
    await sleep(seconds * 1000);
    const load = await end();
    report(`${through}${workers} worker${workers > 1 ? 's' : ''}, ${mode}`, load);
    const milliseconds = (1000 * (cpuSecondsOf(processes) - before)) / load.requests;
    const ofGateway = (1000 * (cpuSecondsOf(onLinux ? [pid] : []) - gatewayBefore)) / load.requests;
    const share = gateway ? `, of them ${ofGateway.toFixed(2)} in the gateway` : '';
    if (onLinux) console.log(`  ${milliseconds.toFixed(2)} ms of CPU a request, in the service${share}`);
  }
  if (onLinux) {
    for (const worker of answering) console.log(`  worker: ${memoryOf(worker)}`);
    if (gateway) console.log(`  gateway: ${memoryOf(pid)}`);
  }
  if (workers === 2) {
    const disturbed = startLoad(port, 'vector');
    await using writer = await SemanticIndex.open(place, { ann: { sealAt: 5000, background: false } });
    await writer.addDocuments(texts(3000, gateway ? 'third-' : 'second-', documents));
    await writer.deleteDocuments(Array.from({ length: 500 }, (_, n) => `first-${gateway ? n + 500 : n}`));
    await writer.optimize({ full: true });
    const { segments } = await writer.stats();
    report(`${through}while adding and swapping`, await disturbed());
    console.log(`  3,000 documents added, 500 deleted, ${segments.length} new segment of ${segments[0]?.items} items`);
    for (const [signal, name] of [
      ['SIGTERM', 'while a worker is replaced'],
      ['SIGKILL', 'while a worker is killed'],
    ] as const) {
      if (!onLinux) break;
      const load = startLoad(port, 'vector');
      await sleep(1000);
      const before = childrenOf(pid);
      process.kill(before[0] as number, signal);
      const replaced = (): boolean => {
        const now = childrenOf(pid);
        return now.length === workers && !now.includes(before[0] as number);
      };
      while (!replaced()) await sleep(50);
      // Until the new one has loaded, too.
      await sleep(2000);
      report(`${through}${name} (${signal})`, await load());
    }
  }
  await stop(child);
}
rmSync(folder, { recursive: true, force: true });
