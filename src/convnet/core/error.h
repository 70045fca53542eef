#pragma once
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace convnet {

// What went wrong, as data: the R side writes the sentence from `fields`
// (problem, expected, received, remedy; where: the layer or operation).
// kind is one of shape, argument, dtype, weights, memory.
class Error : public std::runtime_error {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  Error(std::string kind, std::string problem, Fields fields = {})
      : std::runtime_error(problem), kind_(std::move(kind)), fields_(std::move(fields)) {
    fields_.emplace_back("problem", std::move(problem));
  }

  const std::string& kind() const { return kind_; }
  const Fields& fields() const { return fields_; }
  bool has(const std::string& name) const {
    for (const auto& field : fields_)
      if (field.first == name) return true;
    return false;
  }
  // Adds a field on the way up, e.g. `where` by the code that knows the layer.
  Error& with(std::string name, std::string value) {
    if (!has(name)) fields_.emplace_back(std::move(name), std::move(value));
    return *this;
  }

 private:
  std::string kind_;
  Fields fields_;
};

[[noreturn]] inline void shape_error(std::string problem, std::string expected, std::string received,
                                     std::string remedy = "") {
  Error::Fields fields{{"expected", std::move(expected)}, {"received", std::move(received)}};
  if (!remedy.empty()) fields.emplace_back("remedy", std::move(remedy));
  throw Error("shape", std::move(problem), std::move(fields));
}

[[noreturn]] inline void argument_error(std::string problem, std::string expected, std::string received,
                                        std::string remedy = "") {
  Error::Fields fields{{"expected", std::move(expected)}, {"received", std::move(received)}};
  if (!remedy.empty()) fields.emplace_back("remedy", std::move(remedy));
  throw Error("argument", std::move(problem), std::move(fields));
}

}  // namespace convnet
