#ifndef SEMANTIC_INDEX_KERNEL_BASE_STATUS_H_
#define SEMANTIC_INDEX_KERNEL_BASE_STATUS_H_

#include <string>
#include <utility>

namespace semantic_index {

/** The kind of a failure. Each asks for a different reaction, so the binding maps each to one error code. */
enum class StatusCode {
  ok,
  /** The cancel flag was raised; nothing was published. */
  cancelled,
  /** An argument is out of range: a defect or a bad input of the caller. */
  invalid_argument,
  out_of_memory,
  /** The operating system refused; `Status::system_error` holds errno (GetLastError on Windows). */
  io_error,
  /** The bytes cannot be an Annoy file of the stated metric and dimensions: wrong size, or no plausible root. */
  wrong_layout,
  /** The bytes contradict themselves: a child or an item out of bounds, a cycle. */
  corrupt,
  /** A mapped file was truncated or could not be read during use; bytes read since are zero. */
  file_changed,
};

/**
 * The result of every kernel function that can fail. The kernel throws nothing across its interface: bad_alloc becomes
 * `out_of_memory`.
 */
struct [[nodiscard]] Status {
  StatusCode code = StatusCode::ok;
  /** errno or GetLastError of an `io_error`, else 0. */
  int system_error = 0;
  /** A human-readable sentence, without the code; empty when ok. */
  std::string message;

  bool ok() const { return code == StatusCode::ok; }

  static Status success() { return {}; }
  static Status failure(StatusCode code, std::string message) { return {code, 0, std::move(message)}; }
  static Status io(int system_error, std::string message) {
    return {StatusCode::io_error, system_error, std::move(message)};
  }
  static Status no_memory() { return {StatusCode::out_of_memory, 0, {}}; }
};

inline Status cancelled() { return {StatusCode::cancelled, 0, {}}; }
inline Status corrupt(std::string message) { return Status::failure(StatusCode::corrupt, std::move(message)); }
inline Status invalid(std::string message) { return Status::failure(StatusCode::invalid_argument, std::move(message)); }

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_BASE_STATUS_H_
