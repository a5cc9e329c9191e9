import type { PackedTerms } from '../../analysis/packed-terms.js';
import type { ErrorCode } from '../../errors.js';

/** Work on a batch of texts. */
export interface TextRequest {
  readonly texts: readonly string[];
  /** Directory of the static model that embeds them; undefined: nothing is embedded. */
  readonly model: string | undefined;
  /** Places of the texts to embed, ascending. Default: all. */
  readonly embed?: readonly number[] | undefined;
  /** Whether the texts are analyzed. */
  readonly analyze: boolean;
}

/** What was derived from a batch of texts. */
export interface PreparedTexts {
  /** Vectors of the embedded texts, one after the other, of length 1 each; undefined when nothing was to be embedded. */
  readonly vectors: Float32Array<ArrayBuffer> | undefined;
  /** Tokens of the embedded texts. */
  readonly tokens: number;
  /** The terms of all texts, in their order, with the keys 0, 1, ...; undefined when they were not to be analyzed. */
  readonly terms: PackedTerms | undefined;
}

/** To a thread: a request, or null to end when all others are done. */
export type TextCall =
  | (TextRequest & {
      readonly call: number;
      /** Shared by both threads: 1 as soon as the answer is not wanted any more. */
      readonly cancelled: Int32Array | undefined;
    })
  | null;

/** From a thread. */
export type TextReply =
  | ({ readonly call: number } & PreparedTexts)
  | {
      readonly call: number;
      readonly error: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly hint: string | undefined;
        readonly details: Readonly<Record<string, unknown>>;
        readonly stack: string | undefined;
      };
    };
