#include "mapping_guard.h"

#if defined(_WIN32)

namespace semantic_index {

int guard_mapping(const void*, size_t, std::atomic<bool>*) { return -1; }

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

namespace semantic_index {

namespace {

/** Ranges that the handler looks through; lock-free, since a handler may interrupt anything. */
struct Slot {
  std::atomic<uintptr_t> start{0};
  std::atomic<uintptr_t> end{0};
  std::atomic<std::atomic<bool>*> changed{nullptr};
};

constexpr int kSlots = 4096;
Slot slots[kSlots];
std::atomic<int> used_slots{0};
std::mutex slots_mutex;
struct sigaction previous_action;
bool is_installed = false;

/** Maps zeros over a page. By the system call itself where possible: nothing but that is sure to be safe in a handler.
 */
bool map_zeros(void* page, size_t size) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
#if defined(__linux__) && defined(SYS_mmap)
  return syscall(SYS_mmap, page, size, PROT_READ | PROT_WRITE, flags, -1, 0) != -1;
#else
  return mmap(page, size, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED;
#endif
}

/** Puts a page of zeros where the file has none any more. True when `address` lies in a guarded range. */
bool replace_page(uintptr_t address) {
  const uintptr_t page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const int count = used_slots.load(std::memory_order_acquire);
  for (int index = 0; index < count; ++index) {
    Slot& slot = slots[index];
    const uintptr_t start = slot.start.load(std::memory_order_acquire);
    if (start == 0 || address < start || address >= slot.end.load(std::memory_order_acquire)) continue;
    std::atomic<bool>* changed = slot.changed.load(std::memory_order_acquire);
    void* page = reinterpret_cast<void*>(address & ~(page_size - 1));
    const int saved_errno = errno;
    const bool is_mapped = map_zeros(page, page_size);
    errno = saved_errno;
    if (!is_mapped) return false;
    if (changed != nullptr) changed->store(true, std::memory_order_release);
    return true;
  }
  return false;
}

void handle_bus_error(int signal_number, siginfo_t* information, void* context) {
  if (replace_page(reinterpret_cast<uintptr_t>(information->si_addr))) return;
  if ((previous_action.sa_flags & SA_SIGINFO) != 0 && previous_action.sa_sigaction != nullptr) {
    previous_action.sa_sigaction(signal_number, information, context);
  } else if (previous_action.sa_handler == SIG_DFL || previous_action.sa_handler == SIG_IGN) {
    // Back to the default. A fault happens again as soon as this returns; a signal that was sent has to be sent again.
    // Either ends the process as it would have.
    const bool was_sent = information->si_code <= 0;
    if (was_sent && previous_action.sa_handler == SIG_IGN) return;
    signal(SIGBUS, SIG_DFL);
    if (was_sent) raise(SIGBUS);
  } else {
    previous_action.sa_handler(signal_number);
  }
}

/** Installs the handler once. One that is installed later by others is expected to chain to it, as this one does. */
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

int guard_mapping(const void* start, size_t length, std::atomic<bool>* changed) {
  std::lock_guard<std::mutex> lock(slots_mutex);
  install_handler();
  for (int index = 0; index < kSlots; ++index) {
    Slot& slot = slots[index];
    if (slot.start.load(std::memory_order_relaxed) != 0) continue;
    const uintptr_t address = reinterpret_cast<uintptr_t>(start);
    slot.changed.store(changed, std::memory_order_release);
    slot.end.store(address + length, std::memory_order_release);
    slot.start.store(address, std::memory_order_release);
    if (index >= used_slots.load(std::memory_order_relaxed)) used_slots.store(index + 1, std::memory_order_release);
    return index;
  }
  return -1;
}

void unguard_mapping(int slot) {
  if (slot < 0) return;
  std::lock_guard<std::mutex> lock(slots_mutex);
  slots[slot].start.store(0, std::memory_order_release);
  slots[slot].end.store(0, std::memory_order_release);
  slots[slot].changed.store(nullptr, std::memory_order_release);
}

}  // namespace semantic_index

#endif
