export interface BatchDocument {
  readonly id: string;
  readonly text: string;
  readonly metadata: { readonly batch: number };
}
export function batchOf(batch: number, size?: number): BatchDocument[];
export function textOf(number: number, batch: number): string;
