import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * Why `npm ci` has to run, in a few words, or undefined when node_modules holds what package-lock.json asks for.
 * npm leaves a copy of the lock file inside node_modules as the last step of an install: comparing the two needs no
 * stamp of our own and also sees an install that was interrupted. A linked node_modules belongs to another checkout.
 */
export function whyInstall(root) {
  const modules = join(root, 'node_modules');
  if (!existsSync(modules)) return 'node_modules is missing';
  if (lstatSync(modules).isSymbolicLink()) return undefined;
  const installedFile = join(modules, '.package-lock.json');
  if (!existsSync(installedFile)) return 'the last install did not finish';
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || (entry.optional && installed[path] === undefined)) continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    if (installed[path] === undefined) return `${name} is missing`;
    if (installed[path].version !== entry.version) {
      return `${name} is at ${installed[path].version}, package-lock.json asks for ${entry.version}`;
    }
  }
  return undefined;
}

/**
 * Why the scripts of installed packages have to run (just installed, another Node), or undefined. From Node 22 on SQLite comes
 * with its binary, as src/store/sqlite/sqlite.ts chooses it; annoy is compiled everywhere.
 */
export function whyRebuild(root) {
  if (!existsSync(join(root, 'node_modules', 'annoy', 'build', 'Release'))) return 'packages are not compiled';
  const require = createRequire(join(root, 'package.json'));
  const names = ['better-sqlite3'];
  if (Number(process.versions.node.split('.')[0]) >= 22) names.unshift('better-sqlite3-prebuilt');
  let failure;
  for (const name of names) {
    try {
      const Database = require(name);
      new Database(':memory:').close();
      return undefined;
    } catch (error) {
      failure = error;
    }
  }
  return failure.code === 'ERR_DLOPEN_FAILED'
    ? `better-sqlite3 was compiled for another Node than ${process.version}`
    : 'better-sqlite3 is not compiled';
}
