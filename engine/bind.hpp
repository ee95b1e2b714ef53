// What the binding files share: arrays of any real type as a Source, vectors as arrays, and signals during a reading.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>

#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "source.hpp"
#include "weighing.hpp"

namespace bound {

namespace nb = nanobind;

// An argument: an array of any real type that stays as it is, at any stride, aligned or not (nb::ndarray takes only
// strides that are multiples of the element).
class AnyArray {
public:
    // False if the object is no such array.
    bool open(nb::handle array, int dimensions) noexcept {
        view_.reset(new Py_buffer{});
        if (PyObject_GetBuffer(array.ptr(), view_.get(), PyBUF_RECORDS_RO) != 0) {
            PyErr_Clear();
            return false;
        }
        return view_->ndim == dimensions && type();
    }

protected:
    std::int64_t length(int axis) const { return view_->shape[axis]; }

    // Number i of the arrays along the last axis.
    gmm1d::Source along_last(std::int64_t i) const {
        const int last = view_->ndim - 1;
        const std::ptrdiff_t offset = last > 0 ? i * view_->strides[0] : 0;
        return {static_cast<const char*>(view_->buf) + offset, view_->strides[last], view_->shape[last], *type()};
    }

private:
    struct Close {
        void operator()(Py_buffer* view) const {
            PyBuffer_Release(view);  // of one never opened, too
            delete view;
        }
    };

    // By the codes of Python's struct module; their sizes are told by the buffer.
    std::optional<gmm1d::Type> type() const noexcept {
        using gmm1d::Type;
        const std::uint16_t one = 1;
        const bool little = *reinterpret_cast<const char*>(&one) == 1;
        const char* code = view_->format ? view_->format : "B";
        if (*code == '@' || *code == '=' || *code == (little ? '<' : '>')) ++code;
        if (code[0] == '\0' || code[1] != '\0') return std::nullopt;
        const Py_ssize_t size = view_->itemsize;
        if (std::strchr("fd", *code)) return size == 8 ? Type::F64 : Type::F32;
        const bool is_signed = std::strchr("bhilq", *code);
        if (!is_signed && !std::strchr("BHILQ", *code)) return std::nullopt;
        switch (size) {
            case 1: return is_signed ? Type::I8 : Type::U8;
            case 2: return is_signed ? Type::I16 : Type::U16;
            case 4: return is_signed ? Type::I32 : Type::U32;
            default: return is_signed ? Type::I64 : Type::U64;
        }
    }

    std::unique_ptr<Py_buffer, Close> view_;
};

class AnyColumn : public AnyArray {
public:
    bool open(nb::handle array) noexcept { return AnyArray::open(array, 1); }
    std::int64_t size() const { return length(0); }
    gmm1d::Source source() const { return along_last(0); }
};

class AnyMatrix : public AnyArray {
public:
    bool open(nb::handle array) noexcept { return AnyArray::open(array, 2); }
    std::int64_t rows() const { return length(0); }
    gmm1d::Source row(std::int64_t i) const { return along_last(i); }
};

// The array must outlive what it is seen as.
inline gmm1d::Source source_of(const AnyColumn& array) { return array.source(); }

// Weights of so many points, if there are any.
inline std::optional<gmm1d::Source> source_of(const std::optional<AnyColumn>& array, std::int64_t size) {
    if (!array) return std::nullopt;
    if (array->size() != size) throw std::invalid_argument("arrays differ in length");
    return source_of(*array);
}

inline gmm1d::Meaning meaning(const std::string& weights_are) {
    if (weights_are == "counts") return gmm1d::Meaning::COUNTS;
    if (weights_are == "importance") return gmm1d::Meaning::IMPORTANCE;
    if (weights_are.empty()) return gmm1d::Meaning::EITHER;
    throw std::invalid_argument("no meaning '" + weights_are + "'");
}

// A vector becomes an array without a copy.
template <class Array, class Number>
Array give(std::vector<Number>&& values, std::initializer_list<std::size_t> shape) {
    auto* owned = new std::vector<Number>(std::move(values));
    nb::capsule owner(owned, [](void* p) noexcept { delete static_cast<std::vector<Number>*>(p); });
    return Array(owned->data(), shape, owner);
}

// Python's signals, such as Ctrl-C, as a gmm1d::Poll for work without the GIL.
class Signals {
public:
    // Pass it as std::ref(signals), so that the exception stays here.
    bool operator()() {
        nb::gil_scoped_acquire acquire;
        if (raised_) return true;  // to whoever asks after it was first told
        if (PyErr_CheckSignals() == 0) return false;
        try {
            nb::raise_python_error();
        } catch (nb::python_error& error) {
            keyboard_interrupt_ = error.matches(PyExc_KeyboardInterrupt);
            raised_ = std::current_exception();
        }
        return true;
    }

    // Needs the GIL.
    void raise() {
        if (raised_) std::rethrow_exception(std::exchange(raised_, nullptr));
    }

    bool keyboard_interrupt() const { return keyboard_interrupt_; }

private:
    std::exception_ptr raised_;
    bool keyboard_interrupt_ = false;
};

}  // namespace bound

namespace nanobind::detail {

template <>
struct type_caster<bound::AnyColumn> {
    NB_TYPE_CASTER(bound::AnyColumn, const_name("numpy.typing.NDArray[typing.Any]"))

    bool from_python(handle src, std::uint8_t, cleanup_list*) noexcept { return value.open(src); }
};

template <>
struct type_caster<bound::AnyMatrix> {
    NB_TYPE_CASTER(bound::AnyMatrix, const_name("numpy.typing.NDArray[typing.Any]"))

    bool from_python(handle src, std::uint8_t, cleanup_list*) noexcept { return value.open(src); }
};

}  // namespace nanobind::detail
