// Where values crowd in a part so small that coarse nodes do not show it.
#pragma once

#include "nodes.hpp"

namespace gmm1d {

// Few places, the most crowded first, apart from each other.
std::vector<Crowd> crowds(const Nodes& nodes);

}  // namespace gmm1d
