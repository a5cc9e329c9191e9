import { SemanticIndexError } from '../errors.js';
import { renamedMethods } from './renamed.js';

/** Defines the methods that were renamed or removed: they fail with UNKNOWN_OPTION, and the hint has the new call. */
export function refuseRemovedMethods(owner: keyof typeof renamedMethods, prototype: object): void {
  for (const [name, call] of Object.entries(renamedMethods[owner])) {
    const error = (): SemanticIndexError =>
      new SemanticIndexError('UNKNOWN_OPTION', `${owner} has no method ${name}`, {
        hint: `Call ${call}.`,
        details: { method: name },
      });
    const value = async (): Promise<never> => {
      throw error();
    };
    // It returned an iterator, which throws when it is read.
    const iterate = (): never => {
      throw error();
    };
    const refused = name === 'exportDocuments' ? iterate : value;
    Object.defineProperty(prototype, name, { value: refused, configurable: true, writable: true });
  }
}
