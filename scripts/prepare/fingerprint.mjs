import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/** Every file below `path` (or `path` itself) in a fixed order; `skip(name, directory)` excludes files and directories. */
export function listFiles(path, skip = () => false) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  return readdirSync(path)
    .sort()
    .filter((name) => !skip(name, path))
    .flatMap((name) => listFiles(join(path, name), skip));
}

/** SHA-256 over the names and contents of `paths`, and over `facts` that also shape the result. */
export function fingerprint(root, paths, skip, facts = []) {
  const hash = createHash('sha256');
  for (const fact of facts) hash.update(`${fact}\n`);
  for (const path of paths) {
    for (const file of listFiles(join(root, path), skip)) {
      const content = readFileSync(file);
      hash.update(`${relative(root, file).split(sep).join('/')} ${content.length}\n`).update(content);
    }
  }
  return hash.digest('hex');
}

/** What the stamp beside a product says it was made from; undefined when there is none. */
export function readStamp(path) {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}

/** Taken away before the product is made again, so that an interrupted attempt never looks finished. */
export function removeStamp(path) {
  rmSync(path, { force: true });
}

export function writeStamp(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${value}\n`);
}
