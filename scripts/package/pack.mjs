// The package as a file. As a program: node scripts/package/pack.mjs FOLDER packs it there, and prints the path.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npm } from './npm.mjs';

/** Packs the package, with the addon that was compiled here unless `prebuilt` ones are there already. Returns the path. */
export function pack(root, folder, { prebuilt = false } = {}) {
  if (!prebuilt)
    execFileSync(process.execPath, [join(root, 'scripts', 'prebuild.mjs')], { cwd: root, stdio: 'ignore' });
  mkdirSync(folder, { recursive: true });
  const printed = npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root);
  const [{ filename }] = JSON.parse(printed);
  return join(folder, filename);
}

/** The package that the arguments of a check name, to pack it once for all of them. */
export function givenTarball(args) {
  const place = args.indexOf('--tarball');
  return place < 0 ? undefined : resolve(args[place + 1]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  console.log(pack(root, resolve(process.argv[2])));
}
