#include "accumulate.hpp"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>

namespace gmm1d {
namespace {

constexpr std::int64_t SMALLEST_CHUNK = 32 * BLOCK, MOST_CHUNKS = 64;
constexpr std::int64_t STRETCH = 16 * BLOCK;  // is converted at a time; as many points at least lie between two looks at the clock
constexpr std::chrono::milliseconds POLL_EVERY{50};
constexpr std::size_t ALIGNMENT = 64;

std::int64_t chunk_size(std::int64_t n) {
    const std::int64_t share = (n + MOST_CHUNKS - 1) / MOST_CHUNKS;
    return std::max(SMALLEST_CHUNK, (share + BLOCK - 1) / BLOCK * BLOCK);
}

double* aligned(std::vector<double>& memory) {
    void* start = memory.data();
    std::size_t space = memory.size() * sizeof(double);
    return static_cast<double*>(std::align(ALIGNMENT, space - ALIGNMENT, start, space));
}

}  // namespace

Accumulator::Accumulator(const Source& points, const std::optional<Source>& weights, double centre, double factor, int k,
                         int threads, const Kernel& kernel, Poll poll, double weight_scale, const Neglected& neglected)
    : points_(points),
      weights_(weights),
      centre_(centre),
      factor_(factor),
      weight_scale_(weight_scale),
      kernel_(kernel),
      neglected_(neglected),
      poll_(std::move(poll)),
      chunk_(chunk_size(points.size)),
      n_chunks_((points.size + chunk_ - 1) / chunk_),
      threads_(static_cast<int>(std::clamp<std::int64_t>(threads, 1, n_chunks_))),
      scratch_(threads_),
      converted_(threads_),
      next_poll_(std::chrono::steady_clock::now() + POLL_EVERY) {
    for (std::vector<double>& each : scratch_) each.resize(scratch_size(k) + ALIGNMENT / sizeof(double));
}

Points Accumulator::seen(std::int64_t first, std::int64_t count, std::vector<double>& memory) const {
    Points out{nullptr, sizeof(double), nullptr, sizeof(double), count, centre_, factor_};
    const auto place = [&](const Source& from, std::int64_t offset, const char*& values, std::ptrdiff_t& stride) {
        if (from.type == Type::F64) {
            values = from.data + from.stride * first;
            stride = from.stride;
            return;
        }
        if (memory.empty()) memory.resize(2 * STRETCH);
        read(from, first, count, &memory[offset]);
        values = reinterpret_cast<const char*>(&memory[offset]);
    };
    place(points_, 0, out.values, out.value_stride);
    if (weights_) place(*weights_, STRETCH, out.weights, out.weight_stride);
    return out;
}

bool Accumulator::poll_now(std::int64_t count) {
    if (!poll_ || (unseen_ += count) < STRETCH) return false;
    unseen_ = 0;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_poll_) return false;
    next_poll_ = now + POLL_EVERY;
    return poll_();
}

bool Accumulator::run(const Components& components, Detail detail, double* out) {
    const std::int64_t n_sums = sums(detail, components.k);
    sums_.assign(n_chunks_ * n_sums, Sum{0.0, 0.0});
    std::atomic<std::int64_t> next_chunk{0};
    std::atomic<bool> stop{false};

    const auto work = [&](int thread) {
        double* scratch = aligned(scratch_[thread]);
        for (std::int64_t chunk; (chunk = next_chunk++) < n_chunks_;) {
            const std::int64_t end = std::min(points_.size, (chunk + 1) * chunk_);
            for (std::int64_t at = chunk * chunk_; at < end; at += STRETCH) {
                const std::int64_t count = std::min(STRETCH, end - at);
                if (thread == 0 && poll_now(count)) stop = true;
                if (stop) return;
                kernel_.add_points(seen(at, count, converted_[thread]), 0, count, components, detail, scratch,
                                   &sums_[chunk * n_sums]);
            }
        }
    };
    std::vector<std::thread> helpers;
    try {
        for (int t = 1; t < threads_; ++t) helpers.emplace_back(work, t);
    } catch (const std::system_error&) {
        // no more threads to be had: those that started do the work, with the same bits
    }
    work(0);
    for (auto& helper : helpers) helper.join();
    if (stop) return false;

    for (std::int64_t i = 0; i < n_sums; ++i) {
        Sum total = sums_[i];
        for (std::int64_t chunk = 1; chunk < n_chunks_; ++chunk) total.add(sums_[chunk * n_sums + i]);
        out[i] = weight_scale_ * total.value();
    }
    return true;
}

}  // namespace gmm1d
