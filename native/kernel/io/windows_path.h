#ifndef SEMANTIC_INDEX_KERNEL_IO_WINDOWS_PATH_H_
#define SEMANTIC_INDEX_KERNEL_IO_WINDOWS_PATH_H_

#if defined(_WIN32)

#include <string>

namespace semantic_index {

/** A UTF-8 path as Windows wants it. May throw bad_alloc. */
std::wstring windows_path(const std::string& path);

/** The system's message for an error of GetLastError, in UTF-8, without the line end. */
std::string windows_message(int error);

}  // namespace semantic_index

#endif

#endif  // SEMANTIC_INDEX_KERNEL_IO_WINDOWS_PATH_H_
