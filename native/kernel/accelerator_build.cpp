#include "accelerator_build.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "accelerator_format.h"
#include "checksum.h"
#include "compact_trees.h"
#include "distance.h"
#include "int8_vector.h"
#include "neighbor_graph.h"
#include "parallel_blocks.h"
#include "sign_sketch.h"

namespace semantic_index {

namespace {

/** Items in a group of which all pairs are compared, where the leaves are not larger. */
constexpr int64_t kGroupItems = 256;
/** Items of one block of work. */
constexpr int64_t kBlockItems = 512;
/** Items from which the centre and the scale are taken. */
constexpr int32_t kSample = 8192;
/** The share of numbers that may be larger than what an integer can stand for. */
constexpr double kClipped = 2e-5;
/** Positions beyond this would not fit the counters of the graph. */
constexpr int64_t kMostPositions = int64_t{1} << 27;

class AcceleratorBuild {
 public:
  AcceleratorBuild(const ForestView& forest, const AcceleratorOptions& options)
      : forest_(forest),
        layout_(forest.layout()),
        dimensions_(static_cast<size_t>(layout_.dimensions)),
        threads_(thread_count(options.threads)),
        sketch_(dimensions_) {
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
    find_centre();
    find_scale();
    status = make_room(file);
    if (status.ok()) status = fill_rows();
    if (status.ok()) status = fill_graph();
    if (status.ok()) fill_trees();
    if (status.ok()) status = forest_.check_unchanged();
    if (status.ok()) finish();
    return status;
  }

 private:
  Status read_trees() {
    const int32_t items = forest_.items();
    std::vector<int32_t> seen(static_cast<size_t>(items), -1);
    trees_.resize(forest_.roots().size());
    ParallelWatch quiet;
    quiet.cancel = watch_.cancel;
    const auto count = static_cast<int64_t>(trees_.size());
    for (int64_t tree = 0; tree < count; ++tree) {
      if (quiet.cancel != nullptr && quiet.cancel->load()) return {StatusCode::cancelled, 0, {}};
      const Status status = read_tree(forest_, forest_.roots()[static_cast<size_t>(tree)], kGroupItems, &seen,
                                      static_cast<int32_t>(tree), &trees_[static_cast<size_t>(tree)]);
      if (!status.ok()) return status;
    }
    // What is near in the first tree is near in memory.
    position_of_.assign(static_cast<size_t>(items), -1);
    if (!trees_.empty()) item_of_ = trees_[0].items;
    for (size_t position = 0; position < item_of_.size(); ++position) {
      position_of_[static_cast<size_t>(item_of_[position])] = static_cast<int32_t>(position);
    }
    // A sound tree holds every item; of damaged ones, what is left is put behind.
    for (int32_t item = 0; item < items; ++item) {
      if (position_of_[static_cast<size_t>(item)] >= 0 || !forest_.has_item(item)) continue;
      position_of_[static_cast<size_t>(item)] = static_cast<int32_t>(item_of_.size());
      item_of_.push_back(item);
    }
    if (static_cast<int64_t>(item_of_.size()) > kMostPositions) {
      return Status::failure(StatusCode::invalid_argument, "there are more items than an accelerator can hold");
    }
    for (CompactTree& tree : trees_) {
      for (int32_t& item : tree.items) item = position_of_[static_cast<size_t>(item)];
    }
    return Status::success();
  }

  /** Copies the vector at `position`; of length 1 for angular, unless it is zero. */
  void load(int32_t position, float* vector) const {
    const uint8_t* node = forest_.node(item_of_[static_cast<size_t>(position)]);
    std::memcpy(vector, node + layout_.vector_offset, layout_.vector_bytes);
    if (layout_.metric != Metric::angular) return;
    const float square = distances().dot(vector, vector, dimensions_);
    if (!(square > 0)) return;
    const float inverse = 1.0f / std::sqrt(square);
    for (size_t i = 0; i < dimensions_; ++i) vector[i] *= inverse;
  }

  void load_centred(int32_t position, float* vector) const {
    load(position, vector);
    for (size_t i = 0; i < dimensions_; ++i) vector[i] -= centre_[i];
  }

  int32_t samples() const { return std::min<int32_t>(kSample, static_cast<int32_t>(item_of_.size())); }

  int32_t sample_at(int32_t sample) const {
    return static_cast<int32_t>(static_cast<int64_t>(item_of_.size()) * sample / samples());
  }

  void find_centre() {
    std::vector<double> sums(dimensions_, 0.0);
    std::vector<float> vector(dimensions_);
    for (int32_t sample = 0; sample < samples(); ++sample) {
      load(sample_at(sample), vector.data());
      for (size_t i = 0; i < dimensions_; ++i) sums[i] += vector[i];
    }
    centre_.assign(dimensions_, 0.0f);
    for (size_t i = 0; i < dimensions_ && samples() > 0; ++i) {
      const auto mean = static_cast<float>(sums[i] / samples());
      centre_[i] = std::isfinite(mean) ? mean : 0.0f;
    }
  }

  void find_scale() {
    std::vector<float> sizes(static_cast<size_t>(samples()) * dimensions_);
    for (int32_t sample = 0; sample < samples(); ++sample) {
      float* vector = sizes.data() + static_cast<size_t>(sample) * dimensions_;
      load_centred(sample_at(sample), vector);
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
    int64_t planes = 0;
    int64_t leaves = 0;
    int64_t entries = 0;
    for (const CompactTree& tree : trees_) {
      planes += static_cast<int64_t>(tree.nodes.size());
      leaves += static_cast<int64_t>(tree.leaf_begins.size()) - 1;
      entries += static_cast<int64_t>(tree.items.size());
    }
    if (leaves > INT32_MAX) return Status::failure(StatusCode::invalid_argument, "the trees have too many leaves");
    std::memcpy(header_.magic, kAcceleratorMagic, sizeof header_.magic);
    header_.version = kAcceleratorVersion;
    header_.metric = static_cast<uint32_t>(layout_.metric);
    header_.dimensions = layout_.dimensions;
    header_.items = forest_.items();
    header_.positions = static_cast<int32_t>(item_of_.size());
    header_.trees = static_cast<int32_t>(trees_.size());
    header_.planes = static_cast<int32_t>(planes);
    header_.leaves = static_cast<int32_t>(leaves);
    header_.row_bytes = static_cast<uint32_t>((dimensions_ + kInt8Block - 1) / kInt8Block * kInt8Block);
    header_.scale = scale_;
    place_sections(&header_, entries);
    if (!file->resize(0) || !file->resize(static_cast<size_t>(accelerator_bytes(header_)))) return Status::no_memory();
    bytes_ = file->data();
    int64_t groups = 0;
    for (const CompactTree& tree : trees_) groups += static_cast<int64_t>(tree.groups.size());
    return Status::success();
  }

  template <typename T>
  T* section(AcceleratorSection name) const {
    return reinterpret_cast<T*>(bytes_ + header_.sections[static_cast<size_t>(name)].offset);
  }

  size_t row_bytes() const { return header_.row_bytes; }

  int64_t item_blocks() const { return (header_.positions + kBlockItems - 1) / kBlockItems; }

  Status fill_rows() {
    squares_.assign(item_of_.size(), 0);
    sketches_.assign(item_of_.size(), 0);
    if (layout_.metric == Metric::dot) extras_.assign(item_of_.size(), 0.0f);
    rows_.records = section<uint8_t>(AcceleratorSection::records);
    rows_.row_bytes = row_bytes();
    rows_.record_bytes = record_bytes(row_bytes());
    rows_.count = header_.positions;
    rows_.squares = squares_.data();
    rows_.extras = extras_.empty() ? nullptr : extras_.data();
    partitions_.resize(trees_.size());
    for (size_t tree = 0; tree < trees_.size(); ++tree) {
      partitions_[tree] = {trees_[tree].items.data(), trees_[tree].groups};
    }
    graph_ = std::make_unique<NeighborGraph>(rows_, partitions_, threads_);
    total_ = graph_->blocks() + item_blocks();
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

  void fill_row(int32_t position, float* vector) {
    const auto at = static_cast<size_t>(position);
    const int32_t item = item_of_[at];
    load_centred(position, vector);
    int8_t* row = reinterpret_cast<int8_t*>(rows_.records + at * rows_.record_bytes);
    write_int8(vector, dimensions_, scale_, row, row_bytes());
    int64_t square = 0;
    for (size_t i = 0; i < dimensions_; ++i) square += static_cast<int64_t>(row[i]) * row[i];
    squares_[at] = square;
    if (!extras_.empty()) {
      const float extra = read_float(forest_.node(item) + kDotFactorOffset) / scale_;
      extras_[at] = std::isfinite(extra) ? extra : 0.0f;
    }
    section<int32_t>(AcceleratorSection::items)[at] = item;
    if (layout_.metric == Metric::euclidean) {
      section<float>(AcceleratorSection::norms)[at] = distances().dot(vector, vector, dimensions_);
    }
    sketches_[at] = sketch_.of(vector);
  }

  Status fill_graph() {
    const Status status = graph_->build(&watch_);
    graph_.reset();
    return status;
  }

  void fill_trees() {
    int8_t* planes = section<int8_t>(AcceleratorSection::planes);
    PlaneFacts* facts = section<PlaneFacts>(AcceleratorSection::plane_facts);
    auto* begins = section<int64_t>(AcceleratorSection::leaf_begins);
    auto* positions = section<int32_t>(AcceleratorSection::leaf_positions);
    auto* sketches = section<uint64_t>(AcceleratorSection::leaf_sketches);
    int32_t* roots = section<int32_t>(AcceleratorSection::roots);
    int32_t first_plane = 0;
    int32_t first_leaf = 0;
    int64_t first_entry = 0;
    for (size_t number = 0; number < trees_.size(); ++number) {
      const CompactTree& tree = trees_[number];
      const auto moved = [&](int32_t child) { return child >= 0 ? child + first_plane : child - first_leaf; };
      roots[number] = moved(tree.root);
      for (size_t plane = 0; plane < tree.nodes.size(); ++plane) {
        const size_t at = static_cast<size_t>(first_plane) + plane;
        facts[at] = plane_facts(tree.nodes[plane], planes + at * row_bytes());
        facts[at].children[0] = moved(tree.children[plane].first);
        facts[at].children[1] = moved(tree.children[plane].second);
      }
      const size_t leaves = tree.leaf_begins.size() - 1;
      for (size_t leaf = 0; leaf <= leaves; ++leaf) {
        begins[static_cast<size_t>(first_leaf) + leaf] = first_entry + tree.leaf_begins[leaf];
      }
      for (size_t entry = 0; entry < tree.items.size(); ++entry) {
        const size_t at = static_cast<size_t>(first_entry) + entry;
        positions[at] = tree.items[entry];
        sketches[at] = sketches_[static_cast<size_t>(tree.items[entry])];
      }
      first_plane += static_cast<int32_t>(tree.nodes.size());
      first_leaf += static_cast<int32_t>(leaves);
      first_entry += static_cast<int64_t>(tree.items.size());
    }
    std::memcpy(section<float>(AcceleratorSection::centre), centre_.data(), dimensions_ * sizeof(float));
  }

  /** Writes the plane's vector as integers. */
  PlaneFacts plane_facts(int32_t index, int8_t* row) const {
    const uint8_t* node = forest_.node(index);
    const float* vector = reinterpret_cast<const float*>(node + layout_.vector_offset);
    PlaneFacts facts = {};
    facts.scale = int8_scale(vector, dimensions_);
    write_int8(vector, dimensions_, facts.scale, row, row_bytes());
    if (layout_.metric == Metric::euclidean) {
      // Queries come with the centre taken off.
      facts.offset = read_float(node + kPlaneConstantOffset) + distances().dot(vector, centre_.data(), dimensions_);
    } else if (layout_.metric == Metric::dot && layout_.dot_layout == DotLayout::released) {
      const float factor = read_float(node + kDotFactorOffset);
      facts.offset = factor * factor;
    }
    return facts;
  }

  void finish() {
    const uint8_t* forest_bytes = forest_.items() > 0 ? forest_.node(0) : nullptr;
    header_.forest_bytes = static_cast<int64_t>(forest_.nodes()) * static_cast<int64_t>(layout_.node_bytes);
    header_.forest_ends = ends_checksum(forest_bytes, header_.forest_bytes);
    header_.forest_checksum = checksum(forest_bytes, static_cast<size_t>(header_.forest_bytes));
    for (SectionPlace& place : header_.sections) {
      place.checksum = checksum(bytes_ + place.offset, static_cast<size_t>(place.bytes));
    }
    header_.header_checksum = checksum(&header_, offsetof(AcceleratorHeader, header_checksum));
    std::memcpy(bytes_, &header_, sizeof header_);
  }

  const ForestView& forest_;
  const NodeLayout& layout_;
  const size_t dimensions_;
  const int threads_;
  const SignSketch sketch_;
  ParallelWatch watch_;
  int64_t total_ = 0;
  std::vector<CompactTree> trees_;
  std::vector<int32_t> position_of_;
  std::vector<int32_t> item_of_;
  std::vector<float> centre_;
  float scale_ = 1.0f;
  AcceleratorHeader header_ = {};
  uint8_t* bytes_ = nullptr;
  GraphRows rows_;
  std::vector<int64_t> squares_;
  std::vector<uint64_t> sketches_;
  std::vector<float> extras_;
  std::vector<GraphGroups> partitions_;
  std::unique_ptr<NeighborGraph> graph_;
};

}  // namespace

Status build_accelerator(const ForestView& forest, const AcceleratorOptions& options, MemoryBlock* file) try {
  const NodeLayout& layout = forest.layout();
  if (!can_accelerate(layout.metric, layout.dimensions)) {
    return Status::failure(StatusCode::invalid_argument,
                           "there are accelerators for angular, euclidean and dot, up to 32768 dimensions");
  }
  if (forest.nodes() == 0) return Status::failure(StatusCode::invalid_argument, "there is no forest");
  return AcceleratorBuild(forest, options).run(file);
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
