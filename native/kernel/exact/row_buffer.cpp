#include "exact/row_buffer.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "distance/distance.h"

namespace semantic_index {

namespace {

constexpr int64_t kChunkBytes = 1 << 20;
constexpr int64_t kSmallestChunkRows = 16;

int64_t rows_per_chunk(const NodeLayout& layout) {
  return std::max(kSmallestChunkRows, kChunkBytes / static_cast<int64_t>(layout.vector_bytes));
}

size_t chunk_bytes(const NodeLayout& layout) {
  return static_cast<size_t>(rows_per_chunk(layout)) * layout.vector_bytes;
}

}  // namespace

/** Rows that never move. The first thread to claim memory past `used` owns it. */
struct RowBuffer::Snapshot::Chunk {
  explicit Chunk(const NodeLayout& layout)
      : memory(new uint8_t[chunk_bytes(layout)]), vectors(memory.get()), squared_norms(norms_of(layout)) {}

  /** All rows of it are those of a mapped file. */
  Chunk(const NodeLayout& layout, std::shared_ptr<const MappedFile> mapped, const uint8_t* rows)
      : file(std::move(mapped)), vectors(rows), squared_norms(norms_of(layout)), used(rows_per_chunk(layout)) {}

  static float* norms_of(const NodeLayout& layout) {
    return layout.metric == Metric::angular ? new float[static_cast<size_t>(rows_per_chunk(layout))] : nullptr;
  }

  /** Claims rows begin..end-1. False when another buffer, which shares this chunk, has claimed them already. */
  bool claim(int64_t begin, int64_t end) { return used.compare_exchange_strong(begin, end); }

  /** Set unless the rows are in a file. */
  std::unique_ptr<uint8_t[]> memory;
  std::shared_ptr<const MappedFile> file;
  const uint8_t* vectors;
  std::unique_ptr<float[]> squared_norms;
  std::atomic<int64_t> used{0};
};

RowBuffer::RowBuffer(const NodeLayout& layout) {
  snapshot_.layout_ = layout;
  snapshot_.directory_ = std::make_shared<const Snapshot::Directory>();
}

int64_t RowBuffer::bytes() const {
  const NodeLayout& layout = snapshot_.layout_;
  const int64_t norm_bytes = layout.metric == Metric::angular ? static_cast<int64_t>(sizeof(float)) : 0;
  int64_t row_bytes = 0;
  for (const auto& chunk : *snapshot_.directory_) {
    row_bytes += norm_bytes + (chunk->memory != nullptr ? static_cast<int64_t>(layout.vector_bytes) : 0);
  }
  return row_bytes * rows_per_chunk(layout);
}

Status RowBuffer::append(const float* rows, int64_t count) try {
  const NodeLayout& layout = snapshot_.layout_;
  if (count < 0 || snapshot_.rows_ + count > kMaxNodes) {
    return Status::failure(StatusCode::invalid_argument, "too many rows");
  }
  if (count == 0) return Status::success();
  const int64_t chunk_rows = rows_per_chunk(layout);
  int64_t position = snapshot_.skipped_ + snapshot_.rows_;
  const int64_t end = position + count;

  auto directory = std::make_shared<Snapshot::Directory>(*snapshot_.directory_);
  if (position % chunk_rows != 0) {
    const int64_t begin = position % chunk_rows;
    std::shared_ptr<Snapshot::Chunk>& last = directory->back();
    if (!last->claim(begin, std::min(chunk_rows, begin + count))) {
      // Another buffer goes on in that chunk: this one continues in a copy.
      auto copy = std::make_shared<Snapshot::Chunk>(layout);
      std::memcpy(copy->memory.get(), last->vectors, static_cast<size_t>(begin) * layout.vector_bytes);
      if (copy->squared_norms != nullptr) {
        std::copy_n(last->squared_norms.get(), begin, copy->squared_norms.get());
      }
      copy->used.store(std::min(chunk_rows, begin + count));
      last = std::move(copy);
    }
  }
  while (static_cast<int64_t>(directory->size()) * chunk_rows < end) {
    auto chunk = std::make_shared<Snapshot::Chunk>(layout);
    chunk->used.store(std::min(chunk_rows, end - static_cast<int64_t>(directory->size()) * chunk_rows));
    directory->push_back(std::move(chunk));
  }

  const size_t dimensions = static_cast<size_t>(layout.dimensions);
  for (const float* row = rows; position < end; ++position, row += dimensions) {
    Snapshot::Chunk& chunk = *(*directory)[static_cast<size_t>(position / chunk_rows)];
    const size_t place = static_cast<size_t>(position % chunk_rows);
    uint8_t* destination = chunk.memory.get() + place * layout.vector_bytes;
    if (layout.metric == Metric::hamming) {
      pack_bits(row, layout.dimensions, reinterpret_cast<uint64_t*>(destination));
    } else {
      std::memcpy(destination, row, layout.vector_bytes);
    }
    if (chunk.squared_norms != nullptr) chunk.squared_norms[place] = distances().dot(row, row, dimensions);
  }
  snapshot_.directory_ = std::move(directory);
  snapshot_.rows_ += count;
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

int64_t RowBuffer::chunk_rows(const NodeLayout& layout) { return rows_per_chunk(layout); }

Status RowBuffer::adopt(std::shared_ptr<const MappedFile> file, const uint8_t* rows, int64_t count) try {
  const NodeLayout& layout = snapshot_.layout_;
  const int64_t chunk_rows = rows_per_chunk(layout);
  const int64_t position = snapshot_.skipped_ + snapshot_.rows_;
  if (count < 1 || count > chunk_rows || position % chunk_rows != 0 || snapshot_.rows_ + count > kMaxNodes) {
    return Status::failure(StatusCode::invalid_argument, "a chunk of rows does not fit");
  }
  std::shared_ptr<Snapshot::Chunk> chunk;
  if (count == chunk_rows) {
    chunk = std::make_shared<Snapshot::Chunk>(layout, std::move(file), rows);
  } else {
    chunk = std::make_shared<Snapshot::Chunk>(layout);
    std::memcpy(chunk->memory.get(), rows, static_cast<size_t>(count) * layout.vector_bytes);
    chunk->used.store(count);
  }
  for (int64_t place = 0; chunk->squared_norms != nullptr && place < count; ++place) {
    const auto* const row =
        reinterpret_cast<const float*>(chunk->vectors + static_cast<size_t>(place) * layout.vector_bytes);
    chunk->squared_norms[static_cast<size_t>(place)] =
        distances().dot(row, row, static_cast<size_t>(layout.dimensions));
  }
  auto directory = std::make_shared<Snapshot::Directory>(*snapshot_.directory_);
  directory->push_back(std::move(chunk));
  snapshot_.directory_ = std::move(directory);
  snapshot_.rows_ += count;
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

bool RowBuffer::Snapshot::has_changed() const {
  // Rows of a file come first: later ones are appended in memory.
  if (directory_ == nullptr || directory_->empty()) return false;
  const std::shared_ptr<const MappedFile>& file = directory_->front()->file;
  return file != nullptr && file->has_changed();
}

const uint8_t* RowBuffer::Snapshot::row(int64_t row, float* squared_norm) const {
  const int64_t position = skipped_ + row;
  const int64_t chunk_rows = rows_per_chunk(layout_);
  const Chunk& chunk = *(*directory_)[static_cast<size_t>(position / chunk_rows)];
  const auto place = static_cast<size_t>(position % chunk_rows);
  *squared_norm = chunk.squared_norms == nullptr ? 0.0f : chunk.squared_norms[place];
  return chunk.vectors + place * layout_.vector_bytes;
}

Status RowBuffer::row(int64_t row, float* vector) const {
  if (row < 0 || row >= snapshot_.rows_) return Status::failure(StatusCode::invalid_argument, "the row does not exist");
  const NodeLayout& layout = snapshot_.layout_;
  float squared_norm = 0;
  const uint8_t* const source = snapshot_.row(row, &squared_norm);
  if (layout.metric == Metric::hamming) {
    unpack_bits(reinterpret_cast<const uint64_t*>(source), layout.dimensions, vector);
  } else {
    std::memcpy(vector, source, layout.vector_bytes);
  }
  return Status::success();
}

Status RowBuffer::drop(int64_t count, std::unique_ptr<RowBuffer>* rest) const try {
  if (count < 0 || count > snapshot_.rows_) {
    return Status::failure(StatusCode::invalid_argument, "more rows to drop than there are");
  }
  const int64_t chunk_rows = rows_per_chunk(snapshot_.layout_);
  const int64_t position = snapshot_.skipped_ + count;
  auto result = std::make_unique<RowBuffer>(snapshot_.layout_);
  result->snapshot_.rows_ = snapshot_.rows_ - count;
  if (result->snapshot_.rows_ > 0) {
    result->snapshot_.skipped_ = position % chunk_rows;
    result->snapshot_.directory_ = std::make_shared<const Snapshot::Directory>(
        snapshot_.directory_->begin() + position / chunk_rows, snapshot_.directory_->end());
  }
  *rest = std::move(result);
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status RowBuffer::Snapshot::scan(ExactScan* scan, const Allowed& allowed, int64_t limit,
                                 const std::atomic<bool>* cancel, int64_t first) const {
  const int64_t wanted = limit < 0 ? rows_ : std::min(limit, rows_);
  const int64_t chunk_rows = rows_per_chunk(layout_);
  for (int64_t row = first; row < wanted;) {
    const int64_t position = skipped_ + row;
    const Chunk& chunk = *(*directory_)[static_cast<size_t>(position / chunk_rows)];
    const int64_t begin = position % chunk_rows;
    RowsView view = matrix_rows(layout_, chunk.vectors + static_cast<size_t>(begin) * layout_.vector_bytes,
                                std::min(chunk_rows - begin, wanted - row));
    if (chunk.squared_norms != nullptr) {
      view.squared_norms = reinterpret_cast<const uint8_t*>(chunk.squared_norms.get() + begin);
      view.norm_stride = sizeof(float);
    }
    const Status status = scan->scan(view, static_cast<int32_t>(row), allowed, cancel);
    if (!status.ok()) return status;
    row += view.count;
  }
  return Status::success();
}

}  // namespace semantic_index
