// Where points pile up in a part so small that the leaves of a sketch do not show it.
#pragma once

#include "sketch.hpp"

namespace gmm1d {

// The cells of leaves that hold narrow groups which they do not resolve; none if there is structure everywhere.
std::vector<Cell> piled_cells(const Sketch& sketch);

}  // namespace gmm1d
