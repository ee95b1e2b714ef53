// A column of numbers as the caller holds it: of any real type, any distance apart, read as float64.
#pragma once

#include <cstddef>
#include <cstdint>

#include "parallel.hpp"

namespace gmm1d {

enum class Type { F64, F32, I8, I16, I32, I64, U8, U16, U32, U64 };

struct Source {
    const char* data;
    std::ptrdiff_t stride;  // in bytes; not necessarily a multiple of the type's alignment
    std::int64_t size;
    Type type;
};

// Writes the elements first ... first + count - 1, the caller's to keep in range; whole numbers beyond 2^53 are rounded.
void read(const Source& source, std::int64_t first, std::int64_t count, double* out);

}  // namespace gmm1d
