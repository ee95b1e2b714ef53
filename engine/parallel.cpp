#include "parallel.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace gmm1d {
namespace {

constexpr std::chrono::milliseconds POLL_EVERY{50};

}  // namespace

bool parallel(std::int64_t pieces, int threads, const Poll& poll, const std::function<void(std::int64_t, int)>& work) {
    std::atomic<std::int64_t> next{0};
    std::atomic<bool> stop{false};
    bool polled = false;
    std::mutex guard;
    std::condition_variable ended;
    std::int64_t running = 0;  // helpers
    std::exception_ptr thrown;
    auto next_poll = std::chrono::steady_clock::now() + POLL_EVERY;

    const auto run = [&](int thread) {
        try {
            for (std::int64_t piece; !stop && (piece = next++) < pieces;) {
                work(piece, thread);
                if (thread == 0 && poll && std::chrono::steady_clock::now() >= next_poll) {
                    if (poll()) polled = stop = true;
                    next_poll = std::chrono::steady_clock::now() + POLL_EVERY;
                }
            }
        } catch (...) {
            const std::lock_guard<std::mutex> lock(guard);
            if (!thrown) thrown = std::current_exception();
            stop = true;
        }
    };
    std::vector<std::thread> helpers;
    const auto wanted = std::min<std::int64_t>(threads, pieces);
    try {
        helpers.reserve(std::max<std::int64_t>(wanted, 1) - 1);
        for (int t = 1; t < wanted; ++t) {
            helpers.emplace_back([&, t] {
                run(t);
                const std::lock_guard<std::mutex> lock(guard);
                --running;
                ended.notify_one();
            });
            const std::lock_guard<std::mutex> lock(guard);
            ++running;
        }
    } catch (const std::system_error&) {
        // no more threads to be had: those that started do the work, with the same bits
    }
    run(0);
    // The last pieces of the helpers may take long, and only this thread may poll.
    for (std::unique_lock<std::mutex> lock(guard); !ended.wait_for(lock, POLL_EVERY, [&] { return running == 0; });) {
        lock.unlock();
        if (!polled && poll && poll()) polled = stop = true;
        lock.lock();
    }
    for (auto& helper : helpers) helper.join();
    if (thrown) std::rethrow_exception(thrown);
    return !polled;
}

}  // namespace gmm1d
