import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type Database from 'better-sqlite3';
import type { Options } from 'better-sqlite3';
import { SemanticIndexError } from '../../errors.js';

type Sqlite = typeof Database;

/** Where better-sqlite3 is looked for: what Node resolves from here. */
interface Require {
  (name: string): unknown;
  resolve(name: string): string;
}

/** Versions of better-sqlite3 from 13 on carry their binaries; Node 20 crashes when it loads them. */
const prebuiltFromNode = 22;
const prebuiltFromVersion = 13;

let loaded: Sqlite | undefined;

/**
 * The SQLite of this process, loaded at the first call: better-sqlite3 with the binaries inside its package where Node can
 * load them (Node 22 and later), otherwise the better-sqlite3 whose install script downloads or compiles one.
 *
 * @throws ADDON_MISSING when neither is installed with a binary; the hint has the command that adds it.
 */
export function sqlite(): Sqlite {
  loaded ??= loadSqlite(createRequire(import.meta.url), Number(process.versions.node.split('.')[0]));
  return loaded;
}

/** Loads SQLite, before it returns, where it is about to be needed: callers wait for something else meanwhile. @throws as `sqlite`. */
export async function prepareSqlite(): Promise<void> {
  sqlite();
}

/** Whether `error` was thrown by SQLite. */
export function isSqliteError(error: unknown): error is InstanceType<Sqlite['SqliteError']> {
  return loaded !== undefined && error instanceof loaded.SqliteError;
}

/** Loads SQLite through `require` as on Node `nodeMajor`; every candidate opens a database before it is chosen. */
export function loadSqlite(require: Require, nodeMajor: number): Sqlite {
  const names = nodeMajor >= prebuiltFromNode ? ['better-sqlite3-prebuilt', 'better-sqlite3'] : ['better-sqlite3'];
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      refuseCrash(require, name, nodeMajor);
      return withBinary(require(name) as Sqlite, require, name);
    } catch (error) {
      failures.push(error);
    }
  }
  throw missing(failures, nodeMajor);
}

/** Where npm puts the binary. better-sqlite3 looks in a dozen places for it, which takes a fifth of the time that it is loaded in. */
const binaryInPackage = 'build/Release/better_sqlite3';

/**
 * The same with the binary in its package; unchanged where there is none, or it cannot be loaded. @throws what better-sqlite3 reports when
 * it finds none that opens a database.
 */
function withBinary(database: Sqlite, require: Require, name: string): Sqlite {
  const nativeBinding = join(dirname(require.resolve(`${name}/package.json`)), binaryInPackage);
  try {
    new database(':memory:', { nativeBinding }).close();
  } catch {
    new database(':memory:').close();
    return database;
  }
  return class extends database {
    constructor(path: string, options?: Options) {
      super(path, { nativeBinding, ...options });
    }
  } as Sqlite;
}

function refuseCrash(require: Require, name: string, nodeMajor: number): void {
  if (nodeMajor >= prebuiltFromNode) return;
  const { version } = require(`${name}/package.json`) as { version: string };
  if (Number(version.split('.')[0]) < prebuiltFromVersion) return;
  throw new Error(`better-sqlite3 ${version} needs Node ${prebuiltFromNode}; on Node ${nodeMajor} it ends the process`);
}

function missing(failures: readonly unknown[], nodeMajor: number): SemanticIndexError {
  const cause = failures.at(-1);
  const reason = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0];
  const old = nodeMajor < prebuiltFromNode;
  const crashes = cause instanceof Error && cause.message.startsWith('better-sqlite3 ');
  const absent = crashes || (cause as { code?: unknown }).code === 'MODULE_NOT_FOUND';
  const hint = absent
    ? `Install it: npm install better-sqlite3${old ? '@12' : ''}`
    : [
        'Its install script did not run. With npm: npm install-scripts approve better-sqlite3 && npm rebuild better-sqlite3',
        'with pnpm: pnpm approve-builds better-sqlite3',
        'with yarn: set enableScripts: true in .yarnrc.yml, then yarn rebuild better-sqlite3',
        ...(old ? ['Node 22 or later needs no script'] : []),
      ].join('; ');
  return new SemanticIndexError('ADDON_MISSING', `better-sqlite3 cannot be loaded: ${reason}`, {
    cause,
    hint,
    details: { node: process.versions.node, failures: failures.map(String) },
  });
}
