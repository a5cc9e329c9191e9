import { createRequire } from 'node:module';
import { availableParallelism, totalmem } from 'node:os';
import { type Check, SemanticIndex, SemanticIndexError } from '../index.js';
import { counted } from './counted.js';

/** Optional packages and their use. */
const optionalPackages: readonly (readonly [packages: readonly string[], purpose: string])[] = [
  [['fastify', '@fastify/swagger', 'prom-client'], 'serve'],
  [['@modelcontextprotocol/sdk', 'zod'], 'mcp'],
  [['openai', 'gpt-tokenizer'], '--model openai:MODEL'],
  [['@huggingface/transformers'], '--model transformers:MODEL'],
  [['@vscode/tree-sitter-wasm'], 'source code'],
  [['unpdf'], 'PDF'],
  [['linkedom', '@mozilla/readability'], 'HTML without <main> or <article>'],
  [['postal-mime'], 'e-mail'],
];

/** Packages that can replace others. */
const predecessors: Readonly<Record<string, string>> = { '@huggingface/transformers': '@xenova/transformers' };

const oldestNode = [20, 19] as const;

/** What this machine and installation have: the engine, its instruction set, and what is optional. */
export async function examineInstallation(): Promise<Check[]> {
  return [checkNode(), await checkEngine(), ...optionalPackages.map(checkPackages), describeMachine()];
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const passed = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  const hint = passed ? {} : { hint: `Install Node ${oldestNode.join('.')} or newer.` };
  return { check: 'node', passed, severity: 'error', message: `Node ${process.versions.node}`, ...hint };
}

async function checkEngine(): Promise<Check> {
  try {
    await using index = await SemanticIndex.open(':memory:', { provider: null });
    await index.addDocuments([{ id: 1, text: 'a', vector: [1, 0] }]);
    const { instructionSet } = await index.stats();
    const file = Object.keys(createRequire(import.meta.url).cache).find((path) => /semantic_index\.node$/.test(path));
    const message = `native kernel with ${instructionSet} from ${file ?? 'an unknown place'}`;
    return { check: 'engine', passed: true, severity: 'error', message };
  } catch (error) {
    return failedCheck('engine', error, 'Install the package again; where there is no prebuilt addon it is compiled.');
  }
}

function checkPackages([packages, purpose]: (typeof optionalPackages)[number]): Check {
  const missing = packages.filter((name) => !isInstalled(name) && !isInstalled(predecessors[name] ?? name));
  if (missing.length === 0) {
    return {
      check: purpose,
      passed: true,
      severity: 'info',
      message: `${packages.join(', ')} ${packages.length === 1 ? 'is' : 'are'} installed`,
    };
  }
  return {
    check: purpose,
    passed: false,
    severity: 'info',
    message: `${missing.join(', ')} not installed`,
    hint: `For ${purpose}: npm install ${missing.join(' ')}`,
  };
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(`${name}/package.json`);
    return true;
  } catch (error) {
    // Installed, but its exports do not include package.json.
    return (error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
  }
}

function describeMachine(): Check {
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const message = `${process.platform} ${process.arch}, ${availableParallelism()} cores, ${gigabytes} GiB memory`;
  return { check: 'machine', passed: true, severity: 'info', message };
}

/** A quick check of one index. */
export async function examineIndex(folder: string): Promise<Check> {
  try {
    await using index = await SemanticIndex.open(folder, { create: false, readonly: true, provider: null });
    const [{ valid, checks }, { documents, segments, tail }] = [await index.validate(), await index.stats()];
    const message = `${folder}: ${counted(documents, 'document')}, ${counted(segments.length, 'segment')}, ${tail} without a forest`;
    const broken = checks.find(({ passed, severity }) => !passed && severity === 'error');
    if (valid || broken === undefined) return { check: 'index', passed: true, severity: 'error', message };
    const hint = broken.hint ?? `See all of it with: semantic-index validate ${folder} --full`;
    return { check: 'index', passed: false, severity: 'error', message: broken.message, hint };
  } catch (error) {
    return failedCheck('index', error, `Check the path, or make an index with: semantic-index init ${folder}`);
  }
}

/** The error of a check, with its hint. */
export function failedCheck(check: string, error: unknown, advice: string): Check {
  const message = error instanceof Error ? error.message : String(error);
  // Where there is no index, the hint of the library names options of `open`.
  const hint = SemanticIndexError.is(error) && error.code !== 'NOT_AN_INDEX' ? error.hint : advice;
  return { check, passed: false, severity: 'error', message, hint };
}
