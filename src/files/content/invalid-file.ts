import { SemanticIndexError } from '../../errors.js';

/** An error about the content of a file; the name of the file is added where it is known. */
export function invalidFile(
  reason: string,
  hint: string,
  cause?: unknown,
  kind?: 'binary' | 'undecodable',
): SemanticIndexError {
  // Messages of parsers may end with a period; a hint follows.
  return new SemanticIndexError('INVALID_FILE', reason.replace(/\.$/, ''), {
    hint,
    cause,
    ...(kind !== undefined && { details: { kind } }),
  });
}

/** An error about a file that is larger than a limit. */
export function tooLarge(reason: string, option?: string): SemanticIndexError {
  return new SemanticIndexError('TOO_LARGE', reason, {
    hint: option === undefined ? 'Split the file, or leave it out.' : `Split the file, or raise ${option}.`,
  });
}

/** An error about elements nested deeper than any program writes them. */
export function tooDeep(limit: number): SemanticIndexError {
  return invalidFile(`its elements are nested more than ${limit.toLocaleString('en')} deep`, 'Leave it out.');
}

/** Loads an optional package. @throws MISSING_PEER with the command that installs it. */
export async function loadPackage<T>(load: () => Promise<T>, what: string, packages: string): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new SemanticIndexError('MISSING_PEER', `reading ${what} needs ${packages.split(' ').join(' and ')}`, {
      hint: `npm install ${packages}`,
      cause,
      details: { packages },
    });
  }
}
