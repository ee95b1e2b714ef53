#include "source.hpp"

#include <cstring>

namespace gmm1d {
namespace {

template <class T>
void read_as(const char* from, std::ptrdiff_t stride, std::int64_t count, double* out) {
    T value;
    if (stride == sizeof(T)) {  // a constant distance, which the compiler turns into vectors
        for (std::int64_t i = 0; i < count; ++i) {
            std::memcpy(&value, from + i * std::ptrdiff_t(sizeof(T)), sizeof(T));
            out[i] = static_cast<double>(value);
        }
    } else {
        for (std::int64_t i = 0; i < count; ++i) {
            std::memcpy(&value, from + i * stride, sizeof(T));
            out[i] = static_cast<double>(value);
        }
    }
}

}  // namespace

void read(const Source& source, std::int64_t first, std::int64_t count, double* out) {
    const char* from = source.data + first * source.stride;
    switch (source.type) {
        case Type::F64:
            if (source.stride == sizeof(double)) std::memcpy(out, from, count * sizeof(double));
            else read_as<double>(from, source.stride, count, out);
            break;
        case Type::F32: read_as<float>(from, source.stride, count, out); break;
        case Type::I8: read_as<std::int8_t>(from, source.stride, count, out); break;
        case Type::I16: read_as<std::int16_t>(from, source.stride, count, out); break;
        case Type::I32: read_as<std::int32_t>(from, source.stride, count, out); break;
        case Type::I64: read_as<std::int64_t>(from, source.stride, count, out); break;
        case Type::U8: read_as<std::uint8_t>(from, source.stride, count, out); break;
        case Type::U16: read_as<std::uint16_t>(from, source.stride, count, out); break;
        case Type::U32: read_as<std::uint32_t>(from, source.stride, count, out); break;
        case Type::U64: read_as<std::uint64_t>(from, source.stride, count, out); break;
    }
}

}  // namespace gmm1d
