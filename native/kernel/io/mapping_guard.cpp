#include "io/mapping_guard.h"

#if defined(_WIN32)

namespace semantic_index {

bool guard_mapping(const void*, size_t, std::atomic<bool>*, int*) { return true; }

void unguard_mapping(int) {}

}  // namespace semantic_index

#else

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include <mutex>
#include <new>
#include <vector>

namespace semantic_index {

namespace {

/** Ranges that the handler looks through; lock-free, since a handler may interrupt anything. */
struct Slot {
  std::atomic<uintptr_t> start{0};
  std::atomic<uintptr_t> end{0};
  std::atomic<std::atomic<bool>*> changed{nullptr};
};

/** Slots lie in blocks that are never moved or freed: the handler may read them at any time. */
constexpr int kBlockSlots = 4096;
constexpr int kBlocks = 4096;
std::atomic<Slot*> blocks[kBlocks];
/** Slots used at least once; the handler checks only these. */
std::atomic<int> used_slots{0};
std::mutex slots_mutex;
/** Slots below `used_slots` that are free again. Never destroyed: maps may end later than static objects. */
std::vector<int>& free_slots = *new std::vector<int>();
struct sigaction previous_action;
bool is_installed = false;

/** Maps zeros over a page, by the system call where possible: it is async-signal-safe. */
bool map_zeros(void* page, size_t size) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
#if defined(__linux__) && defined(SYS_mmap)
  return syscall(SYS_mmap, page, size, PROT_READ | PROT_WRITE, flags, -1, 0) != -1;
#else
  return mmap(page, size, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED;
#endif
}

Slot& slot_at(int index) { return blocks[index / kBlockSlots].load(std::memory_order_acquire)[index % kBlockSlots]; }

/** The number of a slot that is free, or -1. */
int take_slot() {
  if (!free_slots.empty()) {
    const int index = free_slots.back();
    free_slots.pop_back();
    return index;
  }
  const int index = used_slots.load(std::memory_order_relaxed);
  if (index == kBlocks * kBlockSlots) return -1;
  std::atomic<Slot*>& block = blocks[index / kBlockSlots];
  if (block.load(std::memory_order_relaxed) == nullptr) {
    Slot* fresh = new (std::nothrow) Slot[kBlockSlots];
    if (fresh == nullptr) return -1;
    block.store(fresh, std::memory_order_release);
  }
  try {
    // Reserve room now, so that returning the slot cannot fail.
    free_slots.reserve(static_cast<size_t>(index) + 1);
  } catch (const std::bad_alloc&) {
    return -1;
  }
  used_slots.store(index + 1, std::memory_order_release);
  return index;
}

/** Replaces a lost page by zeros. True when `address` lies in a guarded range. */
bool replace_page(uintptr_t address) {
  const uintptr_t page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const int count = used_slots.load(std::memory_order_acquire);
  for (int index = 0; index < count; ++index) {
    Slot& slot = slot_at(index);
    const uintptr_t start = slot.start.load(std::memory_order_acquire);
    if (start == 0 || address < start || address >= slot.end.load(std::memory_order_acquire)) continue;
    std::atomic<bool>* changed = slot.changed.load(std::memory_order_acquire);
    void* page = reinterpret_cast<void*>(address & ~(page_size - 1));
    // Before the page is there: a thread that reads its zeros must find the flag raised.
    if (changed != nullptr) changed->store(true, std::memory_order_release);
    const int saved_errno = errno;
    const bool is_mapped = map_zeros(page, page_size);
    errno = saved_errno;
    return is_mapped;
  }
  return false;
}

void handle_bus_error(int signal_number, siginfo_t* information, void* context) {
  if (replace_page(reinterpret_cast<uintptr_t>(information->si_addr))) return;
  if ((previous_action.sa_flags & SA_SIGINFO) != 0 && previous_action.sa_sigaction != nullptr) {
    previous_action.sa_sigaction(signal_number, information, context);
  } else if (previous_action.sa_handler == SIG_DFL || previous_action.sa_handler == SIG_IGN) {
    // Restore the default action. A fault repeats when this returns; a sent signal must be raised again. Either then
    // ends the process as without this handler.
    const bool was_sent = information->si_code <= 0;
    if (was_sent && previous_action.sa_handler == SIG_IGN) return;
    signal(SIGBUS, SIG_DFL);
    if (was_sent) raise(SIGBUS);
  } else {
    previous_action.sa_handler(signal_number);
  }
}

/**
 * Installs the handler once. A handler installed later is expected to chain to this one, as this one chains to earlier
 * ones.
 */
void install_handler() {
  if (is_installed) return;
  struct sigaction current;
  if (sigaction(SIGBUS, nullptr, &current) != 0) return;
  struct sigaction action = {};
  action.sa_sigaction = handle_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  previous_action = current;
  is_installed = sigaction(SIGBUS, &action, nullptr) == 0;
}

}  // namespace

bool guard_mapping(const void* start, size_t length, std::atomic<bool>* changed, int* slot) {
  std::lock_guard<std::mutex> lock(slots_mutex);
  install_handler();
  const int index = take_slot();
  if (index < 0) return false;
  Slot& taken = slot_at(index);
  const uintptr_t address = reinterpret_cast<uintptr_t>(start);
  taken.changed.store(changed, std::memory_order_release);
  taken.end.store(address + length, std::memory_order_release);
  taken.start.store(address, std::memory_order_release);
  *slot = index;
  return true;
}

void unguard_mapping(int slot) {
  if (slot < 0) return;
  std::lock_guard<std::mutex> lock(slots_mutex);
  Slot& freed = slot_at(slot);
  freed.start.store(0, std::memory_order_release);
  freed.end.store(0, std::memory_order_release);
  freed.changed.store(nullptr, std::memory_order_release);
  free_slots.push_back(slot);
}

}  // namespace semantic_index

#endif
