import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Ignore } from 'ignore';

/** Files with patterns of what is left out; a later one overrides an earlier one of the same directory. */
const ruleFiles = ['.gitignore', '.semanticignore'];

/** Left out unless a rule begins with `!`: packages of others, and what programs write. */
const defaultRules = ['node_modules/', 'bower_components/', '__pycache__/', '*.min.js', '*.min.mjs', '*.min.css'];

/** The rules of one directory, and those of the directories above it. */
interface Level {
  readonly folder: string;
  readonly rules: Ignore;
  readonly above: Level | undefined;
}

/**
 * The rules of `.gitignore` and `.semanticignore` files, as git applies them: patterns are relative to the directory of
 * their file, rules of deeper directories come first, and inside a directory that is left out nothing is brought back.
 */
export class IgnoreRules {
  readonly #level: Level;

  private constructor(level: Level) {
    this.#level = level;
  }

  /** The rules that hold in a directory: its own, and in a git repository those of the directories above. */
  static async of(folder: string, withFiles: boolean): Promise<IgnoreRules> {
    const root = withFiles ? ((await repositoryOf(folder)) ?? folder) : folder;
    let rules = new IgnoreRules({ folder: root, rules: await rulesOf(defaultRules), above: undefined });
    if (!withFiles) return rules;
    rules = await rules.within(root);
    const steps = relative(root, folder).split(/[\\/]/).filter(Boolean);
    for (let at = root; steps.length > 0; ) {
      at = join(at, steps.shift() as string);
      rules = await rules.within(at);
    }
    return rules;
  }

  /** The rules that hold in a directory below. */
  async within(folder: string): Promise<IgnoreRules> {
    const texts = await Promise.all(ruleFiles.map((name) => readFile(join(folder, name), 'utf8').catch(() => '')));
    const patterns = texts.join('\n');
    if (patterns.trim() === '') return this;
    return new IgnoreRules({ folder, rules: await rulesOf(patterns), above: this.#level });
  }

  /** Whether a file or directory is left out. */
  ignores(path: string, isFolder: boolean): boolean {
    for (let level: Level | undefined = this.#level; level !== undefined; level = level.above) {
      const below = relative(level.folder, path).replaceAll('\\', '/');
      if (below === '' || below.startsWith('..')) continue;
      const { ignored, unignored } = level.rules.test(isFolder ? `${below}/` : below);
      if (ignored) return true;
      if (unignored) return false;
    }
    return false;
  }
}

/** Loaded when a folder is read: most processes read none. */
async function rulesOf(patterns: string | readonly string[]): Promise<Ignore> {
  const { default: ignore } = await import('ignore');
  return ignore().add(patterns);
}

/** The root of the git repository that a directory is in. */
async function repositoryOf(folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const isRoot = await readFile(join(at, '.git', 'HEAD')).then(
      () => true,
      () => false,
    );
    if (isRoot) return at;
    if (dirname(at) === at) return undefined;
  }
}
