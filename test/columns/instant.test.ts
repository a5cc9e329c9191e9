import { describe, expect, it } from 'vitest';
import { instantOf } from '../../src/columns/instant.js';
import { SemanticIndex } from '../../src/index.js';
import { deterministicProvider } from '../../src/testing.js';

describe('a date in metadata', () => {
  it('has a day of its month, in every month of common and leap years', () => {
    for (const year of ['1900', '2000', '2023', '2024']) {
      for (let month = 1; month <= 12; month++) {
        const days = new Date(Date.UTC(Number(year), month, 0)).getUTCDate();
        for (let day = 1; day <= 31; day++) {
          const date = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
          const instant = day <= days ? Date.UTC(Number(year), month - 1, day) : Number.NaN;
          expect([date, instantOf(date)]).toEqual([date, instant]);
          expect([date, instantOf(`${date}T00:00`)]).toEqual([date, instant]);
          expect([date, instantOf(`${date}T02:00+02:00`)]).toEqual([date, instant]);
        }
      }
    }
    for (const date of ['2023-00-10', '2023-13-01', '2023-01-00', '2023-01-32', '2023-01-01T25:00Z', '2023-1-1']) {
      expect([date, instantOf(date)]).toEqual([date, Number.NaN]);
    }
  });

  it('is counted and boosted only if it exists', async () => {
    await using index = await SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 8 }) });
    await index.addDocuments([
      { id: 'real', text: 'a parcel', metadata: { date: '2023-02-28' } },
      { id: 'impossible', text: 'a parcel', metadata: { date: '2023-02-29' } },
    ]);
    const { facets } = await index.facets({ fields: { date: { interval: 'day' } } });
    expect(facets.date?.counts).toEqual([{ value: '2023-02-28T00:00:00.000Z', count: 1 }]);
    const ranges = [{ from: '2023-02-01', to: '2023-03-01' }, { from: '2023-03-01' }];
    const ranged = await index.facets({ fields: { date: { ranges } } });
    expect(ranged.facets.date?.counts.map(({ count }) => count)).toEqual([1, 0]);
    expect([facets.date?.distinct, facets.date?.missing]).toEqual([1, 0]);
    // A document without a date has the factor 1.
    const boost = [{ field: 'date', halfLife: '1d', now: '2023-03-01' }];
    const { hits } = await index.search('a parcel', { mode: 'text', boost, explain: true });
    expect(hits.map(({ id, explanation }) => [id, explanation?.boost])).toEqual([
      ['impossible', 1],
      ['real', 0.5],
    ]);
  });

  it('is refused as a bound or as the current time if it does not exist', async () => {
    await using index = await SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 8 }) });
    await index.addDocuments([{ id: 1, text: 'a parcel', metadata: { date: '2023-02-28' } }]);
    for (const given of ['2023-02-29', '2023-06-31', 'March 1, 2023']) {
      const refusal = {
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(given),
        hint: expect.stringMatching(/2026-01-31/),
      };
      const facets = index.facets({ fields: { date: { ranges: [{ from: given }] } } });
      await expect(facets).rejects.toMatchObject(refusal);
      const boosted = index.search('a parcel', { boost: [{ field: 'date', halfLife: '1d', now: given }] });
      await expect(boosted).rejects.toMatchObject(refusal);
    }
  });

  it('is in UTC without a zone, also as a bound', async () => {
    await using index = await SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 8 }) });
    await index.addDocuments([{ id: 1, text: 'a parcel', metadata: { date: '2023-02-28T12:00' } }]);
    const zone = process.env.TZ;
    process.env.TZ = 'America/New_York';
    try {
      const ranges = [{ from: '2023-02-28T12:00', to: '2023-02-28T12:01' }];
      const { facets } = await index.facets({ fields: { date: { ranges } } });
      expect(facets.date?.counts[0]?.count).toBe(1);
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });
});
