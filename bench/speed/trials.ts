/** One engine with its settings, and the values of its knob that are tried. */
export interface Trial {
  readonly name: string;
  /** A file in engines/. */
  readonly engine: string;
  readonly settings: Readonly<Record<string, number | string>>;
  /** What the knob is called there, and its values; one value when there is no knob. */
  readonly knob: string;
  readonly efforts: readonly number[];
  /** Queries asked at most: an engine that looks at every row needs no thousand. */
  readonly queries?: number;
  /** Rows at most; what it would need beyond is said. */
  readonly rows?: number;
  readonly rowsReason?: string;
}

const graph = [
  96, 128, 160, 192, 256, 320, 400, 512, 640, 800, 1_024, 1_280, 1_600, 2_048, 2_560, 3_840, 6_144, 10_240, 20_480,
  40_960,
];
const efs = [16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512];

export const trials: readonly Trial[] = [
  {
    name: 'semantic-index',
    engine: 'semantic-index',
    settings: { engine: 'graph', trees: 10 },
    knob: 'searchK',
    efforts: graph,
  },
  {
    name: 'semantic-index 20 trees',
    engine: 'semantic-index',
    settings: { engine: 'graph', trees: 20 },
    knob: 'searchK',
    efforts: graph,
  },
  {
    name: 'semantic-index classical',
    engine: 'semantic-index',
    settings: { engine: 'annoy', trees: 20 },
    knob: 'searchK',
    efforts: [500, 1_000, 2_000, 4_000, 8_000, 16_000],
    queries: 300,
  },
  {
    name: 'semantic-index exact',
    engine: 'semantic-index',
    settings: { engine: 'graph', exact: 'yes', trees: 10 },
    knob: 'none',
    efforts: [0],
    queries: 100,
  },
  {
    name: 'semantic-index exact without graph index',
    engine: 'semantic-index',
    settings: { engine: 'annoy', exact: 'yes', trees: 1 },
    knob: 'none',
    efforts: [0],
    queries: 100,
  },
  {
    name: 'npm annoy',
    engine: 'npm-annoy',
    settings: { trees: 20 },
    knob: 'search_k',
    efforts: [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000],
    queries: 200,
  },
  { name: 'hnswlib-node', engine: 'hnswlib', settings: { m: 16, efConstruction: 200 }, knob: 'ef', efforts: efs },
  {
    name: 'usearch f32',
    engine: 'usearch',
    settings: { quantization: 'f32', connectivity: 16, expansionAdd: 128 },
    knob: 'expansion',
    efforts: efs,
  },
  {
    name: 'usearch i8',
    engine: 'usearch',
    settings: { quantization: 'i8', connectivity: 16, expansionAdd: 128 },
    knob: 'expansion',
    efforts: efs,
  },
  {
    name: 'LanceDB IVF-PQ',
    engine: 'lancedb',
    settings: { index: 'ivf-pq' },
    knob: 'nprobes',
    efforts: [10, 20, 40, 80, 160],
    queries: 100,
  },
  {
    name: 'LanceDB HNSW-SQ',
    engine: 'lancedb',
    settings: { index: 'hnsw-sq' },
    knob: 'ef',
    efforts: [32, 64, 128, 256, 512],
    queries: 100,
  },
  { name: 'sqlite-vec', engine: 'sqlite-vec', settings: {}, knob: 'none', efforts: [0], queries: 30 },
  {
    name: 'Vectra',
    engine: 'vectra',
    settings: {},
    knob: 'none',
    efforts: [0],
    queries: 20,
    rows: 20_000,
    rowsReason: 'it keeps all rows in one JSON file, whose text may not pass the longest string of the engine',
  },
  { name: 'JavaScript loop', engine: 'plain', settings: {}, knob: 'none', efforts: [0], queries: 30 },
];
