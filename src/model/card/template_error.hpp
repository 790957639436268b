#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cohub::model {

/// What the parts of the template engine say when they give up.
class template_errors {
 public:
  explicit template_errors(std::string_view name) : name_(name) {}

  /// @throws error  errc::invalid_card, with the name of the template and the line
  [[noreturn]] void fail(std::size_t line, const std::string& reason) const;
  /// The same for what is no part of the language: how to write it if it is meant literally.
  [[noreturn]] void unsupported(std::size_t line, const std::string& what) const;

 private:
  std::string name_;
};

}  // namespace cohub::model
