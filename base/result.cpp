// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace auditshift::base {
namespace {

Errc code_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
    case ESRCH:
      return Errc::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::permission;
    case EINVAL:
    case EILSEQ:
      return Errc::invalid;
    case ENOSYS:
    case EOPNOTSUPP:
    case EPROTONOSUPPORT:
      return Errc::unsupported;
    case ETIMEDOUT:
      return Errc::timeout;
    case EINTR:
      return Errc::interrupted;
    case EBUSY:
    case EAGAIN:
      return Errc::busy;
    case ENOSPC:
    case EDQUOT:
      return Errc::no_space;
    case EEXIST:
      return Errc::exists;
    case EFBIG:
    case E2BIG:
    case ENAMETOOLONG:
      return Errc::too_large;
    case ELOOP:
    case EXDEV:
      return Errc::loop;
    default:
      return Errc::io;
  }
}

}  // namespace

Error Error::from_errno(int number, std::string_view what) {
  char buffer[128];
  // The GNU strerror_r may return a static string instead of filling the buffer.
  const char* text = strerror_r(number, buffer, sizeof buffer);
  Error error(code_of(number), std::string(what) + ": " + text);
  error.errno_ = number;
  return error;
}

Error&& Error::context(std::string_view what) && {
  message_.insert(0, std::string(what) + ": ");
  return std::move(*this);
}

Error&& Error::with_hint(std::string hint) && {
  hint_ = std::move(hint);
  return std::move(*this);
}

}  // namespace auditshift::base
