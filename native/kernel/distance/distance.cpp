#include "distance/distance.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "distance/distance_tables.h"

#if defined(_M_X64)
#include <immintrin.h>
#include <intrin.h>
#endif

namespace semantic_index {

namespace {

#if defined(__x86_64__)

bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("popcnt");
}

bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

bool has_avx512vnni() {
  return has_avx512() && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vpopcntdq");
}

#elif defined(_M_X64)

/** Whether bit `bit` of register `index` (0 = eax .. 3 = edx) is set in CPUID leaf `leaf`. */
bool cpuid_bit(int leaf, int index, int bit) {
  int registers[4];
  __cpuidex(registers, leaf, 0);
  return (registers[index] >> bit & 1) != 0;
}

/** Whether the operating system saves the register states in `mask`. */
bool system_saves(unsigned long long mask) { return cpuid_bit(1, 2, 27) && (_xgetbv(0) & mask) == mask; }

bool has_avx2() { return system_saves(0x06) && cpuid_bit(1, 2, 12) && cpuid_bit(1, 2, 23) && cpuid_bit(7, 1, 5); }

bool has_avx512() {
  return has_avx2() && system_saves(0xe6) && cpuid_bit(7, 1, 16) && cpuid_bit(7, 1, 30) && cpuid_bit(7, 1, 31) &&
         cpuid_bit(7, 1, 17);
}

bool has_avx512vnni() { return has_avx512() && cpuid_bit(7, 2, 11) && cpuid_bit(7, 2, 14); }

#else

bool has_avx2() { return false; }
bool has_avx512() { return false; }
bool has_avx512vnni() { return false; }

#endif

/** The tables that this processor can run, best first. */
struct Available {
  static constexpr int kMax = 6;
  DistanceTable filled[kMax] = {};
  const DistanceTable* tables[kMax + 1] = {};

  Available() {
    int count = 0;
    for (DistanceTable& table : filled) fill_scalar(&table);
    if (has_avx512vnni() && fill_avx2(&filled[count]) && fill_avx512(&filled[count]) &&
        fill_avx512vnni(&filled[count])) {
      ++count;
    }
    if (has_avx512() && fill_avx2(&filled[count]) && fill_avx512(&filled[count])) ++count;
    if (has_avx2() && fill_avx2(&filled[count])) ++count;
    if (fill_neon(&filled[count])) ++count;
    ++count;
    for (int index = 0; index < count; ++index) tables[index] = &filled[index];
  }

  const DistanceTable* find(const char* name) const {
    for (const DistanceTable* const* table = tables; *table != nullptr; ++table) {
      if (std::strcmp((*table)->name, name) == 0) return *table;
    }
    return nullptr;
  }
};

const Available& available() {
  static const Available list;
  return list;
}

std::atomic<const DistanceTable*> chosen{nullptr};

const DistanceTable* choose() {
  const char* wanted = std::getenv("SEMANTIC_INDEX_ISA");
  const DistanceTable* table = nullptr;
  if (wanted != nullptr) table = available().find(wanted);
  return table != nullptr ? table : available().tables[0];
}

}  // namespace

const DistanceTable& distances() {
  const DistanceTable* table = chosen.load(std::memory_order_acquire);
  if (table == nullptr) {
    table = choose();
    chosen.store(table, std::memory_order_release);
  }
  return *table;
}

const DistanceTable* const* available_instruction_sets() { return available().tables; }

bool select_instruction_set(const char* name) {
  const DistanceTable* table = available().find(name);
  if (table == nullptr) return false;
  chosen.store(table, std::memory_order_release);
  return true;
}

}  // namespace semantic_index
