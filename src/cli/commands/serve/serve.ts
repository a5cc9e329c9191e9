import cluster from 'node:cluster';
import type { Command } from 'commander';
import { SemanticIndexError } from '../../../index.js';
import { type ServerOptions, serverDefaults } from '../../../options/server.js';
import {
  awaitSuccessor,
  reportListening,
  socketOfWorker,
  stopOfWorker,
  superviseWorkers,
} from '../../../server/gateway/workers.js';
import { createServer } from '../../../server/server.js';
import { eachValue, naturalNumber, positiveInteger } from '../../arguments.js';
import { type LanguageFlags, withLanguageFlags } from '../../flags/language-flags.js';
import { type RerankModelFlags, rerankerOf, withRerankModelFlags } from '../../flags/rerank-flags.js';
import { type ModelFlags, withModelFlags } from '../../model-choice.js';
import { type OpenedIndex, openIndex } from '../../open-index.js';
import { perform, type Session, withCommonFlags } from '../../perform.js';
import type { CommonFlags } from '../../terminal.js';

interface ServeFlags extends CommonFlags, ModelFlags, LanguageFlags, RerankModelFlags {
  readonly host: string;
  readonly port: number;
  readonly workers: number;
  readonly gateway?: boolean;
  readonly tokenEnv?: string;
  readonly allowHost?: readonly string[];
  readonly allowOrigin?: readonly string[];
  readonly readonly?: boolean;
  readonly mcp?: boolean;
  readonly description?: string;
  readonly log?: boolean;
  readonly bodyLimit: number;
  readonly answerTimeout: number;
}

/** `serve`: an index over HTTP. */
export function addServe(program: Command): void {
  const { host, port, bodyLimit, answerTimeout } = serverDefaults;
  const command = program
    .command('serve')
    .description('serve the index over HTTP until Ctrl-C')
    .argument('<index>', 'directory of the index')
    .option('--host <address>', 'address to listen on; 0.0.0.0 listens on all', host)
    .option('-p, --port <number>', 'port to listen on; 0 takes a free one', naturalNumber, port)
    .option('--workers <number>', 'processes behind the port', positiveInteger, 1)
    .option(
      '--gateway',
      'route requests through the first process, which repeats a search on another worker when one dies; costs about 0.4 ms of CPU per request',
    )
    .option('--token-env <name>', 'environment variable with the token that clients have to send')
    .option('--allow-host <name>', 'Host that requests may name besides the address; may be repeated', eachValue)
    .option('--allow-origin <origin>', 'origin whose web pages may use the service; may be repeated', eachValue)
    .option('--readonly', 'refuse every change')
    .option('--body-limit <bytes>', 'largest body of a request', positiveInteger, bodyLimit)
    .option('--answer-timeout <milliseconds>', 'max. time for a response; then 503', positiveInteger, answerTimeout)
    .option('--mcp', 'also answer the Model Context Protocol, at /mcp')
    .option('--description <text>', 'with --mcp: content of the index, for the model that chooses among tools')
    .option('--log', 'log each request to stdout, as JSON');
  withRerankModelFlags(command, 'rescore hits of requests with "rerank": "model"');
  withLanguageFlags(command, 'that of the index');
  withModelFlags(command);
  withCommonFlags(command, [
    'serve my-index',
    'serve my-index --port 8080 --workers 4',
    'serve my-index --workers 4 --gateway',
    'serve my-index --host 0.0.0.0 --token-env MY_TOKEN --readonly',
  ]).action((folder: string, flags: ServeFlags) =>
    perform(flags, async (session) => {
      const announce = (url: string): void =>
        session.terminal.result({ url }, [`Serving ${folder} at ${url} (see ${url}/openapi.json). Ctrl-C ends it.`]);
      const { workers, gateway = false } = flags;
      if ((workers > 1 || gateway) && cluster.isPrimary) {
        const options = optionsOf(flags);
        const onEvent = (message: string): void => session.terminal.note(message);
        const { signal } = session;
        // Wrong flags are refused here, not by every worker.
        await rerankerOf(flags)?.close();
        await superviseWorkers({
          workers,
          signal,
          onEvent,
          onListening: announce,
          ...(gateway && { gateway: options }),
        });
      } else await serve(folder, flags, session, cluster.isPrimary ? announce : () => {});
      return undefined;
    }),
  );
}

async function serve(
  folder: string,
  flags: ServeFlags,
  { terminal, signal }: Session,
  announce: (url: string) => void,
): Promise<void> {
  const stop = stopOfWorker();
  const reranker = rerankerOf(flags);
  let opened: OpenedIndex | undefined;
  const open = async () => {
    const { readonly = false, language, languageField } = flags;
    opened = await openIndex(folder, flags, terminal, { readonly, language, languageField });
    return opened.index;
  };
  const socketPath = flags.gateway ? await socketOfWorker() : undefined;
  const server = await createServer(open, { ...optionsOf(flags), reranker, socketPath });
  try {
    // Of several workers, those that are ready answer while one loads: it takes no connection yet.
    if (cluster.isWorker) await server.loaded;
    announce(await server.listen());
    if (socketPath !== undefined) reportListening();
    await server.loaded;
    await aborted(AbortSignal.any([signal, stop]));
    await awaitSuccessor(stop);
  } finally {
    await server.close();
    await opened?.close();
    await reranker?.close();
    cluster.worker?.disconnect();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function optionsOf(flags: ServeFlags): ServerOptions {
  const { host, port, allowHost, allowOrigin, bodyLimit, answerTimeout, mcp = false, log = false } = flags;
  const { readonly = false, description, rerankBudget } = flags;
  const ofMcp = { mcp, readonly, description };
  return {
    host,
    port,
    token: tokenOf(flags),
    allowHost,
    allowOrigin,
    bodyLimit,
    answerTimeout,
    rerankBudget,
    ...ofMcp,
    log,
  };
}

function tokenOf({ tokenEnv }: ServeFlags): string | undefined {
  if (tokenEnv === undefined) return undefined;
  const token = process.env[tokenEnv];
  if (token !== undefined && token !== '') return token;
  throw new SemanticIndexError('INVALID_ARGUMENT', `The environment variable ${tokenEnv} is not set`, {
    hint: 'Set it to the token that clients have to send.',
  });
}
