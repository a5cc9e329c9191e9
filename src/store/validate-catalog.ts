import { SemanticIndexError } from '../errors.js';
import type { ValidationReport } from '../types.js';
import { restoreHint, type ValidationRequest } from './validate/validator.js';
import type { CatalogClient } from './writer/catalog-client.js';

/** Validates in a catalog thread. A catalog that cannot even be opened there is a finding, not an error. */
export async function validateCatalog(
  catalog: CatalogClient,
  request: ValidationRequest,
  signal?: AbortSignal,
): Promise<ValidationReport> {
  try {
    return await catalog.until(signal).validator.validate(request);
  } catch (error) {
    signal?.throwIfAborted();
    if (!SemanticIndexError.is(error) || !['CORRUPT', 'IO', 'NOT_AN_INDEX'].includes(error.code)) throw error;
    const { message } = error;
    const check = { check: 'database', passed: false, severity: 'error', message, hint: restoreHint } as const;
    return { valid: false, checks: [check] };
  }
}
