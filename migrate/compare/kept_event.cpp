// SPDX-License-Identifier: Apache-2.0
#include "migrate/compare/kept_event.h"

#include <cstring>

namespace auditshift::migrate::compare {

KeptEvent::KeptEvent(const sensor::Event& event) : event_(event) {
  event_.cwd = {};
  event_.argv = {};
  event_.process.container_id = {};
  std::string_view* const views[] = {&event_.process.comm,
                                     &event_.process.executable.text,
                                     &event_.path.text,
                                     &event_.second_path.text,
                                     &event_.text,
                                     &event_.socket.local.path,
                                     &event_.socket.remote.path,
                                     &event_.audit_key};
  std::size_t size = 0;
  for (const std::string_view* view : views) size += view->size();
  if (size == 0) return;
  texts_ = std::make_unique_for_overwrite<char[]>(size);
  char* at = texts_.get();
  for (std::string_view* view : views) {
    if (view->empty()) continue;
    std::memcpy(at, view->data(), view->size());
    *view = {at, view->size()};
    at += view->size();
  }
}

}  // namespace auditshift::migrate::compare
