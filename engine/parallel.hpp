// Work in numbered pieces, shared among threads; which thread does which piece must leave no trace in the result.
#pragma once

#include <cstdint>
#include <functional>

namespace gmm1d {

// Asked now and then by the calling thread; true stops the work.
using Poll = std::function<bool()>;

// Calls work(piece, thread) for every piece 0 ... pieces - 1, each once, in ascending order within a thread 0 ... threads - 1.
// False if the poll stopped it between two pieces: make them last some milliseconds at most.
// What work throws is thrown on after the threads have ended.
bool parallel(std::int64_t pieces, int threads, const Poll& poll, const std::function<void(std::int64_t piece, int thread)>& work);

}  // namespace gmm1d
