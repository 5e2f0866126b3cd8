// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace auditshift::base {

/// What kind of failure this is, as far as a caller may want to act on it.
enum class Errc {
  io,           ///< reading or writing failed
  not_found,    ///< the thing does not exist
  permission,   ///< the caller may not do this
  invalid,      ///< the input is malformed
  unsupported,  ///< this host or build cannot do it
  timeout,      ///< it did not finish in the time given
  interrupted,  ///< a signal asked to stop
  busy,         ///< somebody else holds it
  no_space,     ///< the file system or quota is full
  exists,       ///< it is there already
  too_large,    ///< over a limit that protects this process
  loop,         ///< too many symbolic links
};

/// An error that a person can act on: what happened, on what, why; and a hint where there is one.
/// The message grows outwards, like "cannot read rules: /etc/audit/x.rules: Permission denied".
class [[nodiscard]] Error {
 public:
  Error(Errc code, std::string message) : code_(code), message_(std::move(message)) {}

  /// From an errno value; `what` names the object. Keeps the number for callers that need it.
  static Error from_errno(int number, std::string_view what);

  Errc code() const { return code_; }
  /// The errno value behind this error, or 0.
  int system_errno() const { return errno_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }

  /// Puts "what: " in front of the message.
  Error&& context(std::string_view what) &&;
  Error&& with_hint(std::string hint) &&;

 private:
  Errc code_;
  int errno_ = 0;
  std::string message_;
  std::string hint_;
};

/// A value or an Error. REQUIRES: value() is only called on success, error() only on failure.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T value_or(T fallback) && { return ok() ? std::get<0>(std::move(state_)) : std::move(fallback); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

  /// On failure, puts "what: " in front of the message.
  Result&& context(std::string_view what) && {
    if (!ok()) (void)std::move(std::get<1>(state_)).context(what);  // changes it in place
    return std::move(*this);
  }

 private:
  std::variant<T, Error> state_;
};

/// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return *std::move(error_); }
  Result&& context(std::string_view what) && {
    if (error_) (void)std::move(*error_).context(what);  // changes it in place
    return std::move(*this);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace auditshift::base

/// Runs `expr`; on failure returns its error from the current function, else binds `name` to the value.
#define AUDITSHIFT_TRY(name, expr)                                      \
  auto name##_or_error = (expr);                                        \
  if (!name##_or_error.ok()) return std::move(name##_or_error).error(); \
  auto& name = *name##_or_error

/// Runs `expr` for its effect; on failure returns its error from the current function.
#define AUDITSHIFT_TRY_VOID(expr)                                             \
  do {                                                                        \
    auto auditshift_result = (expr);                                          \
    if (!auditshift_result.ok()) return std::move(auditshift_result).error(); \
  } while (false)
