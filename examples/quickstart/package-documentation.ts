import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceDocument } from 'semantic-index';
import { glob } from 'tinyglobby';

/** Lists of names and changes, legal texts and translations, which do not answer questions. */
const besideTheDocumentation =
  /(?:^|\/)(?:(?:licen[cs]e|changelog|changes|history|releases?|upgrading|contributors|authors|code_of_conduct|governance)[^/]*|readme[._-][a-z]{2}(?:-[a-z]{2})?\.(?:md|markdown))$/i;

/**
 * The documentation of every package below a node_modules folder, in a fixed order: packages within packages last. A text
 * that an earlier file had too is left out, as two versions of a package say the same.
 */
export async function* packageDocumentation(modules: string): AsyncGenerator<SourceDocument> {
  const files = await glob(['**/*.{md,markdown}'], { cwd: modules, caseSensitiveMatch: false });
  const nesting = (file: string) => file.split('/node_modules/').length;
  const wanted = files
    .filter((file) => !besideTheDocumentation.test(file))
    .sort((a, b) => nesting(a) - nesting(b) || (a < b ? -1 : 1));
  const seen = new Set(['']);
  for (const file of wanted) {
    const text = await readFile(join(modules, file), 'utf8');
    if (seen.has(text.trim())) continue;
    seen.add(text.trim());
    yield { id: file, text };
  }
}
