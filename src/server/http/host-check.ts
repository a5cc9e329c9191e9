import type { IncomingMessage } from 'node:http';
import { SemanticIndexError } from '../../index.js';
import { describe } from '../../options/resolve-options.js';
import type { ResolvedServerOptions } from '../../options/server.js';

/** A host and, where one is given, its port, in the form in which the WHATWG URL standard writes them. */
interface Authority {
  readonly host: string;
  readonly port: string;
}

/** Options of the service that say which hosts and origins it has. */
export type HostOptions = Pick<ResolvedServerOptions, 'host' | 'socketPath' | 'allowHost' | 'allowOrigin'>;

/** Headers that let the page of an allowed origin read an answer. */
export type CorsHeaders = Readonly<Record<string, string>>;

const allowedMethods = 'GET, HEAD, POST, DELETE';
const allowedHeaders = 'authorization, content-type, accept, mcp-protocol-version, mcp-session-id, last-event-id';
const preflightSeconds = '600';

/**
 * Protects a service against DNS rebinding and against pages of other sites: a request passes only when its Host is a loopback
 * name, the address that the service is bound to, or one of `allowHost`, and its Origin is absent, a loopback name, the same
 * host and port as Host, or one of `allowOrigin`. Forwarded headers are not read. At a Unix socket any Host passes, as browsers
 * cannot reach one: what listens in front of it checks the Host.
 */
export class HostCheck {
  readonly #checksHost: boolean;
  readonly #bound: string | undefined;
  readonly #hosts: readonly (Authority | '*')[];
  readonly #origins: ReadonlySet<string>;
  /** The Host that passed last, and the address it came to: most requests have the same. */
  #passed: { readonly host: string; readonly localAddress: string | undefined } | undefined;

  /** @throws INVALID_ARGUMENT for an entry of `allowHost` that is not a host, or of `allowOrigin` that is not an origin. */
  constructor({ host, socketPath, allowHost, allowOrigin }: HostOptions) {
    this.#checksHost = socketPath === undefined;
    this.#bound = parseAuthority(bracketed(host))?.host;
    this.#hosts = listOf('allowHost', allowHost).map(allowedHost);
    this.#origins = new Set(listOf('allowOrigin', allowOrigin).map(allowedOrigin));
  }

  /** @throws INVALID_ARGUMENT for more than one Host, FORBIDDEN for a foreign Host or Origin. */
  check(request: IncomingMessage): void {
    const hosts = request.headersDistinct.host ?? [];
    if (hosts.length > 1) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `Expected one Host header, got ${hosts.length}`, {
        hint: 'Send one Host header.',
      });
    }
    const [named] = hosts;
    // A request target with a host of its own counts instead of the header (RFC 9112, 3.2.2): both have to be allowed.
    const target = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(request.url ?? '')?.[1];
    if (this.#checksHost) {
      for (const host of [named, target]) {
        if (host !== undefined && !this.#passes(host, request.socket.localAddress)) throw foreignHost(host);
      }
    }
    const { origin } = request.headers;
    if (origin !== undefined && !this.#isAllowedOrigin(origin, target ?? named)) throw foreignOrigin(origin);
  }

  /** Headers for the answer to a page of `allowOrigin`; undefined for all other requests. */
  corsHeaders({ headers: { origin } }: IncomingMessage): CorsHeaders | undefined {
    if (origin === undefined || !this.#isListedOrigin(origin)) return undefined;
    return { 'access-control-allow-origin': origin, vary: 'origin' };
  }

  /** Headers for the answer to the preflight request of a page of `allowOrigin`; undefined for all other requests. */
  preflightHeaders(request: IncomingMessage): CorsHeaders | undefined {
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined)
      return undefined;
    const cors = this.corsHeaders(request);
    if (cors === undefined) return undefined;
    return {
      ...cors,
      'access-control-allow-methods': allowedMethods,
      'access-control-allow-headers': allowedHeaders,
      'access-control-max-age': preflightSeconds,
    };
  }

  #passes(host: string, localAddress: string | undefined): boolean {
    if (this.#passed?.host === host && this.#passed.localAddress === localAddress) return true;
    const isAllowed = this.#isAllowedHost(host, localAddress);
    if (isAllowed) this.#passed = { host, localAddress };
    return isAllowed;
  }

  #isAllowedHost(text: string, localAddress: string | undefined): boolean {
    const found = parseAuthority(text);
    if (found === undefined) return this.#hosts.includes('*');
    if (isLoopback(found.host) || found.host === this.#bound) return true;
    // A service that listens on all addresses is bound to the one that the connection came to.
    if (localAddress !== undefined && found.host === parseAuthority(bracketed(localAddress))?.host) return true;
    return this.#hosts.some(
      (allowed) => allowed === '*' || (allowed.host === found.host && ['', found.port].includes(allowed.port)),
    );
  }

  #isAllowedOrigin(text: string, host: string | undefined): boolean {
    if (this.#isListedOrigin(text)) return true;
    const [, scheme, authority] = /^(https?):\/\/(.*)$/i.exec(text) ?? [];
    const found = authority === undefined ? undefined : parseAuthority(authority);
    if (found === undefined) return false;
    if (isLoopback(found.host)) return true;
    const own = host === undefined ? undefined : parseAuthority(host);
    const usual = scheme?.toLowerCase() === 'https' ? '443' : '80';
    return own?.host === found.host && (own.port || usual) === (found.port || usual);
  }

  #isListedOrigin(text: string): boolean {
    return this.#origins.has('*') || this.#origins.has(normalOrigin(text));
  }
}

/** Undefined for what is not a host with or without a port. Letters are in lower case, addresses in their one form. */
function parseAuthority(text: string): Authority | undefined {
  const [, name, port = ''] = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{0,5}))?$/i.exec(text) ?? [];
  if (name === undefined) return undefined;
  try {
    const { hostname } = new URL(`http://${name.replace(/\.$/, '')}`);
    return { host: hostname.replace(/^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/, mappedAddress), port };
  } catch {
    return undefined;
  }
}

/** The IPv4 address that an IPv6 address stands for, from its last two groups. */
function mappedAddress(_: string, high: string, low: string): string {
  const bits = Number.parseInt(high, 16) * 65_536 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address.replace(/%.*$/, '')}]` : address;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function listOf(option: string, value: string | readonly string[]): readonly string[] {
  const list = typeof value === 'string' ? [value] : value;
  if (Array.isArray(list) && list.every((entry) => typeof entry === 'string')) return list;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `createServer: expected ${option} to be a string or an array of strings, got ${describe(value)}`,
  );
}

function allowedHost(entry: string): Authority | '*' {
  if (entry === '*') return entry;
  const found = parseAuthority(entry.replace(/^[^[\]]*:[^[\]]*:[^[\]]*$/, '[$&]'));
  if (found !== undefined) return found;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `createServer: expected a host in allowHost, got ${describe(entry)}`,
    {
      hint: 'Give a name or an address, with a port where only that port is allowed: search.example.com, 10.0.0.5:8080.',
    },
  );
}

function allowedOrigin(entry: string): string {
  const isOrigin = entry === '*' || entry === 'null' || /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+\/?$/i.test(entry);
  if (isOrigin) return normalOrigin(entry);
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `createServer: expected an origin in allowOrigin, got ${describe(entry)}`,
    { hint: 'Give the scheme, the host, and the port where it is not the usual one: https://app.example.com.' },
  );
}

/** The form in which origins are compared; URL knows no origins of schemes such as vscode-webview. */
function normalOrigin(text: string): string {
  if (!/^https?:/i.test(text)) return text.toLowerCase().replace(/\/$/, '');
  return URL.canParse(text) ? new URL(text).origin : text;
}

function foreignHost(host: string): SemanticIndexError {
  return new SemanticIndexError(
    'FORBIDDEN',
    `Expected the Host of this service, such as localhost or its address, got ${describe(host)}`,
    { hint: 'Call the service by its address, or start it with `--allow-host NAME` (`allowHost`).' },
  );
}

function foreignOrigin(origin: string): SemanticIndexError {
  return new SemanticIndexError('FORBIDDEN', `Expected no Origin, or that of this service, got ${describe(origin)}`, {
    hint: 'To let the pages of an origin in, start the service with `--allow-origin ORIGIN` (`allowOrigin`).',
  });
}
