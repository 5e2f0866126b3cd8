// SPDX-License-Identifier: Apache-2.0
#include "sensor/program_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string_view>
#include <utility>

#include "base/fd.h"
#include "base/text.h"

namespace auditshift::sensor {
namespace {

constexpr int kScripts = 5;  // interpreters of interpreters: fs/exec.c, exec_binprm()

std::string own_link(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

struct Interpreter {
  std::string path;
  std::string argument;  ///< all that follows, in one
};

/// What the first line names; an empty path when this is no script.
Interpreter interpreter_of(const base::Fd& file) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  const base::Fd readable(::open(own_link(file.get()).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  std::array<char, 256> bytes{};  // BINPRM_BUF_SIZE, linux/binfmts.h
  const ssize_t length = readable ? ::pread(readable.get(), bytes.data(), bytes.size(), 0) : 0;
  if (length <= 2) return {};
  std::string_view line(bytes.data(), static_cast<std::size_t>(length));
  if (!line.starts_with("#!")) return {};
  line = line.substr(2, line.find_first_of(std::string_view("\n\0", 2), 2) - 2);
  line = base::trim(line);
  const std::size_t end = line.find_first_of(" \t");
  if (end == std::string_view::npos) return {std::string(line), {}};
  return {std::string(line.substr(0, end)), std::string(base::trim(line.substr(end)))};
}

/// The first argument gives way to the interpreter, its argument and the script's name.
std::string interpreted(const Interpreter& interpreter, const std::string& script, const std::string& argv) {
  std::string result = interpreter.path + '\0';
  if (!interpreter.argument.empty()) result += interpreter.argument + '\0';
  result += script + '\0';
  const std::size_t first = argv.find('\0');
  return first == std::string::npos ? result : result + argv.substr(first + 1);
}

}  // namespace

std::string real_path(const base::Sysroot& tree, const std::string& path) {
  return tree.resolve(path).value_or({});
}

Program program_of(const base::Sysroot& tree, const std::string& path, const std::string& name,
                   std::string argv) {
  std::string current = path, script = name;
  for (int step = 0; step < kScripts; ++step) {
    const auto file = tree.open_file(current, O_PATH);
    if (!file.ok()) return {{}, std::move(argv)};
    const Interpreter interpreter = interpreter_of(*file);
    if (interpreter.path.empty()) return {real_path(tree, current), std::move(argv)};
    // One relative to a directory that is not known here.
    if (!interpreter.path.starts_with('/')) return {{}, std::move(argv)};
    argv = interpreted(interpreter, script, argv);
    current = script = interpreter.path;
  }
  return {{}, std::move(argv)};
}

}  // namespace auditshift::sensor
