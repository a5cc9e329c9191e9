import type { Backend } from '../backend/backend.js';
import type { EmbeddingSpace } from './embedding-space.js';

/** The index that an operation works on. */
export interface OperationContext {
  readonly backend: Backend;
  readonly space: EmbeddingSpace;
}
