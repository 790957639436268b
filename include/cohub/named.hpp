#pragma once

#include <utility>

namespace cohub {

/// Carries an options struct into an operation, and accepts only an object that has a name.
///
/// g++ 12 copies a temporary aggregate bytewise when it stands in an expression with `co_await`,
/// and destroys it twice: any aggregate, also one of the caller's own. A braced list of strings
/// there, `co_await hub.delete_files(id, {"*.tmp"})`, is "error: array used as initializer", at
/// some other line. Both go where the value is named first. Refusing temporaries turns the first
/// into a compile error where it is met most:
/// @code
/// const cohub::download_options options{.revision = "refs/pr/1"};
/// co_await hub.download_file("owner/name", "model.safetensors", options);
/// @endcode
template <class T>
class named {
 public:
  named() {}                                // the defaults; user-provided on purpose
  named(const T& value) : value_(value) {}  // NOLINT: implicit, pass a named object
  named(T&&) = delete;                      // name the options first, then pass them

  const T& operator*() const& noexcept { return value_; }
  T&& operator*() && noexcept { return std::move(value_); }
  const T* operator->() const noexcept { return &value_; }

 private:
  T value_;
};

}  // namespace cohub
