// The copies of the kernel and the choice among them.
#pragma once

#include <string>
#include <vector>

#include "pass.hpp"

namespace gmm1d {

// Those that this processor can run, the fastest first.
std::vector<const Kernel*> kernels();

// By name; the fastest for "". Throws std::invalid_argument where this processor cannot run it.
const Kernel& kernel(const std::string& name);

}  // namespace gmm1d
