#include "dispatch.hpp"

#include <stdexcept>

namespace gmm1d {

extern const Kernel kernel_baseline;

#ifdef GMM1D_X86_KERNELS
extern const Kernel kernel_v3, kernel_v4;

namespace {

bool runs_v3() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("fma");
}

bool runs_v4() {
    return runs_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}

}  // namespace
#endif

std::vector<const Kernel*> kernels() {
    std::vector<const Kernel*> found;
#ifdef GMM1D_X86_KERNELS
    __builtin_cpu_init();
    if (runs_v4()) found.push_back(&kernel_v4);
    if (runs_v3()) found.push_back(&kernel_v3);
#endif
    found.push_back(&kernel_baseline);
    return found;
}

const Kernel& kernel(const std::string& name) {
    static const std::vector<const Kernel*> available = kernels();
    if (name.empty()) return *available.front();
    for (const Kernel* k : available) {
        if (name == k->name) return *k;
    }
    throw std::invalid_argument("no kernel for the instruction set '" + name + "' on this processor");
}

}  // namespace gmm1d
