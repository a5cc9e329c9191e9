#include "graph/build/graph_build.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "base/cancel.h"
#include "base/checksum.h"
#include "base/parallel_blocks.h"
#include "base/status.h"
#include "distance/distance.h"
#include "distance/int8_vector.h"
#include "graph/binary_sketch.h"
#include "graph/build/leaf_groups.h"
#include "graph/build/neighbor_graph.h"
#include "graph/build/node_ordering.h"
#include "graph/build/row_copies.h"
#include "graph/build/walk_recall.h"
#include "graph/graph_format.h"
#include "graph/graph_view.h"
#include "graph/quantized_query.h"
#include "graph/rotation.h"

namespace semantic_index {

namespace {

/** Maximum size of the groups in which all pairs are compared, unless the leaves are larger. */
constexpr int64_t kGroupItems = 256;
/** Items of one block of work. */
constexpr int64_t kBlockItems = 512;
/** Sample size for the centroid and the scale. */
constexpr int32_t kSample = 8192;
/** The share of numbers that the scale may clip. */
constexpr double kClipped = 2e-5;
/** Trees whose leaf groups seed the graph: more add little, and every group costs all its pairs. */
constexpr size_t kMaxGraphTrees = 32;
/** Positions beyond this would not fit the counters of the graph. */
constexpr int64_t kMaxPositions = int64_t{1} << 27;

class GraphBuild {
 public:
  GraphBuild(const ForestView& forest, const GraphBuildOptions& options)
      : forest_(forest),
        layout_(forest.layout()),
        dimensions_(static_cast<size_t>(layout_.dimensions)),
        threads_(thread_count(options.threads)),
        sketch_(dimensions_),
        rotation_(dimensions_) {
    watch_.cancel = options.cancel;
    if (options.progress != nullptr) {
      watch_.progress = [this, &options](int64_t done) {
        options.progress(options.progress_context, std::min(done, total_), total_);
      };
    }
  }

  Status run(MemoryBlock* file) {
    Status status = read_trees();
    if (!status.ok()) return status;
    find_centroid();
    find_scale();
    status = fill_rows();
    if (status.ok()) status = fill_graph();
    if (status.ok()) order_positions();
    if (status.ok()) status = make_room(file);
    if (status.ok()) status = write_positions();
    if (status.ok()) status = forest_.check_unchanged();
    if (!status.ok()) return status;
    finish();
    return layout_.metric == Metric::dot ? check_walks(*file) : status;
  }

 private:
  Status read_trees() {
    const int32_t items = forest_.items();
    std::vector<int32_t> seen(static_cast<size_t>(items), -1);
    trees_.resize(std::min(forest_.roots().size(), kMaxGraphTrees));
    ParallelWatch quiet;
    quiet.cancel = watch_.cancel;
    const auto count = static_cast<int64_t>(trees_.size());
    for (int64_t tree = 0; tree < count; ++tree) {
      if (is_raised(quiet.cancel)) return cancelled();
      const Status status = read_tree(forest_, forest_.roots()[static_cast<size_t>(tree)], kGroupItems, &seen,
                                      static_cast<int32_t>(tree), &trees_[static_cast<size_t>(tree)]);
      if (!status.ok()) return status;
    }
    // If one group holds all items, all pairs are compared already: further such trees add nothing.
    const auto is_one_group = [](const LeafGroups& tree) { return tree.groups.size() <= 1; };
    if (!trees_.empty() && is_one_group(trees_[0])) trees_.resize(1);
    // Items near in the first tree are placed near in memory.
    position_of_.assign(static_cast<size_t>(items), -1);
    if (!trees_.empty()) item_of_ = trees_[0].items;
    for (size_t position = 0; position < item_of_.size(); ++position) {
      position_of_[static_cast<size_t>(item_of_[position])] = static_cast<int32_t>(position);
    }
    // A valid tree holds every item; items missing from a damaged one go last.
    for (int32_t item = 0; item < items; ++item) {
      if (position_of_[static_cast<size_t>(item)] >= 0 || !forest_.has_item(item)) continue;
      position_of_[static_cast<size_t>(item)] = static_cast<int32_t>(item_of_.size());
      item_of_.push_back(item);
    }
    if (static_cast<int64_t>(item_of_.size()) > kMaxPositions) {
      return Status::failure(StatusCode::invalid_argument, "there are more items than a graph index can hold");
    }
    for (LeafGroups& tree : trees_) {
      for (int32_t& item : tree.items) item = position_of_[static_cast<size_t>(item)];
    }
    return Status::success();
  }

  /** Copies the vector at `position`, rotated; of length 1 for angular, unless it is zero. */
  void load(int32_t position, float* vector) const {
    const uint8_t* node = forest_.node(item_of_[static_cast<size_t>(position)]);
    std::memcpy(vector, node + layout_.vector_offset, layout_.vector_bytes);
    scale_and_rotate(layout_, rotation_, vector);
  }

  void load_centered(int32_t position, float* vector) const {
    load(position, vector);
    for (size_t i = 0; i < dimensions_; ++i) vector[i] -= centroid_[i];
  }

  int32_t samples() const { return std::min<int32_t>(kSample, static_cast<int32_t>(item_of_.size())); }

  int32_t sample_at(int32_t sample) const {
    return static_cast<int32_t>(static_cast<int64_t>(item_of_.size()) * sample / samples());
  }

  void find_centroid() {
    std::vector<double> sums(dimensions_, 0.0);
    std::vector<float> vector(dimensions_);
    for (int32_t sample = 0; sample < samples(); ++sample) {
      load(sample_at(sample), vector.data());
      for (size_t i = 0; i < dimensions_; ++i) sums[i] += vector[i];
    }
    centroid_.assign(dimensions_, 0.0f);
    for (size_t i = 0; i < dimensions_ && samples() > 0; ++i) {
      const auto mean = static_cast<float>(sums[i] / samples());
      centroid_[i] = std::isfinite(mean) ? mean : 0.0f;
    }
  }

  void find_scale() {
    std::vector<float> sizes(static_cast<size_t>(samples()) * dimensions_);
    for (int32_t sample = 0; sample < samples(); ++sample) {
      float* vector = sizes.data() + static_cast<size_t>(sample) * dimensions_;
      load_centered(sample_at(sample), vector);
      for (size_t i = 0; i < dimensions_; ++i) vector[i] = std::isfinite(vector[i]) ? std::fabs(vector[i]) : 0.0f;
    }
    scale_ = 1.0f;
    if (sizes.empty()) return;
    const auto clipped = static_cast<int64_t>(static_cast<double>(sizes.size()) * kClipped);
    const auto place = sizes.end() - 1 - clipped;
    std::nth_element(sizes.begin(), place, sizes.end());
    scale_ = int8_scale(&*place, 1);
  }

  Status make_room(MemoryBlock* file) {
    header_.metric = static_cast<uint32_t>(layout_.metric);
    header_.dimensions = layout_.dimensions;
    header_.items = forest_.items();
    header_.landmark_stride = landmark_stride(header_.distinct);
    header_.scale = scale_;
    header_.longest = find_longest();
    const int64_t file_bytes = layout_sections(&header_);
    if (!file->resize(0) || !file->resize(static_cast<size_t>(file_bytes))) return Status::no_memory();
    bytes_ = file->data();
    std::memcpy(section<float>(GraphSection::centroid), centroid_.data(), dimensions_ * sizeof(float));
    std::copy(position_of_.begin(), position_of_.end(), section<int32_t>(GraphSection::slots));
    std::copy(originals_.begin(), originals_.end(), section<uint32_t>(GraphSection::originals));
    return Status::success();
  }

  template <typename T>
  T* section(GraphSection name) const {
    return reinterpret_cast<T*>(bytes_ + header_.sections[static_cast<size_t>(name)].offset);
  }

  size_t row_bytes() const { return header_.row_bytes; }

  int64_t item_blocks() const { return (header_.positions + kBlockItems - 1) / kBlockItems; }

  Status fill_rows() {
    header_.positions = static_cast<int32_t>(item_of_.size());
    header_.row_bytes = static_cast<uint32_t>((dimensions_ + kInt8Block - 1) / kInt8Block * kInt8Block);
    if (!row_block_.resize(item_of_.size() * row_bytes())) return Status::no_memory();
    squares_.assign(item_of_.size(), 0);
    residuals_.assign(item_of_.size(), RowResiduals{});
    sketches_.assign(item_of_.size() * kSketchWords, 0);
    if (layout_.metric != Metric::dot) estimates_.assign(item_of_.size(), RowNorms{});
    if (layout_.metric == Metric::dot) extras_.assign(item_of_.size(), 0.0f);
    if (layout_.metric == Metric::euclidean) norms_.assign(item_of_.size(), 0.0f);
    rows_.rows = reinterpret_cast<const int8_t*>(row_block_.data());
    rows_.row_bytes = row_bytes();
    rows_.count = header_.positions;
    rows_.squares = squares_.data();
    rows_.extras = extras_.empty() ? nullptr : extras_.data();
    partition();
    return run_blocks(threads_, item_blocks(), &watch_, [this]() {
      auto room = std::make_shared<std::vector<float>>(dimensions_);
      return [this, room](int64_t block) {
        const auto end = static_cast<int32_t>(std::min<int64_t>((block + 1) * kBlockItems, header_.positions));
        for (auto position = static_cast<int32_t>(block * kBlockItems); position < end; ++position) {
          fill_row(position, room->data());
        }
        return Status::success();
      };
    });
  }

  /** Collects the leaf groups of the trees and counts the resulting work. */
  void partition() {
    partitions_.resize(trees_.size());
    for (size_t tree = 0; tree < trees_.size(); ++tree) {
      partitions_[tree] = {trees_[tree].items.data(), trees_[tree].groups};
    }
    graph_ = std::make_unique<NeighborGraph>(rows_, partitions_, threads_);
    total_ = graph_->blocks() + 2 * item_blocks();
  }

  void fill_row(int32_t position, float* vector) {
    const auto at = static_cast<size_t>(position);
    const int32_t item = item_of_[at];
    load_centered(position, vector);
    int8_t* row = reinterpret_cast<int8_t*>(row_block_.data() + at * row_bytes());
    write_int8(vector, dimensions_, scale_, row, row_bytes());
    int64_t square = 0;
    for (size_t i = 0; i < dimensions_; ++i) square += static_cast<int64_t>(row[i]) * row[i];
    squares_[at] = square;
    residuals_[at] = residuals_of(vector, row);
    sketch_.write(vector, sketches_.data() + at * kSketchWords);
    if (!estimates_.empty()) estimates_[at] = norms_of(vector, row);
    if (!extras_.empty()) {
      const float extra = read_float(forest_.node(item) + kDotFactorOffset) / scale_;
      extras_[at] = std::isfinite(extra) ? extra : 0.0f;
    }
    if (layout_.metric == Metric::euclidean) {
      norms_[at] = distances().dot(vector, vector, dimensions_);
    }
  }

  /** A little more than the lengths, which are rounded. */
  RowResiduals residuals_of(const float* vector, const int8_t* row) const {
    double upper = 0;
    double whole = 0;
    for (size_t i = 0; i < dimensions_; ++i) {
      const double unit = scale_;
      const double high_rest = vector[i] - unit * high_value(row[i]);
      const double whole_rest = vector[i] - unit * row[i];
      upper += high_rest * high_rest;
      whole += whole_rest * whole_rest;
    }
    constexpr double kSlack = 1.0 + 1e-6;
    return {static_cast<float>(std::sqrt(upper) * kSlack), static_cast<float>(std::sqrt(whole) * kSlack)};
  }

  RowNorms norms_of(const float* vector, const int8_t* row) const {
    double upper = 0;
    double whole = 0;
    for (size_t i = 0; i < dimensions_; ++i) {
      // |v|^2 - 2 v.r, where r is v minus its dequantized row.
      const double unit = scale_;
      const double number = vector[i];
      upper += number * (2.0 * unit * high_value(row[i]) - number);
      whole += number * (2.0 * unit * row[i] - number);
    }
    return {static_cast<float>(upper), static_cast<float>(whole)};
  }

  /** The largest length of a dequantized row, by high nibbles or by whole int8 values. */
  float find_longest() const {
    double longest = 0;
    for (int32_t position = 0; position < rows_.count; ++position) {
      const int8_t* row = rows_.row(position);
      int64_t square = 0;
      for (size_t i = 0; i < row_bytes(); ++i) square += static_cast<int64_t>(high_value(row[i])) * high_value(row[i]);
      longest = std::max(longest, static_cast<double>(std::max(square, squares_[static_cast<size_t>(position)])));
    }
    return static_cast<float>(std::sqrt(longest) * scale_ * (1.0 + 1e-6));
  }

  Status fill_graph() {
    copies_ = find_copies(rows_, item_of_);
    if (copies_.count > 0) {
      for (LeafGroups& tree : trees_) leave_out_copies(copies_, kGroupItems, &tree);
      partition();
    }
    header_.distinct = header_.positions - copies_.count;
    const Status status = graph_->build(&watch_, &neighbors_);
    graph_.reset();
    return status;
  }

  /** Renumbers the positions by the node ordering of the graph; until here the order of the trees was used. */
  void order_positions() {
    order_ = order_by_neighbors(neighbors_);
    if (copies_.count > 0) originals_ = put_copies_last(copies_, forest_, item_of_, &order_);
    slot_of_.resize(order_.size());
    for (size_t place = 0; place < order_.size(); ++place) {
      slot_of_[static_cast<size_t>(order_[place])] = static_cast<uint32_t>(place);
    }
  }

  Status write_positions() {
    return run_blocks(threads_, item_blocks(), &watch_, [this]() {
      return [this](int64_t block) {
        const auto end = static_cast<int32_t>(std::min<int64_t>((block + 1) * kBlockItems, header_.positions));
        for (auto place = static_cast<int32_t>(block * kBlockItems); place < end; ++place) {
          write_position(static_cast<size_t>(place), order_[static_cast<size_t>(place)]);
          write_leaf_entry(static_cast<size_t>(place));
          if (place < header_.distinct && place % header_.landmark_stride == 0) write_landmark(place);
        }
        return Status::success();
      };
    });
  }

  void write_position(size_t place, int32_t position) {
    const size_t half = row_bytes() / 2;
    split_int8(rows_.row(position), row_bytes(), section<uint8_t>(GraphSection::high_nibbles) + place * half,
               section<uint8_t>(GraphSection::low_nibbles) + place * half);
    const auto from = static_cast<size_t>(position);
    const uint32_t* neighbors = neighbors_.data() + from * kMaxNeighbors;
    uint32_t* renamed = section<uint32_t>(GraphSection::neighbors) + place * kMaxNeighbors;
    for (int32_t rank = 0; rank < kMaxNeighbors && place < static_cast<size_t>(header_.distinct); ++rank) {
      renamed[rank] = neighbors[rank] == kNoNeighbor ? kNoNeighbor : slot_of_[neighbors[rank]];
    }
    section<int32_t>(GraphSection::items)[place] = item_of_[from];
    section<RowResiduals>(GraphSection::residuals)[place] = residuals_[from];
    if (!norms_.empty()) section<float>(GraphSection::norms)[place] = norms_[from];
    if (!estimates_.empty()) section<RowNorms>(GraphSection::estimates)[place] = estimates_[from];
  }

  /** Positions are still numbered by the leaves of the first tree where the graph is built: these are the slots. */
  void write_leaf_entry(size_t place) {
    LeafEntry& entry = section<LeafEntry>(GraphSection::leaves)[place];
    std::copy_n(sketches_.data() + place * kSketchWords, kSketchWords, entry.sketch);
    const int32_t original = copies_.count > 0 ? copies_.original_of[place] : static_cast<int32_t>(place);
    entry.position = slot_of_[static_cast<size_t>(original)];
    entry.unused = 0;
  }

  void write_landmark(int32_t place) {
    const uint64_t* words = sketches_.data() + static_cast<size_t>(order_[static_cast<size_t>(place)]) * kSketchWords;
    uint64_t* columns = section<uint64_t>(GraphSection::landmarks) + place / header_.landmark_stride;
    for (size_t word = 0; word < kSketchWords; ++word) columns[word * landmark_count(header_)] = words[word];
  }

  void finish() {
    const uint8_t* forest_bytes = forest_.items() > 0 ? forest_.node(0) : nullptr;
    header_.forest_bytes = static_cast<int64_t>(forest_.nodes()) * static_cast<int64_t>(layout_.node_bytes);
    header_.forest_ends = ends_checksum(forest_bytes, header_.forest_bytes);
    header_.forest_checksum = checksum(forest_bytes, static_cast<size_t>(header_.forest_bytes));
    SectionedHeader(&header_).sum_sections(bytes_);
    SectionedHeader(&header_).write(bytes_);
  }

  /** Notes in the header whether searches need the trees as well. */
  Status check_walks(const MemoryBlock& file) {
    GraphView view;
    bool needs_trees = false;
    Status status = GraphView::open(file.data(), static_cast<int64_t>(file.size()), forest_, &view);
    if (status.ok()) status = measure_walks(view, forest_, watch_.cancel, &needs_trees);
    if (!status.ok() || !needs_trees) return status;
    header_.needs_trees = 1;
    SectionedHeader(&header_).write(bytes_);
    return status;
  }

  const ForestView& forest_;
  const NodeLayout& layout_;
  const size_t dimensions_;
  const int threads_;
  const BinarySketch sketch_;
  const Rotation rotation_;
  ParallelWatch watch_;
  int64_t total_ = 0;
  std::vector<LeafGroups> trees_;
  std::vector<int32_t> position_of_;
  std::vector<int32_t> item_of_;
  std::vector<float> centroid_;
  float scale_ = 1.0f;
  GraphHeader header_ = {};
  uint8_t* bytes_ = nullptr;
  MemoryBlock row_block_;
  GraphRows rows_;
  std::vector<uint32_t> neighbors_;
  std::vector<int32_t> order_;
  std::vector<uint32_t> slot_of_;
  std::vector<int64_t> squares_;
  std::vector<RowResiduals> residuals_;
  std::vector<float> extras_;
  std::vector<float> norms_;
  std::vector<RowNorms> estimates_;
  std::vector<uint64_t> sketches_;
  RowCopies copies_;
  std::vector<uint32_t> originals_;
  std::vector<GraphGroups> partitions_;
  std::unique_ptr<NeighborGraph> graph_;
};

}  // namespace

Status build_graph_index(const ForestView& forest, const GraphBuildOptions& options, MemoryBlock* file) try {
  const NodeLayout& layout = forest.layout();
  if (!supports_graph(layout.metric, layout.dimensions)) {
    return Status::failure(StatusCode::invalid_argument,
                           "there are graph indexes for angular, euclidean and dot, up to 32768 dimensions");
  }
  if (forest.nodes() == 0) return Status::failure(StatusCode::invalid_argument, "the forest is empty");
  return GraphBuild(forest, options).run(file);
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
