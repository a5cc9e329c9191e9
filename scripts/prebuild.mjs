// Puts the addon that was compiled here where the package looks for one: prebuilds/PLATFORM-ARCH. `npm pack` runs it, so
// that a tarball holds at least the addon of the machine it was made on; those of other platforms are added beside it.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const compiled = join(root, 'native', 'build', 'Release', 'semantic_index.node');
if (!existsSync(compiled)) {
  console.error(`There is no ${compiled}: npm run build makes it.`);
  process.exit(1);
}
const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
mkdirSync(folder, { recursive: true });
copyFileSync(compiled, join(folder, 'semantic_index.node'));
