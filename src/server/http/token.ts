import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether a header is `Bearer` with the token. Compares hashes, which are of one length, in a time that does not tell how much of the token is right. */
export function isToken(header: string | undefined, token: string): boolean {
  const given = /^Bearer +(.+)$/i.exec(header ?? '')?.[1] ?? '';
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(token));
}
