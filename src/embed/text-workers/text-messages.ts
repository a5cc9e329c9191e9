import type { EncodedTexts, PreparedTexts, PrepareOptions } from '../../analysis/text-preparer.js';
import type { ErrorCode } from '../../errors.js';

/** Work on a batch of texts. */
export interface TextRequest extends PrepareOptions {
  readonly texts: EncodedTexts;
  /** Directory of the static model that embeds them; undefined: nothing is embedded. */
  readonly model: string | undefined;
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
