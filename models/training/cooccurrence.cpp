// Counts how often two tokens stand within a window of each other and writes the positive pointwise mutual information
// of every pair, as a sparse matrix by rows.
//   cooccurrence TOKENS VOCABULARY WINDOW MINIMUM OUTPUT
// TOKENS: uint16 little endian, 65535 separates paragraphs. Words further apart count less: weight 1 / distance.
// OUTPUT: int64 row starts [VOCABULARY + 1], then int32 columns, then float32 values.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 6) return std::fputs("usage: cooccurrence TOKENS VOCABULARY WINDOW MINIMUM OUTPUT\n", stderr), 2;
  const size_t rows = std::strtoull(argv[2], nullptr, 10);
  const int window = std::atoi(argv[3]);
  const float minimum = std::atof(argv[4]);
  std::FILE* file = std::fopen(argv[1], "rb");
  if (!file) return std::perror(argv[1]), 1;
  std::vector<uint16_t> tokens;
  std::vector<uint16_t> buffer(1 << 20);
  while (size_t read = std::fread(buffer.data(), 2, buffer.size(), file)) {
    tokens.insert(tokens.end(), buffer.begin(), buffer.begin() + read);
  }
  std::fclose(file);

  // Half of the matrix is counted (row >= column) and mirrored when read.
  std::vector<float> counts(rows * (rows + 1) / 2);
  const auto cell = [](size_t a, size_t b) { return a >= b ? a * (a + 1) / 2 + b : b * (b + 1) / 2 + a; };
  for (size_t at = 0; at < tokens.size(); ++at) {
    if (tokens[at] == 65535) continue;
    for (int distance = 1; distance <= window && at + distance < tokens.size(); ++distance) {
      const uint16_t other = tokens[at + distance];
      if (other == 65535) break;
      counts[cell(tokens[at], other)] += 1.0f / distance;
    }
  }

  std::vector<double> sums(rows);
  for (size_t a = 0; a < rows; ++a) {
    for (size_t b = 0; b <= a; ++b) {
      const double count = counts[a * (a + 1) / 2 + b];
      sums[a] += count;
      if (a != b) sums[b] += count;
    }
  }
  // Contexts smoothed by the power 0.75, as is usual: rare contexts would look too surprising.
  double total = 0, smoothed_total = 0;
  std::vector<double> smoothed(rows);
  for (size_t a = 0; a < rows; ++a) {
    total += sums[a];
    smoothed[a] = std::pow(sums[a], 0.75);
    smoothed_total += smoothed[a];
  }
  std::vector<int64_t> starts{0};
  std::vector<int32_t> columns;
  std::vector<float> values;
  for (size_t a = 0; a < rows; ++a) {
    for (size_t b = 0; b < rows; ++b) {
      const float count = counts[cell(a, b)];
      if (count < minimum) continue;
      const double information = std::log(count / sums[a] / (smoothed[b] / smoothed_total));
      if (information <= 0) continue;
      columns.push_back(static_cast<int32_t>(b));
      values.push_back(static_cast<float>(information));
    }
    starts.push_back(static_cast<int64_t>(columns.size()));
  }
  std::FILE* output = std::fopen(argv[5], "wb");
  if (!output) return std::perror(argv[5]), 1;
  std::fwrite(starts.data(), sizeof(int64_t), starts.size(), output);
  std::fwrite(columns.data(), sizeof(int32_t), columns.size(), output);
  std::fwrite(values.data(), sizeof(float), values.size(), output);
  return std::fclose(output) == 0 ? 0 : 1;
}
