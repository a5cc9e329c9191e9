#include "annoy/node_storage.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "distance/distance.h"
#include "io/mapped_file.h"

namespace semantic_index {

namespace {

/** The minimum capacity, so that small indexes do not grow in tiny steps. */
constexpr int64_t kSmallestGrowth = 1 << 16;

}  // namespace

NodeStorage::NodeStorage(const NodeLayout& layout) : layout_(layout) {}

NodeStorage::~NodeStorage() = default;

Status NodeStorage::in_memory(const NodeLayout& layout, std::unique_ptr<NodeStorage>* storage) {
  storage->reset(new (std::nothrow) NodeStorage(layout));
  return *storage == nullptr ? Status::no_memory() : Status::success();
}

Status NodeStorage::on_disk(const NodeLayout& layout, const std::string& path, std::unique_ptr<NodeStorage>* storage) {
  std::unique_ptr<NodeStorage> result(new (std::nothrow) NodeStorage(layout));
  if (result == nullptr) return Status::no_memory();
  const Status status = MappedFile::create(path, 0, &result->file_);
  if (status.ok()) *storage = std::move(result);
  return status;
}

Status NodeStorage::set_capacity(int64_t nodes) {
  const int64_t node_bytes = static_cast<int64_t>(layout_.node_bytes);
  if (file_ != nullptr) {
    const Status status = file_->resize(nodes * node_bytes);
    data_ = file_->writable_data();
    if (status.ok()) capacity_ = nodes;
    return status;
  }
  if (!memory_.resize(static_cast<size_t>(nodes * node_bytes))) return Status::no_memory();
  data_ = memory_.data();
  capacity_ = nodes;
  return Status::success();
}

Status NodeStorage::grow(int64_t nodes) {
  if (nodes <= capacity_) return Status::success();
  const int64_t smallest = kSmallestGrowth / static_cast<int64_t>(layout_.node_bytes) + 1;
  const int64_t generous = std::min(capacity_ + std::max(capacity_ / 2, smallest), kMaxNodes);
  return set_capacity(std::max(nodes, generous));
}

Status NodeStorage::reserve(int64_t nodes) {
  if (nodes > kMaxNodes) return Status::failure(StatusCode::invalid_argument, "more than 2^31 - 1 nodes");
  return nodes <= capacity_ ? Status::success() : set_capacity(nodes);
}

Status NodeStorage::check_room(int64_t first, int64_t count) const {
  if (built_) return Status::failure(StatusCode::invalid_argument, "items cannot be set after a build");
  if (first < 0 || count < 0 || first + count > kMaxNodes - 2) {
    return Status::failure(StatusCode::invalid_argument, "item numbers must be between 0 and 2147483644");
  }
  return Status::success();
}

void NodeStorage::write_item(uint8_t* node, const float* vector) const {
  std::memset(node, 0, layout_.vector_offset);
  write_int32(node + kDescendantsOffset, 1);
  uint8_t* destination = node + layout_.vector_offset;
  if (layout_.metric == Metric::hamming) {
    pack_bits(vector, layout_.dimensions, reinterpret_cast<uint64_t*>(destination));
    return;
  }
  std::memcpy(destination, vector, layout_.vector_bytes);
  const size_t elements = static_cast<size_t>(layout_.elements);
  if (layout_.metric == Metric::angular) {
    write_float(node + kAngularNormOffset, distances().dot(vector, vector, elements));
  } else if (layout_.metric == Metric::dot && layout_.dot_layout == DotLayout::extended) {
    write_float(node + kDotNormOffset, distances().dot(vector, vector, elements));
  }
}

Status NodeStorage::set_item(int32_t item, const float* vector) { return set_items(item, vector, 1, 0); }

Status NodeStorage::set_items(int32_t first, const float* rows, int64_t count, int64_t row_stride) {
  const Status room = check_room(first, count);
  if (!room.ok()) return room;
  const Status grown = grow(first + count);
  if (!grown.ok()) return grown;
  for (int64_t row = 0; row < count; ++row) {
    write_item(node(static_cast<int32_t>(first + row)), rows + row * row_stride);
  }
  items_ = std::max(items_, static_cast<int32_t>(first + count));
  nodes_ = items_;
  return Status::success();
}

Status NodeStorage::unbuild() {
  if (!built_) return Status::success();
  // Bytes of former trees become holes, in case items are set there.
  std::memset(node(items_), 0, static_cast<size_t>(nodes_ - items_) * layout_.node_bytes);
  nodes_ = items_;
  built_ = false;
  if (layout_.metric == Metric::dot && layout_.dot_layout == DotLayout::extended) {
    for (int32_t item = 0; item < items_; ++item) node(item)[kDotBuiltOffset] = 0;
  }
  return Status::success();
}

Status NodeStorage::finish() {
  if (file_ == nullptr) return Status::success();
  const Status cut = set_capacity(nodes_);
  return cut.ok() ? file_->sync() : cut;
}

Status NodeStorage::append_tree(std::vector<uint8_t> tree) try {
  const int64_t size = static_cast<int64_t>(tree.size());
  if ((bytes() + tree_bytes_ + size) / static_cast<int64_t>(layout_.node_bytes) > kMaxNodes) {
    return Status::failure(StatusCode::invalid_argument, "the forest would have more than 2^31 - 1 nodes");
  }
  if (file_ != nullptr) {
    const Status written = file_->write_at(bytes() + tree_bytes_, tree.data(), size);
    if (!written.ok()) return written;
  } else {
    trees_.push_back(std::move(tree));
  }
  tree_bytes_ += size;
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status NodeStorage::commit_trees() {
  const int64_t node_bytes = static_cast<int64_t>(layout_.node_bytes);
  const int64_t nodes = nodes_ + tree_bytes_ / node_bytes;
  const Status grown = file_ != nullptr ? set_capacity(nodes) : reserve(nodes);
  if (!grown.ok()) return grown;
  uint8_t* end = data_ + bytes();
  for (std::vector<uint8_t>& tree : trees_) {
    std::memcpy(end, tree.data(), tree.size());
    end += tree.size();
    std::vector<uint8_t>().swap(tree);
  }
  trees_.clear();
  tree_bytes_ = 0;
  nodes_ = static_cast<int32_t>(nodes);
  built_ = true;
  return Status::success();
}

void NodeStorage::discard_trees() {
  // What reached the file already is cut off, so that it is zero bytes, as holes are, when the file grows again. Should
  // that fail, the map is gone: the storage is then empty rather than wrong.
  if (file_ != nullptr && tree_bytes_ > 0 && !set_capacity(nodes_).ok()) items_ = nodes_ = 0;
  trees_.clear();
  tree_bytes_ = 0;
}

}  // namespace semantic_index
