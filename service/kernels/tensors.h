// A model's tensors by the names they have in its bundle.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace livetalker {

constexpr int64_t kAny = -1;

/// An array that somebody else keeps alive while a model is being read.
struct Tensor {
    const void* data = nullptr;
    std::vector<int64_t> shape;

    const float* floats() const { return static_cast<const float*>(data); }
    const int8_t* bytes() const { return static_cast<const int8_t*>(data); }
    int64_t size() const {
        int64_t product = 1;
        for (int64_t axis : shape) product *= axis;
        return product;
    }
};

/// Looks tensors up; whatever does not fit is one error that names the tensor.
class Tensors {
public:
    void add(const std::string& name, Tensor tensor) { tensors_[name] = std::move(tensor); }

    bool has(const std::string& name) const { return tensors_.count(name) > 0; }

    /// The tensor of that name and shape, in which `kAny` fits any length.
    const Tensor& get(const std::string& name, const std::vector<int64_t>& shape) const {
        auto found = tensors_.find(name);
        if (found == tensors_.end()) throw std::invalid_argument("the bundle has no " + name);
        const std::vector<int64_t>& actual = found->second.shape;
        bool fits = actual.size() == shape.size();
        for (size_t axis = 0; fits && axis < shape.size(); axis++)
            fits = shape[axis] == kAny ? actual[axis] > 0 : actual[axis] == shape[axis];
        if (!fits) throw std::invalid_argument(name + " has another shape than the rest of the model");
        return found->second;
    }

    /// The values of a tensor of one axis.
    std::vector<float> row(const std::string& name, int64_t length) const {
        const Tensor& tensor = get(name, {length});
        return {tensor.floats(), tensor.floats() + tensor.size()};
    }

private:
    std::map<std::string, Tensor> tensors_;
};

}  // namespace livetalker
