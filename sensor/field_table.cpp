// SPDX-License-Identifier: Apache-2.0
#include "sensor/field_table.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/text.h"

namespace auditshift::sensor {
namespace {

constexpr std::size_t kKnownProcesses = 64;

}  // namespace

void FieldWriter::open_field() {
  out_->put(table_->transition(last_, field_));
  last_ = field_;
}

void FieldWriter::string_value(std::string_view value) {
  if (append_json_string(*out_, value)) escaped_.push_back(table_->fields_[field_].path);
}

void FieldWriter::text(std::string_view value) {
  open_field();
  string_value(value);
}

void FieldWriter::text_if(std::string_view value) {
  if (!value.empty()) text(value);
}

void FieldWriter::number(std::uint64_t value) {
  open_field();
  append_number(*out_, value);
}

void FieldWriter::signed_number(std::int64_t value) {
  open_field();
  append_number(*out_, value);
}

void FieldWriter::boolean(bool value) {
  open_field();
  out_->put(value ? "true" : "false");
}

void FieldWriter::flag(bool value) {
  if (value) boolean(true);
}

void FieldWriter::id(std::uint32_t value) {
  if (value != kUnknownId) number(value);
}

void FieldWriter::id_text(std::uint32_t value) {
  if (value == kUnknownId) return;
  open_field();
  out_->put('"');
  append_number(*out_, std::uint64_t{value});
  out_->put('"');
}

void FieldWriter::time(std::int64_t wall_ns) {
  open_field();
  out_->put('"');
  time_.append(*out_, wall_ns);
  out_->put('"');
}

void FieldWriter::path(const Path& value) { text_if(value.text); }

void FieldWriter::json(std::string_view value) {
  open_field();
  out_->put(value);
}

void FieldWriter::address(const Address& value) {
  char text[INET6_ADDRSTRLEN];
  const int family = value.family == AddressFamily::ipv4   ? AF_INET
                     : value.family == AddressFamily::ipv6 ? AF_INET6
                                                           : -1;
  if (family < 0 || ::inet_ntop(family, value.bytes.data(), text, sizeof text) == nullptr) return;
  this->text(text);
}

void FieldWriter::process_id(const StreamIdentity& stream, const ProcessIdentity& value) {
  if (value.pid == 0 || value.start_ns == 0) return;
  open_field();
  out_->put('"');
  append_process_uid(*out_, stream, value);
  out_->put('"');
}

void FieldWriter::arguments(const Arguments& value) {
  if (!value.present) return;
  open_field();
  out_->put('[');
  std::string_view rest = value.text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    if (out_->back() != '[') out_->put(',');
    string_value(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  out_->put(']');
}

void FieldWriter::command_line(const Arguments& value) {
  if (!value.present || value.text.empty()) return;
  std::string_view words = value.text;
  if (words.back() == '\0') words.remove_suffix(1);
  scratch_.clear();
  char* to = scratch_.reserve(words.size());
  std::replace_copy(words.begin(), words.end(), to, '\0', ' ');
  scratch_.add(words.size());
  text(scratch_.view());
}

void FieldWriter::octal(std::uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", value);
  this->text(text);
}

void FieldWriter::numbers(std::span<const std::uint64_t> values) {
  if (std::all_of(values.begin(), values.end(), [](std::uint64_t value) { return value == 0; })) return;
  open_field();
  out_->put('[');
  for (const std::uint64_t value : values) {
    if (out_->back() != '[') out_->put(',');
    append_number(*out_, value);
  }
  out_->put(']');
}

void FieldWriter::escaped_fields() {
  if (escaped_.empty()) return;
  open_field();
  out_->put('[');
  std::string_view last;
  for (const std::string_view path : escaped_) {
    if (path == last) continue;  // several arguments of one vector
    if (out_->back() != '[') out_->put(',');
    append_json_string(*out_, path);
    last = path;
  }
  out_->put(']');
}

FieldTable::FieldTable(std::span<const Field> fields)
    : fields_(fields), transitions_((fields.size() + 1) * fields.size()), processes_(kKnownProcesses) {
  for (const Field& field : fields) {
    auto& path = paths_.emplace_back();
    for (const std::string_view part : base::split(field.path, '.')) path.emplace_back(part);
  }
  paths_.emplace_back();  // where a document starts
  for (const EventKind kind : all_kinds()) {
    std::vector<Run> runs;
    for (std::size_t field = 0; field < fields.size(); ++field) {
      if (!fields[field].kinds.contains(kind)) continue;
      if (runs.empty() || runs.back().scope != fields[field].scope) runs.push_back({{}, fields[field].scope});
      runs.back().fields.push_back(static_cast<std::uint16_t>(field));
    }
    for (Run& run : runs) {
      const auto same = std::find_if(runs_.begin(), runs_.end(),
                                     [&](const Run& other) { return other.fields == run.fields; });
      by_kind_[static_cast<std::size_t>(kind)].emplace_back().run =
          static_cast<std::uint16_t>(same - runs_.begin());
      if (same == runs_.end()) runs_.push_back(std::move(run));
    }
  }
}

std::string_view FieldTable::make_transition(std::uint16_t from, std::uint16_t to) {
  const std::vector<std::string>& old_path = paths_[from];
  const std::vector<std::string>& new_path = paths_[to];
  const std::size_t open = old_path.empty() ? 0 : old_path.size() - 1;
  std::size_t common = 0;
  while (common < open && common + 1 < new_path.size() && old_path[common] == new_path[common]) ++common;
  std::string text(open - common, '}');
  text += old_path.empty() ? "{" : ",";
  for (std::size_t i = common; i + 1 < new_path.size(); ++i) text += "\"" + new_path[i] + "\":{";
  text += "\"" + new_path.back() + "\":";
  std::string& slot = transitions_[std::size_t{from} * fields_.size() + to];
  slot = std::move(text);
  return slot;
}

void FieldTable::append(TextBuffer& out, const Record& record) {
  writer_.out_ = &out;
  writer_.table_ = this;
  writer_.last_ = static_cast<std::uint16_t>(fields_.size());
  writer_.escaped_.clear();
  if (provider_ != record.provider) follow_provider(record.provider);
  KnownProcess* process = nullptr;
  for (Part& part : by_kind_[static_cast<std::size_t>(record.event.kind) % AS_KIND_LIMIT]) {
    const Run& run = runs_[part.run];
    switch (run.scope) {
      case Scope::event:
        for (const std::uint16_t field : run.fields) write_field(field, record);
        break;
      case Scope::stream:
        append_run(part.text, run, record);
        break;
      case Scope::process:
        if (process == nullptr) process = &known_process(record.event);
        append_run(process->runs[part.run], run, record);
        break;
      case Scope::call:
        append_run(text_of_call(part, record.event.syscall), run, record);
        break;
    }
  }
  for (std::size_t depth = paths_[writer_.last_].size(); depth > 0; --depth) out.put('}');
  out.put('\n');
}

void FieldTable::follow_provider(std::string_view provider) {
  provider_ = provider;
  for (std::vector<Part>& parts : by_kind_) {
    for (Part& part : parts) {
      if (runs_[part.run].scope == Scope::stream) part.text.made = false;
    }
  }
}

void FieldTable::write_field(std::uint16_t field, const Record& record) {
  writer_.field_ = field;
  fields_[field].write(writer_, record);
}

void FieldTable::append_run(RunText& known, const Run& run, const Record& record) {
  if (known.made && known.from == writer_.last_) {
    writer_.out_->put(known.text);
    writer_.last_ = known.last;
    return;
  }
  const std::size_t start = writer_.out_->size();
  const std::size_t escaped = writer_.escaped_.size();
  known.from = writer_.last_;
  for (const std::uint16_t field : run.fields) write_field(field, record);
  // Text that must be named as escaped is written each time.
  known.made = writer_.escaped_.size() == escaped;
  known.text = writer_.out_->view().substr(start);
  known.last = writer_.last_;
}

FieldTable::KnownProcess& FieldTable::known_process(const Event& event) {
  const Process& process = event.process;
  KnownProcess& known = processes_[process.id.pid % kKnownProcesses];
  const auto to_wall = static_cast<std::int64_t>(static_cast<std::uint64_t>(event.wall_ns) - event.boot_ns);
  const bool started = event.boot_ns >= process.id.start_ns;
  if (!known.runs.empty() && known.to_wall == to_wall && known.started == started && known.process == process)
    return known;
  known.to_wall = to_wall;
  known.started = started;
  known.process = process;
  known.process.comm = known.comm = process.comm;
  known.process.executable.text = known.executable = process.executable.text;
  known.process.container_id = known.container_id = process.container_id;
  known.runs.resize(runs_.size());
  for (RunText& run : known.runs) run.made = false;
  return known;
}

FieldTable::RunText& FieldTable::text_of_call(Part& part, const Syscall& call) {
  if (part.number != call.number || part.abi != call.abi || part.name != call.name) {
    part.number = call.number;
    part.abi = call.abi;
    part.name = call.name;
    part.text.made = false;
  }
  return part.text;
}

void append_process_uid(TextBuffer& out, const StreamIdentity& stream, const ProcessIdentity& process) {
  if (process.start_ns == 0) return;
  out.put(std::string_view(stream.boot_id).substr(0, 8));
  out.put('-');
  append_number(out, std::uint64_t{process.pid});
  out.put('-');
  append_number(out, process.start_ns);
}

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace auditshift::sensor
