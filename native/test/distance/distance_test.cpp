// Every instruction set must give the bits of the scalar oracle, and the oracle must be right.

#include "distance/distance.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "distance/int8_vector.h"
#include "support/check.h"
#include "support/generate.h"

using namespace semantic_index_test;

namespace {

uint32_t bits_of(float number) {
  uint32_t bits;
  std::memcpy(&bits, &number, sizeof bits);
  return bits;
}

const DistanceTable& scalar() {
  const DistanceTable* const* tables = available_instruction_sets();
  while (std::strcmp((*tables)->name, "scalar") != 0) ++tables;
  return **tables;
}

/** The definition in distance.h, word by word, with the C library's fused multiply-add. */
float defined_sum(const float* x, const float* y, size_t n, int kind) {
  float lanes[kLanes] = {};
  for (size_t i = 0; i < n; ++i) {
    float& lane = lanes[i % kLanes];
    const float difference = x[i] - y[i];
    if (kind == 0) lane = std::fma(x[i], y[i], lane);
    if (kind == 1) lane = std::fma(difference, difference, lane);
    if (kind == 2) lane = lane + std::fabs(difference);
  }
  for (size_t width = 8; width > 0; width /= 2) {
    for (size_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  }
  return lanes[0];
}

/** Numbers of very different size, some of them zero or tiny. */
std::vector<float> rough_numbers(size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<float> numbers(count);
  for (float& number : numbers) {
    number = std::ldexp(normal(&random), static_cast<int>(random.below(60)) - 30);
    if (random.below(20) == 0) number = 0.0f;
    if (random.below(50) == 0) number = std::ldexp(normal(&random), -140);
    if (random.below(30) == 0) number = -0.0f;
  }
  return numbers;
}

const size_t kLengths[] = {0,  1,  2,  3,  4,  5,  7,  8,   9,   15,  16,  17,  23,  24,  25,  31,  32,  33,  47,
                           48, 49, 63, 64, 65, 96, 99, 100, 127, 128, 129, 255, 256, 300, 383, 384, 385, 768, 1000};

}  // namespace

TEST(scalar_is_as_defined) {
  for (size_t length : kLengths) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const std::vector<float> x = rough_numbers(length, seed);
      const std::vector<float> y = rough_numbers(length, seed + 1000);
      CHECK_EQUAL(bits_of(scalar().dot(x.data(), y.data(), length)),
                  bits_of(defined_sum(x.data(), y.data(), length, 0)));
      CHECK_EQUAL(bits_of(scalar().squared_euclidean(x.data(), y.data(), length)),
                  bits_of(defined_sum(x.data(), y.data(), length, 1)));
      CHECK_EQUAL(bits_of(scalar().manhattan(x.data(), y.data(), length)),
                  bits_of(defined_sum(x.data(), y.data(), length, 2)));
    }
  }
}

TEST(scalar_fused_steps_round_once) {
  // One element after another goes through a single lane, with sums of every size: what the emulation could get wrong.
  Random random(5);
  for (int round = 0; round < 300000; ++round) {
    float x[32] = {};
    float y[32] = {};
    for (int i = 0; i < 32; i += 16) {
      x[i] = std::ldexp(normal(&random), static_cast<int>(random.below(30)) - 15);
      y[i] = std::ldexp(normal(&random), static_cast<int>(random.below(30)) - 15);
      if (random.below(4) == 0) {
        // Few significant bits, so that sums fall exactly between two floats.
        x[i] = static_cast<float>(static_cast<int>(random.below(4096)) - 2048);
        y[i] = std::ldexp(1.0f + static_cast<float>(random.below(8)), static_cast<int>(random.below(50)) - 25);
      }
    }
    CHECK_EQUAL(bits_of(scalar().dot(x, y, 32)), bits_of(defined_sum(x, y, 32, 0)));
  }
}

TEST(sums_are_right) {
  for (size_t length : kLengths) {
    const std::vector<float> x = random_rows(Metric::angular, 1, static_cast<int32_t>(length), 1);
    const std::vector<float> y = random_rows(Metric::angular, 1, static_cast<int32_t>(length), 2);
    double dot = 0, square = 0, sum = 0;
    for (size_t i = 0; i < length; ++i) {
      const double difference = static_cast<double>(x[i]) - y[i];
      dot += static_cast<double>(x[i]) * y[i];
      square += difference * difference;
      sum += std::fabs(difference);
    }
    CHECK(std::fabs(scalar().dot(x.data(), y.data(), length) - dot) < 1e-4);
    CHECK(std::fabs(scalar().squared_euclidean(x.data(), y.data(), length) - square) <= 1e-6 * square);
    CHECK(std::fabs(scalar().manhattan(x.data(), y.data(), length) - sum) <= 1e-6 * sum);
  }
}

TEST(instruction_sets_are_equal) {
  for (const DistanceTable* const* table = available_instruction_sets(); *table != nullptr; ++table) {
    std::printf("  %s\n", (*table)->name);
    for (size_t length : kLengths) {
      for (size_t offset = 0; offset < 4; ++offset) {
        const std::vector<float> numbers = rough_numbers(7 * length + 64, length * 7 + offset);
        // Rows that are aligned to a float and to nothing more.
        const float* x = numbers.data() + offset;
        const float* z = x + length + 3;
        const float* y = z + length + 1;
        const float* four = y + length;
        const DistanceTable& oracle = scalar();
        const DistanceTable& tested = **table;
        CHECK_EQUAL(bits_of(tested.dot(x, y, length)), bits_of(oracle.dot(x, y, length)));
        CHECK_EQUAL(bits_of(tested.squared_euclidean(x, y, length)), bits_of(oracle.squared_euclidean(x, y, length)));
        CHECK_EQUAL(bits_of(tested.manhattan(x, y, length)), bits_of(oracle.manhattan(x, y, length)));
        const float* others[4] = {y, z, four + length, four + 2 * length};
        const float* ones[4] = {x, four, four + 3 * length, y};
        float values[16];
        const auto check_values = [&](size_t rows, size_t columns,
                                      float (*expected)(const float*, const float*, size_t)) {
          for (size_t row = 0; row < rows; ++row) {
            for (size_t column = 0; column < columns; ++column) {
              CHECK_EQUAL(bits_of(values[row * columns + column]),
                          bits_of(expected(ones[row], others[column], length)));
            }
          }
        };
        tested.dot_two(x, others, length, values);
        check_values(1, 2, oracle.dot);
        tested.squared_euclidean_two(x, others, length, values);
        check_values(1, 2, oracle.squared_euclidean);
        tested.manhattan_two(x, others, length, values);
        check_values(1, 2, oracle.manhattan);
        tested.dot_four(x, others, length, values);
        check_values(1, 4, oracle.dot);
        tested.squared_euclidean_four(x, others, length, values);
        check_values(1, 4, oracle.squared_euclidean);
        tested.manhattan_four(x, others, length, values);
        check_values(1, 4, oracle.manhattan);
        tested.dot_block(ones, others, length, values);
        check_values(4, 4, oracle.dot);
        tested.squared_euclidean_block(ones, others, length, values);
        check_values(4, 4, oracle.squared_euclidean);
        std::vector<float> moved(x, x + length + 1);
        std::vector<float> expected = moved;
        tested.add_scaled(moved.data(), y, 0.37f, length);
        oracle.add_scaled(expected.data(), y, 0.37f, length);
        CHECK_EQUAL(std::memcmp(moved.data(), expected.data(), moved.size() * 4), 0);
        tested.move_towards(moved.data(), y, 0.21f, length);
        oracle.move_towards(expected.data(), y, 0.21f, length);
        CHECK_EQUAL(std::memcmp(moved.data(), expected.data(), moved.size() * 4), 0);
      }
    }
  }
}

TEST(products_of_bytes) {
  Random random(4);
  for (const DistanceTable* const* table = available_instruction_sets(); *table != nullptr; ++table) {
    for (size_t length = 0; length <= 1024; length += kInt8Block) {
      for (bool is_extreme : {false, true}) {
        std::vector<int8_t> numbers(5 * length + 8);
        for (int8_t& number : numbers) {
          number = static_cast<int8_t>(static_cast<int>(random.below(255)) - 127);
          if (is_extreme) number = random.flip() ? 127 : -127;
        }
        const int8_t* one = numbers.data() + 1;
        const int8_t* others[4];
        int32_t expected[4] = {};
        for (size_t index = 0; index < 4; ++index) {
          others[index] = one + (index + 1) * length;
          for (size_t i = 0; i < length; ++i) expected[index] += one[i] * others[index][i];
        }
        int32_t values[4];
        (*table)->dot_int8_four(one, others, length, values);
        for (size_t index = 0; index < 4; ++index) CHECK_EQUAL(values[index], expected[index]);
      }
    }
  }
}

TEST(hamming_counts_bits) {
  Random random(3);
  for (const DistanceTable* const* table = available_instruction_sets(); *table != nullptr; ++table) {
    for (size_t words = 0; words < 40; ++words) {
      std::vector<uint64_t> x(words), y(words);
      uint64_t expected = 0;
      for (size_t i = 0; i < words; ++i) {
        x[i] = random.next();
        y[i] = random.next();
        for (int bit = 0; bit < 64; ++bit) expected += (x[i] >> bit & 1) != (y[i] >> bit & 1) ? 1 : 0;
      }
      CHECK_EQUAL((*table)->hamming(x.data(), y.data(), words), expected);
    }
  }
}

TEST(products_of_4_bits) {
  Random random(11);
  for (const DistanceTable* const* table = available_instruction_sets(); *table != nullptr; ++table) {
    for (size_t length = 0; length <= 6 * kInt8Block; length += kInt8Block) {
      for (bool is_extreme : {false, true}) {
        // On the heap and of the exact size, so that a sanitizer sees a step beyond.
        std::vector<int8_t> one(length);
        for (int8_t& number : one) {
          number = static_cast<int8_t>(static_cast<int>(random.below(255)) - 127);
          if (is_extreme) number = -127;
        }
        std::vector<uint8_t> bytes[4];
        const uint8_t* others[4];
        int32_t expected[4] = {};
        for (size_t index = 0; index < 4; ++index) {
          bytes[index].resize(length / 2);
          for (size_t i = 0; i < length / 2; ++i) {
            const auto byte = static_cast<uint8_t>(is_extreme ? 0xff : random.below(256));
            bytes[index][i] = byte;
            expected[index] += one[i] * (byte & 15) + one[length / 2 + i] * (byte >> 4);
          }
          others[index] = bytes[index].data();
        }
        int32_t values[4];
        (*table)->dot_int4_four(one.data(), others, length, values);
        for (size_t index = 0; index < 4; ++index) CHECK_EQUAL(values[index], expected[index]);
      }
    }
  }
}

TEST(sums_of_rows_have_the_same_bits_everywhere) {
  Random random(21);
  constexpr int32_t kTableRows = 20;
  for (const DistanceTable* const* table = available_instruction_sets(); *table != nullptr; ++table) {
    for (size_t row_bytes = kRowBlock; row_bytes <= 13 * kRowBlock; row_bytes += kRowBlock) {
      for (size_t count : {size_t{1}, size_t{2}, size_t{75}}) {
        // On the heap and of the exact size, so that a sanitizer sees a step beyond.
        std::vector<uint8_t> bytes(kTableRows * row_bytes);
        for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.below(256));
        std::vector<float> scales(count);
        for (float& scale : scales) scale = normal(&random);
        std::vector<int32_t> ids(count);
        for (int32_t& id : ids) id = static_cast<int32_t>(random.below(kTableRows));
        std::vector<float> before(2 * row_bytes);
        for (float& sum : before) sum = normal(&random);
        const TableRows rows = {bytes.data(), row_bytes, ids.data(), scales.data(), count};
        std::vector<float> sums8(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(row_bytes));
        std::vector<float> sums4 = before;
        (*table)->sum_int8_rows(rows, sums8.data());
        (*table)->sum_int4_rows(rows, sums4.data());
        const auto total = [&](size_t byte, const auto& value_of) {
          float sum = 0;
          for (size_t row = 0; row < count; ++row) {
            const auto id = static_cast<size_t>(ids[row]);
            const float product = scales[row] * static_cast<float>(value_of(bytes[id * row_bytes + byte]));
            sum = sum + product;
          }
          return sum;
        };
        for (size_t i = 0; i < row_bytes; ++i) {
          const float whole = before[i] + total(i, [](uint8_t byte) { return static_cast<int8_t>(byte); });
          const float even = before[2 * i] + total(i, [](uint8_t byte) { return (byte & 15) - 8; });
          const float odd = before[2 * i + 1] + total(i, [](uint8_t byte) { return (byte >> 4) - 8; });
          CHECK_EQUAL(sums8[i], whole);
          CHECK_EQUAL(sums4[2 * i], even);
          CHECK_EQUAL(sums4[2 * i + 1], odd);
        }
      }
    }
  }
}

TEST(tables_have_every_function) {
  for (const DistanceTable* const* table = available_instruction_sets(); *table != nullptr; ++table) {
    void (*functions[sizeof(DistanceTable) / sizeof(void (*)())])();
    static_assert(sizeof functions == sizeof(DistanceTable), "the table holds pointers only");
    std::memcpy(functions, *table, sizeof functions);
    for (auto function : functions) CHECK(function != nullptr);
  }
}

TEST(split_nibbles_restore_the_int8_values) {
  std::vector<int8_t> row(256);
  for (size_t i = 0; i < row.size(); ++i) row[i] = static_cast<int8_t>(static_cast<int>(i) - 128);
  std::vector<uint8_t> upper(128);
  std::vector<uint8_t> lower(128);
  split_int8(row.data(), row.size(), upper.data(), lower.data());
  for (size_t i = 0; i < 128; ++i) {
    CHECK_EQUAL(16 * (upper[i] & 15) + (lower[i] & 15) - 128, row[i]);
    CHECK_EQUAL(16 * (upper[i] >> 4) + (lower[i] >> 4) - 128, row[i + 128]);
    CHECK_EQUAL(high_value(row[i]), 16 * (upper[i] & 15) - 120);
  }
}

TEST(hamming_of_columns_counts_each_row) {
  Random random(5);
  const uint64_t one[] = {0x0123456789abcdefu, 77, ~uint64_t{0}};
  for (const DistanceTable* const* table = available_instruction_sets(); *table != nullptr; ++table) {
    for (size_t words : {size_t{1}, size_t{2}, size_t{3}}) {
      for (size_t rows : {size_t{1}, size_t{7}, size_t{8}, size_t{77}}) {
        std::vector<uint64_t> columns(words * rows);
        for (uint64_t& word : columns) word = random.next();
        for (size_t word = 0; word < words; ++word) {
          columns[word * rows] = one[word];
          columns[word * rows + rows - 1] = ~one[word];
        }
        std::vector<uint8_t> counts(rows + 1, 0xee);
        (*table)->hamming_columns(one, columns.data(), words, rows, counts.data());
        for (size_t row = 0; row < rows; ++row) {
          uint64_t expected = 0;
          for (size_t word = 0; word < words; ++word) {
            expected += (*table)->hamming(one + word, &columns[word * rows + row], 1);
          }
          CHECK_EQUAL(counts[row], expected);
        }
        CHECK_EQUAL(counts[rows - 1], 64 * words);
        CHECK_EQUAL(counts.back(), 0xee);
      }
    }
  }
}

TEST(greatest_of_four_and_scale_by_class) {
  Random random(17);
  for (const DistanceTable* const* table = available_instruction_sets(); *table != nullptr; ++table) {
    for (const size_t count : {0, 1, 31, 32, 33, 100}) {
      std::vector<uint8_t> numbers(4 * count);
      for (uint8_t& number : numbers) number = static_cast<uint8_t>(random.below(random.flip() ? 256 : 2));
      for (const uint8_t least : {0, 1, 200}) {
        std::vector<uint8_t> greatest(count + 1, 0xee);
        (*table)->greatest_of_four(numbers.data(), least, count, greatest.data());
        for (size_t index = 0; index < count; ++index) {
          uint8_t expected = 0;
          for (size_t of = 4 * index; of < 4 * index + 4; ++of) {
            expected = std::max(expected, static_cast<uint8_t>(numbers[of] - least));
          }
          CHECK_EQUAL(uint32_t{greatest[index]}, uint32_t{expected});
        }
        CHECK_EQUAL(uint32_t{greatest.back()}, 0xeeu);
      }
    }
    uint8_t shares[kShareClasses];
    for (uint8_t& share : shares) share = static_cast<uint8_t>(random.below(256));
    shares[5] = 0;
    shares[77] = 255;
    for (const size_t count : {size_t{0}, kShareBlock, 40 * kShareBlock}) {
      std::vector<uint8_t> classes(count);
      std::vector<uint16_t> sums(count + 1, 0xeeee);
      for (size_t index = 0; index < count; ++index) {
        classes[index] = static_cast<uint8_t>(index % 5 == 0 ? 77 : random.below(kShareClasses));
        sums[index] = static_cast<uint16_t>(index % 3 == 0 ? 65535 - index % 2 : random.below(65536));
      }
      std::vector<uint16_t> scaled = sums;
      (*table)->scale_by_class(classes.data(), shares, count, scaled.data());
      for (size_t index = 0; index < count; ++index) {
        const uint32_t share = shares[classes[index]];
        CHECK_EQUAL(uint32_t{scaled[index]}, (sums[index] * (share * 257) >> 16) + 1);
        if (share == 255 && sums[index] > 0) CHECK_EQUAL(scaled[index], sums[index]);
      }
      CHECK_EQUAL(uint32_t{scaled.back()}, 0xeeeeu);
    }
  }
}

TEST(selection) {
  CHECK(!select_instruction_set("abacus"));
  for (const DistanceTable* const* table = available_instruction_sets(); *table != nullptr; ++table) {
    CHECK(select_instruction_set((*table)->name));
    CHECK_EQUAL(std::string(distances().name), std::string((*table)->name));
  }
  CHECK(select_instruction_set(available_instruction_sets()[0]->name));
}
