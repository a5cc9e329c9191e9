import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { resolveOptions } from '../../options/resolve-options.js';
import { type ServerOptions, serverDefaults } from '../../options/server.js';
import { type Prometheus, serverPackages } from '../http/server-packages.js';
import { Gateway } from './gateway.js';
import { gatewaySockets } from './gateway-sockets.js';

/** Options for `superviseWorkers`. */
export interface WorkersOptions {
  /** Processes that share the port and the mapped files. */
  readonly workers: number;
  /** Aborting ends them in order. */
  readonly signal: AbortSignal;
  /** Receives messages about workers. Default: none. */
  readonly onEvent?: (message: string) => void;
  /**
   * Options of the workers, when requests are to pass through this process: it listens, and asks another worker when
   * one dies. Each worker then listens at `socketOfWorker()`, and calls `reportListening()`. Default: workers take
   * connections themselves.
   */
  readonly gateway?: ServerOptions;
  /** Called with the address once the first worker listens. */
  readonly onListening?: (address: string) => void;
}

const slowestDeath = 10_000;

/**
 * Runs this program again as several workers behind one port, and replaces each that dies or is asked to end. Each
 * opens the index for itself: the files are mapped, so their pages are in memory once. Resolves when the signal has
 * aborted and all workers have ended.
 *
 * @throws MISSING_PEER; UNKNOWN_OPTION, and IO when the port is taken, both with `gateway`: otherwise the workers meet
 * them.
 */
export async function superviseWorkers(options: WorkersOptions): Promise<void> {
  const { workers, signal, onEvent, onListening } = options;
  const { prometheus } = await serverPackages();
  const aggregator = new prometheus.AggregatorRegistry();
  const gateway = options.gateway && new Gateway(resolveOptions('superviseWorkers', options.gateway, serverDefaults));
  const ownAddress = await gateway?.listen();
  const sockets = gateway && (await gatewaySockets());
  let deaths = 0;
  let announced = false;
  const succeeded = new Set<Worker>();
  const succeed = (worker: Worker, leave: () => void): void => {
    if (signal.aborted || succeeded.has(worker)) return;
    succeeded.add(worker);
    const successor = start(leave);
    // One that dies young has a successor of its own.
    successor.once('exit', leave);
  };
  /** `onReady`: it listens. */
  const start = (onReady?: () => void): Worker => {
    const worker = cluster.fork();
    const born = Date.now();
    const socket = sockets?.next();
    const leave = (): void => {
      if (socket !== undefined) gateway?.workers.remove(socket);
      tellToStop(worker);
    };
    const ready = (address: string): void => {
      deaths = 0;
      onReady?.();
      if (announced) return;
      announced = true;
      onListening?.(address);
    };
    worker.on('message', async (message: { semanticIndex?: string; question?: number }) => {
      if (message.semanticIndex === 'leaving') succeed(worker, leave);
      if (message.semanticIndex === 'socket') worker.send({ ...message, socket });
      if (message.semanticIndex === 'listening' && socket !== undefined) {
        gateway?.workers.add(socket);
        ready(ownAddress ?? socket);
      }
      if (message.semanticIndex !== 'metrics') return;
      const metrics = await aggregator.clusterMetrics().catch(() => undefined);
      if (worker.isConnected()) worker.send({ ...message, metrics });
    });
    worker.on('error', (error) => {
      // A message, ours or the metrics library's, was sent to a worker that had just died: `exit` follows. A worker that cannot
      // start emits no `exit`.
      if (worker.process.pid === undefined) throw error;
    });
    worker.on('listening', ({ address, port }) =>
      ready(`http://${address?.includes(':') ? `[${address}]` : (address ?? '127.0.0.1')}:${port}`),
    );
    worker.on('exit', async (code, died) => {
      if (socket !== undefined) {
        gateway?.workers.remove(socket);
        sockets?.release(socket);
      }
      if (signal.aborted || succeeded.has(worker)) return;
      onEvent?.(`Worker ${worker.process.pid} ended with ${died ?? code}; another takes its place.`);
      // One that dies young will die again: not in a busy loop.
      deaths = Date.now() - born < 5000 ? deaths + 1 : 0;
      if (deaths > 1) await sleep(Math.min(100 * 2 ** deaths, slowestDeath));
      if (!signal.aborted) start();
    });
    return worker;
  };
  for (let worker = 0; worker < workers; worker++) start();
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  // Workers respond until the gateway is closed.
  await gateway?.close();
  await Promise.all(
    Object.values(cluster.workers ?? {}).map((worker) => (worker === undefined ? undefined : end(worker))),
  );
  sockets?.remove();
}

async function end(worker: Worker): Promise<void> {
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  tellToStop(worker);
  // One that has only just been started does not listen yet.
  const reminder = setInterval(() => tellToStop(worker), 250);
  const timer = setTimeout(() => worker.process.kill('SIGKILL'), slowestDeath);
  await ended;
  clearInterval(reminder);
  clearTimeout(timer);
}

/** Not a signal: Windows has none that a process can answer, and Ctrl-C reaches the workers anyway. */
function tellToStop(worker: Worker): void {
  if (worker.isConnected()) worker.send({ semanticIndex: 'stop' });
}

/**
 * In a worker that was asked to end by somebody else: resolves when another has taken its place, or when all are to
 * end. Until then it goes on answering, so that the port is never without anyone.
 */
export async function awaitSuccessor(stop: AbortSignal): Promise<void> {
  if (!cluster.isWorker || stop.aborted) return;
  process.send?.({ semanticIndex: 'leaving' });
  await new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));
}

/** In a worker: an end in order, asked for by the supervisor. Elsewhere it never aborts. */
export function stopOfWorker(): AbortSignal {
  const controller = new AbortController();
  if (cluster.isWorker) {
    process.on('message', (message: { semanticIndex?: string }) => {
      if (message.semanticIndex === 'stop') controller.abort();
    });
  }
  return controller.signal;
}

/**
 * In a worker behind a gateway: the socket where it is to listen (`createServer(open, { socketPath })`). Call
 * `reportListening` when it does. Undefined without a gateway.
 */
export async function socketOfWorker(): Promise<string | undefined> {
  if (!cluster.isWorker) return undefined;
  return new Promise((resolve) => {
    const listen = (message: { semanticIndex?: string; socket?: string }): void => {
      if (message.semanticIndex !== 'socket') return;
      process.off('message', listen);
      resolve(message.socket);
    };
    process.on('message', listen);
    process.send?.({ semanticIndex: 'socket' });
  });
}

/** In a worker behind a gateway: it takes requests from now on. */
export function reportListening(): void {
  if (cluster.isWorker) process.send?.({ semanticIndex: 'listening' });
}

/** How the workers put their metrics together. */
export interface MetricsOfWorkers {
  /** Makes the metrics of this worker part of those of all. */
  contribute(registry: Registry): void;
  /** The metrics of all workers; undefined when the supervisor does not answer. */
  read(): Promise<string | undefined>;
}

const longestWait = 5000;

/** In a worker: the way to the metrics of all, through the supervisor. Elsewhere undefined. */
export function allMetricsOfWorkers(prometheus: Prometheus): MetricsOfWorkers | undefined {
  if (!cluster.isWorker) return undefined;
  let questions = 0;
  return {
    contribute(registry) {
      // Making one is what makes a worker answer.
      new prometheus.AggregatorRegistry();
      prometheus.AggregatorRegistry.setRegistries(registry);
    },
    read() {
      const question = questions++;
      return new Promise((resolve) => {
        const finish = (metrics: string | undefined): void => {
          clearTimeout(timer);
          process.off('message', listen);
          resolve(metrics);
        };
        const timer = setTimeout(() => finish(undefined), longestWait);
        const listen = (message: { semanticIndex?: string; question?: number; metrics?: string }): void => {
          if (message.semanticIndex === 'metrics' && message.question === question) finish(message.metrics);
        };
        process.on('message', listen);
        process.send?.({ semanticIndex: 'metrics', question });
      });
    },
  };
}
