import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SemanticIndexError } from '../../../src/errors.js';
import { isSqliteError, loadSqlite, sqlite } from '../../../src/store/sqlite/sqlite.js';

const installed = createRequire(import.meta.url);
const real = sqlite();

/** What an installation holds: a package that opens databases, one without its binary, or none; and the folder it is in. */
function installation(packages: Record<string, { version: string; binary: boolean }>, folder = '/absent') {
  const loaded: string[] = [];
  const load = (name: string): unknown => {
    const [base = '', file] = name.split('/');
    const found = packages[base];
    if (found === undefined) return installed(`${base}-that-is-absent`);
    if (file === 'package.json') return { version: found.version };
    loaded.push(base);
    if (found.binary) return real;
    return class {
      constructor() {
        throw new Error('Could not locate the bindings file. Tried:\n → build/better_sqlite3.node');
      }
    };
  };
  return { require: Object.assign(load, { resolve: (name: string) => join(folder, name) }), loaded };
}

function errorOf(run: () => unknown): SemanticIndexError {
  try {
    run();
  } catch (error) {
    if (SemanticIndexError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const compiled = { version: '12.11.1', binary: true };
const scriptless = { version: '12.11.1', binary: false };
const prebuilt = { version: '13.2.0', binary: true };

describe('loadSqlite', () => {
  test('takes the prebuilt package from Node 22 on', () => {
    const { require, loaded } = installation({
      'better-sqlite3-prebuilt': prebuilt,
      'better-sqlite3': scriptless,
    });
    expect(loadSqlite(require, 22)).toBe(real);
    expect(loaded).toEqual(['better-sqlite3-prebuilt']);
  });

  test('falls back to the compiled package where no prebuilt binary fits', () => {
    const { require } = installation({
      'better-sqlite3-prebuilt': { version: '13.2.0', binary: false },
      'better-sqlite3': compiled,
    });
    expect(loadSqlite(require, 24)).toBe(real);
  });

  test('never loads a package that crashes Node 20', () => {
    const { require, loaded } = installation({ 'better-sqlite3-prebuilt': prebuilt, 'better-sqlite3': prebuilt });
    const error = errorOf(() => loadSqlite(require, 20));
    expect(error.code).toBe('ADDON_MISSING');
    expect(error.message).toContain('better-sqlite3 13.2.0 needs Node 22');
    expect(error.hint).toBe('Install it: npm install better-sqlite3@12');
    expect(loaded).toEqual([]);
  });

  test('opens databases with the binary in its package, where one is', () => {
    const modules = dirname(dirname(installed.resolve('better-sqlite3/package.json')));
    const { require } = installation({ 'better-sqlite3': compiled }, modules);
    const database = loadSqlite(require, 20);
    const isThere = existsSync(join(modules, 'better-sqlite3/build/Release/better_sqlite3.node'));
    expect(Object.getPrototypeOf(database) === real).toBe(isThere);
    const db = new database(':memory:');
    expect(db.prepare('SELECT 1').pluck().get()).toBe(1);
    db.close();
  });

  test('names the command when install scripts did not run', () => {
    const error = errorOf(() => loadSqlite(installation({ 'better-sqlite3': scriptless }).require, 20));
    expect(error.code).toBe('ADDON_MISSING');
    expect(error.message).not.toContain('\n');
    expect(error.hint).toContain('npm install-scripts approve better-sqlite3 && npm rebuild better-sqlite3');
    expect(error.hint).toContain('Node 22 or later');
  });

  test('names the command when neither package is installed', () => {
    const error = errorOf(() => loadSqlite(installation({}).require, 24));
    expect(error.code).toBe('ADDON_MISSING');
    expect(error.hint).toBe('Install it: npm install better-sqlite3');
  });
});

describe('isSqliteError', () => {
  test('recognises errors of the loaded SQLite only', () => {
    const db = new real(':memory:');
    const thrown = (() => {
      try {
        db.exec('SELECT FROM');
      } catch (error) {
        return error;
      } finally {
        db.close();
      }
    })();
    expect(isSqliteError(thrown)).toBe(true);
    expect(isSqliteError(new Error('SELECT FROM'))).toBe(false);
  });
});
