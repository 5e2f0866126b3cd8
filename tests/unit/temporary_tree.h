// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/sysroot.h"

namespace auditshift::tests {

/// A host's file tree, built by the test that needs it and removed with this object. Paths are absolute as
/// that host sees them.
class TemporaryTree {
 public:
  TemporaryTree() {
    std::string name = (std::filesystem::temp_directory_path() / "auditshift-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create " + name);
    root_ = name;
  }
  ~TemporaryTree() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  TemporaryTree(const TemporaryTree&) = delete;
  TemporaryTree& operator=(const TemporaryTree&) = delete;

  const std::string& root() const { return root_; }
  /// The path of the running process for a path of the tree.
  std::string real(std::string_view path) const { return root_ + std::string(path); }

  void file(std::string_view path, std::string_view content) const {
    std::filesystem::create_directories(std::filesystem::path(real(path)).parent_path());
    std::ofstream(real(path), std::ios::binary) << content;
  }
  void directory(std::string_view path) const { std::filesystem::create_directories(real(path)); }
  void link(std::string_view path, std::string_view target) const {
    std::filesystem::create_directories(std::filesystem::path(real(path)).parent_path());
    std::filesystem::create_symlink(target, real(path));
  }
  std::string read(std::string_view path) const {
    std::ifstream in(real(path), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  base::Sysroot open(base::Sysroot::Resolver resolver = base::Sysroot::Resolver::automatic) const {
    auto host = base::Sysroot::open(root_, resolver);
    if (!host) throw std::runtime_error(host.error().message());
    return *std::move(host);
  }

 private:
  std::string root_;
};

}  // namespace auditshift::tests
