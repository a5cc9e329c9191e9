/** A node: a test of a feature with the nodes of both sides, or a leaf (feature -1) with its value as threshold. */
export interface TreeNode {
  readonly feature: number;
  readonly threshold: number;
  readonly left?: TreeNode;
  readonly right?: TreeNode;
}

/** Trees whose values add up to log odds. */
export interface Ensemble {
  readonly start: number;
  readonly trees: readonly TreeNode[];
}

/** Rows of features with their labels (0 to 1) and weights. */
export interface Examples {
  readonly rows: readonly Float64Array[];
  readonly labels: readonly number[];
  readonly weights: readonly number[];
}

const [count, rate, depth, minRows, shrinkage, rowShare, columnShare, maxBins] = [160, 0.06, 3, 12, 4, 0.7, 0.6, 128];

/** The values of each feature in at most `maxBins` bins of about as many rows each. */
interface Binned {
  /** The bin of each feature in each row, row by row. */
  readonly bins: Uint8Array;
  readonly width: number;
  /** Between each bin and the next, rounded as it is written; values up to it are in the bin. */
  readonly bounds: readonly (readonly number[])[];
}

function binned(rows: readonly Float64Array[]): Binned {
  const width = (rows[0] as Float64Array).length;
  const bins = new Uint8Array(rows.length * width);
  const bounds = Array.from({ length: width }, (_, feature) => {
    const values = rows.map((row) => row[feature] as number).sort((a, b) => a - b);
    const found: number[] = [];
    let start = 0;
    for (let at = 1; at < values.length; at++) {
      const [here, next] = [values[at - 1] as number, values[at] as number];
      const bound = Math.round(500 * (here + next)) / 1000;
      if (at - start < values.length / maxBins || bound < here || bound >= next) continue;
      found.push(bound);
      start = at;
    }
    for (const [row, own] of rows.entries()) {
      const place = found.findIndex((bound) => (own[feature] as number) <= bound);
      bins[row * width + feature] = place === -1 ? found.length : place;
    }
    return found;
  });
  return { bins, width, bounds };
}

/** Fits trees by gradient boosting of the log loss with second derivatives (Friedman 2001; Chen, Guestrin 2016). */
export function fitTrees({ rows, labels, weights }: Examples, random: () => number): Ensemble {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const share = labels.reduce((sum, label, at) => sum + label * (weights[at] as number), 0) / total;
  const start = Math.log(share / (1 - share));
  const odds = new Float64Array(rows.length).fill(start);
  const data = binned(rows);
  const trees: TreeNode[] = [];
  for (let tree = 0; tree < count; tree++) {
    const gradients = new Float64Array(rows.length);
    const curvatures = new Float64Array(rows.length);
    for (let row = 0; row < rows.length; row++) {
      const p = 1 / (1 + Math.exp(-(odds[row] as number)));
      gradients[row] = (p - (labels[row] as number)) * (weights[row] as number);
      curvatures[row] = p * (1 - p) * (weights[row] as number);
    }
    const chosen = [...rows.keys()].filter(() => random() < rowShare);
    const columns = [...Array(data.width).keys()].filter(() => random() < columnShare);
    const grown = grow(data, gradients, curvatures, chosen, columns.length === 0 ? [0] : columns, depth);
    for (let row = 0; row < rows.length; row++) {
      odds[row] = (odds[row] as number) + leafOf(grown, rows[row] as Float64Array);
    }
    trees.push(grown);
  }
  return { start, trees };
}

function grow(
  data: Binned,
  gradients: Float64Array,
  curvatures: Float64Array,
  chosen: readonly number[],
  columns: readonly number[],
  left: number,
): TreeNode {
  const { bins, width, bounds } = data;
  const sum = (values: Float64Array): number => chosen.reduce((total, row) => total + (values[row] as number), 0);
  const [gradient, curvature] = [sum(gradients), sum(curvatures)];
  const leaf = { feature: -1, threshold: (-rate * gradient) / (curvature + shrinkage) };
  if (left === 0 || chosen.length < 2 * minRows) return leaf;
  let best: { gain: number; feature: number; bin: number } | undefined;
  for (const feature of columns) {
    const of = bounds[feature] as readonly number[];
    const [gs, hs, counts] = [
      new Float64Array(maxBins + 1),
      new Float64Array(maxBins + 1),
      new Int32Array(maxBins + 1),
    ];
    for (const row of chosen) {
      const bin = bins[row * width + feature] as number;
      gs[bin] = (gs[bin] as number) + (gradients[row] as number);
      hs[bin] = (hs[bin] as number) + (curvatures[row] as number);
      counts[bin] = (counts[bin] as number) + 1;
    }
    let [g, h, n] = [0, 0, 0];
    for (let bin = 0; bin < of.length; bin++) {
      g += gs[bin] as number;
      h += hs[bin] as number;
      n += counts[bin] as number;
      if (n < minRows || chosen.length - n < minRows) continue;
      const gain =
        (g * g) / (h + shrinkage) +
        (gradient - g) ** 2 / (curvature - h + shrinkage) -
        (gradient * gradient) / (curvature + shrinkage);
      if (gain > (best?.gain ?? 1e-3)) best = { gain, feature, bin };
    }
  }
  if (best === undefined) return leaf;
  const { feature, bin } = best;
  const goesLeft = (row: number): boolean => (bins[row * width + feature] as number) <= bin;
  const [one, other] = [chosen.filter(goesLeft), chosen.filter((row) => !goesLeft(row))];
  const child = (some: readonly number[]): TreeNode => grow(data, gradients, curvatures, some, columns, left - 1);
  return { feature, threshold: (bounds[feature] as number[])[bin] as number, left: child(one), right: child(other) };
}

function leafOf(node: TreeNode, row: Float64Array): number {
  let at = node;
  while (at.feature >= 0) at = ((row[at.feature] as number) <= at.threshold ? at.left : at.right) as TreeNode;
  return at.threshold;
}

/** The probability of a row. */
export function predict({ start, trees }: Ensemble, row: Float64Array): number {
  const odds = trees.reduce((sum, tree) => sum + leafOf(tree, row), start);
  return 1 / (1 + Math.exp(-odds));
}

/** The trees as text, one a line, with all nodes of the depth. */
export function written({ trees }: Ensemble): string {
  return trees
    .map((tree) => {
      const tests: string[] = Array(2 ** depth - 1).fill('0:9');
      const leaves: number[] = [];
      const walk = (node: TreeNode, place: number, level: number): void => {
        if (level === depth) {
          leaves.push(Math.round(1000 * node.threshold));
          return;
        }
        // A leaf above the last level stands on both sides of a test that nothing fails.
        if (node.feature >= 0) tests[place] = `${node.feature}:${String(node.threshold).replace(/^(-?)0\./, '$1.')}`;
        walk(node.feature < 0 ? node : (node.left as TreeNode), 2 * place + 1, level + 1);
        walk(node.feature < 0 ? node : (node.right as TreeNode), 2 * place + 2, level + 1);
      };
      walk(tree, 0, 0);
      return `${tests.join(' ')} ${leaves.join(' ')}`;
    })
    .join('\n');
}
