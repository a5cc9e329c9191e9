import { type Command, Option } from 'commander';
import type { Boost, SearchExplanation, SearchOptions, SearchResult, Where } from '../../index.js';
import { eachValue, existingIds, finiteNumber, positiveInteger } from '../arguments.js';
import { counted } from '../counted.js';
import { boostArgument } from '../flags/boost-argument.js';
import { type RerankFlags, rerankingOf, withRerankFlags } from '../flags/rerank-flags.js';
import { condition } from '../flags/where-condition.js';
import { formatOption, formattedHits, type HitFlags, hitsWithin, snippetFor, withJson } from '../hit-formats.js';
import { type ModelFlags, withModelFlags } from '../model-choice.js';
import { noteUnknownFields } from '../note-unknown-fields.js';
import { openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import { readQueries } from '../sources/read-queries.js';
import type { CommonFlags } from '../terminal.js';
import { fieldsOf, linesOf } from './facets.js';

interface SearchFlags extends CommonFlags, ModelFlags, HitFlags, RerankFlags {
  readonly k: number;
  readonly where?: Where;
  readonly minScore?: number;
  readonly vectorWeight?: number;
  readonly onProviderFailure?: 'error' | 'text';
  readonly embedBudget?: number;
  readonly diversity?: number;
  readonly exact?: boolean;
  readonly searchK?: number;
  readonly mode?: SearchOptions['mode'];
  readonly syntax?: SearchOptions['syntax'];
  readonly typos?: boolean;
  readonly boost?: readonly Boost[];
  readonly groupBy?: string;
  readonly groupSize?: number;
  readonly facets?: readonly string[];
  readonly explain?: boolean;
  readonly vector?: boolean;
  readonly snippet?: boolean;
}

/** Values of a field that are printed. */
const facetValues = 10;

function withSearchFlags(command: Command): Command {
  return withModelFlags(command)
    .option('-k, --k <number>', 'maximum number of hits', positiveInteger, 10)
    .option('-w, --where <condition>', 'FIELD=VALUE (also !=, >, >=, <, <=) or JSON; several must all hold', condition)
    .option('--min-score <number>', 'minimum score of a hit', finiteNumber)
    .option('--exact', 'compare every vector')
    .option('--search-k <number>', 'items examined in each segment', positiveInteger)
    .option('--full', 'print whole texts instead of snippets')
    .option('--max-tokens <number>', 'stop before this many tokens are printed', positiveInteger)
    .addOption(formatOption)
    .option('--snippet', 'with --json: also the best part of each text, with the words of the query');
}

/** `search`: the documents that answer a query. */
export function addSearch(program: Command): void {
  const command = program
    .command('search')
    .description('find documents by meaning and by words')
    .argument('<index>', 'directory of the index')
    .argument('<query...>', 'the query; - reads one query per line from stdin')
    .addOption(new Option('--mode <mode>', 'search mode').choices(['hybrid', 'vector', 'text']).default('hybrid'))
    .addOption(
      new Option(
        '--syntax <syntax>',
        'operators: "some words" must occur, -word and -"some words" must not, begin* stands for words; plain: words alone',
      )
        .choices(['plain', 'operators'])
        .default('plain'),
    )
    .option('--no-typos', 'do not replace words that occur in no document by similar ones')
    .option('--vector-weight <number>', 'in hybrid searches: from 0 (words) to 1 (meaning)', finiteNumber)
    .addOption(
      new Option('--on-provider-failure <what>', 'if the model fails: report the error, or search by words').choices([
        'error',
        'text',
      ]),
    )
    .option('--embed-budget <milliseconds>', 'time that the model may take for the query', positiveInteger)
    .option('--diversity <number>', 'from 0 (best hits) to 1 (most different hits)', finiteNumber)
    .option('--boost <boost>', 'FIELD:HALFLIFE, FIELD:SCALE:FACTOR, CONDITION*FACTOR or JSON', boostArgument)
    .option('--group-by <field>', 'at most one hit for each value of the field')
    .option('--group-size <number>', 'hits for each value of the field', positiveInteger)
    .option('--facets <field>', 'count documents by this field; FIELD:month counts dates', eachValue)
    .option('--vector', 'the query is a vector: a JSON array')
    .option('--explain', 'also print how the search was executed');
  withSearchFlags(withRerankFlags(command));
  withCommonFlags(command, [
    'search my-index "can I get my money back?"',
    'search my-index refund --where lang=en --where \'{"year":{"$gte":2020}}\' -k 3',
    'search my-index "release notes" --boost date:30d --boost lang=en*1.5 --group-by source',
    'search my-index "reset password" --json | jq ".hits[].id"',
    'search my-index \'"connection pool" -redis config*\' --syntax operators',
    'search my-index "reset password" --format md --max-tokens 4000',
    'search my-index - --json < questions.txt',
  ]).action((folder: string, words: string[], flags: SearchFlags) =>
    perform(withJson(flags), async ({ terminal, signal }) => {
      const { k, where, minScore, vectorWeight, onProviderFailure, embedBudget, diversity, exact, searchK, mode } =
        flags;
      const { syntax, typos } = flags;
      const fallback = { onProviderFailure, embedBudget };
      await using reranking = rerankingOf(flags);
      const snippet = snippetFor(withJson(flags));
      const { boost, groupBy, groupSize } = flags;
      const facets = flags.facets && fieldsOf(flags.facets, facetValues);
      const columns = { boost, groupBy, groupSize, facets };
      const options = {
        ...fallback,
        ...reranking.options,
        syntax,
        typos,
        ...columns,
        k,
        where,
        minScore,
        vectorWeight,
        diversity,
        exact,
        searchK,
        mode,
        snippet,
        signal,
      };
      const queries = await readQueries(words, flags.vector === true);
      await using opened = await openIndex(folder, flags, terminal, { readonly: true });
      const { index } = opened;
      if (flags.explain === true) {
        const found = await index.search(queries[0] as string, { ...options, explain: true });
        const result = { ...found, hits: [...hitsWithin(found.hits, flags)] };
        const { segments, exact: compared, milliseconds, corrected = [] } = result.explanation as SearchExplanation;
        const times = Object.entries(milliseconds).map(([stage, time]) => `${stage} ${time.toFixed(1)} ms`);
        terminal.result(result, [
          ...formattedHits(result.hits, terminal, flags),
          ...corrected.map(({ from, to }) => `No document has ${from}: searched for ${to}`),
          `${compared ? 'Compared every allowed vector' : 'Searched approximately'} in ${counted(segments.length, 'segment')}: ${times.join(', ')}`,
        ]);
        return undefined;
      }
      const began = performance.now();
      const results = (await index.searchMany(queries, options)).map((result) => {
        return { ...result, hits: [...hitsWithin(result.hits, flags)] };
      });
      const milliseconds = Math.round((performance.now() - began) * 10) / 10;
      const [first = { hits: [] } as SearchResult] = results;
      if (first.degraded !== undefined) terminal.note(`Searched by words alone: ${first.degraded.message}`);
      const { judged = 0, of = 0 } = first.reranked ?? {};
      if (judged < of)
        terminal.note(`Reranked the first ${judged} of ${counted(of, 'hit')} in the time that was given`);
      if (first.phrases !== undefined) {
        const { read, of: all } = first.phrases;
        const texts = `the best ${counted(read, 'text')} of ${all.toLocaleString('en')}`;
        terminal.note(`Looked for the phrases in ${texts} with their words; --exact reads all`);
      }
      if (results.every(({ hits }) => hits.length === 0)) await noteUnknownFields(index, where, terminal);
      if (words[0] !== '-') {
        terminal.result({ query: queries[0], ...first, milliseconds }, [
          ...formattedHits(first.hits, terminal, flags),
          ...Object.entries((flags.format === 'text' && first.facets) || {}).flatMap(([field, facet]) =>
            linesOf(field, facet, terminal),
          ),
        ]);
        return undefined;
      }
      const searches = results.map((result, position) => ({ query: queries[position], ...result }));
      const lines = searches.flatMap(({ query, hits: own }) => [
        ...(flags.format === 'text' ? [terminal.style('bold', `? ${String(query)}`)] : []),
        ...formattedHits(own, terminal, flags),
      ]);
      terminal.result({ searches, milliseconds }, lines);
      return undefined;
    }),
  );
}

/** `similar`: the documents most like one of them. */
export function addSimilar(program: Command): void {
  const command = program
    .command('similar')
    .description('find the documents most similar to one of the index')
    .argument('<index>', 'directory of the index')
    .argument('<id>', 'id of the document');
  withSearchFlags(command);
  withCommonFlags(command, ['similar my-index returns', 'similar my-index 12 -k 3 --min-score 0.5 --json']).action(
    (folder: string, text: string, flags: SearchFlags) =>
      perform(withJson(flags), async ({ terminal, signal }) => {
        const { k, where, minScore, exact, searchK } = flags;
        await using opened = await openIndex(folder, flags, terminal, { readonly: true });
        const [id] = await existingIds(opened.index, [text]);
        const found = await opened.index.search(
          { id: id as string | number },
          { k, where, minScore, exact, searchK, snippet: snippetFor(withJson(flags)), signal },
        );
        const hits = hitsWithin(found.hits, flags);
        if (hits.length === 0) await noteUnknownFields(opened.index, where, terminal);
        terminal.result({ id, hits }, formattedHits(hits, terminal, flags));
        return undefined;
      }),
  );
}
