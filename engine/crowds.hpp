// Where values crowd in a part so small that coarse nodes, or the cells of a sketch, do not show it.
#pragma once

#include "nodes.hpp"
#include "sketch.hpp"

namespace gmm1d {

// Few places, the most crowded first, apart from each other.
std::vector<Crowd> crowds(const Nodes& nodes);

// The cells of leaves that hold narrow groups which they do not resolve; none if there is structure everywhere.
std::vector<Cell> crowded_cells(const Sketch& sketch);

}  // namespace gmm1d
